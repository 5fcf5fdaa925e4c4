// Kafka messages packed into one array, so that a worker hands them over as bytes:
// per message varint key length and key, varint count of headers and each one's name and value, varint value length and
// value. Lengths are unsigned LEB128; a key of length 0 is no key.

import { ByteWriter, utf8 } from './bytes.ts';

/** Of a message for another lane: the partition that it must go to. */
export const LANE_HEADER = 'weir-lane';

export interface Message {
  readonly key: Uint8Array;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly value: Uint8Array;
}

export class MessageWriter {
  private readonly out = new ByteWriter(1 << 12);
  count = 0;

  add({ key, headers, value }: Message): void {
    const { out } = this;
    out.varint(key.length);
    out.raw(key);
    out.varint(headers.length);
    for (const [name, text] of headers) {
      out.string(name);
      out.string(text);
    }
    out.varint(value.length);
    out.raw(value);
    this.count++;
  }

  /** The packed messages, in memory of their own; the writer is empty afterwards. */
  take(): Uint8Array {
    const bytes = this.out.take();
    this.out.reset();
    this.count = 0;
    return bytes;
  }
}

/** The messages of a packed array, as views on it. Throws when it ends inside one: a bug, or bytes of something else. */
export function* messagesOf(bytes: Uint8Array): Generator<Message> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      if (at >= bytes.length) throw new Error('packed messages are cut off');
      const byte = bytes[at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  const piece = (): Uint8Array => {
    const length = varint();
    if (length > bytes.length - at) throw new Error('packed messages are cut off');
    at += length;
    return bytes.subarray(at - length, at);
  };
  const decoder = new TextDecoder();
  while (at < bytes.length) {
    const key = piece();
    const headers: (readonly [string, string])[] = [];
    for (let left = varint(); left > 0; left--) headers.push([decoder.decode(piece()), decoder.decode(piece())]);
    yield { key, headers, value: piece() };
  }
}

export const NO_KEY = utf8('');

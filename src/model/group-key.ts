// Group keys of hits: the values of a correlation's group-by fields as bytes. Equal values have equal bytes.

import { ByteWriter, bufferOf } from './bytes.ts';

/** One value of a group key, tagged so that it can be read back. */
export type KeyValue = null | string | number | Uint32Array;

const KEY = { absent: 0, ip: 1, number: 2, text: 3 } as const;

/** Writes the group key of a hit; see `readKey`. */
export class KeyWriter {
  readonly out = new ByteWriter(256);

  reset(): void {
    this.out.length = 0;
  }

  absent(): void {
    this.out.u8(KEY.absent);
  }

  ip(words: Uint32Array, at: number): void {
    const start = this.out.reserve(17);
    const bytes = this.out.bytes;
    bytes[start] = KEY.ip;
    for (let i = 0; i < 4; i++) {
      const w = words[at + i];
      bytes[start + 1 + i * 4] = w >>> 24;
      bytes[start + 2 + i * 4] = w >>> 16;
      bytes[start + 3 + i * 4] = w >>> 8;
      bytes[start + 4 + i * 4] = w;
    }
    this.out.length += 17;
  }

  number(value: number): void {
    this.out.u8(KEY.number);
    this.out.f64(value);
  }

  text(bytes: Uint8Array): void {
    this.out.u8(KEY.text);
    this.out.varint(bytes.length);
    this.out.raw(bytes);
  }
}

/** Reads a group key back into its values. */
export function readKey(bytes: Uint8Array): KeyValue[] {
  const values: KeyValue[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at++];
    if (tag === KEY.absent) values.push(null);
    else if (tag === KEY.ip) {
      const words = new Uint32Array(4);
      for (let i = 0; i < 4; i++) words[i] = view.getUint32(at + i * 4, false);
      values.push(words);
      at += 16;
    } else if (tag === KEY.number) {
      values.push(view.getFloat64(at, true));
      at += 8;
    } else {
      let length = 0;
      let scale = 1;
      for (;;) {
        const b = bytes[at++];
        length += (b & 127) * scale;
        if (b < 128) break;
        scale *= 128;
      }
      values.push(bufferOf(bytes).toString('utf8', at, at + length));
      at += length;
    }
  }
  return values;
}

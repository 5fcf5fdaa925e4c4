// Kafka's record batch (magic 2), as brokers keep and send it. Layout: kafka.apache.org/documentation/#recordbatch.
// Integers are big-endian; the record fields are zigzag varints.

import { CODECS, type Codec, CodecError } from './codecs.ts';

/** Bytes before the records. */
export const HEADER_BYTES = 61;
/** Base offset and length, which the length does not count. */
const PREFIX_BYTES = 12;

export interface RecordBatchHeader {
  /** Bytes of the whole batch. */
  readonly bytes: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly count: number;
  readonly codec: Codec;
  /** Of the first record, or with log append time of all; ms since 1970. */
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly logAppendTime: boolean;
  readonly transactional: boolean;
  /** A transaction marker, no data. */
  readonly control: boolean;
  readonly producerId: bigint;
}

/** The header of the batch at `at`, or null when not all of it is there (a fetch may end in the middle). Throws CodecError. */
export function readHeader(bytes: Uint8Array, at: number, end: number): RecordBatchHeader | null {
  if (end - at < HEADER_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, HEADER_BYTES);
  const length = view.getInt32(8) + PREFIX_BYTES;
  if (bytes[at + 16] !== 2)
    throw new CodecError(`its message format is version ${bytes[at + 16]}, not 2 (Kafka 0.11 or later)`);
  if (length < HEADER_BYTES) throw new CodecError('its length is too short');
  if (length > end - at) return null;
  const attributes = view.getInt16(21);
  const codec = CODECS[attributes & 7];
  if (codec === undefined) throw new CodecError(`its compression ${attributes & 7} is not known`);
  const baseOffset = Number(view.getBigInt64(0));
  return {
    bytes: length,
    baseOffset,
    lastOffset: baseOffset + view.getInt32(23),
    count: view.getInt32(57),
    codec,
    baseTimestamp: Number(view.getBigInt64(27)),
    maxTimestamp: Number(view.getBigInt64(35)),
    logAppendTime: (attributes & 8) !== 0,
    transactional: (attributes & 16) !== 0,
    control: (attributes & 32) !== 0,
    producerId: view.getBigInt64(43),
  };
}

/** Walks over the records of a batch, uncompressed. Fields hold the record that `next` moved to. */
export class RecordWalker {
  /** Position of the fields in `bytes`; a length of -1 is null. */
  keyStart = 0;
  keyLength = -1;
  valueStart = 0;
  valueLength = -1;
  headersStart = 0;
  headers = 0;
  /** After the record's last byte. */
  end = 0;
  offsetDelta = 0;
  timestampDelta = 0;
  private bytes: Uint8Array = new Uint8Array(0);
  private at = 0;
  /** End of all records. */
  private limit = 0;
  /** Where the fields that are being read must end. */
  private stop = 0;

  open(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.at = start;
    this.limit = end;
    this.end = start;
  }

  /** Moves to the next record. Throws CodecError for one that is broken. */
  next(): void {
    this.at = this.end;
    this.stop = this.limit;
    const length = this.varint();
    if (length < 0 || length > this.limit - this.at) throw new CodecError('a record is cut off');
    this.end = this.at + length;
    this.stop = this.end;
    this.at++; // attributes: none are in use
    this.timestampDelta = this.varint();
    this.offsetDelta = this.varint();
    this.keyLength = this.length();
    this.keyStart = this.at;
    this.skip(Math.max(0, this.keyLength));
    this.valueLength = this.length();
    this.valueStart = this.at;
    this.skip(Math.max(0, this.valueLength));
    this.headers = this.varint();
    this.headersStart = this.at;
    const rest = this.end - this.at;
    // A header has two lengths at least. Without this check a few bytes could claim to be millions of records or headers.
    if (this.headers < 0 || this.headers * 2 > rest || (this.headers === 0 && rest > 0))
      throw new CodecError('a record is not as long as it says');
  }

  /** Call behind the last record. Throws CodecError when there are more than the batch says. */
  finish(): void {
    if (this.end !== this.limit) throw new CodecError('there is more behind its last record');
  }

  /** Value of the header with this name (UTF-8), as a view; null when there is none. */
  header(name: Uint8Array): Uint8Array | null {
    this.at = this.headersStart;
    for (let left = this.headers; left > 0; left--) {
      const keyLength = this.varint();
      const key = this.at;
      this.skip(keyLength);
      const valueLength = this.length();
      const value = this.at;
      this.skip(Math.max(0, valueLength));
      if (keyLength === name.length && name.every((byte, i) => this.bytes[key + i] === byte))
        return this.bytes.subarray(value, value + Math.max(0, valueLength));
    }
    return null;
  }

  /** All headers as text. */
  headerTexts(): [name: string, value: string][] {
    this.at = this.headersStart;
    const found: [string, string][] = [];
    for (let left = this.headers; left > 0; left--) found.push([this.text(), this.text()]);
    return found;
  }

  /** All headers, values as they are; null for none. */
  headerEntries(): [name: string, value: Uint8Array | null][] {
    this.at = this.headersStart;
    return Array.from({ length: Math.max(0, this.headers) }, () => {
      const name = this.text();
      const length = this.varint();
      const start = this.at;
      if (length > 0) this.skip(length);
      return [name, length < 0 ? null : this.bytes.subarray(start, start + length)];
    });
  }

  private text(): string {
    const length = this.length();
    const start = this.at;
    this.skip(Math.max(0, length));
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + start, Math.max(0, length)).toString('utf8');
  }

  /** A length, or -1 for null. */
  private length(): number {
    const length = this.varint();
    if (length < -1) throw new CodecError('a record has a negative length');
    return length;
  }

  private skip(length: number): void {
    if (length < 0 || length > this.end - this.at) throw new CodecError('a record is cut off');
    this.at += length;
  }

  /** A zigzag varint; timestamps may need more than 32 bits. */
  private varint(): number {
    const { bytes, stop } = this;
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (this.at >= stop) throw new CodecError('a record is cut off');
      const byte = bytes[this.at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      scale *= 128;
    }
    throw new CodecError('a number of a record is too long');
  }
}

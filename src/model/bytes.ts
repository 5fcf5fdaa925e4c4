// Small byte helpers shared by decoders, identifiers and encoders.

const encoder = new TextEncoder();

/** UTF-8 bytes of a string. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** A Buffer view (no copy) on any byte array, shared memory included. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The view that was made last: texts are mostly taken of the same bytes. */
let viewed: Uint8Array = new Uint8Array(0);
let view = bufferOf(viewed);

function viewOf(bytes: Uint8Array): Buffer {
  if (bytes !== viewed) {
    viewed = bytes;
    view = bufferOf(bytes);
  }
  return view;
}

/** Text of `bytes[start, end)`, UTF-8; malformed sequences become U+FFFD. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  return viewOf(bytes).toString('utf8', start, end);
}

/** Text of `bytes[start, end)`, which are ASCII. */
export function asciiOf(bytes: Uint8Array, start: number, end: number): string {
  return viewOf(bytes).toString('latin1', start, end);
}

/** Where `byte` stands first at or behind `from`; -1 for nowhere. */
export function indexOfByte(bytes: Uint8Array, byte: number, from: number): number {
  return viewOf(bytes).indexOf(byte, from);
}

/** A growable byte buffer that is reused from batch to batch. Integers are little-endian. */
export class ByteWriter {
  bytes: Uint8Array;
  length = 0;
  /** Over all of `bytes`; anew whenever that grows. */
  view: DataView;

  constructor(capacity = 65_536) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  reset(): void {
    this.length = 0;
  }

  /** Makes room for `more` bytes and returns where they start. The caller advances `length`. */
  reserve(more: number): number {
    const need = this.length + more;
    if (need > this.bytes.length) {
      const grown = new Uint8Array(Math.max(need, this.bytes.length * 2));
      grown.set(this.bytes.subarray(0, this.length));
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
    }
    return this.length;
  }

  u8(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  u32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.length, value, true);
    this.length += 4;
  }

  f64(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  /** Unsigned LEB128; exact up to 2^53. */
  varint(value: number): void {
    this.reserve(10);
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.bytes[this.length++] = rest;
  }

  raw(source: Uint8Array): void {
    this.reserve(source.length);
    this.bytes.set(source, this.length);
    this.length += source.length;
  }

  /** varint byte length, then UTF-8 bytes. */
  string(text: string): void {
    const bytes = utf8(text);
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** What was written, in the memory where it is; the writer goes on, empty, in `next`. */
  swap(next: Uint8Array): Uint8Array {
    const written = this.bytes.subarray(0, this.length);
    this.bytes = next;
    this.view = new DataView(next.buffer);
    this.length = 0;
    return written;
  }

  /** A copy of what was written. */
  take(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

/** Writes the low 32 bits of `value`, little-endian. */
export function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** Writes a non-negative integer up to 2^53, little-endian. */
export function putU64(bytes: Uint8Array, at: number, value: number): void {
  putU32(bytes, at, value % 4294967296);
  putU32(bytes, at + 4, Math.floor(value / 4294967296));
}

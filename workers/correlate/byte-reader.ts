// Reads what a ByteWriter wrote. A snapshot that ends early or says nonsense throws, and nothing is taken over from it.

import { bufferOf } from '../../src/model/bytes.ts';

export class DamagedSnapshot extends Error {
  override readonly name = 'DamagedSnapshot';
}

export class ByteReader {
  at = 0;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  f64(): number {
    return this.view.getFloat64(this.take(8), true);
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.bytes[this.take(1)];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  string(): string {
    const length = this.varint();
    const at = this.take(length);
    return bufferOf(this.bytes).toString('utf8', at, at + length);
  }

  /** A view on `length` bytes. */
  raw(length: number): Uint8Array {
    const at = this.take(length);
    return this.bytes.subarray(at, at + length);
  }

  numbers(): Float64Array {
    const length = this.varint();
    const at = this.take(length * 8);
    const numbers = new Float64Array(length);
    for (let i = 0; i < length; i++) numbers[i] = this.view.getFloat64(at + i * 8, true);
    return numbers;
  }

  private take(length: number): number {
    const at = this.at;
    this.at += length;
    if (this.at > this.bytes.length) throw new DamagedSnapshot('the correlation snapshot ends early');
    return at;
  }
}

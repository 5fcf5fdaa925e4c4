// Values of CQL's native protocol, version 4, written one behind the other: each an int32 length and its bytes, big-endian; a
// length of -2 leaves the column as it is (unset), which unlike null writes no tombstone.

const UNSET = -2;

/** Room for the longest value whose length is known beforehand. */
const SMALL = 32;

export class CqlWriter {
  bytes = Buffer.allocUnsafe(1 << 20);
  length = 0;

  reset(): void {
    this.length = 0;
  }

  /** What was written, in the memory where it is; the writer goes on in memory of its own. */
  take(): Buffer {
    const written = this.bytes.subarray(0, this.length);
    this.bytes = Buffer.allocUnsafe(this.bytes.length);
    this.length = 0;
    return written;
  }

  reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.length + more, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  u8(value: number): void {
    this.reserve(SMALL);
    this.bytes[this.length++] = value;
  }

  u16(value: number): void {
    this.reserve(SMALL);
    const { bytes, length } = this;
    bytes[length] = value >>> 8;
    bytes[length + 1] = value;
    this.length = length + 2;
  }

  unset(): void {
    this.reserve(SMALL);
    this.u32(UNSET);
  }

  uuid(words: Uint32Array, at: number): void {
    this.reserve(SMALL);
    this.u32(16);
    for (let w = 0; w < 4; w++) this.u32(words[at + w]);
  }

  int(value: number): void {
    this.reserve(SMALL);
    this.u32(4);
    this.u32(value);
  }

  /** A counter column's pair of words, low first. */
  bigint(low: number, high: number): void {
    this.reserve(SMALL);
    this.u32(8);
    this.u32(high);
    this.u32(low);
  }

  /** An integer up to 2^53 in size; may be negative. Timestamps are such numbers of ms. */
  long(value: number): void {
    this.bigint((value % 4294967296) | 0, Math.floor(value / 4294967296));
  }

  /** A 64-bit integer of any size. */
  wideInteger(value: bigint): void {
    this.reserve(SMALL);
    this.u32(8);
    this.length = this.bytes.writeBigUInt64BE(BigInt.asUintN(64, value), this.length);
  }

  double(value: number): void {
    this.reserve(SMALL);
    this.u32(8);
    this.length = this.bytes.writeDoubleBE(value, this.length);
  }

  float(value: number): void {
    this.reserve(SMALL);
    this.u32(4);
    this.length = this.bytes.writeFloatBE(value, this.length);
  }

  /** An address of four words, as 4 bytes when it is IPv4-mapped. */
  inet(words: Uint32Array, at: number): void {
    this.reserve(SMALL);
    if (words[at] === 0 && words[at + 1] === 0 && words[at + 2] === 0xffff) {
      this.u32(4);
      this.u32(words[at + 3]);
      return;
    }
    this.u32(16);
    for (let w = 0; w < 4; w++) this.u32(words[at + w]);
  }

  blob(value: Uint8Array): void {
    this.reserve(4 + value.length);
    this.u32(value.length);
    if (value.length <= 24) for (let i = 0; i < value.length; i++) this.bytes[this.length + i] = value[i];
    else this.bytes.set(value, this.length);
    this.length += value.length;
  }

  text(value: string): void {
    this.blob(Buffer.from(value, 'utf8'));
  }

  /** map<text, text>. */
  texts(map: Readonly<Record<string, string>>): void {
    const entries = Object.entries(map);
    this.reserve(SMALL);
    const at = this.length;
    this.u32(0);
    this.u32(entries.length);
    for (const [key, value] of entries) {
      this.text(key);
      this.text(value);
    }
    this.bytes.writeInt32BE(this.length - at - 4, at);
  }

  private u32(value: number): void {
    const { bytes, length } = this;
    bytes[length] = value >>> 24;
    bytes[length + 1] = value >>> 16;
    bytes[length + 2] = value >>> 8;
    bytes[length + 3] = value;
    this.length = length + 4;
  }
}

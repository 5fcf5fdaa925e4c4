// Zstandard's finite state entropy: its tables, and the bit stream that is read from its end. RFC 8878, 4.1.

import { CodecError } from './codec-error.ts';

export interface FseTable {
  readonly accuracy: number;
  /** By state: its symbol, how many bits choose the next state, and from where on. */
  readonly symbols: Uint8Array;
  readonly bits: Uint8Array;
  readonly bases: Uint16Array;
}

const broken = (): CodecError => new CodecError('a Zstandard table is broken');

const highestBit = (value: number): number => 31 - Math.clz32(value);

/** A table by the share of each symbol; -1 is less than one. */
export function fseFrom(shares: readonly number[], accuracy: number): FseTable {
  const size = 1 << accuracy;
  const symbols = new Uint8Array(size);
  const bits = new Uint8Array(size);
  const bases = new Uint16Array(size);
  const next = shares.map((share) => Math.abs(share));
  let high = size;
  shares.forEach((share, symbol) => {
    if (share === -1) symbols[--high] = symbol;
  });
  const step = (size >>> 1) + (size >>> 3) + 3;
  let place = 0;
  shares.forEach((share, symbol) => {
    for (let i = 0; i < share; i++) {
      symbols[place] = symbol;
      do place = (place + step) & (size - 1);
      while (place >= high);
    }
  });
  for (let state = 0; state < size; state++) {
    const number = next[symbols[state]]++;
    bits[state] = accuracy - highestBit(number);
    bases[state] = (number << bits[state]) - size;
  }
  return { accuracy, symbols, bits, bases };
}

/** The table of a run: one symbol, no bits. */
export function fseOfOne(symbol: number): FseTable {
  return { accuracy: 0, symbols: Uint8Array.of(symbol), bits: new Uint8Array(1), bases: new Uint16Array(1) };
}

/** Reads a table's description in [start, end); returns the table and the position behind it. Throws CodecError. */
export function readFse(
  bytes: Uint8Array,
  start: number,
  end: number,
  mostAccuracy: number,
  mostSymbol: number,
): [FseTable, number] {
  let bit = start * 8;
  const read = (width: number): number => {
    const at = bit >>> 3;
    const value = (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16)) >>> (bit & 7);
    bit += width;
    if (bit > end * 8) throw broken();
    return value & ((1 << width) - 1);
  };
  const accuracy = read(4) + 5;
  if (accuracy > mostAccuracy) throw broken();
  const shares: number[] = [];
  for (let left = 1 << accuracy; left > 0; ) {
    // Values up to `left` + 1; the smaller ones, of which there would be too many codes, take one bit less.
    const width = highestBit(left + 1);
    const short = (2 << width) - 2 - left;
    let value = read(width);
    if (value >= short && read(1) === 1) value += (1 << width) - short;
    const share = value - 1;
    left -= Math.abs(share);
    shares.push(share);
    if (share === 0)
      for (let more = 3; more === 3; ) {
        more = read(2);
        for (let i = 0; i < more; i++) shares.push(0);
      }
    if (left < 0 || shares.length > mostSymbol + 1) throw broken();
  }
  return [fseFrom(shares, accuracy), Math.ceil(bit / 8)];
}

/** Reads bits from the end of [start, end) on: the highest bit that is set in the last byte only marks where they begin. */
export class BackwardBits {
  /** Bits that are left; negative when more were read than there are. */
  left: number;
  private readonly bytes: Uint8Array;
  private readonly start: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    if (start >= end || bytes[end - 1] === 0) throw new CodecError('a Zstandard bit stream is broken');
    this.bytes = bytes;
    this.start = start;
    this.left = (end - start - 1) * 8 + highestBit(bytes[end - 1]);
  }

  /** Up to 27 bits; beyond the last one there are zeros. */
  read(width: number): number {
    if (width > 16) return this.read(width - 16) * 65_536 + this.read(16);
    this.left -= width;
    return this.peek(this.left, width);
  }

  /** `width` (up to 16) bits that begin at bit `from`. */
  peek(from: number, width: number): number {
    if (from < 0) return from + width <= 0 ? 0 : this.peek(0, from + width) << -from;
    const at = this.start + (from >>> 3);
    const { bytes } = this;
    return ((bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16)) >>> (from & 7)) & ((1 << width) - 1);
  }
}

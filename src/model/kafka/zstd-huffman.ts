// Zstandard's Huffman coding of literals. RFC 8878, 4.2.

import { CodecError } from './codec-error.ts';
import { BackwardBits, readFse } from './zstd-fse.ts';

export interface HuffmanTable {
  /** Length of the longest code. */
  readonly most: number;
  /** By the next `most` bits: the symbol, and how long its code is. */
  readonly symbols: Uint8Array;
  readonly bits: Uint8Array;
}

const MOST_BITS = 11;

const broken = (): CodecError => new CodecError('a Zstandard Huffman table is broken');

/** Reads a table's description in [start, end); returns the table and the position behind it. Throws CodecError. */
export function readHuffman(bytes: Uint8Array, start: number, end: number): [HuffmanTable, number] {
  if (start >= end) throw broken();
  const header = bytes[start];
  const at = start + 1;
  if (header < 128) {
    if (at + header > end) throw broken();
    return [tableOf(packedWeights(bytes, at, at + header)), at + header];
  }
  const count = header - 127;
  const next = at + Math.ceil(count / 2);
  if (next > end) throw broken();
  const weights = Array.from({ length: count }, (_, i) => (bytes[at + (i >>> 1)] >>> (i % 2 === 0 ? 4 : 0)) & 15);
  return [tableOf(weights), next];
}

/** Weights by two states that take turns on one bit stream, until it has no bit left. */
function packedWeights(bytes: Uint8Array, start: number, end: number): number[] {
  const [table, at] = readFse(bytes, start, end, 6, 255);
  const bits = new BackwardBits(bytes, at, end);
  const weights: number[] = [];
  let state = bits.read(table.accuracy);
  let other = bits.read(table.accuracy);
  if (bits.left < 0) throw broken();
  for (;;) {
    weights.push(table.symbols[state]);
    state = table.bases[state] + bits.read(table.bits[state]);
    if (weights.length > 254) throw broken();
    if (bits.left < 0) {
      weights.push(table.symbols[other]);
      return weights;
    }
    [state, other] = [other, state];
  }
}

/** The last symbol's weight is not written: it is what the others leave. */
function tableOf(known: readonly number[]): HuffmanTable {
  let sum = 0;
  for (const weight of known) {
    if (weight > MOST_BITS) throw broken();
    sum += weight === 0 ? 0 : 1 << (weight - 1);
  }
  if (sum === 0) throw broken();
  const most = 32 - Math.clz32(sum);
  const rest = (1 << most) - sum;
  if (most > MOST_BITS || (rest & (rest - 1)) !== 0) throw broken();
  const weights = [...known, 32 - Math.clz32(rest)];
  const symbols = new Uint8Array(1 << most);
  const bits = new Uint8Array(1 << most);
  let at = 0;
  for (let weight = 1; weight <= most; weight++) {
    weights.forEach((own, symbol) => {
      if (own !== weight) return;
      const next = at + (1 << (weight - 1));
      symbols.fill(symbol, at, next);
      bits.fill(most + 1 - weight, at, next);
      at = next;
    });
  }
  return { most, symbols, bits };
}

/** Decodes one stream, or four of them with their lengths before, into all of `out`. Throws CodecError. */
export function unhuffman(
  table: HuffmanTable,
  bytes: Uint8Array,
  start: number,
  end: number,
  streams: 1 | 4,
  out: Uint8Array,
): void {
  if (streams === 1) {
    stream(table, bytes, start, end, out);
    return;
  }
  const piece = (out.length + 3) >>> 2;
  let at = start + 6;
  if (at > end || piece * 3 > out.length) throw broken();
  for (let i = 0; i < 4; i++) {
    const length = bytes[start + i * 2] | (bytes[start + i * 2 + 1] << 8);
    const next = i === 3 ? end : at + length;
    if (next > end) throw broken();
    stream(table, bytes, at, next, out.subarray(piece * i, i === 3 ? out.length : piece * (i + 1)));
    at = next;
  }
}

function stream({ most, symbols, bits }: HuffmanTable, bytes: Uint8Array, start: number, end: number, out: Uint8Array) {
  const input = new BackwardBits(bytes, start, end);
  let { left } = input;
  for (let i = 0; i < out.length; i++) {
    const code = input.peek(left - most, most);
    out[i] = symbols[code];
    left -= bits[code];
  }
  if (left !== 0) throw new CodecError('a Zstandard literal is cut off');
}

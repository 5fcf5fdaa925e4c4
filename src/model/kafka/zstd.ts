// Zstandard frames, for Node before 22.15, which has no Zstandard of its own. Format: RFC 8878. Time and memory follow the size of the
// input and of what it becomes, whatever its header says; checksums are not checked: the broker has checked the batch's own.

import { CodecError } from './codec-error.ts';
import { copyMatch } from './snappy.ts';
import { BackwardBits, type FseTable, fseFrom, fseOfOne, readFse } from './zstd-fse.ts';
import { type HuffmanTable, readHuffman, unhuffman } from './zstd-huffman.ts';

const MAGIC = 0xfd2fb528;
/** A block becomes no more than this. */
const MOST_OF_BLOCK = 1 << 17;
/** Offsets have up to 31 bits; those of more than this point before anything that fits into the limit. */
const MOST_OFFSET_BITS = 27;

/** Throws CodecError for bytes that are no Zstandard frames, or that would become more than `limit` bytes. */
export function unzstd(bytes: Uint8Array, limit: number): Uint8Array {
  const out = new Output(limit, Math.min(limit, Math.max(1024, bytes.length * 4)));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at < bytes.length) {
    if (at + 4 > bytes.length) throw new CodecError('a Zstandard frame is cut off');
    const magic = view.getUint32(at, true);
    if (magic >>> 4 === 0x184d2a5) {
      const skipped = at + 8 <= bytes.length ? view.getUint32(at + 4, true) : Infinity;
      if (skipped > bytes.length - at - 8) throw new CodecError('a Zstandard frame is cut off');
      at += 8 + skipped;
    } else if (magic === MAGIC) at = new Frame(bytes, out).read(at + 4);
    else throw new CodecError('it is no Zstandard frame');
  }
  return out.bytes.subarray(0, out.length);
}

class Output {
  bytes: Uint8Array;
  length = 0;
  private readonly limit: number;

  constructor(limit: number, room: number) {
    this.limit = limit;
    this.bytes = new Uint8Array(room);
  }

  reserve(more: number): void {
    const need = this.length + more;
    if (need <= this.bytes.length) return;
    if (need > this.limit) throw CodecError.tooLarge(this.limit);
    const grown = new Uint8Array(Math.min(this.limit, Math.max(need, this.bytes.length * 2)));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}

interface Codes {
  readonly most: number;
  readonly accuracy: number;
  readonly predefined: FseTable;
}

/** A code's least value and how many further bits it has. */
interface Lengths {
  readonly base: Int32Array;
  readonly bits: Uint8Array;
}

class Frame {
  private readonly bytes: Uint8Array;
  private readonly out: Output;
  private readonly start: number;
  private huffman: HuffmanTable | null = null;
  private tables: (FseTable | null)[] = [null, null, null];
  private readonly recent = [1, 4, 8];
  private readonly literals = new Uint8Array(MOST_OF_BLOCK);
  private literalCount = 0;

  constructor(bytes: Uint8Array, out: Output) {
    this.bytes = bytes;
    this.out = out;
    this.start = out.length;
  }

  /** Returns the position behind the frame. */
  read(from: number): number {
    const { bytes } = this;
    const flags = bytes[from];
    if ((flags & 8) !== 0) throw new CodecError('its Zstandard version is not known');
    const single = (flags & 32) !== 0;
    let at = from + (single ? 1 : 2);
    for (let left = [0, 1, 2, 4][flags & 3]; left > 0; left--)
      if (bytes[at++] !== 0) throw new CodecError('its Zstandard frame needs a dictionary');
    at += [single ? 1 : 0, 2, 4, 8][flags >>> 6];
    for (;;) {
      if (at + 3 > bytes.length) throw cutOff();
      const header = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
      at = this.block(at + 3, (header >>> 1) & 3, header >>> 3);
      if ((header & 1) !== 0) break;
    }
    at += (flags & 4) !== 0 ? 4 : 0;
    if (at > bytes.length) throw cutOff();
    return at;
  }

  private block(at: number, type: number, size: number): number {
    const { bytes, out } = this;
    const end = at + (type === 1 ? 1 : size);
    if (end > bytes.length) throw cutOff();
    if (size > MOST_OF_BLOCK || type === 3) throw broken();
    if (type === 2) {
      const before = out.length;
      this.sequences(this.readLiterals(at, end), end, before);
      return end;
    }
    out.reserve(size);
    if (type === 0) out.bytes.set(bytes.subarray(at, end), out.length);
    else out.bytes.fill(bytes[at], out.length, out.length + size);
    out.length += size;
    return end;
  }

  /** Fills `literals`; returns where the sequences begin. */
  private readLiterals(from: number, end: number): number {
    const { bytes, literals } = this;
    const type = bytes[from] & 3;
    const format = (bytes[from] >>> 2) & 3;
    if (type < 2) {
      const headerBytes = format === 1 ? 2 : format === 3 ? 3 : 1;
      const header = bytes[from] | (bytes[from + 1] << 8) | (bytes[from + 2] << 16);
      const size = headerBytes === 1 ? (header & 0xff) >>> 3 : (header & (headerBytes === 2 ? 0xffff : 0xffffff)) >>> 4;
      const at = from + headerBytes;
      const stop = at + (type === 0 ? size : 1);
      if (size > MOST_OF_BLOCK || stop > end) throw broken();
      if (type === 0) literals.set(bytes.subarray(at, stop));
      else literals.fill(bytes[at], 0, size);
      this.literalCount = size;
      return stop;
    }
    const width = format === 3 ? 18 : format === 2 ? 14 : 10;
    let at = from + (format === 3 ? 5 : format === 2 ? 4 : 3);
    if (at > end) throw broken();
    let header = 0;
    for (let i = at - 1; i >= from; i--) header = header * 256 + bytes[i];
    const size = Math.floor(header / 16) % 2 ** width;
    const stop = at + (Math.floor(header / 2 ** (4 + width)) % 2 ** width);
    if (size > MOST_OF_BLOCK || stop > end) throw broken();
    if (type === 2) [this.huffman, at] = readHuffman(bytes, at, stop);
    if (this.huffman === null) throw broken();
    unhuffman(this.huffman, bytes, at, stop, format === 0 ? 1 : 4, literals.subarray(0, size));
    this.literalCount = size;
    return stop;
  }

  private sequences(from: number, end: number, before: number): void {
    const { bytes, out, literals, recent } = this;
    let at = from;
    if (at >= end) throw broken();
    let count = bytes[at++];
    if (count === 255) {
      count = bytes[at] + (bytes[at + 1] << 8) + 0x7f00;
      at += 2;
    } else if (count >= 128) count = ((count - 128) << 8) + bytes[at++];
    let used = 0;
    if (count > 0) {
      const modes = bytes[at++];
      if (at > end || (modes & 3) !== 0) throw broken();
      for (let kind = 0; kind < 3; kind++) at = this.table(kind, (modes >>> (6 - 2 * kind)) & 3, at, end);
      const [literalLengths, offsets, matchLengths] = this.tables as FseTable[];
      const bits = new BackwardBits(bytes, at, end);
      let literalState = bits.read(literalLengths.accuracy);
      let offsetState = bits.read(offsets.accuracy);
      let matchState = bits.read(matchLengths.accuracy);
      for (let left = count; left > 0; left--) {
        const offsetCode = offsets.symbols[offsetState];
        if (offsetCode > MOST_OFFSET_BITS) throw outside();
        const offsetValue = 2 ** offsetCode + bits.read(offsetCode);
        const matchCode = matchLengths.symbols[matchState];
        const matchLength = MATCH.base[matchCode] + bits.read(MATCH.bits[matchCode]);
        const literalCode = literalLengths.symbols[literalState];
        const literalLength = LITERAL.base[literalCode] + bits.read(LITERAL.bits[literalCode]);
        if (left > 1) {
          literalState = literalLengths.bases[literalState] + bits.read(literalLengths.bits[literalState]);
          matchState = matchLengths.bases[matchState] + bits.read(matchLengths.bits[matchState]);
          offsetState = offsets.bases[offsetState] + bits.read(offsets.bits[offsetState]);
        }
        if (bits.left < 0) throw broken();
        const distance = distanceOf(recent, offsetValue, literalLength);
        if (literalLength > this.literalCount - used) throw broken();
        if (out.length - before + literalLength + matchLength > MOST_OF_BLOCK) throw broken();
        out.reserve(literalLength + matchLength);
        const to = out.length + literalLength;
        if (literalLength <= 16) for (let i = 0; i < literalLength; i++) out.bytes[out.length + i] = literals[used + i];
        else out.bytes.set(literals.subarray(used, used + literalLength), out.length);
        used += literalLength;
        if (distance < 1 || distance > to - this.start) throw outside();
        copyMatch(out.bytes, to, distance, matchLength);
        out.length = to + matchLength;
      }
      if (bits.left !== 0) throw broken();
    } else if (at !== end) throw broken();
    const rest = this.literalCount - used;
    if (out.length - before + rest > MOST_OF_BLOCK) throw broken();
    out.reserve(rest);
    out.bytes.set(literals.subarray(used, used + rest), out.length);
    out.length += rest;
  }

  /** Sets the table of a kind by its mode; returns the position behind what describes it. */
  private table(kind: number, mode: number, at: number, end: number): number {
    const { most, accuracy, predefined } = CODES[kind];
    if (mode === 0) this.tables[kind] = predefined;
    else if (mode === 1) {
      if (at >= end || this.bytes[at] > most) throw broken();
      this.tables[kind] = fseOfOne(this.bytes[at]);
      return at + 1;
    } else if (mode === 2) {
      const [table, next] = readFse(this.bytes, at, end, accuracy, most);
      this.tables[kind] = table;
      return next;
    } else if (this.tables[kind] === null) throw broken();
    return at;
  }
}

/** What an offset value means, by the three distances used last. */
function distanceOf(recent: number[], value: number, literalLength: number): number {
  if (value > 3) {
    recent[2] = recent[1];
    recent[1] = recent[0];
    recent[0] = value - 3;
    return recent[0];
  }
  const place = value - 1 + (literalLength === 0 ? 1 : 0);
  if (place === 0) return recent[0];
  const distance = place === 3 ? recent[0] - 1 : recent[place];
  if (place > 1) recent[2] = recent[1];
  recent[1] = recent[0];
  recent[0] = distance;
  return distance;
}

const cutOff = (): CodecError => new CodecError('a Zstandard frame is cut off');
const broken = (): CodecError => new CodecError('a Zstandard block is broken');
const outside = (): CodecError => new CodecError('a Zstandard match points outside');

/** The first `plain` codes stand for themselves; `bits` are those of the others. */
function lengths(first: number, plain: number, bits: readonly number[]): Lengths {
  const all = [...new Array<number>(plain).fill(0), ...bits];
  let next = first;
  const base = all.map((width) => {
    next += 2 ** width;
    return next - 2 ** width;
  });
  return { base: Int32Array.from(base), bits: Uint8Array.from(all) };
}

const LITERAL = lengths(0, 16, [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
const MATCH = lengths(3, 32, [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);

const repeated = (count: number, value: number): number[] => new Array<number>(count).fill(value);

/** Literal lengths, offsets, match lengths, in the order in which their tables stand. */
const CODES: readonly Codes[] = [
  {
    most: 35,
    accuracy: 9,
    predefined: fseFrom(
      [4, 3, ...repeated(11, 2), 1, 1, 1, ...repeated(9, 2), 3, 2, ...repeated(5, 1), ...repeated(4, -1)],
      6,
    ),
  },
  {
    most: 31,
    accuracy: 8,
    predefined: fseFrom([...repeated(6, 1), 2, 2, 2, ...repeated(15, 1), ...repeated(5, -1)], 5),
  },
  {
    most: 52,
    accuracy: 9,
    predefined: fseFrom([1, 4, 3, ...repeated(6, 2), ...repeated(37, 1), ...repeated(7, -1)], 6),
  },
];

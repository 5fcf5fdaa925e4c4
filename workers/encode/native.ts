// ClickHouse's Native format, written column by column into one reused buffer. Little-endian throughout, as every
// platform with a chDB build is: typed arrays whose layout agrees with the format are copied as they are.

import { ByteWriter, utf8 } from '../../src/model/bytes.ts';
import type { Column } from '../../src/model/tables.ts';

/** Where strings of a LowCardinality column come from: the worker's Dictionary, or a TextTable. Id 0 is ''. */
export interface TextSource {
  readonly size: number;
  /** Writes the first `count` of these texts: varint byte length and bytes, one text behind the other. */
  write(ids: ArrayLike<number>, count: number, out: ByteWriter): void;
}

type Plain = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float32Array | Float64Array;

/** Name and type of each column as a block carries them. */
export function columnHeaders(columns: readonly Column[]): readonly Uint8Array[] {
  return columns.map(({ name, type }) => {
    const header = new ByteWriter(128);
    header.string(name);
    header.string(type);
    return header.take();
  });
}

export class NativeWriter {
  readonly out = new ByteWriter(1 << 20);
  private words = new Uint32Array(1 << 14);
  private wordBytes = new Uint8Array(this.words.buffer);
  /** Per text id: mark + local index, for the column being written; below the mark: not seen yet. */
  private marks = new Uint32Array(1 << 12);
  private mark = 1;
  private order = new Uint32Array(1 << 12);

  begin(columns: number, rows: number): void {
    this.out.reset();
    this.out.varint(columns);
    this.out.varint(rows);
  }

  /** A column whose typed array already has the format's layout; `elements` of it (two a row for 64-bit counters). */
  plain(source: Plain, elements: number): void {
    const bytes = source.BYTES_PER_ELEMENT * elements;
    this.out.raw(new Uint8Array(source.buffer, source.byteOffset, bytes));
  }

  zeros(bytes: number): void {
    const at = this.out.reserve(bytes);
    this.out.bytes.fill(0, at, at + bytes);
    this.out.length += bytes;
  }

  /** UUIDs of four words a row, most significant first: the format has two u64 halves, each little-endian. */
  uuids(source: Uint32Array, rows: number): void {
    const words = this.scratch(rows * 4);
    for (let i = 0; i < rows * 4; i += 4) {
      words[i] = source[i + 1];
      words[i + 1] = source[i];
      words[i + 2] = source[i + 3];
      words[i + 3] = source[i + 2];
    }
    this.flush(rows * 4);
  }

  /** UUIDs by index into a short table of such words. */
  uuidsOf(table: Uint32Array, indices: Uint32Array, rows: number): void {
    const words = this.scratch(rows * 4);
    for (let i = 0, to = 0; i < rows; i++, to += 4) {
      const from = indices[i] * 4;
      words[to] = table[from + 1];
      words[to + 1] = table[from];
      words[to + 2] = table[from + 3];
      words[to + 3] = table[from + 2];
    }
    this.flush(rows * 4);
  }

  /** IPv6 from four words a row: 16 bytes in network order. */
  addresses(source: Uint32Array, rows: number): void {
    const words = this.scratch(rows * 4);
    for (let i = 0; i < rows * 4; i++) {
      const w = source[i];
      words[i] = (w << 24) | ((w & 0xff00) << 8) | ((w >>> 8) & 0xff00) | (w >>> 24);
    }
    this.flush(rows * 4);
  }

  /** DateTime64(9): nanoseconds as Int64, from whole milliseconds and the rest. Exact without BigInt: ms is split at 16 bits. */
  nanoseconds(ms: Float64Array, ns: Uint32Array, rows: number): void {
    const words = this.scratch(rows * 2);
    for (let i = 0; i < rows; i++) putNanoseconds(words, i * 2, ms[i], ns[i]);
    this.flush(rows * 2);
  }

  /** A u32 column by index into a short table. */
  numbersOf(table: Uint32Array, indices: Uint32Array, rows: number): void {
    const words = this.scratch(rows);
    for (let i = 0; i < rows; i++) words[i] = table[indices[i]];
    this.flush(rows);
  }

  /** LowCardinality(String): a dictionary of the texts that occur in this block, and an index a row. */
  lowCardinality(ids: Uint32Array | Uint8Array, rows: number, texts: TextSource): void {
    let any = 0;
    for (let i = 0; i < rows; i++) any |= ids[i];
    if (any === 0) {
      this.dictionaryHeader(0, 1);
      this.out.u8(0);
      this.u64(rows);
      this.zeros(rows);
      return;
    }
    const count = this.localIndices(ids, rows, texts.size);
    const width = indexWidth(count);
    this.dictionaryHeader(width, count);
    texts.write(this.order, count, this.out);
    this.u64(rows);
    this.indices(width, rows);
  }

  u64(value: number): void {
    this.out.u32(value % 4294967296);
    this.out.u32(Math.floor(value / 4294967296));
  }

  /** What was written, exactly sized, in memory of its own (so that it can be transferred). */
  take(): Uint8Array {
    return this.out.take();
  }

  private dictionaryHeader(width: number, count: number): void {
    this.u64(1); // version: shared dictionaries with additional keys
    this.u64(0x200 + width); // additional keys follow; index type
    this.u64(count);
  }

  /** Fills the scratch words with an index a row and `order` with the distinct ids; returns how many there are. */
  private localIndices(ids: Uint32Array | Uint8Array, rows: number, size: number): number {
    if (this.marks.length < size) this.marks = new Uint32Array(Math.max(size, this.marks.length * 2));
    if (this.order.length < rows) this.order = new Uint32Array(rows * 2);
    if (this.mark + rows > 0xffffffff) {
      this.marks.fill(0);
      this.mark = 1;
    }
    const { marks, order, mark } = this;
    const words = this.scratch(rows);
    let next = mark;
    for (let i = 0; i < rows; i++) {
      const id = ids[i];
      let seen = marks[id];
      if (seen < mark) {
        order[next - mark] = id;
        seen = next++;
        marks[id] = seen;
      }
      words[i] = seen - mark;
    }
    this.mark = next;
    return next - mark;
  }

  private indices(width: number, rows: number): void {
    if (width === 2) {
      this.flush(rows);
      return;
    }
    const words = this.words;
    const bytes = rows << width;
    const at = this.out.reserve(bytes);
    const target = this.out.bytes;
    if (width === 0) for (let i = 0; i < rows; i++) target[at + i] = words[i];
    else
      for (let i = 0; i < rows; i++) {
        target[at + 2 * i] = words[i];
        target[at + 2 * i + 1] = words[i] >>> 8;
      }
    this.out.length += bytes;
  }

  private scratch(length: number): Uint32Array {
    if (this.words.length < length) {
      this.words = new Uint32Array(length * 2);
      this.wordBytes = new Uint8Array(this.words.buffer);
    }
    return this.words;
  }

  private flush(words: number): void {
    this.out.raw(this.wordBytes.subarray(0, words * 4));
  }
}

/** 0, 1 or 2: indices of one, two or four bytes. */
export function indexWidth(distinct: number): number {
  if (distinct <= 0x100) return 0;
  return distinct <= 0x10000 ? 1 : 2;
}

/** Writes ms·10⁶ + ns as a little-endian Int64 into words[at], words[at+1]. Every intermediate stays below 2^53. */
export function putNanoseconds(words: Uint32Array, at: number, ms: number, ns: number): void {
  const msHigh = Math.floor(ms / 65536);
  const high = msHigh * 1e6; // in units of 65,536 ns
  const highRest = high - Math.floor(high / 65536) * 65536;
  const low = highRest * 65536 + (ms - msHigh * 65536) * 1e6 + ns;
  words[at] = low; // its low 32 bits; `%` of doubles is a library call
  words[at + 1] = Math.floor(high / 65536) + Math.floor(low / 4294967296);
}

/** A fixed list of texts as a TextSource. */
export class TextTable implements TextSource {
  readonly size: number;
  private readonly texts: readonly Uint8Array[];
  constructor(texts: readonly string[]) {
    this.texts = texts.map(utf8);
    this.size = texts.length;
  }
  write(ids: ArrayLike<number>, count: number, out: ByteWriter): void {
    for (let i = 0; i < count; i++) {
      const text = this.texts[ids[i]];
      out.varint(text.length);
      out.raw(text);
    }
  }
}

// Many literals found in one pass over the bytes of a JSON text, as they stand there: quotes and backslashes escaped, nothing
// else, all ASCII. Each literal is filed under the rarest group of three neighbouring symbols that it has, as in
// literal-search.ts; tables of integers and bytes only.

import type { Literal } from './literal-search.ts';
import { SYMBOL_BITS as BITS, RawLiterals, SYMBOLS } from './raw-literals.ts';

/** Symbols of no character. */
const START = 1;
const END = 2;
const MASK = (1 << (3 * BITS)) - 1;

/** Bits of the filter a gram: a scan must neither wait for memory nor be wrong often. */
const SPARSENESS = { few: 64, many: 16 } as const;
const FEW = 1024;

export class RawSearch {
  /** By hash of a gram: whether anything may be filed under it. */
  private readonly filter: Int32Array;
  private readonly shift: number;
  /** Open addressing by hash, two numbers a slot: the gram + 1, and where its entries begin. */
  private readonly table: Int32Array;
  private readonly tableShift: number;
  /** Of a gram: how many, then ENTRY numbers each: literal, distance from where it begins to where the gram ends, and what it is
   * (see RawLiterals.isAt). Side by side, since every line of memory may be a miss. */
  private readonly entries: Int32Array;
  private readonly literals: RawLiterals;

  constructor(literals: readonly Literal[]) {
    this.literals = new RawLiterals(literals);
    const { written } = this.literals;
    const filed = file(written, literals);
    this.shift = 32 - bitsFor(filed.size * (filed.size < FEW ? SPARSENESS.few : SPARSENESS.many));
    this.filter = new Int32Array(1 << (27 - this.shift));
    this.tableShift = 32 - bitsFor(filed.size * 2);
    this.table = new Int32Array(2 << (32 - this.tableShift));
    let size = filed.size;
    for (const list of filed.values()) size += (list.length / 2) * ENTRY;
    this.entries = new Int32Array(size);
    this.lay(filed);
  }

  /** Calls `found` with every literal of the text written as `bytes[start, end)`, some of them more than once. */
  scan(bytes: Uint8Array, start: number, end: number, found: (literal: number) => void): void {
    const { filter, shift } = this;
    let gram = START;
    for (let i = start; i < end; i++) {
      gram = ((gram << BITS) | SYMBOLS[bytes[i]]) & MASK;
      const hash = Math.imul(gram, GOLDEN) >>> shift;
      if ((filter[hash >> 5] & (1 << (hash & 31))) !== 0) this.compare(bytes, start, end, i, gram, found);
    }
    // Two symbols behind the end, so that a literal of one character has its gram there too.
    for (let i = end; i < end + 2; i++) {
      gram = ((gram << BITS) | END) & MASK;
      const hash = Math.imul(gram, GOLDEN) >>> shift;
      if ((filter[hash >> 5] & (1 << (hash & 31))) !== 0) this.compare(bytes, start, end, i, gram, found);
    }
  }

  private compare(
    bytes: Uint8Array,
    start: number,
    end: number,
    at: number,
    gram: number,
    found: (literal: number) => void,
  ): void {
    const { table, entries, literals } = this;
    const mask = table.length - 1;
    let slot = (Math.imul(gram, GOLDEN) >>> this.tableShift) * 2;
    while (table[slot] !== gram + 1) {
      if (table[slot] === 0) return;
      slot = (slot + 2) & mask;
    }
    let e = table[slot + 1];
    for (let left = entries[e++]; left > 0; left--, e += ENTRY) {
      const from = at - entries[e + 1];
      if (literals.isAt(bytes, start, end, from, entries[e + 2], entries[e + 3])) found(entries[e]);
    }
  }

  private lay(filed: ReadonlyMap<number, readonly number[]>): void {
    const { table, entries, literals } = this;
    let used = 0;
    for (const [gram, list] of filed) {
      const hash = Math.imul(gram, GOLDEN);
      this.filter[(hash >>> this.shift) >> 5] |= 1 << ((hash >>> this.shift) & 31);
      let slot = (hash >>> this.tableShift) * 2;
      while (table[slot] !== 0) slot = (slot + 2) & (table.length - 1);
      table[slot] = gram + 1;
      table[slot + 1] = used;
      entries[used++] = list.length / 2;
      for (let i = 0; i < list.length; i += 2) {
        entries[used++] = list[i];
        entries[used++] = list[i + 1];
        entries[used++] = literals.shapes[list[i]];
        entries[used++] = literals.starts[list[i]];
      }
    }
  }
}

const ENTRY = 4;
const GOLDEN = 0x9e3779b1;

/** At least 5, so that a filter is whole words. */
const bitsFor = (size: number): number => Math.max(5, Math.ceil(Math.log2(Math.max(size, 1))));

/** Entries by gram. Of a literal shorter than a gram all grams that begin with it have one. */
function file(written: readonly string[], literals: readonly Literal[]): Map<number, number[]> {
  const symbols = written.map((text, i) => symbolsOf(text, literals[i]));
  const commonness = new Map<number, number>();
  for (const list of symbols)
    for (let last = 2; last < list.length; last++) {
      const gram = gramAt(list, last);
      commonness.set(gram, (commonness.get(gram) ?? 0) + 1);
    }
  const filed = new Map<number, number[]>();
  const add = (gram: number, literal: number, back: number): void => {
    const list = filed.get(gram);
    if (list === undefined) filed.set(gram, [literal, back]);
    else list.push(literal, back);
  };
  for (const [i, list] of symbols.entries()) {
    if (written[i] === '') continue;
    const shift = literals[i].start ? 1 : 0; // the symbol of the beginning stands before the first character
    if (list.length >= 3) {
      let best = 2;
      for (let last = 3; last < list.length; last++)
        if ((commonness.get(gramAt(list, last)) ?? 0) < (commonness.get(gramAt(list, best)) ?? 0)) best = last;
      add(gramAt(list, best), i, best - shift);
      continue;
    }
    const free = (3 - list.length) * BITS;
    const first = list.reduce((gram, symbol) => (gram << BITS) | symbol, 0) << free;
    for (let gram = first; gram < first + (1 << free); gram++) add(gram, i, 2 - shift);
  }
  return filed;
}

function symbolsOf(text: string, { start, end }: Literal): number[] {
  const symbols = start ? [START] : [];
  for (let i = 0; i < text.length; i++) symbols.push(SYMBOLS[text.charCodeAt(i)]);
  if (end) symbols.push(END);
  return symbols;
}

const gramAt = (symbols: readonly number[], last: number): number =>
  (((symbols[last - 2] << BITS) | symbols[last - 1]) << BITS) | symbols[last];

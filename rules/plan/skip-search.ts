// Few literals, none of them short, found in the bytes of a JSON text by looking at a part of them only: two symbols tell how far
// it is at least to the next place where a literal may end (after Wu and Manber, "A fast algorithm for multi-pattern searching").

import type { Literal } from './literal-search.ts';
import { RawLiterals, SYMBOL_BITS, SYMBOLS } from './raw-literals.ts';

const BLOCKS = 1 << (2 * SYMBOL_BITS);
/** A window of so many characters of each literal is looked for: longer ones would fill the table. */
const WIDEST = 12;
const NARROWEST = 4;
const MOST = 256;

export class SkipSearch {
  private readonly literals: RawLiterals;
  private readonly width: number;
  /** By block: how far the window may move; 0 where a literal's window ends with it. */
  private readonly shifts: Uint8Array;
  /** By block: the first literal whose window ends with it; by literal: the next one. -1 is none. */
  private readonly first = new Int16Array(BLOCKS).fill(-1);
  private readonly next: Int16Array;

  /** Null when the literals are too many, or one is too short. */
  static of(literals: readonly Literal[]): SkipSearch | null {
    const raw = new RawLiterals(literals);
    const lengths = raw.written.filter((text) => text !== '').map(({ length }) => length);
    const width = Math.min(WIDEST, ...lengths);
    return literals.length > MOST || lengths.length === 0 || width < NARROWEST ? null : new SkipSearch(raw, width);
  }

  private constructor(literals: RawLiterals, width: number) {
    const { written } = literals;
    this.literals = literals;
    this.width = width;
    this.shifts = new Uint8Array(BLOCKS).fill(width - 1);
    this.next = new Int16Array(written.length).fill(-1);
    for (const [i, text] of written.entries()) {
      if (text === '') continue;
      let block = 0;
      for (let k = 0; k + 1 < width; k++) {
        block = (SYMBOLS[text.charCodeAt(k)] << SYMBOL_BITS) | SYMBOLS[text.charCodeAt(k + 1)];
        this.shifts[block] = Math.min(this.shifts[block], width - 2 - k);
      }
      this.next[i] = this.first[block];
      this.first[block] = i;
    }
  }

  /** Calls `found` with every literal of the text written as `bytes[start, end)`, some of them more than once. */
  scan(bytes: Uint8Array, start: number, end: number, found: (literal: number) => void): void {
    const { shifts, width } = this;
    for (let at = start + width - 1; at < end; ) {
      const block = (SYMBOLS[bytes[at - 1]] << SYMBOL_BITS) | SYMBOLS[bytes[at]];
      const shift = shifts[block];
      if (shift === 0) this.compare(bytes, start, end, at - width + 1, block, found);
      at += shift === 0 ? 1 : shift;
    }
  }

  private compare(
    bytes: Uint8Array,
    start: number,
    end: number,
    from: number,
    block: number,
    found: (literal: number) => void,
  ): void {
    const { literals } = this;
    for (let literal = this.first[block]; literal >= 0; literal = this.next[literal])
      if (literals.isAt(bytes, start, end, from, literals.shapes[literal], literals.starts[literal])) found(literal);
  }
}

// Literals as they stand in the bytes of a JSON text: quotes and backslashes escaped, nothing else, all ASCII.

import { FOLDED, isAscii, type Literal } from './literal-search.ts';

/** Characters that texts have most get symbols of their own, all others share 0; the symbols before FIRST_OWN are none's. */
export const SYMBOL_BITS = 6;
const FIRST_OWN = 3;

/** By byte; one for all searches, so that it stays in the first cache. */
export const SYMBOLS = new Uint8Array(256);
for (const [i, c] of [...`abcdefghijklmnopqrstuvwxyz0123456789 \\/.-_:"'()[]{},=&%$@+*;#<`].slice(0, 61).entries())
  SYMBOLS[c.charCodeAt(0)] = SYMBOLS[c.toUpperCase().charCodeAt(0)] = FIRST_OWN + i;

const BACKSLASH = 92;
const AT_START = 1;
const AT_END = 2;

export class RawLiterals {
  /** By literal, in lower case; '' for those that no such text has. */
  readonly written: readonly string[];
  /** By literal: where it begins in `text`, and its length times four, plus 1 or 2 when it must stand at the beginning or end. */
  readonly starts: Int32Array;
  readonly shapes: Int32Array;
  private readonly text: Uint8Array;

  constructor(literals: readonly Literal[]) {
    const written = literals.map(({ text }) => (isAscii(text) ? text.replace(/[\\"]/g, '\\$&') : ''));
    this.written = written;
    this.starts = new Int32Array(literals.length);
    this.shapes = Int32Array.from(written, ({ length }, i) => {
      const { start, end } = literals[i];
      return length * 4 + (start ? AT_START : 0) + (end ? AT_END : 0);
    });
    this.text = new Uint8Array(written.reduce((sum, { length }) => sum + length, 0));
    let used = 0;
    for (const [i, one] of written.entries()) {
      this.starts[i] = used;
      for (let k = 0; k < one.length; k++) this.text[used++] = one.charCodeAt(k);
    }
  }

  /** Whether a literal, given as its shape and start, begins at `from` in the text written as `bytes[start, end)`. */
  isAt(bytes: Uint8Array, start: number, end: number, from: number, shape: number, own: number): boolean {
    const length = shape >> 2;
    if (from < start || from + length > end) return false;
    if ((shape & AT_START) !== 0 && from !== start) return false;
    if ((shape & AT_END) !== 0 && from + length !== end) return false;
    const { text } = this;
    for (let i = 0; i < length; i++) if (FOLDED[bytes[from + i]] !== text[own + i]) return false;
    return from === start || bytes[from - 1] !== BACKSLASH || isWhole(bytes, start, from);
  }
}

/** Whether a character begins at `at`, where a backslash stands before it: not when that escapes it. */
function isWhole(bytes: Uint8Array, start: number, at: number): boolean {
  let slashes = 0;
  while (at - 1 - slashes >= start && bytes[at - 1 - slashes] === BACKSLASH) slashes++;
  return slashes % 2 === 0;
}

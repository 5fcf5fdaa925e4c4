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

export class RawLiterals {
  /** By literal, in lower case; '' for those that no such text has. */
  readonly written: readonly string[];
  /** By literal: its bytes in `text`, and whether it must stand at the beginning (1) or end (2). */
  private readonly starts: Int32Array;
  private readonly lengths: Int32Array;
  private readonly anchors: Uint8Array;
  private readonly text: Uint8Array;

  constructor(literals: readonly Literal[]) {
    const written = literals.map(({ text }) => (isAscii(text) ? text.replace(/[\\"]/g, '\\$&') : ''));
    this.written = written;
    this.starts = new Int32Array(literals.length);
    this.lengths = Int32Array.from(written, (text) => text.length);
    this.anchors = Uint8Array.from(literals, ({ start, end }) => (start ? 1 : 0) | (end ? 2 : 0));
    this.text = new Uint8Array(written.reduce((sum, { length }) => sum + length, 0));
    let used = 0;
    for (const [i, one] of written.entries()) {
      this.starts[i] = used;
      for (let k = 0; k < one.length; k++) this.text[used++] = one.charCodeAt(k);
    }
  }

  /** Whether the literal begins at `from` in the text written as `bytes[start, end)`. */
  isAt(bytes: Uint8Array, start: number, end: number, from: number, literal: number): boolean {
    const length = this.lengths[literal];
    if (from < start || from + length > end) return false;
    const anchors = this.anchors[literal];
    if (anchors !== 0) {
      if ((anchors & 1) !== 0 && from !== start) return false;
      if ((anchors & 2) !== 0 && from + length !== end) return false;
    }
    const { text } = this;
    const own = this.starts[literal];
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

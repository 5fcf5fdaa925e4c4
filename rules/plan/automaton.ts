// Many literals found in one pass over a text (Aho and Corasick, CACM 18(6), 1975), as a table of transitions. Letters fold to
// lower case; where a literal must begin or end a text, the text's ends are symbols of their own.

export interface Literal {
  /** Lower case, not empty. What is not ASCII is told apart roughly: it may be found where it is not. */
  readonly text: string;
  /** Only at the beginning of a text, only at its end. */
  readonly start: boolean;
  readonly end: boolean;
}

/** Symbols: 0 is every ASCII character that no literal has; the rest of Unicode shares a few, since tables grow with symbols. */
const START = 1;
const END = 2;
const WIDE = 3;
const WIDE_SYMBOLS = 16;

export class Automaton {
  /** By character code. */
  private readonly symbols = new Uint8Array(128);
  private readonly width: number;
  /** By state and symbol: the next state times `width`, negative when literals end there. */
  private readonly next: Int32Array;
  /** By state: the literals that end there. */
  private readonly ends: (Uint32Array | undefined)[];
  private readonly begin: number;

  constructor(literals: readonly Literal[]) {
    let width = WIDE + WIDE_SYMBOLS;
    for (const { text } of literals)
      for (let i = 0; i < text.length; i++) {
        const code = text.charCodeAt(i);
        if (code < 128 && this.symbols[code] === 0) this.symbols[code] = width++;
      }
    for (let code = 65; code <= 90; code++) this.symbols[code] = this.symbols[code + 32];
    this.width = width;
    const trie = new Trie(width);
    for (const [i, literal] of literals.entries()) trie.add(this.symbolsOf(literal), i);
    const { next, ends } = trie.complete();
    this.next = next;
    this.ends = ends;
    this.begin = Math.abs(next[START]);
  }

  get states(): number {
    return this.next.length / this.width;
  }

  /**
   * Calls `found` with the place of every literal of `text`, some of them more than once. False when the text is not ASCII: then
   * lower case may be other characters than these, so the caller must scan the text in lower case with `scanFolded`.
   */
  scan(text: string, found: (literal: number) => void): boolean {
    const { next, symbols } = this;
    let state = this.begin;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) return false;
      state = next[state + symbols[code]];
      if (state < 0) {
        state = -state;
        this.tell(state, found);
      }
    }
    this.finish(state, found);
    return true;
  }

  /** As `scan`, for any text in lower case. */
  scanFolded(text: string, found: (literal: number) => void): void {
    const { next, symbols } = this;
    let state = this.begin;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      state = next[state + (code < 128 ? symbols[code] : wideSymbol(code))];
      if (state < 0) {
        state = -state;
        this.tell(state, found);
      }
    }
    this.finish(state, found);
  }

  private finish(state: number, found: (literal: number) => void): void {
    const last = this.next[state + END];
    if (last < 0) this.tell(-last, found);
  }

  private tell(state: number, found: (literal: number) => void): void {
    const ends = this.ends[state / this.width] as Uint32Array;
    for (let i = 0; i < ends.length; i++) found(ends[i]);
  }

  private symbolsOf({ text, start, end }: Literal): number[] {
    const symbols: number[] = [];
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      symbols.push(code < 128 ? this.symbols[code] : wideSymbol(code));
    }
    return [...(start ? [START] : []), ...symbols, ...(end ? [END] : [])];
  }
}

function wideSymbol(code: number): number {
  return WIDE + ((code ^ (code >> 6)) & (WIDE_SYMBOLS - 1));
}

/** The literals as a tree; a node is a row of `width` children, 0 for none. */
class Trie {
  private readonly width: number;
  private rows: Int32Array;
  private count = 1;
  private readonly ends: (number[] | undefined)[] = [];

  constructor(width: number) {
    this.width = width;
    this.rows = new Int32Array(width * 64);
  }

  add(symbols: readonly number[], literal: number): void {
    let node = 0;
    for (const symbol of symbols) {
      const at = node * this.width + symbol;
      if (this.rows[at] === 0) {
        if ((this.count + 1) * this.width > this.rows.length) {
          const grown = new Int32Array(this.rows.length * 2);
          grown.set(this.rows);
          this.rows = grown;
        }
        this.rows[at] = this.count++;
      }
      node = this.rows[at];
    }
    const ends = this.ends[node];
    if (ends === undefined) this.ends[node] = [literal];
    else ends.push(literal);
  }

  /** Breadth first, where a child is missing the one of the longest proper suffix stands in. */
  complete(): { next: Int32Array; ends: (Uint32Array | undefined)[] } {
    const { width, count, ends } = this;
    const rows = this.rows.subarray(0, count * width);
    const suffix = new Int32Array(count);
    const queue = new Int32Array(count);
    let tail = 0;
    for (let symbol = 0; symbol < width; symbol++) if (rows[symbol] !== 0) queue[tail++] = rows[symbol];
    for (let head = 0; head < tail; head++) {
      const node = queue[head];
      const shorter = suffix[node];
      const theirs = ends[shorter];
      if (theirs !== undefined) ends[node] = [...(ends[node] ?? []), ...theirs];
      for (let symbol = 0; symbol < width; symbol++) {
        const at = node * width + symbol;
        const fallback = rows[shorter * width + symbol];
        if (rows[at] === 0) rows[at] = fallback;
        else {
          suffix[rows[at]] = fallback;
          queue[tail++] = rows[at];
        }
      }
    }
    const next = new Int32Array(count * width);
    for (let i = 0; i < next.length; i++) next[i] = ends[rows[i]] === undefined ? rows[i] * width : -rows[i] * width;
    return { next, ends: Array.from({ length: count }, (_, node) => ends[node] && Uint32Array.from(ends[node])) };
  }
}

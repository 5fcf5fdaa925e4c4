// Many literals found in one pass over a text. Each literal is filed under one group of three neighbouring symbols that it has;
// a set of bits, small enough to stay in the first caches, says for every place of a text whether a literal may be there, and
// those are compared. (An automaton over some thousand literals has tables of megabytes, and waits for memory at every character.)

export interface Literal {
  /** Lower case, not empty. */
  readonly text: string;
  /** Only at the beginning of a text, only at its end. */
  readonly start: boolean;
  readonly end: boolean;
}

/** Bits of a symbol. ASCII characters that literals have most get symbols of their own, all others share these, and 0. */
const BITS = 6;
const START = 1;
const END = 2;
const WIDE = 3;
const FIRST_OWN = 4;
const SYMBOLS = 1 << BITS;
const GRAM_MASK = (1 << (3 * BITS)) - 1;

/** ASCII in lower case. */
export const FOLDED = Uint8Array.from({ length: 128 }, (_, code) => (code >= 65 && code <= 90 ? code + 32 : code));

export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}

/** A literal under a gram: where it begins, less where the gram ends. */
interface Entry {
  readonly literal: number;
  readonly back: number;
}

export class LiteralSearch {
  private readonly literals: readonly Literal[];
  /** By character code. */
  private readonly symbols = new Uint8Array(128);
  /** By gram: whether anything is filed under it. */
  private readonly bits = new Uint32Array((GRAM_MASK + 1) >> 5);
  /** By gram, and of literals of two symbols and of one by what a gram begins with: what comes often is found in small tables. */
  private readonly entries = [new Map<number, Entry[]>(), new Map<number, Entry[]>(), new Map<number, Entry[]>()];

  constructor(literals: readonly Literal[]) {
    this.literals = literals;
    this.nameSymbols();
    const commonness = this.countGrams();
    for (const [i, literal] of literals.entries()) this.file(i, literal, commonness);
  }

  /**
   * Calls `found` with every literal of `text`, some of them more than once. False when the text is not ASCII: then lower case
   * may be other characters, and the caller must give the text in lower case to `scanFolded`.
   */
  scan(text: string, found: (literal: number) => void): boolean {
    const { bits, symbols } = this;
    const { length } = text;
    let gram = START;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) return false;
      gram = ((gram << BITS) | symbols[code]) & GRAM_MASK;
      if ((bits[gram >> 5] >> (gram & 31)) & 1) this.compare(text, i, gram, found);
    }
    this.finish(text, gram, found);
    return true;
  }

  /** As `scan`, for any text in lower case. */
  scanFolded(text: string, found: (literal: number) => void): void {
    const { bits, symbols } = this;
    let gram = START;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      gram = ((gram << BITS) | (code < 128 ? symbols[code] : WIDE)) & GRAM_MASK;
      if ((bits[gram >> 5] >> (gram & 31)) & 1) this.compare(text, i, gram, found);
    }
    this.finish(text, gram, found);
  }

  /** Two symbols behind the end, so that a literal of one character has its gram there too. */
  private finish(text: string, last: number, found: (literal: number) => void): void {
    let gram = last;
    for (let i = text.length; i < text.length + 2; i++) {
      gram = ((gram << BITS) | END) & GRAM_MASK;
      if ((this.bits[gram >> 5] >> (gram & 31)) & 1) this.compare(text, i, gram, found);
    }
  }

  private compare(text: string, at: number, gram: number, found: (literal: number) => void): void {
    for (let free = 0; free < 3; free++) {
      const entries = this.entries[free].get(gram >> (free * BITS));
      if (entries === undefined) continue;
      for (let e = 0; e < entries.length; e++) {
        const { literal, back } = entries[e];
        if (isAt(text, at - back, this.literals[literal])) found(literal);
      }
    }
  }

  private nameSymbols(): void {
    const counts = new Map<number, number>();
    for (const { text } of this.literals)
      for (let i = 0; i < text.length; i++) counts.set(text.charCodeAt(i), (counts.get(text.charCodeAt(i)) ?? 0) + 1);
    const ascii = [...counts].filter(([code]) => code < 128).sort((a, b) => b[1] - a[1]);
    ascii.slice(0, SYMBOLS - FIRST_OWN).forEach(([code], i) => {
      this.symbols[code] = FIRST_OWN + i;
    });
    for (let code = 65; code <= 90; code++) this.symbols[code] = this.symbols[code + 32];
  }

  /** How often literals have each gram: what is common among them is common in the texts that they are looked for in. */
  private countGrams(): ReadonlyMap<number, number> {
    const counts = new Map<number, number>();
    for (const literal of this.literals)
      for (const { gram } of gramsOf(this.symbolsOf(literal))) counts.set(gram, (counts.get(gram) ?? 0) + 1);
    return counts;
  }

  private file(place: number, literal: Literal, commonness: ReadonlyMap<number, number>): void {
    const symbols = this.symbolsOf(literal);
    const shift = literal.start ? 1 : 0; // the symbol of the beginning stands before the first character
    if (symbols.length < 3) {
      this.fileShort(place, symbols, shift);
      return;
    }
    const grams = gramsOf(symbols);
    let best = grams[0];
    for (const one of grams) if ((commonness.get(one.gram) ?? 0) < (commonness.get(best.gram) ?? 0)) best = one;
    this.add(0, best.gram, { literal: place, back: best.last - shift });
  }

  /** One or two symbols: a place where they stand has them first in a gram, with whatever follows. */
  private fileShort(place: number, symbols: readonly number[], shift: number): void {
    const head = symbols.reduce((gram, symbol) => (gram << BITS) | symbol, 0);
    this.add(3 - symbols.length, head, { literal: place, back: 2 - shift });
  }

  /** `free`: how many symbols of the gram may be any. */
  private add(free: number, head: number, entry: Entry): void {
    const known = this.entries[free].get(head);
    if (known !== undefined) {
      known.push(entry);
      return;
    }
    this.entries[free].set(head, [entry]);
    const first = head << (free * BITS);
    for (let gram = first; gram < first + (1 << (free * BITS)); gram++) this.bits[gram >> 5] |= 1 << (gram & 31);
  }

  private symbolsOf({ text, start, end }: Literal): number[] {
    const symbols = start ? [START] : [];
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      symbols.push(code < 128 ? this.symbols[code] : WIDE);
    }
    if (end) symbols.push(END);
    return symbols;
  }
}

/** Every three neighbours, and the place of the last. */
function gramsOf(symbols: readonly number[]): { gram: number; last: number }[] {
  const grams: { gram: number; last: number }[] = [];
  for (let last = 2; last < symbols.length; last++)
    grams.push({
      gram: (((symbols[last - 2] << BITS) | symbols[last - 1]) << BITS) | symbols[last],
      last,
    });
  return grams;
}

/** `text` is ASCII of any case, or in lower case. */
function isAt(text: string, from: number, { text: wanted, start, end }: Literal): boolean {
  const { length } = wanted;
  if (from < 0 || from + length > text.length) return false;
  if ((start && from !== 0) || (end && from + length !== text.length)) return false;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(from + i);
    if ((code < 128 ? FOLDED[code] : code) !== wanted.charCodeAt(i)) return false;
  }
  return true;
}

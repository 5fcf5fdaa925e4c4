// JSON texts to numbers that do not change while a worker lives: dictionary ids, tenants. One pass finds the closing quote,
// checks that the text is plain and hashes it, four bytes at a time; what was seen lately costs one cache line.

const SETS = 8192;
const WAYS = 2;
/** Words of an entry: value, length, then the text padded with zeros. */
const ENTRY = 16;
const TEXT_WORDS = ENTRY - 2;

export class TextCache {
  /** Offset behind the closing quote of the text that `read` found. */
  stop = 0;
  private readonly entries = new Int32Array(SETS * WAYS * ENTRY);
  private readonly miss: (bytes: Uint8Array, start: number, end: number) => number;

  /** `miss` gives the value of a text that is not here; a negative one is not kept. */
  constructor(miss: (bytes: Uint8Array, start: number, end: number) => number) {
    this.miss = miss;
  }

  clear(): void {
    this.entries.fill(0);
  }

  /**
   * Value of the text whose opening quote stands at `at`; -1 when there is no plain text (an escape, a control character,
   * no end before `end`). `view` is over the same bytes, `limit` of them.
   */
  read(bytes: Uint8Array, view: DataView, at: number, end: number, limit: number): number {
    if (bytes[at] !== 34) return -1;
    const start = at + 1;
    const last = limit - 4;
    let p = start;
    let hash = 0;
    let word = 0;
    let rest = 0;
    for (; ; p += 4) {
      if (p > last) return -1;
      word = view.getInt32(p, true);
      // A byte of these is 0x80 when that of `word` is a quote, a backslash or below 0x20; exact for the lowest such byte.
      const quote = word ^ 0x22222222;
      const slash = word ^ 0x5c5c5c5c;
      const marks =
        (((quote - 0x01010101) & ~quote) | ((slash - 0x01010101) & ~slash) | ((word - 0x20202020) & ~word)) &
        0x80808080;
      if (marks !== 0) {
        rest = (31 - Math.clz32(marks & -marks)) >> 3;
        break;
      }
      hash = Math.imul(hash ^ word, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    const close = p + rest;
    if (close >= end || bytes[close] !== 34) return -1;
    this.stop = close + 1;
    const length = close - start;
    if (length === 0) return this.miss(bytes, start, start);
    return this.value(bytes, view, start, close, word & ~(-1 << (rest * 8)), hash);
  }

  /** Value of the text `bytes[start, end)`, which may hold any byte; -1 when one is not ASCII. */
  find(bytes: Uint8Array, view: DataView, start: number, end: number, limit: number): number {
    const length = end - start;
    if (length === 0) return this.miss(bytes, start, start);
    if (end + 4 > limit) return -1;
    let hash = 0;
    let high = 0;
    let p = start;
    for (; p + 4 <= end; p += 4) {
      const word = view.getInt32(p, true);
      high |= word;
      hash = Math.imul(hash ^ word, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    const tail = view.getInt32(p, true) & ~(-1 << ((end - p) * 8));
    if (((high | tail) & 0x80808080) !== 0) return -1;
    return this.value(bytes, view, start, end, tail, hash);
  }

  private value(bytes: Uint8Array, view: DataView, start: number, close: number, tail: number, words: number): number {
    const length = close - start;
    let hash = Math.imul(words ^ tail ^ (length << 24), 0x85ebca6b);
    hash ^= hash >>> 13;
    if (length >= TEXT_WORDS * 4) return this.miss(bytes, start, close);
    const { entries } = this;
    const base = (hash & (SETS - 1)) * WAYS * ENTRY;
    const full = length >> 2;
    for (let entry = base; entry < base + WAYS * ENTRY; entry += ENTRY) {
      if (entries[entry + 1] !== length || entries[entry + 2 + full] !== tail) continue;
      let k = 0;
      while (k < full && entries[entry + 2 + k] === view.getInt32(start + k * 4, true)) k++;
      if (k === full) return entries[entry];
    }
    return this.add(bytes, view, start, close, base, tail);
  }

  /** The newest text takes the first way, the one before it moves to the second. */
  private add(bytes: Uint8Array, view: DataView, start: number, close: number, base: number, tail: number): number {
    const value = this.miss(bytes, start, close);
    if (value < 0) return value;
    const { entries } = this;
    const length = close - start;
    const full = length >> 2;
    entries.copyWithin(base + ENTRY, base, base + ENTRY);
    entries.fill(0, base, base + ENTRY);
    entries[base] = value;
    entries[base + 1] = length;
    for (let k = 0; k < full; k++) entries[base + 2 + k] = view.getInt32(start + k * 4, true);
    if (full < TEXT_WORDS) entries[base + 2 + full] = tail;
    return value;
  }
}

// Texts of the input to dictionary ids without a string or a copy: one pass, four bytes at a time, finds the end, checks
// that the text is plain and hashes it.

import { type Dictionary, mixWord } from '../../src/model/dictionary.ts';

export class PlainTexts {
  /** Offset behind the closing quote of the text that `read` found. */
  stop = 0;
  private readonly dictionary: Dictionary;

  constructor(dictionary: Dictionary) {
    this.dictionary = dictionary;
  }

  /**
   * Id of the JSON text whose opening quote stands at `at`; -1 when there is no plain text (an escape, a control
   * character, no end before `end`). `view` is over the same bytes, `limit` of them.
   */
  read(bytes: Uint8Array, view: DataView, at: number, end: number, limit: number): number {
    if (bytes[at] !== 34) return -1;
    const start = at + 1;
    const last = limit - 4;
    let hash = 0;
    for (let p = start; p <= last; p += 4) {
      const word = view.getInt32(p, true);
      // A byte of these is 0x80 when that of `word` is a quote, a backslash or below 0x20; exact for the lowest such byte.
      const quote = word ^ 0x22222222;
      const slash = word ^ 0x5c5c5c5c;
      const marks =
        (((quote - 0x01010101) & ~quote) | ((slash - 0x01010101) & ~slash) | ((word - 0x20202020) & ~word)) &
        0x80808080;
      if (marks === 0) {
        hash = mixWord(hash, word);
        continue;
      }
      const rest = (31 - Math.clz32(marks & -marks)) & 24;
      const close = p + (rest >> 3);
      if (close >= end || bytes[close] !== 34) return -1;
      this.stop = close + 1;
      return this.dictionary.find(view, start, close - start, word & ~(-1 << rest), hash);
    }
    return -1;
  }

  /** Id of the text `bytes[start, end)`, which may hold any byte; -1 when one is not ASCII. */
  find(view: DataView, start: number, end: number, limit: number): number {
    if (end + 4 > limit) return -1;
    let hash = 0;
    let high = 0;
    let p = start;
    for (; p + 4 <= end; p += 4) {
      const word = view.getInt32(p, true);
      high |= word;
      hash = mixWord(hash, word);
    }
    const tail = view.getInt32(p, true) & ~(-1 << ((end - p) * 8));
    if (((high | tail) & 0x80808080) !== 0) return -1;
    return this.dictionary.find(view, start, end - start, tail, hash);
  }
}

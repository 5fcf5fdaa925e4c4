// Timestamps of the form `YYYY-MM-DDThh:mm:ss.sssZ`, whose minute is nearly always that of the record before.

import { instant, parseTime } from './time.ts';

export class MinuteMemo {
  /** The 16 bytes `YYYY-MM-DDThh:mm` of the last timestamp, and its ms. */
  private readonly text = new Int32Array(4);
  private minuteMs = 0;

  /** Milliseconds of the 24 bytes at `at` (all inside `view`), or -1 when another minute or form stands there. */
  read(bytes: Uint8Array, view: DataView, at: number): number {
    const { text } = this;
    if (
      view.getInt32(at, true) !== text[0] ||
      view.getInt32(at + 4, true) !== text[1] ||
      view.getInt32(at + 8, true) !== text[2] ||
      view.getInt32(at + 12, true) !== text[3] ||
      bytes[at + 16] !== 58 ||
      bytes[at + 19] !== 46 ||
      bytes[at + 23] !== 90
    ) {
      return -1;
    }
    const a = bytes[at + 17] - 48;
    const b = bytes[at + 18] - 48;
    const c = bytes[at + 20] - 48;
    const d = bytes[at + 21] - 48;
    const e = bytes[at + 22] - 48;
    const fine = a >= 0 && a <= 5 && b >= 0 && b <= 9 && c >= 0 && c <= 9 && d >= 0 && d <= 9 && e >= 0 && e <= 9;
    return fine ? this.minuteMs + (a * 10 + b) * 1000 + c * 100 + d * 10 + e : -1;
  }

  /** Reads any timestamp into `instant`, and remembers its minute when it has the form. */
  parse(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    if (!parseTime(bytes, start, end)) return false;
    // A leap second (60) belongs to the next minute: its ms are not those of the minute that its text names.
    if (end - start === 24 && bytes[end - 1] === 90 && bytes[start + 10] === 84 && bytes[start + 17] !== 54) {
      for (let w = 0; w < 4; w++) this.text[w] = view.getInt32(start + w * 4, true);
      this.minuteMs = Math.floor(instant[0] / 60_000) * 60_000;
    }
    return true;
  }
}

// Syslog's `Jun 14 15:16:01`, which forwarders keep when they make JSON of a line.

import { instant } from './time.ts';
import { monthOf, type WallClock } from './wall-clock.ts';

const FORM = /^([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)$/;
const MINUTE_MS = 60_000;

/** Reads such times of one source. The minute is nearly always that of the time before. */
export class Yearless {
  private minute = '';
  private minuteMs = Number.NaN;
  private latestMs = Number.NaN;
  private clock: WallClock | null = null;

  /** Reads `text` into `instant`, in the latest year in which it is not after `latestMs`; false when it is no such time. */
  read(text: string, clock: WallClock, latestMs: number): boolean {
    const seconds = this.secondsOf(text);
    const known = latestMs === this.latestMs && clock === this.clock && seconds >= 0;
    const ms =
      known && text.startsWith(this.minute) ? this.minuteMs + seconds * 1000 : this.readAll(text, clock, latestMs);
    instant[0] = ms;
    instant[1] = 0;
    return !Number.isNaN(ms);
  }

  /** Of a time whose minute is the known one, else -1. */
  private secondsOf(text: string): number {
    const at = this.minute.length;
    if (at === 0 || text.length !== at + 2) return -1;
    const tens = text.charCodeAt(at) - 48;
    const ones = text.charCodeAt(at + 1) - 48;
    return tens >= 0 && tens <= 5 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
  }

  private readAll(text: string, clock: WallClock, latestMs: number): number {
    const match = FORM.exec(text);
    if (!match) return Number.NaN;
    const [month, day, hour, minute, second] = [monthOf(match[1]), ...match.slice(2).map(Number)];
    if (month < 0 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return Number.NaN;
    const ofDay = hour * 3_600_000 + minute * MINUTE_MS;
    const minuteMs = clock.utcWithoutYear(month, day, ofDay, latestMs);
    const ms = clock.utcWithoutYear(month, day, ofDay + second * 1000, latestMs);
    // Not where the year changes within the minute.
    const steady = clock.utcWithoutYear(month, day, ofDay + MINUTE_MS - 1, latestMs) === minuteMs + MINUTE_MS - 1;
    this.minute = steady ? text.slice(0, -2) : '';
    this.minuteMs = minuteMs;
    this.latestMs = latestMs;
    this.clock = clock;
    return ms;
  }
}

// Wall-clock times of a source's time zone, for text formats whose timestamps name no zone or no year.

import { ZoneClock } from '../../rules/plan/calendar.ts';

const MONTHS = new Map(
  ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'].map((name, i) => [name, i]),
);

/** 0–11, or -1. English abbreviations, as syslog and httpd write them whatever the locale. */
export function monthOf(name: string): number {
  return MONTHS.get(name.toLowerCase()) ?? -1;
}

/** `+hh:mm`, `+hhmm`, `Z` → minutes east of UTC; null when it is none of these. */
export function offsetMinutes(text: string): number | null {
  if (text === 'Z' || text === 'z') return 0;
  const match = /^([+-])(\d\d):?(\d\d)$/.exec(text);
  if (!match) return null;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return match[1] === '-' ? -minutes : minutes;
}

/** Milliseconds since midnight of `hh`, `mm`, `ss` (60 is a leap second); NaN when there is no such time. */
export function timeOfDayMs(hour: string, minute: string, second: string): number {
  const [h, m, s] = [Number(hour), Number(minute), Number(second)];
  return h > 23 || m > 59 || s > 60 ? Number.NaN : (h * 3600 + m * 60 + s) * 1000;
}

/** Midnight of a date (month 0–11) as if the wall clock were UTC; NaN when there is no such date. */
export function wallDateMs(year: number, month: number, day: number): number {
  const ms = Date.UTC(year, month, day);
  return day >= 1 && new Date(ms).getUTCMonth() === month ? ms : Number.NaN;
}

export class WallClock {
  private readonly zone: ZoneClock | null;
  private readonly fixedMs: number;

  /** `timezone`: '' or UTC, a fixed offset, or an IANA name. */
  constructor(timezone: string) {
    const fixed = timezone === '' || timezone === 'UTC' ? 0 : offsetMinutes(timezone);
    this.zone = fixed === null ? new ZoneClock(timezone) : null;
    this.fixedMs = (fixed ?? 0) * 60_000;
  }

  /** UTC ms of a wall-clock reading given as if it were UTC. An hour that occurs twice means its first time. */
  utc(wallMs: number): number {
    const { zone } = this;
    if (!zone) return wallMs - this.fixedMs;
    const first = wallMs - (zone.local(wallMs) - wallMs);
    return wallMs - (zone.local(first) - first);
  }

  /** The latest year in which this date is not after `referenceMs` (a day's grace for clocks and zones). */
  utcWithoutYear(month: number, day: number, timeOfDayMs: number, referenceMs: number): number {
    const limit = referenceMs + 86_400_000;
    const year = new Date(limit).getUTCFullYear();
    for (let candidate = year; candidate > year - 9; candidate--) {
      const wall = wallDateMs(candidate, month, day);
      if (Number.isNaN(wall)) continue; // 29 February of a common year
      const utc = this.utc(wall + timeOfDayMs);
      if (utc <= limit) return utc;
    }
    return Number.NaN;
  }
}

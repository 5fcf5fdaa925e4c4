// Local calendar parts of an event time. Zone offsets come from Intl once a quarter of an hour and zone (no zone of
// 2000–2100 changes within one), so that daylight saving is right and no event pays for Intl.

const QUARTER_MS = 900_000;
const DAY_MS = 86_400_000;
const MAX_QUARTERS = 65_536;

export type CalendarPart = 'minute' | 'hour' | 'day' | 'weekday' | 'week' | 'month' | 'year';

/** False for a name that Intl does not know. */
function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

export class ZoneClock {
  private readonly zone: string;
  /** Made when first asked: a thousand tenants need not cost a thousand Intl objects. */
  private format: Intl.DateTimeFormat | null = null;
  private readonly offsets = new Map<number, number>();
  private quarter = Number.NaN;
  private offset = 0;

  /** An unknown zone counts as UTC; configuration checks report it. */
  constructor(zone: string) {
    this.zone = zone;
  }

  /** The local wall clock as if it were UTC, ms since 1970. */
  local(ms: number): number {
    const quarter = Math.floor(ms / QUARTER_MS);
    if (quarter !== this.quarter) {
      this.offset = this.offsetOf(quarter);
      this.quarter = quarter;
    }
    return ms + this.offset;
  }

  private offsetOf(quarter: number): number {
    const known = this.offsets.get(quarter);
    if (known !== undefined) return known;
    if (this.offsets.size >= MAX_QUARTERS) this.offsets.clear();
    const at = quarter * QUARTER_MS;
    const parts: Record<string, number> = {};
    this.format ??= formatOf(this.zone);
    for (const { type, value } of this.format.formatToParts(at)) parts[type] = Number(value);
    const wall = Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second);
    this.offsets.set(quarter, wall - at);
    return wall - at;
  }
}

function formatOf(zone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    timeZone: isZone(zone) ? zone : 'UTC',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
}

export function minuteOfDay(localMs: number): number {
  return Math.floor((localMs - Math.floor(localMs / DAY_MS) * DAY_MS) / 60_000);
}

/** weekday 1 = Monday … 7 = Sunday; week = ISO 8601. */
export function calendarPart(part: CalendarPart, localMs: number): number {
  switch (part) {
    case 'minute':
      return minuteOfDay(localMs) % 60;
    case 'hour':
      return Math.floor(minuteOfDay(localMs) / 60);
    case 'weekday':
      return weekday(localMs);
    case 'day':
      return new Date(localMs).getUTCDate();
    case 'month':
      return new Date(localMs).getUTCMonth() + 1;
    case 'year':
      return new Date(localMs).getUTCFullYear();
    case 'week': {
      // The ISO week is that of the week's Thursday.
      const thursday = new Date(localMs + (4 - weekday(localMs)) * DAY_MS);
      const firstDay = Date.UTC(thursday.getUTCFullYear(), 0, 1);
      return 1 + Math.floor((thursday.getTime() - firstDay) / (7 * DAY_MS));
    }
  }
}

function weekday(localMs: number): number {
  const days = Math.floor(localMs / DAY_MS) + 3; // 1970-01-01 was a Thursday
  return (((days % 7) + 7) % 7) + 1;
}

/** From (inclusive) to (exclusive); wraps over midnight when from > to; equal ends mean the whole day. */
export function inTimeOfDay(minute: number, from: number, to: number): boolean {
  if (from < to) return minute >= from && minute < to;
  return from === to || minute >= from || minute < to;
}

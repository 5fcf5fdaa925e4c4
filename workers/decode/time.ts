// Timestamps from bytes, exact to the nanosecond: digits are read, nothing passes through a floating-point fraction.

/** Result of the last successful parse: [0] whole milliseconds since 1970 (floor), [1] the rest in nanoseconds (0–999,999). */
export const instant = new Float64Array(2);

const DAY_MS = 86_400_000;

/** Days since 1970-01-01 of a proleptic Gregorian date. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yoe = y - era * 400;
  const doy = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const doe = yoe * 365 + Math.floor(yoe / 4) - Math.floor(yoe / 100) + doy;
  return era * 146_097 + doe - 719_468;
}

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export function daysInMonth(year: number, month: number): number {
  if (month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)) return 29;
  return MONTH_DAYS[month - 1];
}

function two(bytes: Uint8Array, at: number): number {
  const a = bytes[at] - 48;
  const b = bytes[at + 1] - 48;
  return a >= 0 && a <= 9 && b >= 0 && b <= 9 ? a * 10 + b : -1;
}

/** RFC 3339, or an epoch number in s, ms, µs or ns told apart by magnitude. False (and `instant` undefined) when neither. */
export function parseTime(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start > 4 && bytes[start + 4] === 45 ? parseRfc3339(bytes, start, end) : parseEpoch(bytes, start, end);
}

/**
 * `YYYY-MM-DD`, 'T', 't', ' ' or '_', `hh:mm[:ss[.fraction]]`, then 'Z', `±hh:mm`, `±hhmm` (Suricata) or `±hh`; no zone is
 * UTC. A fraction may have any number of digits (or follow a comma); what is finer than a nanosecond is cut off.
 */
export function parseRfc3339(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (length < 16 || length > 64) return false;
  const century = two(bytes, start);
  const decade = two(bytes, start + 2);
  const month = two(bytes, start + 5);
  const day = two(bytes, start + 8);
  const hour = two(bytes, start + 11);
  const minute = two(bytes, start + 14);
  if (century < 0 || decade < 0 || bytes[start + 4] !== 45 || bytes[start + 7] !== 45 || bytes[start + 13] !== 58) {
    return false;
  }
  const year = century * 100 + decade;
  const separator = bytes[start + 10];
  if (separator !== 84 && separator !== 116 && separator !== 32 && separator !== 95) return false;
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return false;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return false;
  let at = start + 16;
  let second = 0;
  let fraction = 0;
  if (at < end && bytes[at] === 58) {
    if (at + 3 > end) return false;
    second = two(bytes, at + 1);
    if (second < 0 || second > 60) return false; // 60: a leap second, read as the next minute's first
    at += 3;
    if (at < end && (bytes[at] === 46 || bytes[at] === 44)) {
      let scale = 100_000_000;
      const first = ++at;
      for (; at < end; at++) {
        const d = bytes[at] - 48;
        if (d < 0 || d > 9) break;
        fraction += d * scale;
        scale = scale === 1 ? 0 : scale / 10;
      }
      if (at === first) return false;
    }
  }
  const offset = zoneOffset(bytes, at, end);
  if (Number.isNaN(offset)) return false;
  const ms = daysFromCivil(year, month, day) * DAY_MS + hour * 3_600_000 + minute * 60_000 + second * 1000;
  const fractionMs = Math.floor(fraction / 1_000_000);
  instant[0] = ms - offset + fractionMs;
  instant[1] = fraction - fractionMs * 1_000_000;
  return true;
}

/** Milliseconds east of UTC of what stands at [at, end); NaN when it is no zone. */
function zoneOffset(bytes: Uint8Array, at: number, end: number): number {
  if (at === end) return 0;
  const sign = bytes[at];
  if (sign === 90 || sign === 122) return at + 1 === end ? 0 : Number.NaN;
  if ((sign !== 43 && sign !== 45) || end - at < 3) return Number.NaN;
  const hours = two(bytes, at + 1);
  let minutes = 0;
  if (end - at === 6 && bytes[at + 3] === 58) minutes = two(bytes, at + 4);
  else if (end - at === 5) minutes = two(bytes, at + 3);
  else if (end - at !== 3) return Number.NaN;
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return Number.NaN;
  const offset = hours * 3_600_000 + minutes * 60_000;
  return sign === 45 ? -offset : offset;
}

/** Digits of an epoch number before the point, and after: seconds up to 11, then ms, µs, ns. */
const digits = new Uint8Array(64);

/** An epoch number: `[-]digits[.digits][e[±]digits]`; fewer than 1e11 are seconds, 1e14 ms, 1e17 µs, 1e20 ns. */
export function parseEpoch(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  const negative = bytes[at] === 45;
  if (negative) at++;
  if (end - at < 1 || end - at > 48) return false;
  let count = 0;
  let point = -1;
  let seen = 0;
  for (; at < end; at++) {
    const c = bytes[at];
    if (c >= 48 && c <= 57) {
      seen++;
      if (count > 0 || c !== 48 || point >= 0) digits[count++] = c - 48;
    } else if (c === 46 && point < 0 && seen > 0) point = count;
    else break;
  }
  if (seen === 0 || bytes[at - 1] === 46) return false;
  let whole = point < 0 ? count : point;
  if (at < end) {
    if ((bytes[at] | 32) !== 101) return false;
    const exponent = smallInteger(bytes, at + 1, end);
    if (Number.isNaN(exponent)) return false;
    whole += exponent;
    if (whole > 32 || whole < -32) return false;
  }
  // Leading zeros of the digits (0.00017e14) do not count for the magnitude.
  let first = 0;
  while (first < count && digits[first] === 0) first++;
  const magnitude = Math.max(0, whole - first);
  if (magnitude > 20) return false;
  const unit = magnitude <= 11 ? 9 : magnitude <= 14 ? 6 : magnitude <= 17 ? 3 : 0;
  // The instant in ns has `whole + unit` digits before the point: ms are all but the last six of them.
  const length = whole + unit;
  let ms = 0;
  let ns = 0;
  for (let k = Math.min(0, length); k < length; k++) {
    const d = k >= 0 && k < count ? digits[k] : 0;
    if (k < length - 6) ms = ms * 10 + d;
    else ns = ns * 10 + d;
  }
  if (negative && ns > 0) {
    instant[0] = -ms - 1;
    instant[1] = 1_000_000 - ns;
  } else {
    instant[0] = negative ? -ms : ms;
    instant[1] = ns;
  }
  return true;
}

function smallInteger(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  const negative = bytes[at] === 45;
  if (negative || bytes[at] === 43) at++;
  if (at >= end || end - at > 3) return Number.NaN;
  let value = 0;
  for (; at < end; at++) {
    const d = bytes[at] - 48;
    if (d < 0 || d > 9) return Number.NaN;
    value = value * 10 + d;
  }
  return negative ? -value : value;
}

const text64 = new Uint8Array(64);

/** As `parseTime`, from a string. */
export function parseTimeText(text: string): boolean {
  if (text.length > 64) return false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c > 127) return false;
    text64[i] = c;
  }
  return parseTime(text64, 0, text.length);
}

/** RFC 3339 text in UTC; nanoseconds only as far as they are not zero. */
export function timeText(ms: number, ns: number): string {
  const base = new Date(ms).toISOString();
  if (ns === 0) return base;
  const rest = String(ns).padStart(6, '0').replace(/0+$/, '');
  return `${base.slice(0, -1)}${rest}Z`;
}

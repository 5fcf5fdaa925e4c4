// Values of Zeek TSV fields, by the type that the header gives them.
//
// count, int, port → number up to 2^53, above it text with all digits; double, interval → number; time → RFC 3339 text in
// UTC, exact; bool → true or false; sets and vectors → arrays (an unset element is null); the rest → text.

import { isUtf8 } from 'node:buffer';
import { bufferOf, textOf } from '../../src/model/bytes.ts';
import { instant, timeText } from './time.ts';
import type { ZeekColumn, ZeekHeader, ZeekType } from './zeek-header.ts';

/** What `readZeekValue` returns for a field that does not fit its type. */
export const MISFIT = Symbol('misfit');

export function sameBytes(bytes: Uint8Array, start: number, end: number, expected: Uint8Array): boolean {
  if (end - start !== expected.length) return false;
  for (let i = 0; i < expected.length; i++) if (bytes[start + i] !== expected[i]) return false;
  return true;
}

/** The value of a field that is not unset. */
export function readZeekValue(
  header: ZeekHeader,
  column: ZeekColumn,
  bytes: Uint8Array,
  start: number,
  end: number,
): unknown {
  if (!column.many) {
    return sameBytes(bytes, start, end, header.empty) ? '' : readOne(column.type, bytes, start, end);
  }
  if (start === end || sameBytes(bytes, start, end, header.empty)) return [];
  const values: unknown[] = [];
  const separator = header.setSeparator.charCodeAt(0);
  for (let at = start; at <= end; ) {
    let next = at;
    while (next < end && bytes[next] !== separator) next++;
    const unset = sameBytes(bytes, at, next, header.unset);
    const value = unset ? null : sameBytes(bytes, at, next, header.empty) ? '' : readOne(column.type, bytes, at, next);
    if (value === MISFIT) return MISFIT;
    values.push(value);
    at = next + 1;
  }
  return values;
}

function readOne(type: ZeekType, bytes: Uint8Array, start: number, end: number): unknown {
  if (type === 'text') return zeekText(bytes, start, end);
  if (type === 'time') {
    if (!parseZeekTime(bytes, start, end) || Math.abs(instant[0]) > 8.64e15) return MISFIT;
    return timeText(instant[0], instant[1]);
  }
  const text = textOf(bytes, start, Math.min(end, start + 64));
  if (type === 'bool') return text === 'T' ? true : text === 'F' ? false : MISFIT;
  if (type === 'integer') {
    if (!/^-?\d{1,20}$/.test(text)) return MISFIT;
    const value = Number(text);
    return Number.isSafeInteger(value) ? value : text;
  }
  if (/^[-+]?\d+(\.\d*)?([eE][-+]?\d+)?$/.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? value : text;
  }
  return /^[-+]?(nan|inf)$/.test(text) ? text : MISFIT;
}

/**
 * Seconds since 1970 with a fraction, into `instant`, exact to the nanosecond. Always seconds, whatever their size: a
 * certificate may be valid until the year 9999.
 */
export function parseZeekTime(bytes: Uint8Array, start: number, end: number): boolean {
  const negative = bytes[start] === 45;
  let at = negative ? start + 1 : start;
  const first = at;
  let seconds = 0;
  for (; at < end && bytes[at] >= 48 && bytes[at] <= 57; at++) seconds = seconds * 10 + bytes[at] - 48;
  if (at === first || at - first > 13) return false;
  let nanoseconds = 0;
  if (at < end) {
    if (bytes[at] !== 46 || at + 1 === end) return false;
    let scale = 100_000_000;
    for (at++; at < end; at++) {
      const digit = bytes[at] - 48;
      if (digit < 0 || digit > 9) return false;
      nanoseconds += digit * scale;
      scale = scale === 1 ? 0 : scale / 10;
    }
  }
  if (negative) {
    seconds = nanoseconds > 0 ? -seconds - 1 : -seconds;
    nanoseconds = nanoseconds > 0 ? 1_000_000_000 - nanoseconds : 0;
  }
  const milliseconds = Math.floor(nanoseconds / 1_000_000);
  instant[0] = seconds * 1000 + milliseconds;
  instant[1] = nanoseconds - milliseconds * 1_000_000;
  return true;
}

/**
 * Text with Zeek's escapes (`\xHH` and `\\`) undone. When what they stand for is no UTF-8, the field stays as written:
 * replacement characters would hide which bytes there were.
 */
export function zeekText(bytes: Uint8Array, start: number, end: number): string {
  const escaped = textOf(bytes, start, end);
  if (!escaped.includes('\\')) return escaped;
  const raw = unescapeZeek(bytes, start, end);
  return isUtf8(raw) ? bufferOf(raw).toString('utf8') : escaped;
}

/** The bytes that a field stands for. A backslash that begins no escape stands for itself. */
export function unescapeZeek(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const raw = new Uint8Array(end - start);
  let length = 0;
  for (let i = start; i < end; i++) {
    const high = i + 3 < end && bytes[i + 1] === 120 ? hex(bytes[i + 2]) : -1;
    const low = high >= 0 ? hex(bytes[i + 3]) : -1;
    if (bytes[i] === 92 && low >= 0) {
      raw[length++] = high * 16 + low;
      i += 3;
      continue;
    }
    raw[length++] = bytes[i];
    if (bytes[i] === 92 && i + 1 < end && bytes[i + 1] === 92) i++;
  }
  return raw.subarray(0, length);
}

function hex(c: number): number {
  if (c >= 48 && c <= 57) return c - 48;
  const lower = c | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

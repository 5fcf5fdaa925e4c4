// Text and YAML scalars → values: sizes, durations, numbers, names. An error is one sentence that says what was expected.

import { isUuid } from '../model/hash.ts';
import { parsePrefix } from '../model/ip.ts';
import { isPopName, MAX_POP } from '../model/pop.ts';
import type { Leaf, TextFormat } from './node.ts';

export type Read = { readonly value: string | number | boolean } | { readonly error: string };

const SIZE = /^(\d+(?:\.\d+)?)\s*(?:([kmgt])(i?b)?|b)?$/i;
const POWER = ['', 'k', 'm', 'g', 't'];
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+$/;
const DURATION_PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g;
const MILLISECONDS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Reads what a leaf may hold; environment and command line give text, YAML also numbers and booleans. */
export function readScalar(leaf: Leaf, raw: string | number | boolean): Read {
  switch (leaf.scalar) {
    case 'boolean':
      if (raw === true || raw === 'true') return { value: true };
      return raw === false || raw === 'false' ? { value: false } : { error: 'expected true or false' };
    case 'integer': {
      const value =
        typeof raw === 'string' && /^-?\d+(?:_\d+)*$/.test(raw.trim()) ? Number(raw.replaceAll('_', '')) : raw;
      return Number.isSafeInteger(value) ? bounded(leaf, value as number) : { error: 'expected a whole number' };
    }
    case 'size': {
      const value = typeof raw === 'number' ? raw : parseSize(String(raw));
      if (value === null || !Number.isSafeInteger(value)) return { error: 'expected a size such as 64MiB' };
      return bounded(leaf, value);
    }
    case 'duration': {
      const value = typeof raw === 'number' ? raw * 1000 : parseDuration(String(raw));
      return value === null ? { error: 'expected a duration such as 30s, 5m or 1h30m' } : bounded(leaf, value);
    }
    default:
      return readText(leaf, raw);
  }
}

/** KiB, MiB … and bare k, m … are powers of 1024; kB, MB … of 1000. Null when it is no size. */
export function parseSize(text: string): number | null {
  const match = SIZE.exec(text.trim());
  if (!match) return null;
  const [, digits, prefix = '', suffix = ''] = match;
  const base = suffix.toLowerCase() === 'b' ? 1000 : 1024;
  return Math.round(Number(digits) * base ** POWER.indexOf(prefix.toLowerCase()));
}

/** Milliseconds; null when it is no duration. A bare number counts seconds. */
export function parseDuration(text: string): number | null {
  const clean = text.trim();
  if (/^\d+(?:\.\d+)?$/.test(clean)) return Math.round(Number(clean) * 1000);
  if (!DURATION.test(clean)) return null;
  let total = 0;
  for (const [, digits, unit] of clean.matchAll(DURATION_PART)) total += Number(digits) * MILLISECONDS[unit];
  return Math.round(total);
}

/** The shortest way to write a duration that is read back as it is. */
export function durationText(ms: number): string {
  if (ms === 0) return '0s';
  let rest = ms;
  let text = '';
  for (const unit of ['d', 'h', 'm', 's', 'ms']) {
    const count = Math.floor(rest / MILLISECONDS[unit]);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * MILLISECONDS[unit];
  }
  return text;
}

export function sizeText(bytes: number): string {
  const power = bytes === 0 ? 0 : [4, 3, 2, 1, 0].find((p) => bytes % 1024 ** p === 0);
  return power ? `${bytes / 1024 ** power}${POWER[power].toUpperCase()}iB` : `${bytes}`;
}

function bounded(leaf: Leaf, value: number): Read {
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = leaf;
  if (value >= minimum && value <= maximum) return { value };
  return { error: `expected a value from ${shown(leaf, minimum)} to ${shown(leaf, maximum)}` };
}

/** A bound or default as the user would write it. */
export function shown(leaf: Leaf, value: number): string {
  if (leaf.scalar === 'size') return sizeText(value);
  return leaf.scalar === 'duration' ? durationText(value) : String(value);
}

function readText(leaf: Leaf, raw: string | number | boolean): Read {
  const value = String(raw);
  if (leaf.choices && !leaf.choices.includes(value)) {
    const folded = leaf.choices.find((choice) => choice.toLowerCase() === value.toLowerCase());
    return folded ? { value: folded } : { error: `expected one of ${leaf.choices.join(', ')}` };
  }
  if (leaf.initial === undefined && value === '') return { error: 'expected some text' };
  const wrong = value !== '' && leaf.format ? FORMATS[leaf.format](value) : '';
  return wrong === '' ? { value } : { error: wrong };
}

/** '' when the text is right, else what was expected. */
const FORMATS: Readonly<Record<TextFormat, (text: string) => string>> = {
  slug: (text) =>
    /^[a-z0-9][a-z0-9-]{0,99}$/.test(text) && !isUuid(text)
      ? ''
      : 'expected at most 100 lower-case letters, digits and hyphens',
  uuid: (text) => (isUuid(text) ? '' : 'expected a UUID'),
  prefix: (text) => (parsePrefix(text) ? '' : 'expected an IPv4 or IPv6 address or prefix, such as 10.1.0.0/16'),
  timezone: (text) => (isTimeZone(text) ? '' : 'expected an IANA time zone such as Europe/Berlin'),
  zone: (text) =>
    /^[+-](?:0\d|1[0-4]):[0-5]\d$/.test(text) || isTimeZone(text)
      ? ''
      : 'expected an IANA time zone such as Europe/Berlin, or an offset such as +02:00',
  name: (text) =>
    text.length <= 200 && !/[\0-\x1f\x7f]/.test(text) ? '' : 'expected at most 200 printable characters',
  topic: (text) => (/^[a-zA-Z0-9._-]{1,200}$/.test(text) ? '' : 'expected at most 200 of a-z A-Z 0-9 . _ -'),
  keyspace: (text) =>
    /^[a-z][a-z0-9_]{0,47}$/.test(text) ? '' : 'expected at most 48 of a-z 0-9 _, beginning with a letter',
  pop: (text) => (isPopName(text) ? '' : `expected at most ${MAX_POP} printable characters`),
};

/** '' when `text` is right (or empty), else what was expected: for options that stand in for a configuration key. */
export function wrongText(format: TextFormat, text: string): string {
  return text === '' ? '' : FORMATS[format](text);
}

function isTimeZone(text: string): boolean {
  if (!/^[A-Za-z]/.test(text)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return true;
  } catch {
    return false;
  }
}

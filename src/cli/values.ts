// Values of command-line options that several verbs read alike.

import { UsageError } from './verb.ts';

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** A moment as ms since 1970: RFC 3339 (a date alone is its midnight UTC), or an age before `now` such as 90m, 24h, 7d. */
export function parseMoment(option: string, value: unknown, now = Date.now()): number {
  const text = String(value);
  const age = /^(\d{1,9})([smhdw])$/.exec(text);
  if (age) return now - Number(age[1]) * UNIT_MS[age[2] as keyof typeof UNIT_MS];
  const shaped = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?)?$/.test(text);
  const zoned = /(Z|[+-]\d{2}:\d{2})$/.test(text) || text.length === 10 ? text : `${text}Z`;
  const ms = shaped ? Date.parse(zoned.replace(' ', 'T')) : Number.NaN;
  if (Number.isNaN(ms))
    throw new UsageError(`${option} takes a time such as 2024-05-01T12:00:00Z or an age such as 24h, not '${text}'.`);
  return ms;
}

export function positiveInteger(option: string, value: unknown, most: number): number {
  const text = String(value);
  const number = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > most)
    throw new UsageError(`${option} takes a whole number from 1 to ${most}, not '${text}'.`);
  return number;
}

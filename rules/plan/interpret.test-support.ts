// The meaning of a predicate, written as plainly as possible: the plan must agree with this on everything. Shares no code
// with it: patterns go through JavaScript's RegExp, prefixes through node:net.

import { BlockList, isIP } from 'node:net';
import type { FieldTest, Predicate } from '../predicate.ts';

export type Value = string | number | boolean;

export interface SubjectField {
  readonly present: boolean;
  readonly hasNull: boolean;
  readonly hasObject: boolean;
  readonly values: readonly Value[];
  /** '' and absent are one. */
  readonly typed: boolean;
  /** Holds addresses: any spelling of an address in a rule is that address. */
  readonly address: boolean;
}

export interface Subject {
  field(name: string): SubjectField;
  member(list: string, mode: string, text: string): boolean;
  /** Wall clock of the tenant as the fields of a UTC date. */
  local(): Date;
}

export function interpret(predicate: Predicate, subject: Subject): boolean {
  switch (predicate.kind) {
    case 'constant':
      return predicate.value;
    case 'and':
      return predicate.of.every((part) => interpret(part, subject));
    case 'or':
      return predicate.of.some((part) => interpret(part, subject));
    case 'not':
      return !interpret(predicate.of, subject);
    case 'field':
      return holds(predicate, subject);
  }
}

function holds(test: FieldTest, subject: Subject): boolean {
  if (test.test === 'time' || test.test === 'timeofday') return timeHolds(test, subject.local());
  const field = subject.field(test.field);
  const any = (holdsFor: (value: Value) => boolean): boolean => field.values.some(holdsFor);
  switch (test.test) {
    case 'exists':
      return field.present === test.value;
    case 'null':
      return field.hasNull || (field.values.length === 0 && !field.hasObject);
    case 'list':
      return any((value) => subject.member(test.list, test.mode ?? 'member', String(value)));
    case 'fieldref': {
      const others = subject.field(test.other).values;
      return any((value) => others.some((other) => refers(test.mode, value, other)));
    }
    case 'number':
      return test.op === 'neq'
        ? !any((value) => numeric(value) === test.value)
        : any((value) => compares(test.op, numeric(value), test.value));
    case 'numbers':
      return any((value) => test.values.includes(numeric(value)));
    case 'boolean':
      return any((value) =>
        typeof value === 'boolean'
          ? value === test.value
          : [String(test.value), String(test.value)[0]].includes(String(value).toLowerCase()),
      );
    case 'cidr':
      return any((value) => typeof value === 'string' && test.prefixes.some((prefix) => inside(value, prefix)));
    case 'regex':
      return any((value) => new RegExp(test.source, `${test.flags}u`).test(String(value)));
    case 'pattern': {
      const source = test.pattern.map((part) =>
        typeof part === 'string' ? literal(part) : part.wildcard === '*' ? '[^]*' : '[^]',
      );
      return any((value) => new RegExp(`^${source.join('')}$`, test.cased ? '' : 'i').test(String(value)));
    }
    case 'equals':
      if (test.values.includes('') && field.typed && !field.present) return true;
      return any((value) => test.values.some((wanted) => equal(value, wanted, test.cased, field.address)));
    case 'keywords':
    case 'contains':
      return any((value) =>
        test.values.some((part) => same(test.cased, String(value)).includes(same(test.cased, part))),
      );
    case 'startswith':
      return any((value) =>
        test.values.some((part) => same(test.cased, String(value)).startsWith(same(test.cased, part))),
      );
    case 'endswith':
      return any((value) =>
        test.values.some((part) => same(test.cased, String(value)).endsWith(same(test.cased, part))),
      );
  }
}

const same = (cased: boolean, text: string): string => (cased ? text : text.toLowerCase());
const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');

function equal(value: Value, wanted: string, cased: boolean, address: boolean): boolean {
  if (address && isIP(wanted) > 0) return inside(String(value), wanted);
  if (same(cased, String(value)) === same(cased, wanted)) return true;
  return typeof value === 'number' && numeric(wanted) === value;
}

function numeric(value: Value): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean' || !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value)) return Number.NaN;
  return Number(value);
}

function compares(op: string, value: number, bound: number): boolean {
  if (op === 'eq') return value === bound;
  if (op === 'gt') return value > bound;
  if (op === 'gte') return value >= bound;
  return op === 'lt' ? value < bound : value <= bound;
}

function refers(mode: string, value: Value, other: Value): boolean {
  const text = String(value).toLowerCase();
  const part = String(other).toLowerCase();
  if (mode === 'contains') return text.includes(part);
  if (mode === 'startswith') return text.startsWith(part);
  if (mode === 'endswith') return text.endsWith(part);
  const numbers = typeof value === 'number' || typeof other === 'number';
  return text === part || (numbers && numeric(value) === numeric(other));
}

function inside(text: string, prefix: string): boolean {
  const version = isIP(text);
  const [network, bits] = prefix.split('/');
  if (version === 0 || isIP(network) !== version) return false;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(network, bits === undefined ? (version === 4 ? 32 : 128) : Number(bits), family);
  return list.check(text, family);
}

function timeHolds(test: Extract<FieldTest, { test: 'time' | 'timeofday' }>, local: Date): boolean {
  if (test.test === 'timeofday') {
    const minute = local.getUTCHours() * 60 + local.getUTCMinutes();
    const { fromMinute: from, toMinute: to } = test;
    if (from === to) return true;
    return from < to ? from <= minute && minute < to : from <= minute || minute < to;
  }
  const parts = {
    minute: local.getUTCMinutes(),
    hour: local.getUTCHours(),
    day: local.getUTCDate(),
    weekday: local.getUTCDay() === 0 ? 7 : local.getUTCDay(),
    week: isoWeek(local),
    month: local.getUTCMonth() + 1,
    year: local.getUTCFullYear(),
  };
  return test.values.includes(parts[test.part]);
}

/** Counts Mondays: week 1 is the one that holds January 4th. */
function isoWeek(date: Date): number {
  const monday = (at: Date): number => {
    const day = Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate());
    return day - ((at.getUTCDay() + 6) % 7) * 86_400_000;
  };
  const own = monday(date);
  for (const year of [date.getUTCFullYear() + 1, date.getUTCFullYear(), date.getUTCFullYear() - 1]) {
    const first = monday(new Date(Date.UTC(year, 0, 4)));
    if (own >= first) return 1 + Math.round((own - first) / (7 * 86_400_000));
  }
  return 0;
}

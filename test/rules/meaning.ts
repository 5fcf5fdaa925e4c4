// What one field test says of one value, for the synthesiser to choose values by. Written a third time, apart from the
// matcher and from the interpreter, so that an expectation is not the opinion of either.

import { isIP } from 'node:net';
import type { FieldTest } from '../../rules/predicate.ts';
import { listValues } from './lists.ts';
import { javascriptRegex } from './record.ts';

export type Scalar = string | number | boolean;
/** undefined: the event has no such field. */
export type FieldValue = undefined | null | Scalar | readonly Scalar[];

export interface Literal {
  readonly test: FieldTest;
  readonly want: boolean;
}

/** `typed`: the field is a column, of which '' and absent are one. */
export function meets({ test, want }: Literal, value: FieldValue, typed: boolean): boolean {
  return says(test, value, typed) === want;
}

function says(test: FieldTest, value: FieldValue, typed: boolean): boolean {
  const values: readonly Scalar[] = value === undefined || value === null ? [] : isMany(value) ? value : [value];
  if (test.test === 'exists') return (value !== undefined) === test.value;
  if (test.test === 'null') return values.length === 0;
  if (test.test === 'number' && test.op === 'neq') return values.every((one) => numberOf(one) !== test.value);
  if (test.test === 'equals' && typed && value === undefined && test.values.includes('')) return true;
  return values.some((one) => saysOf(test, one));
}

export function isMany(value: FieldValue): value is readonly Scalar[] {
  return Array.isArray(value);
}

function saysOf(test: FieldTest, value: Scalar): boolean {
  const text = String(value);
  switch (test.test) {
    case 'equals':
      return test.values.some(
        (wanted) => alike(text, wanted, test.cased) || (typeof value === 'number' && numberOf(wanted) === value),
      );
    case 'contains':
    case 'keywords':
      return test.values.some((part) => shape(text, test.cased).indexOf(shape(part, test.cased)) >= 0);
    case 'startswith':
      return test.values.some((part) => alike(text.slice(0, part.length), part, test.cased));
    case 'endswith':
      return test.values.some(
        (part) => text.length >= part.length && alike(text.slice(text.length - part.length), part, test.cased),
      );
    case 'pattern':
      return globHolds(test.pattern, text, test.cased);
    case 'regex':
      return regexOf(test).test(text);
    case 'cidr':
      return typeof value === 'string' && test.prefixes.some((prefix) => inPrefix(value, prefix));
    case 'numbers':
      return test.values.includes(numberOf(value));
    case 'number': {
      const number = numberOf(value);
      if (test.op === 'eq') return number === test.value;
      if (test.op === 'gt') return number > test.value;
      if (test.op === 'gte') return number >= test.value;
      return test.op === 'lt' ? number < test.value : number <= test.value;
    }
    case 'boolean':
      return typeof value === 'boolean'
        ? value === test.value
        : (test.value ? ['true', 't'] : ['false', 'f']).includes(text.toLowerCase());
    case 'list': {
      const low = text.toLowerCase();
      return listValues(test.list).some((one) => {
        if (test.mode === 'contains') return low.includes(one);
        if (test.mode === 'startswith') return low.startsWith(one);
        return test.mode === 'endswith' ? low.endsWith(one) : (test.list.startsWith('%') ? low : text) === one;
      });
    }
    default:
      throw new TypeError(`${test.test} is not about one value`);
  }
}

const shape = (text: string, cased: boolean): string => (cased ? text : text.toLowerCase());
const alike = (a: string, b: string, cased: boolean): boolean => shape(a, cased) === shape(b, cased);

function numberOf(value: Scalar): number {
  if (typeof value === 'number') return value;
  const decimal = typeof value === 'string' && /^[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?$/i.test(value);
  return decimal ? Number(value) : Number.NaN;
}

type Glob = Extract<FieldTest, { test: 'pattern' }>['pattern'];

/** All prefixes of the pattern over all prefixes of the text, column by column. */
function globHolds(pattern: Glob, text: string, cased: boolean): boolean {
  const subject = shape(text, cased);
  let reach = new Set([0]);
  for (const part of pattern) {
    const next = new Set<number>();
    for (const at of reach) {
      if (typeof part === 'string') {
        if (subject.startsWith(shape(part, cased), at)) next.add(at + part.length);
      } else if (part.wildcard === '?') {
        if (at < subject.length) next.add(at + 1);
      } else for (let to = at; to <= subject.length; to++) next.add(to);
    }
    reach = next;
  }
  return reach.has(subject.length);
}

const regexes = new Map<FieldTest, RegExp>();

export function regexOf(test: Extract<FieldTest, { test: 'regex' }>): RegExp {
  let regex = regexes.get(test);
  if (regex === undefined) {
    const { source, flags } = javascriptRegex(test);
    regex = new RegExp(source, `${flags}u`);
    regexes.set(test, regex);
  }
  return regex;
}

/** Addresses as 128 bits of text: a prefix is then a text that another one begins with. */
export function addressBits(text: string): string | null {
  const version = isIP(text);
  if (version === 4)
    return text
      .split('.')
      .map((part) => bits(Number(part), 8))
      .join('');
  if (version !== 6 || text.includes('.') || text.includes('%')) return null;
  const [head, tail] = text.split('::');
  const groups = (half: string | undefined): string[] => (half ? half.split(':') : []);
  const missing = tail === undefined ? 0 : 8 - groups(head).length - groups(tail).length;
  return [...groups(head), ...Array<string>(missing).fill('0'), ...groups(tail)]
    .map((group) => bits(Number.parseInt(group, 16), 16))
    .join('');
}

const bits = (value: number, width: number): string => value.toString(2).padStart(width, '0');

export function inPrefix(text: string, prefix: string): boolean {
  const [network, length] = prefix.split('/');
  const address = addressBits(text);
  const of = addressBits(network);
  if (address === null || of === null || address.length !== of.length) return false;
  return address.startsWith(of.slice(0, length === undefined ? of.length : Number(length)));
}

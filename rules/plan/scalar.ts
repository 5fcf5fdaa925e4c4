// Tests of one value, compiled once. The semantics of every test on a single scalar stand here and in docs/policies.md:
// strings fold to lower case unless `cased`; numbers and strings compare by text and by numeric value.

import type { Test } from '../predicate.ts';
import { compileRegex, REGEX_INPUT_CAP } from './regex.ts';
import type { AddressCodec, Scalar } from './table.ts';

/** `text` is the value as text, `folded` its lower-case form. */
export type ScalarTest = (value: Scalar, text: string, folded: string) => boolean;

/** Tests that look at one value alone. The rest need the record: its time, its tenant, its other fields. */
export type PureTest = Extract<
  Test,
  {
    test:
      | 'equals'
      | 'contains'
      | 'startswith'
      | 'endswith'
      | 'pattern'
      | 'regex'
      | 'cidr'
      | 'number'
      | 'numbers'
      | 'boolean';
  }
>;

const NUMERIC = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The number that a value reads as, or NaN. Decimal notation only, without blanks. */
export function numericOf(value: Scalar): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean' || value.length > 40) return Number.NaN;
  const first = value.charCodeAt(0);
  if (first > 57 || !NUMERIC.test(value)) return Number.NaN;
  return Number(value);
}

export function fold(text: string, cased: boolean): string {
  return cased ? text : text.toLowerCase();
}

export function compileScalar(test: PureTest, addresses: AddressCodec): ScalarTest {
  switch (test.test) {
    case 'equals':
      return compileEquals(test.values, test.cased);
    case 'contains':
    case 'startswith':
    case 'endswith':
      return compileAffix(test.test, test.values, test.cased);
    case 'pattern':
      return compileGlob(test.pattern, test.cased);
    case 'regex': {
      const regex = compileRegex(test.source, test.flags);
      if (regex === null) return () => false;
      return (_, text) => regex.test(text.length > REGEX_INPUT_CAP ? text.slice(0, REGEX_INPUT_CAP) : text);
    }
    case 'cidr': {
      const prefixes = test.prefixes.map((text) => addresses.parsePrefix(text)).filter((prefix) => prefix !== null);
      const words = new Uint32Array(4);
      return (value, text) => {
        if (typeof value !== 'string' || !addresses.parse(text, words, 0)) return false;
        for (const prefix of prefixes) if (addresses.inPrefix(prefix, words, 0)) return true;
        return false;
      };
    }
    case 'number': {
      const compare = comparison(test.op, test.value);
      return (value) => compare(numericOf(value));
    }
    case 'numbers': {
      const wanted = new Set(test.values);
      return (value) => wanted.has(numericOf(value));
    }
    case 'boolean': {
      const wanted = test.value ? ['true', 't'] : ['false', 'f'];
      return (value, _, folded) => (typeof value === 'boolean' ? value === test.value : wanted.includes(folded));
    }
  }
}

/** `neq` is left to the caller: it negates `eq` over all values. */
export function comparison(op: 'eq' | 'neq' | 'gt' | 'gte' | 'lt' | 'lte', bound: number): (value: number) => boolean {
  switch (op) {
    case 'eq':
    case 'neq':
      return (value) => value === bound;
    case 'gt':
      return (value) => value > bound;
    case 'gte':
      return (value) => value >= bound;
    case 'lt':
      return (value) => value < bound;
    case 'lte':
      return (value) => value <= bound;
  }
}

function compileEquals(values: readonly string[], cased: boolean): ScalarTest {
  const texts = new Set(values.map((value) => fold(value, cased)));
  const numbers = new Set(values.map(numericOf).filter((value) => !Number.isNaN(value)));
  return (value, text, folded) => texts.has(cased ? text : folded) || (typeof value === 'number' && numbers.has(value));
}

/** How a text may have a part. */
export const AFFIX = {
  contains: (text: string, part: string): boolean => text.includes(part),
  startswith: (text: string, part: string): boolean => text.startsWith(part),
  endswith: (text: string, part: string): boolean => text.endsWith(part),
} as const;

function compileAffix(kind: keyof typeof AFFIX, values: readonly string[], cased: boolean): ScalarTest {
  const wanted = values.map((value) => fold(value, cased));
  const fits = AFFIX[kind];
  return (_, text, folded) => {
    const subject = cased ? text : folded;
    for (const part of wanted) if (fits(subject, part)) return true;
    return false;
  };
}

type Pattern = Extract<Test, { test: 'pattern' }>['pattern'];

/**
 * Globs are cut at their `*`s into runs of literals and `?`; the first run is anchored at the start, the last at the end,
 * and each run between is taken at its leftmost place, which is enough: no backtracking.
 */
export function compileGlob(pattern: Pattern, cased: boolean): ScalarTest {
  type Run = (string | null)[];
  const runs: Run[] = [[]];
  for (const part of pattern) {
    const run = runs[runs.length - 1];
    if (typeof part === 'string') {
      const text = fold(part, cased);
      for (let i = 0; i < text.length; i++) run.push(text[i]);
    } else if (part.wildcard === '?') run.push(null);
    else runs.push([]);
  }
  const fitsAt = (run: Run, text: string, at: number): boolean => {
    if (at < 0 || at + run.length > text.length) return false;
    for (let i = 0; i < run.length; i++) if (run[i] !== null && run[i] !== text[at + i]) return false;
    return true;
  };
  const first = runs[0];
  const last = runs[runs.length - 1];
  const between = runs.slice(1, -1).filter((run) => run.length > 0);
  return (_, original, folded) => {
    const text = cased ? original : folded;
    if (runs.length === 1) return text.length === first.length && fitsAt(first, text, 0);
    if (!fitsAt(first, text, 0)) return false;
    let at = first.length;
    const limit = text.length - last.length;
    for (const run of between) {
      while (at + run.length <= limit && !fitsAt(run, text, at)) at++;
      if (at + run.length > limit) return false;
      at += run.length;
    }
    return at <= limit && fitsAt(last, text, limit);
  };
}

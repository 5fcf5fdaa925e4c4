// Exact-match keys: a value and a test share a key whenever the value could pass the test. Verification decides.

import type { FieldTest } from '../predicate.ts';
import { numericOf } from './scalar.ts';
import type { Scalar } from './table.ts';

/** Keys of a test that holds only for listed values; null when the test is of another kind. */
export function keysOfTest(test: FieldTest): string[] | null {
  if (test.test === 'numbers') return test.values.map(String);
  if (test.test === 'boolean') return test.value ? ['true', 't'] : ['false', 'f'];
  if (test.test !== 'equals') return null;
  const keys = new Set<string>();
  for (const value of test.values) {
    keys.add(value.toLowerCase());
    const number = numericOf(value);
    if (!Number.isNaN(number)) keys.add(String(number));
  }
  return [...keys];
}

/** The first key of a value, given its folded text. */
export function keyOfValue(value: Scalar, folded: string): string {
  return typeof value === 'string' ? folded : String(value);
}

/** A second key when the text reads as a number in another spelling ('007'); '' for none. */
export function numericKeyOfValue(value: Scalar, folded: string): string {
  if (typeof value !== 'string') return '';
  const number = numericOf(value);
  if (Number.isNaN(number)) return '';
  const text = String(number);
  return text === folded ? '' : text;
}

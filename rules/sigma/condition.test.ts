// Sigma 2.1.0, rules specification, section «Condition».

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Predicate } from '../predicate.ts';
import { codes, load, predicateOf } from './support.test-support.ts';

const SELECTIONS = `sel_a: {A: a}\nsel_b: {B: b}\n_sel_c: {C: c}\nfilter_d: {D: d}\n`;
const conditionOf = (condition: string): string => text(predicateOf(load(`${SELECTIONS}condition: ${condition}`)));

/** `a`, `(a and b)`, `not a`: fields in place of tests. */
function text(predicate: Predicate): string {
  if (predicate.kind === 'constant') return String(predicate.value);
  if (predicate.kind === 'field') return predicate.field;
  if (predicate.kind === 'not') return `not ${text(predicate.of)}`;
  return `(${predicate.of.map(text).join(` ${predicate.kind} `)})`;
}

test('Condition: operator precedence, or < and < not < x of < ( )', () => {
  assert.equal(conditionOf('sel_a or sel_b and not filter_d'), '(A or (B and not D))');
  assert.equal(conditionOf('(sel_a or sel_b) and not filter_d'), '((A or B) and not D)');
  assert.equal(conditionOf('not 1 of sel_* and filter_d'), '(not (A or B) and D)');
  assert.equal(conditionOf('not (sel_a and not (sel_b))'), 'not (A and not B)');
});

test('Condition: 1/all of them, and of patterns; names that begin with _ are not counted', () => {
  assert.equal(conditionOf('1 of them'), '(A or B or D)');
  assert.equal(conditionOf('any of them'), '(A or B or D)');
  assert.equal(conditionOf('all of them'), '(A and B and D)');
  assert.equal(conditionOf('all of sel_*'), '(A and B)');
  assert.equal(conditionOf('1 of *'), '(A or B or D)');
  assert.equal(conditionOf('1 of *_*'), '(A or B or D)');
  assert.equal(conditionOf('1 of sel_* and not 1 of filter*'), '((A or B) and not D)');
  assert.equal(conditionOf('all of sel_a'), 'A');
  // Named outright or by a pattern of their own they count.
  assert.equal(conditionOf('sel_a and _sel_c'), '(A and C)');
  assert.equal(conditionOf('1 of _*'), 'C');
});

test('Condition: a list of conditions is an or', () => {
  assert.equal(conditionOf('[sel_a and sel_b, filter_d]'), '((A and B) or D)');
});

test('Condition: the aggregations of version 1 are refused with a reason', () => {
  const { rules, problems } = load(`${SELECTIONS}condition: sel_a | count() > 3`);
  assert.deepEqual(rules, []);
  const [error] = problems.filter(({ severity }) => severity === 'error');
  assert.deepEqual(codes([error]), ['error sigma.unsupported 9']);
  assert.match(error.message, /correlation/);
});

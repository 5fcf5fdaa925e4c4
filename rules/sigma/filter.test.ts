// Sigma 2.1.0, filters specification.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadRules } from '../index.ts';
import type { RuleSet } from '../model.ts';
import { codes, ruleNamed } from './support.test-support.ts';

const id = (n: number): string => `11111111-1111-4111-8111-${String(n).padStart(12, '0')}`;
const rule = (n: number, name: string, logsource: string): string =>
  `title: ${name}\nid: ${id(n)}\nname: ${name}\nlogsource: ${logsource}\ndetection:\n  s: {A: x}\n  condition: s\n`;
const RULES = [
  rule(1, 'process', '{product: windows, category: process_creation}'),
  rule(2, 'files', '{product: windows, category: file_event}'),
  rule(3, 'linux', '{product: linux}'),
].join('---\n');

const filtered = (filter: string, logsource = '{product: windows}'): RuleSet =>
  loadRules([
    { path: 'a.yml', text: RULES },
    { path: 'f.yml', text: `title: f\nlogsource: ${logsource}\nfilter:\n${filter.replace(/^/gm, '  ')}\n` },
  ]);
const NOT_KNOWN = 'known: {B: y}\ncondition: not known';
/** Names of the rules that the filter narrowed. */
const narrowed = ({ rules }: RuleSet): readonly string[] =>
  rules.filter(({ detection }) => detection?.kind === 'and').map(({ name }) => name);

test('Relative rules: by id in any letter case, by name, one alone or a list', () => {
  assert.deepEqual(narrowed(filtered(`rules: [${id(1).toUpperCase()}, files]\n${NOT_KNOWN}`)), ['process', 'files']);
  assert.deepEqual(narrowed(filtered(`rules: process\n${NOT_KNOWN}`)), ['process']);
});

test('Relative rules: any, all and an empty list mean every rule of the log source', () => {
  for (const rules of ['any', 'all', 'Any', '[]', '[any]']) {
    assert.deepEqual(narrowed(filtered(`rules: ${rules}\n${NOT_KNOWN}`)), ['process', 'files'], rules);
  }
  const of = filtered(`rules: any\n${NOT_KNOWN}`, '{category: file_event}');
  assert.deepEqual(narrowed(of), ['files']);
});

test('Log source: a rule that is named but of another log source stays as it is, with a warning', () => {
  const set = filtered(`rules: [process, linux]\n${NOT_KNOWN}`);
  assert.deepEqual(narrowed(set), ['process']);
  assert.deepEqual(codes(set.problems), ['warning sigma.filter_logsource 4']);
});

test('filter condition: the rule and the filter, so that an exclusion says not', () => {
  const set = filtered(`rules: [process]\nknown: {B: y}\ncondition: not known`);
  const test = (field: string, value: string): unknown => ({
    kind: 'field',
    field,
    test: 'equals',
    values: [value],
    cased: false,
  });
  assert.deepEqual(ruleNamed(set, 'process').detection, {
    kind: 'and',
    of: [test('A', 'x'), { kind: 'not', of: test('B', 'y') }],
  });
});

test("a filter's selections are its own: names of the rule's do not clash", () => {
  const set = filtered('rules: [process]\ns: {B: y}\n_t: {C: z}\ncondition: not 1 of *');
  assert.equal(JSON.stringify(ruleNamed(set, 'process').detection).includes('"C"'), false);
  assert.deepEqual(narrowed(set), ['process']);
});

test('what a filter must have', () => {
  const first = (set: RuleSet): string => codes(set.problems.filter(({ severity }) => severity === 'error'))[0];
  assert.equal(first(filtered(NOT_KNOWN)), 'error sigma.no_rules 4');
  assert.equal(first(filtered(`rules: any\nknown: {B: y}`)), 'error sigma.no_condition 4');
  assert.equal(
    first(filtered(`rules: any\nknown: {B: y}\ncondition: [not known, known]`)),
    'error sigma.condition_syntax 6',
  );
  assert.equal(first(filtered(`rules: [nobody]\n${NOT_KNOWN}`)), 'error sigma.unknown_rule 4');
  const without = loadRules([
    { path: 'f.yml', text: `title: f\nfilter:\n  rules: any\n  s: {A: x}\n  condition: not s\n` },
  ]);
  assert.equal(first(without), 'error rule.no_logsource 1');
  // Its rules work on unfiltered.
  assert.equal(filtered(NOT_KNOWN).rules.length, 3);
});

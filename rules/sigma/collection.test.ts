// Sigma 1.0.2, section «Rule Collections» (an extension to 2.1.0), and files of several documents.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadRules } from '../index.ts';
import { lintRules } from '../lint/index.ts';
import type { RuleSet } from '../model.ts';
import { codes } from './support.test-support.ts';

const ID = '11111111-1111-4111-8111-111111111111';
const collection = (...documents: readonly string[]): RuleSet =>
  loadRules([{ path: 'a.yml', text: documents.join('\n---\n') }]);
const GLOBAL = `action: global\ntitle: Processes\nid: ${ID}\nlevel: high\ndetection:\n  s: {A: x}\n  condition: s`;
const fields = ({ rules }: RuleSet): readonly string[] =>
  rules.map(
    ({ title, logsource, detection }) => `${title} ${logsource.service} ${JSON.stringify(detection).match(/"[A-Z]"/g)}`,
  );

test('global: merged into every rule that follows; several accumulate; their rules get ids of their own', () => {
  const set = collection(
    GLOBAL,
    'action: global\ndetection: {t: {T: x}}',
    'logsource: {service: one}',
    'logsource: {service: two}\ndetection: {u: {U: x}, condition: s or u}\nlevel: low',
  );
  assert.deepEqual(codes(set.problems.filter(({ severity }) => severity === 'error')), []);
  // What is global wins over what a rule says.
  assert.deepEqual(fields(set), ['Processes one "A"', 'Processes two "A"']);
  assert.deepEqual(
    set.rules.map(({ level }) => level),
    ['high', 'high'],
  );
  assert.equal(set.rules[0].id, ID);
  assert.equal(new Set(set.rules.map(({ id }) => id)).size, 2);
  const again = collection(GLOBAL, 'logsource: {service: one}', 'logsource: {service: two}');
  assert.deepEqual(
    again.rules.map(({ id }) => id),
    set.rules.map(({ id }) => id),
  );
});

test('reset: what follows stands alone', () => {
  const own =
    'title: Own\nid: 22222222-2222-4222-8222-222222222222\nlogsource: {service: own}\ndetection: {s: {B: x}, condition: s}';
  const set = collection(GLOBAL, 'logsource: {service: one}', 'action: reset', own);
  assert.deepEqual(fields(set), ['Processes one "A"', 'Own own "B"']);
});

test('repeat: the rule before it with changes, each on top of the last', () => {
  const set = collection(
    `title: First\nid: ${ID}\nlogsource: {product: p, service: one}\ndetection: {s: {A: x}, condition: s}`,
    'action: repeat\ntitle: Second\nlogsource: {service: two}\ndetection: {s: {B: x}}',
    'action: repeat\ntitle: Third\ndetection: {t: {C: x}, condition: s and t}',
  );
  assert.deepEqual(fields(set), ['First one "A"', 'Second two "A","B"', 'Third two "A","B","C"']);
  assert.deepEqual(
    set.rules.map(({ logsource, line }) => `${logsource.product} ${line}`),
    ['p 1', 'p 6', 'p 11'],
  );
});

test('an action that is unknown, or has nothing to act on, is an error; the rest of the file works on', () => {
  const set = collection('action: repeat\ntitle: x', 'action: vanish', GLOBAL, 'logsource: {service: one}');
  assert.deepEqual(codes(set.problems).slice(0, 2), ['error sigma.action 1', 'error sigma.action 4']);
  assert.deepEqual(fields(set), ['Processes one "A"']);
});

test('actions are marked as an extension', () => {
  const text = [GLOBAL, 'logsource: {service: one}'].join('\n---\n');
  const files = [{ path: 'a.yml', text }];
  const found = lintRules(files, loadRules(files).rules).filter(({ code }) => code === 'lint.extension');
  assert.deepEqual(codes(found), ['warning lint.extension 1']);
});

test('a file of several documents: one that is broken does not keep the others from loading', () => {
  const rule = (n: number): string =>
    `title: r${n}\nid: 11111111-1111-4111-8111-11111111111${n}\nlogsource: {product: p}\ndetection: {s: {A: x}, condition: s}`;
  const set = collection(rule(1), 'title: [broken', '', rule(2));
  assert.deepEqual(
    set.rules.map(({ title }) => title),
    ['r1', 'r2'],
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadRules } from '../index.ts';
import { lintRules } from './index.ts';

const lint = (correlation: string): readonly string[] => {
  const rule =
    'name: one\ntags: [attack.t1110]\nlevel: low\nlogsource: {category: dns}\ndetection: {s: {a: b}, condition: s}\n';
  const text = `title: One\n${rule}---\ntitle: Two\ntags: [attack.t1110]\nlevel: low\ncorrelation: ${correlation}\n`;
  const files = [{ path: 'a.yml', text }];
  const { rules, problems } = loadRules(files);
  assert.ok(problems.every(({ code }) => code === 'rule.no_id'));
  return lintRules(files, rules).map(({ code, line, message }) => `${code} ${line} ${message.split(':')[0]}`);
};

test('extensions of the specification are marked where they stand, the rest is not', () => {
  const of = (type: string, condition: string, timespan = '5m'): readonly string[] =>
    lint(`{type: ${type}, rules: one, group-by: a, timespan: ${timespan}, condition: ${condition}}`);
  assert.deepEqual(of('event_count', '{gt: 3, lte: 9}'), []);
  assert.deepEqual(of('value_percentile', '{field: b, lt: 5}'), []);
  assert.match(of('value_median', '{field: b, lt: 5}').join(), /^lint.extension 11 The type 'value_median'/);
  assert.match(of('event_count', '{neq: 5}').join(), /^lint.extension 11 'neq'/);
  assert.match(of('event_count', '{gte: 5}', '500ms').join(), /^lint.extension 11 A timespan in milliseconds/);
  assert.deepEqual(of('first_seen', '{field: b}'), []);
});

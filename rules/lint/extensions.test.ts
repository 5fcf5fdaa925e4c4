import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadRules } from '../index.ts';
import { lintRules } from './index.ts';

const HEAD =
  'title: t\nid: 11111111-1111-4111-8111-111111111111\nlevel: low\ntags: [attack.t1110]\nlogsource: {product: p}\n';
/** Codes of what is found in a rule with these lines of its detection. */
function lint(detection: string, head = `${HEAD}detection:\n`): readonly string[] {
  const files = [{ path: 'a.yml', text: `${head}${detection.replace(/^/gm, '  ')}\n` }];
  return lintRules(files, loadRules(files).rules).map(({ code }) => code);
}
const selection = (line: string): readonly string[] => lint(`s: {X: base, ${line}}\ncondition: s`);

test('what goes beyond Sigma 2.1.0 is marked as an extension', () => {
  for (const line of ['"A|re|ignorecase": abcd', '"A|gt": "3"', '"A": [x, null]', '"A|contains|fieldref": B']) {
    assert.deepEqual(selection(line), ['lint.extension'], line);
  }
  assert.deepEqual(selection('"timestamp|hour|gte": 3'), ['lint.extension']);
  for (const condition of ['any of sel_*', 'sel_a AND sel_b', '1 of _*', 'NOT sel_a and sel_b']) {
    const found = lint(`sel_a: {A: x}\nsel_b: {B: x}\n_c: {C: x}\ncondition: ${condition}`);
    assert.ok(found.includes('lint.extension'), condition);
  }
  for (const line of [
    '"A|re|i": abcd',
    '"A|all|contains": [x, y]',
    '"A|fieldref|contains": B',
    '"A|gt": 3',
    'A: null',
  ]) {
    assert.deepEqual(selection(line), [], line);
  }
});

test('what is legal and seldom meant is a warning of its own', () => {
  assert.deepEqual(selection('"A|all": x'), ['lint.all_single']);
  assert.deepEqual(selection('"A|base64offset": abcdef'), ['lint.base64offset']);
  assert.deepEqual(selection('"A[0]": x'), ['lint.array_selector']);
  assert.ok(lint('words: [one, two]\ncondition: all of words').includes('lint.all_of_list'));
});

test('a filter without not keeps what it names, a filter for every rule is an extension', () => {
  const filter = (condition: string, rules = `[a]`): readonly string[] =>
    lint(`rules: ${rules}\nknown: {A: x}\ncondition: ${condition}`, 'title: f\nlogsource: {product: p}\nfilter:\n');
  assert.deepEqual(filter('known'), ['lint.filter_keeps']);
  assert.deepEqual(filter('not known'), []);
  assert.deepEqual(filter('not (known)'), []);
  for (const rules of ['any', 'all', '[]']) assert.deepEqual(filter('not known', rules), ['lint.extension']);
});

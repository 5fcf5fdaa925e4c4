// Sigma 2.1.0, rules specification: «Status», «Identification», «Taxonomy»; and rules that load without being at work.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inactivity, placeholdersOf } from '../inactive.ts';
import { loadRules } from '../index.ts';
import { lintRules } from '../lint/index.ts';
import type { RuleSet } from '../model.ts';
import { codes, load } from './support.test-support.ts';

const ID = '11111111-1111-4111-8111-111111111111';
const textOf = (lines: string): string =>
  `title: A rule\nid: ${ID}\nlevel: low\ntags: [attack.t1110]\nlogsource: {product: p}\ndetection: {s: {A: x}, condition: s}\n${lines}\n`;
const rule = (lines: string): RuleSet => loadRules([{ path: 'a.yml', text: textOf(lines) }]);
const lint = (lines: string): readonly string[] => {
  const files = [{ path: 'a.yml', text: textOf(lines) }];
  return codes(lintRules(files, loadRules(files).rules, new Set()));
};

test('Status: deprecated alerts with a warning of lint, unsupported is inactive unless the rule insists', () => {
  for (const status of ['stable', 'test', 'experimental']) {
    assert.deepEqual(lint(`status: ${status}`), []);
    assert.equal(rule(`status: ${status}`).rules[0].alerting, true);
  }
  assert.equal(rule('status: deprecated').rules[0].alerting, true);
  assert.deepEqual(lint('status: deprecated'), ['warning lint.deprecated 7']);
  assert.equal(rule('status: unsupported').rules[0].alerting, false);
  assert.deepEqual(lint('status: unsupported'), ['warning lint.inactive 1']);
  assert.equal(rule('status: unsupported\nweir: {alert: true}').rules[0].alerting, true);
  assert.deepEqual(codes(rule('status: fine').problems), ['warning rule.status 7']);
});

test('Identification: related has ids and types', () => {
  for (const type of ['derived', 'obsolete', 'merged', 'renamed', 'similar']) {
    assert.deepEqual(rule(`related: [{id: ${ID}, type: ${type}}]`).problems, []);
  }
  for (const entry of [`{id: ${ID}, type: cousin}`, '{type: derived}', ID]) {
    assert.deepEqual(codes(rule(`related: [${entry}]`).problems), ['warning rule.related 7']);
  }
});

test('Taxonomy: any but Sigma’s is pointed out', () => {
  assert.deepEqual(rule('taxonomy: sigma').problems, []);
  assert.deepEqual(codes(rule('taxonomy: ecs').problems), ['warning rule.taxonomy 7']);
});

test('Placeholders: a rule that needs a value of a list that does not exist is inactive, and says so', () => {
  const why = (detection: string, ...lists: readonly string[]): string => {
    const { rules } = load(detection);
    return inactivity(rules[0], rules, new Set(lists));
  };
  const needs = `s: {A: x, B|expand: '%admins%'}\ncondition: s`;
  assert.equal(why(needs), "there is no list 'admins'");
  assert.equal(why(needs, 'admins'), '');
  assert.equal(why(`s: {B|expand: 'CORP-%admins%'}\ncondition: s`), "there is no list 'admins'");
  assert.equal(why(`s: {B|expand: ['%a%', '%b%']}\ncondition: s`), "there are no lists 'a', 'b'");
  assert.equal(why(`s: {B|expand: ['%a%', '%b%']}\ncondition: s`, 'b'), '');
  assert.equal(why(`s: {B|expand: ['%a%', plain]}\ncondition: s`), '');
  // What is only left out by a list is not left out while there is none.
  assert.equal(why(`s: {A: x}\nf: {B|expand: '%admins%'}\ncondition: s and not f`), '');
  assert.deepEqual(placeholdersOf(load(needs).rules[0].detection), ['admins']);
});

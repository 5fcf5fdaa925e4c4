// The rules that are shipped: complete, consistent, and documented.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { globSync } from 'tinyglobby';
import { collectAttack } from '../mitre/index.ts';
import { PACKAGE_ROOT } from '../src/root.ts';
import { loadRules } from './index.ts';
import type { Rule } from './model.ts';
import type { Predicate } from './predicate.ts';

const FOLDER = join(PACKAGE_ROOT, 'rules', 'packs');
const files = globSync('**/*.yml', { cwd: FOLDER }).map((path) => ({
  path,
  text: readFileSync(join(FOLDER, path), 'utf8'),
}));
const { rules, problems } = loadRules(files);
const alerting = rules.filter((rule) => rule.alerting);

test('the packs load without a single problem', () => {
  assert.ok(rules.length >= 40);
  assert.deepEqual(problems, []);
});

test('every rule that alerts says why, what else it may be, and proves itself both ways', () => {
  for (const rule of alerting) {
    assert.notEqual(rule.reason, '', rule.title);
    assert.notEqual(rule.description, '', rule.title);
    assert.ok(rule.falsePositives.length > 0, rule.title);
    assert.ok(
      rule.tests.some(({ alerts }) => alerts > 0),
      `${rule.title} has no case that fires`,
    );
    assert.ok(
      rule.tests.some(({ alerts }) => alerts === 0),
      `${rule.title} has no case that stays silent`,
    );
    assert.notEqual(rule.level, 'informational', rule.title);
    // An hour longer than the window: alerts about one group share no events, and begin at least an hour apart.
    const least = 3_600_000 + (rule.correlation?.timespanMs ?? 0);
    assert.ok((rule.suppressionMs ?? 0) >= least, `${rule.title} could fire more than once an hour`);
  }
});

test('rules that only feed others never alert, whatever becomes of those', () => {
  const fed = new Set(rules.flatMap((rule) => rule.correlation?.rules ?? []));
  for (const rule of rules) {
    if (!rule.alerting) assert.ok(fed.has(rule.index), `${rule.title} neither alerts nor feeds`);
  }
});

test('ATT&CK: security rules have technique and tactic of the current version', () => {
  for (const rule of alerting) {
    const operational = rule.file.startsWith('operations/') || rule.name === 'weir_policy_violation';
    const found = collectAttack(rule.tags);
    assert.deepEqual([...found.unknown, ...found.retired, ...found.retiredTactics], [], rule.title);
    assert.equal(found.techniques.length > 0 && found.tactics.length > 0, !operational, rule.title);
  }
});

test('rules that sum bytes leave out contradictory counters', () => {
  const fields = (predicate: Predicate): readonly string[] =>
    predicate.kind === 'field'
      ? [predicate.field]
      : predicate.kind === 'constant'
        ? []
        : predicate.kind === 'not'
          ? fields(predicate.of)
          : predicate.of.flatMap(fields);
  const feeding = (rule: Rule): readonly Rule[] => (rule.correlation?.rules ?? []).map((index) => rules[index]);
  for (const rule of rules.filter(({ correlation }) => correlation?.type === 'value_sum')) {
    for (const base of feeding(rule))
      assert.ok(fields(base.detection as Predicate).includes('counter_fault'), rule.title);
  }
});

test('every runbook exists', () => {
  for (const rule of alerting) {
    const [path, anchor] = rule.runbook.split('#');
    assert.ok(existsSync(join(PACKAGE_ROOT, path)), `${rule.title}: ${rule.runbook}`);
    const headings = readFileSync(join(PACKAGE_ROOT, path), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('#'))
      .map((line) =>
        line
          .replace(/^#+ /, '')
          .toLowerCase()
          .replace(/[^\w -]/g, '')
          .replaceAll(' ', '-'),
      );
    assert.ok(headings.includes(anchor), `${rule.title}: ${rule.runbook}`);
  }
});

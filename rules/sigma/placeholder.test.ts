// Sigma 2.1.0, rules specification, section «Placeholders».

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTemplate } from './placeholder.ts';
import { codes, load, selection } from './support.test-support.ts';

const listOf = (value: string, modifiers = 'expand'): unknown => {
  const predicate = selection(`A|${modifiers}: '${value}'`);
  return predicate.kind === 'field' && predicate.test === 'list' ? [predicate.list, predicate.mode ?? ''] : predicate;
};

test('Placeholders: only with expand', () => {
  assert.deepEqual(selection("A: '%name%'"), {
    kind: 'field',
    field: 'A',
    test: 'equals',
    values: ['%name%'],
    cased: false,
  });
  assert.deepEqual(listOf('%name%'), ['%name%', '']);
  // Without a placeholder expand has nothing to do.
  assert.deepEqual(listOf('100%'), selection("A: '100%'"));
});

test('Placeholders: inside longer values, with wildcards and escaped percent signs', () => {
  assert.deepEqual(listOf(String.raw`DOMAIN\\%admins%`), [String.raw`DOMAIN\\%admins%`, '']);
  assert.deepEqual(listOf('svc-%hosts%*', 'contains|expand'), ['svc-%hosts%*', 'contains']);
  assert.deepEqual(listOf(String.raw`\%plain%name%`), [String.raw`\%plain%name%`, '']);
  assert.deepEqual(parseTemplate(String.raw`\%plain%name%`), { before: ['%plain'], name: 'name', after: [] });
  assert.deepEqual(parseTemplate(String.raw`C:\\%user%\*?`), {
    before: ['C:\\'],
    name: 'user',
    after: ['*', { wildcard: '?' }],
  });
  assert.equal(parseTemplate('name'), null);
});

test('Placeholders: of several values each is an alternative', () => {
  const both = selection("A|expand: ['%one%', '%two%', three]");
  assert.equal(both.kind, 'or');
  assert.deepEqual(both.kind === 'or' && both.of.length, 3);
});

test('Placeholders: with option dashes; two in one value are refused', () => {
  const made = selection("A|contains|windash|expand: ' -u %users%'");
  assert.deepEqual(made.kind === 'or' && made.of.length, 5);
  const { rules, problems } = load(`s: {A|expand: 'x%y%z%w%'}\ncondition: s`);
  assert.deepEqual(rules, []);
  assert.deepEqual(codes(problems), ['error sigma.placeholder 5']);
});

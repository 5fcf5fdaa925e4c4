// Sigma 2.1.0, rules specification, section «Placeholders»: what lists make of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ListMode } from '../../rules/plan/index.ts';
import type { ListDocument } from '../../src/model/control.ts';
import { parseIp } from '../../src/model/ip.ts';
import { snapshotOf, TENANTS } from './flows.test-support.ts';
import { Lists } from './lists.ts';

const list = (name: string, kind: ListDocument['kind'], ...values: readonly string[]): ListDocument => ({
  name,
  kind,
  threat: false,
  values,
  file: '',
});
const tenants = [{ ...TENANTS[0], lists: [list('admins', 'string', 'Own')] }, TENANTS[1]];
const shared = [
  list('admins', 'string', 'Anna', 'svc_*', 'b?b'),
  list('net', 'prefix', '10.0.0.0/8'),
  list('names', 'domain', 'evil.test'),
];
const all = new Lists({ ...snapshotOf(), tenants, lists: shared });
const has = (value: string, text: string, mode: ListMode = 'member', tenant = 0): boolean =>
  all.member(tenant, value, mode, text);

test("a placeholder is its list's values, without case and with their wildcards; a tenant's own list is only its own", () => {
  for (const text of ['anna', 'ANNA', 'SVC_backup', 'bob', 'own']) assert.equal(has('%admins%', text), true, text);
  for (const text of ['annab', 'svc', 'boob', '']) assert.equal(has('%admins%', text), false, text);
  assert.equal(has('%admins%', 'own', 'member', 1), false);
  assert.equal(has('%nobody%', 'anna'), false);
  // Policies name the list itself: exact text.
  assert.equal(has('admins', 'anna'), false);
});

test('inside a longer value the rest of it must be there too', () => {
  const value = String.raw`CORP\\%admins%`;
  assert.equal(has(value, 'corp\\Anna'), true);
  assert.equal(has(value, 'corp\\svc_x'), true);
  assert.equal(has(value, 'anna'), false);
  assert.equal(has(value, 'x corp\\anna x', 'contains'), true);
  assert.equal(has(value, 'corp\\anna x', 'startswith'), true);
  assert.equal(has(value, 'corp\\anna x', 'endswith'), false);
  assert.equal(has('*-%admins%-??', 'x-y-anna-42'), true);
  assert.equal(has('*-%admins%-??', 'x-y-anna-4'), false);
});

test('networks and domains keep their own way of holding things', () => {
  assert.equal(has('%net%', '10.1.2.3'), true);
  assert.equal(has('%names%', 'www.EVIL.test'), true);
  const words = new Uint32Array(4);
  parseIp('10.1.2.3', words);
  assert.equal(all.memberAddress(0, '%net%', words, 0), true);
  assert.equal(all.memberAddress(0, 'x%net%', words, 0), false);
});

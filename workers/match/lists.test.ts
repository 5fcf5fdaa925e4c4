import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ListDocument } from '../../src/model/control.ts';
import { parseIp } from '../../src/model/ip.ts';
import { snapshotOf, TENANTS } from './flows.test-support.ts';
import { Lists } from './lists.ts';

const list = (name: string, kind: ListDocument['kind'], values: readonly string[], file = ''): ListDocument => ({
  name,
  kind,
  threat: false,
  values,
  file,
});

function lists(shared: readonly ListDocument[], own: readonly ListDocument[] = []): Lists {
  const tenants = [{ ...TENANTS[0], lists: own }, TENANTS[1]];
  return new Lists({ ...snapshotOf(), tenants, lists: shared });
}

test('prefix lists hold addresses, domain lists names and all below, string lists exact text', () => {
  const all = lists([
    list('net', 'prefix', ['10.0.0.0/8', '2001:db8::1', '# comment']),
    list('names', 'domain', ['Evil.test', '*.bad.org']),
    list('users', 'string', ['Anna']),
  ]);
  const has = (name: string, text: string): boolean => all.member(0, name, 'member', text);
  assert.deepEqual(
    ['10.1.2.3', '11.0.0.1', '2001:db8:0::1', 'ten'].map((text) => has('net', text)),
    [true, false, true, false],
  );
  assert.deepEqual(
    ['evil.test', 'a.b.EVIL.test.', 'notevil.test', 'bad.org', 'x.bad.org', 'test'].map((text) => has('names', text)),
    [true, true, false, true, true, false],
  );
  assert.deepEqual(
    ['Anna', 'anna'].map((text) => has('users', text)),
    [true, false],
  );
  const words = new Uint32Array(4);
  parseIp('10.9.9.9', words);
  assert.equal(all.memberAddress(1, 'net', words, 0), true);
  assert.equal(has('nothing', '10.1.2.3'), false);
});

test("a tenant's list is its own", () => {
  const all = lists([list('mine', 'string', ['shared'])], [list('mine', 'string', ['own'])]);
  assert.equal(all.member(0, 'mine', 'member', 'own'), true);
  assert.equal(all.member(0, 'mine', 'member', 'shared'), true);
  assert.equal(all.member(1, 'mine', 'member', 'own'), false);
});

test('values may stand in a file', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-lists-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'list');
  writeFileSync(file, '# feed\n192.0.2.0/24\r\n\n198.51.100.7\n');
  const all = lists([list('feed', 'prefix', [], file)]);
  assert.equal(all.member(0, 'feed', 'member', '192.0.2.200'), true);
  assert.equal(all.member(0, 'feed', 'member', '198.51.100.8'), false);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allTactics, allTechniques, attackVersion, collectAttack, lookup, lookupTactic } from './index.ts';

test('the table is ATT&CK Enterprise v19.1: 697 techniques in 15 tactics', () => {
  assert.equal(attackVersion(), '19.1');
  const techniques = [...allTechniques()];
  assert.equal(techniques.length, 697);
  assert.equal(allTactics().length, 15);
  for (const { id, name, tactics } of techniques) {
    assert.match(id, /^T\d{4}(\.\d{3})?$/);
    assert.notEqual(name, '');
    assert.ok(tactics.length > 0 && tactics.every((tactic) => tactic !== undefined), id);
  }
});

test('techniques are found in any letter case, with name and tactics', () => {
  const found = lookup('t1110.001');
  assert.ok(found !== null && 'tactics' in found);
  assert.equal(found.id, 'T1110.001');
  assert.match(found.name, /Password Guessing/);
  assert.deepEqual(found.tactics, [{ id: 'TA0006', slug: 'credential-access', name: 'Credential Access' }]);
});

test('ids of older versions name what took their place, along the whole chain', () => {
  const replacement = (id: string): unknown => {
    const found = lookup(id);
    return found !== null && 'replacedBy' in found ? found.replacedBy : 'not retired';
  };
  assert.equal(replacement('T1562.001'), 'T1685');
  assert.equal(replacement('T1070.001'), 'T1685.005');
  assert.equal(replacement('T1162'), 'T1647');
  assert.equal(replacement('T1064'), null);
  assert.equal(lookup('T9999'), null);
  assert.equal(lookup('__proto__'), null);
});

test('every replacement is a technique of this version', () => {
  const ids = ['T1086', 'T1089', 'T1073', 'T1054', 'T1148', 'T1656', 'T1672', 'T1562', 'T1562.006', 'T1562.013'];
  for (const id of ids) {
    const found = lookup(id);
    assert.ok(found !== null && 'replacedBy' in found && found.replacedBy !== null, id);
    const next = lookup(found.replacedBy);
    assert.ok(next !== null && 'tactics' in next, id);
  }
});

test('defense evasion was split in two', () => {
  assert.equal(lookupTactic('stealth')?.id, 'TA0005');
  assert.equal(lookupTactic('defense_impairment')?.id, 'TA0112');
  assert.equal(lookupTactic('ta0006')?.slug, 'credential-access');
  assert.equal(lookupTactic('defense-evasion'), null);
});

test('tags are collected: tactics as written, techniques with replacements, oddities named', () => {
  const found = collectAttack([
    'attack.t1562.001',
    'attack.T1110',
    'attack.credential-access',
    'attack.defense-evasion',
    'attack.s0002',
    'attack.g0069',
    'attack.t9999',
    'attack.nonsense',
    'cve.2021-44228',
  ]);
  assert.deepEqual(
    found.techniques.map(({ id }) => id),
    ['T1685', 'T1110'],
  );
  assert.deepEqual(
    found.tactics.map(({ slug }) => slug),
    ['credential-access'],
  );
  assert.deepEqual(
    found.retired.map(({ tag }) => tag),
    ['attack.t1562.001'],
  );
  assert.deepEqual(found.retiredTactics, ['attack.defense-evasion']);
  assert.deepEqual(found.unknown, ['attack.t9999', 'attack.nonsense']);
});

test('without a tactic tag the techniques say which', () => {
  assert.deepEqual(
    collectAttack(['attack.t1046']).tactics.map(({ name }) => name),
    ['Discovery'],
  );
});

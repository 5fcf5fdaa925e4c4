import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PACKAGE_ROOT } from '../../src/root.ts';
import { compilePolicy, OPERATORS } from './conditions.ts';

function problemsOf(conditions: unknown): string[] {
  const policy = {
    id: 'p1',
    tenant: 't',
    name: 'n',
    enabled: true,
    priority: 1,
    action: 'Allow',
    version: 1,
    conditions,
  } as const;
  return compilePolicy(policy).problems.map(({ code, message }) => `${code} ${message.split(':')[0]}`);
}

test('every defect is reported with its JSON path, all at once', () => {
  assert.deepEqual(
    problemsOf([
      { field: 'destination_prot', op: 'eq', value: 22 },
      {
        or: [
          { field: 'source_ip', op: 'cidr', value: '10.0.0.0/33' },
          { field: 'host', op: 'regex', value: '(?=a)' },
        ],
      },
      { not: { field: 'bytes_sent', op: 'gt', value: 'many' } },
      { field: 'source_ip', op: 'eq', value: '10.0.0.0/8' },
      { op: 'time_of_day', value: { from: '8', to: '18:00' } },
      { op: 'day_of_week', value: ['mon', 'someday'] },
      { field: 'policy_id', op: 'eq', value: 'x' },
      { field: 'host', op: 'like', value: 'x' },
      { and: [], or: [] },
      { field: 'host', op: 'in', value: [] },
      { field: 'bytes_sent', op: 'range', value: [5, 1] },
      { field: 'host', op: 'eq', value: 'a', values: ['b'] },
      'tcp',
    ]),
    [
      'policy.unknown_field $[0].field',
      'policy.value $[1].or[0].value',
      'policy.regex $[1].or[1].value',
      'policy.value $[2].not.value',
      'policy.value $[3].value',
      'policy.value $[4].value',
      'policy.value $[5].value',
      'policy.unknown_field $[6].field',
      'policy.unknown_op $[7].op',
      'policy.unknown_key $[8]',
      'policy.value $[9].value',
      'policy.value $[10].value',
      'policy.unknown_key $[11]',
      'policy.type $[12]',
    ],
  );
});

test('a policy with a defect decides nothing, however deep or odd it is', () => {
  let deep: unknown = { field: 'host', op: 'exists' };
  for (let i = 0; i < 10_000; i++) deep = { not: deep };
  for (const conditions of [null, 'x', 7, [{}], { not: {} }, deep, [[]].concat([deep as never])]) {
    const policy = {
      id: 'p',
      tenant: 't',
      name: '',
      enabled: true,
      priority: 1,
      action: 'Block',
      version: 1,
      conditions,
    } as const;
    const compiled = compilePolicy(policy);
    assert.deepEqual(compiled.predicate, { kind: 'constant', value: false });
    assert.ok(compiled.problems.length > 0);
  }
});

test('no conditions match everything', () => {
  assert.deepEqual(problemsOf([]), []);
  assert.deepEqual(problemsOf({}), []);
});

test('the documentation names every operator', () => {
  const text = readFileSync(join(PACKAGE_ROOT, 'docs', 'policies.md'), 'utf8');
  assert.deepEqual(
    OPERATORS.filter((op) => !text.includes(`\`${op}\``)),
    [],
  );
});

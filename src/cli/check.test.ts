import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { PACKAGE_ROOT } from '../root.ts';
import { check } from './check.ts';
import { policy } from './policy.ts';
import { UsageError, type Values, type Verb } from './verb.ts';

const EXAMPLE = join(PACKAGE_ROOT, 'examples', 'weir.yaml');

async function runVerb(verb: Verb, values: Values, positionals: readonly string[] = [], input = '') {
  let out = '';
  const status = await verb.run(values, positionals, {
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: () => true },
    stdin: Readable.from([input]),
    env: {},
  });
  return { status, out };
}

function fileIn(t: TestContext, name: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'weir-check-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

test('the example configuration and the shipped rules have no error', async () => {
  const { status, out } = await runVerb(check, { config: EXAMPLE, json: true });
  const report = JSON.parse(out);
  const errors = report.problems.filter((p: { severity: string }) => p.severity === 'error');
  assert.deepEqual(errors, []);
  assert.equal(status, 0);
  assert.equal(report.ok, true);
  assert.equal(report.checked.tenants, 2);
  assert.equal(report.checked.policies, 6);
  assert.ok(report.checked.rules > 0);
});

test('every part is checked, and every problem has its place', async (t) => {
  const path = fileIn(
    t,
    'weir.yaml',
    `worker: 2
rules: { packs: false, directories: [.] }
sources:
  - { name: gone, input: gone/*.log, tenant: acme }
tenants:
  - slug: acme
    policies:
      - id: p
        conditions:
          - { field: destination_port, op: eq, value: 22 }
          - or:
              - { field: colour, op: eq, value: red }
enrich: { geo: [weir.yaml] }
`,
  );
  const rule = join(path, '..', 'broken.yml');
  writeFileSync(rule, 'title: Broken\nlogsource: { category: network }\ndetection:\n  condition: nothing\n');
  const { status, out } = await runVerb(check, { config: path });
  assert.equal(status, 1);
  assert.match(out, /weir\.yaml:1:1: Unknown key 'worker'; did you mean 'workers'\?/);
  assert.match(out, /weir\.yaml:4:\d+: Source 'gone': /);
  assert.match(out, /weir\.yaml:12:\d+: Policy 'p': \$\[1\]\.or\[0\]\.field: flows have no field "colour"/);
  assert.match(out, /weir\.yaml:13:\d+: The database .* cannot be used/);
  assert.match(out, /broken\.yml:\d+/);
  const json = await runVerb(check, { config: path, json: true });
  assert.equal(JSON.parse(json.out).ok, false);
});

test('warnings fail only when asked to; wrong usage is told', async (t) => {
  const path = fileIn(t, 'weir.yaml', "rules: { packs: false }\nsources: [{ name: a, input: '-', tenant: new }]\n");
  assert.equal((await runVerb(check, { config: path })).status, 0);
  assert.equal((await runVerb(check, { config: path, strict: true })).status, 1);
  await assert.rejects(runVerb(check, { config: '/nowhere.yaml' }), UsageError);
  await assert.rejects(runVerb(check, {}, ['weir.yaml']), UsageError);
});

test('a quota without a topic is told', async (t) => {
  const yaml = "rules: { packs: false }\nsources: [{ name: a, input: '-', tenant: acme }]\n";
  const own = fileIn(t, 'own.yaml', `${yaml}tenants: [{ slug: acme, quota: { rate: 5 } }]\n`);
  assert.match((await runVerb(check, { config: own })).out, /quota\.unused/);
  const topic = fileIn(
    t,
    'topic.yaml',
    'rules: { packs: false }\nsources: [{ name: a, topic: flows }]\nquota: { rate: 5 }\n',
  );
  assert.doesNotMatch((await runVerb(check, { config: topic })).out, /quota/);
});

test('policy test says which policy decides and why', async () => {
  const flow = join(PACKAGE_ROOT, 'examples', 'flow.json');
  const { status, out } = await runVerb(policy, { config: EXAMPLE, flow, json: true }, ['test']);
  assert.equal(status, 0);
  const [record] = JSON.parse(out).records;
  assert.deepEqual(record.policy, {
    id: 'remote-access-by-night',
    name: 'No remote access from outside by night or at weekends',
    version: 2,
  });
  assert.equal(record.action, 'Block');
  assert.equal(record.flow.direction, 'inbound');
  assert.deepEqual(
    record.policies.map((p: { id: string; matched: boolean }) => `${p.id} ${p.matched}`),
    ['backups false', 'no-anonymisers false', 'threats false', 'remote-access-by-night true'],
  );
  const text = await runVerb(policy, { config: EXAMPLE, flow }, ['test']);
  assert.match(text.out, /Block, by policy 'No remote access/);
  assert.match(text.out, /yes timestamp time_of_day .*: is sun 00:15/);
});

test('records of every shape are decided; what is refused says why', async () => {
  const flow = { tenant_id: 'acme', timestamp: '2024-05-01T12:00:00Z', source_ip: '10.1.7.21', protocol: 6 };
  const known = { ...flow, destination_ip: '203.0.113.66', destination_port: 443 };
  const input = `${JSON.stringify(known)}\n${JSON.stringify({ ...known, tenant_id: 'nobody' })}\n`;
  const { status, out } = await runVerb(policy, { config: EXAMPLE, flow: '-', json: true }, ['test'], input);
  assert.equal(status, 1);
  const [first, second] = JSON.parse(out).records;
  assert.equal(first.policy.id, 'threats');
  assert.equal(first.flow.user_id, 'ada');
  assert.equal(second.code, 'tenant_unknown');
  await assert.rejects(runVerb(policy, { config: EXAMPLE }, ['test']), UsageError);
  await assert.rejects(runVerb(policy, { config: EXAMPLE, flow: '/nowhere' }, ['test']), UsageError);
});

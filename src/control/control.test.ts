import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadConfig } from '../config/load.ts';
import type { ControlSnapshot } from '../model/control.ts';
import { isUuid } from '../model/hash.ts';
import {
  buildSnapshot,
  canonicalJson,
  createTenant,
  loadDocuments,
  loadSnapshot,
  readRuleFiles,
  saveSnapshot,
} from './index.ts';

function folderOf(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'weir-control-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

async function snapshotIn(folder: string, root: string | null): Promise<ControlSnapshot> {
  const loaded = loadConfig(join(folder, 'weir.yaml'), {}, {});
  assert.deepEqual(loaded.problems, []);
  const documents = await loadDocuments(loaded);
  return buildSnapshot(loaded.config, documents, await readRuleFiles(loaded.config), root);
}

const WEIR = `rules: { packs: false, directories: [rules] }
tenants_file: tenants.yaml
sources:
  - { name: b, input: b.log, tenant: zeta }
  - { name: a, input: a.log, lateness: 1m }
lists:
  - { name: bad-nets, kind: prefix, threat: true, file: bad.txt, values: [192.0.2.1] }
  - { name: bad-names, kind: domain, threat: true, values: [evil.example] }
tenants:
  - slug: zeta
    policies_files: [zeta-policies.json]
    policies:
      - { id: late, priority: 500, action: Log, conditions: { application: ssh } }
`;
const TENANTS = `tenants:
  - slug: acme
    id: 6F9619FF-8B86-4011-B42D-00CF4FC964FF
    timezone: Europe/Berlin
    sites: [{ id: hq, prefixes: [10.0.0.0/8] }]
`;
const FILES = {
  'weir.yaml': WEIR,
  'tenants.yaml': TENANTS,
  'zeta-policies.json':
    '{"policies":[{"id":"b","priority":1,"action":"Block","conditions":[]},{"id":"a","priority":1}]}',
  'bad.txt': '# networks\n203.0.113.0/24 ; a reason\n\n198.51.100.7\nnonsense\n',
  'rules/z.yml': 'title: z\n',
  'rules/deep/a.yaml': 'title: a\n',
  'rules/.hidden/old.yml': 'title: old\n',
  'rules/readme.md': 'no rule',
};

test('a snapshot holds everything in canonical order and is found again by its hash', async (t) => {
  const folder = folderOf(t, FILES);
  const root = join(folder, 'data');
  const snapshot = await snapshotIn(folder, root);
  assert.deepEqual(snapshot.tenants.map(({ id, slug }) => `${slug} ${isUuid(id)}`).sort(), ['acme true', 'zeta true']);
  assert.ok(snapshot.tenants[0].id < snapshot.tenants[1].id);
  const acme = snapshot.tenants.find(({ slug }) => slug === 'acme');
  assert.equal(acme?.id, '6f9619ff-8b86-4011-b42d-00cf4fc964ff');
  assert.equal(acme?.sites[0].timezone, 'Europe/Berlin');
  assert.deepEqual(
    snapshot.policies.map(({ id }) => id),
    ['a', 'b', 'late'],
  );
  assert.equal(snapshot.policies[0].tenant, createTenant('zeta').id);
  assert.deepEqual(snapshot.rules, [
    { path: 'rules/deep/a.yaml', text: 'title: a\n' },
    { path: 'rules/z.yml', text: 'title: z\n' },
  ]);
  assert.deepEqual(
    snapshot.sources.map(({ name, latenessMs }) => [name, latenessMs]),
    [
      ['b', 300_000],
      ['a', 60_000],
    ],
  );
  assert.deepEqual(
    snapshot.lists.map(({ name }) => name),
    ['bad-names', 'bad-nets'],
  );
  assert.equal(readFileSync(snapshot.lists[1].file, 'utf8'), '203.0.113.0/24\n198.51.100.7\n');

  await saveSnapshot(root, snapshot);
  await saveSnapshot(root, snapshot);
  assert.deepEqual(await loadSnapshot(root, snapshot.hash), snapshot);
  assert.deepEqual(readdirSync(join(root, 'control')), [`${snapshot.hash}.json`]);
});

test('the same content has the same hash wherever it lies; another content another', async (t) => {
  const one = folderOf(t, FILES);
  const two = folderOf(t, FILES);
  const first = await snapshotIn(one, join(one, 'data'));
  assert.equal((await snapshotIn(two, join(two, 'elsewhere'))).hash, first.hash);
  writeFileSync(join(two, 'bad.txt'), '203.0.113.0/24\n');
  const changed = await snapshotIn(two, join(two, 'elsewhere'));
  assert.notEqual(changed.hash, first.hash);
  assert.equal(
    readdirSync(join(two, 'elsewhere', 'lists')).length,
    2,
    'the old list stays while snapshots refer to it',
  );
  writeFileSync(join(two, 'bad.txt'), FILES['bad.txt']);
  writeFileSync(join(two, 'rules/z.yml'), 'title: zz\n');
  assert.notEqual((await snapshotIn(two, join(two, 'elsewhere'))).hash, first.hash);
});

test('a damaged or missing snapshot is refused', async (t) => {
  const folder = folderOf(t, FILES);
  const snapshot = await snapshotIn(folder, folder);
  await saveSnapshot(folder, snapshot);
  const path = join(folder, 'control', `${snapshot.hash}.json`);
  writeFileSync(path, readFileSync(path, 'utf8').replace('evil.example', 'good.example'));
  await assert.rejects(loadSnapshot(folder, snapshot.hash), { code: 'snapshot_damaged' });
  await assert.rejects(loadSnapshot(folder, '0'.repeat(32)), { code: 'snapshot_missing' });
});

test('a snapshot whose writing fails leaves nothing behind', async (t) => {
  const folder = folderOf(t, FILES);
  const unwritable = Object.defineProperty(
    { ...(await snapshotIn(folder, folder)), hash: '0'.repeat(32) },
    'correlate',
    {
      enumerable: true,
      get: () => {
        throw new Error('no space left on device');
      },
    },
  );
  await assert.rejects(saveSnapshot(folder, unwritable), /no space/);
  assert.deepEqual(readdirSync(join(folder, 'control')), []);
});

test('without a data directory lists are held in memory and nothing is written', async (t) => {
  const folder = folderOf(t, FILES);
  const { lists } = await snapshotIn(folder, null);
  assert.deepEqual(lists[1].values, ['192.0.2.1', '203.0.113.0/24', '198.51.100.7']);
  assert.equal(lists[1].file, '');
});

test('documents are checked as a whole', async (t) => {
  const folder = folderOf(t, {
    'weir.yaml': `sources: [{ name: x, input: a }, { name: x, input: b }]
lists:
  - { name: t, kind: string, threat: true, values: [x] }
  - { name: n, kind: prefix, values: [10.0.0.0/99] }
  - { name: gone, file: gone.txt }
  - { name: bad, file: bad.txt }
tenants:
  - slug: acme
    sites: [{ id: hq, prefixes: [10.0.0.0/8] }, { id: hq, prefixes: [10.1.0.0/16] }]
    devices: [{ id: d, prefixes: [10.0.0.1], site: hg }]
    policies: [{ id: p }, { id: p }]
  - slug: acme
`,
    'bad.txt': '10.0.0.1\nnot an address\n',
  });
  const { problems } = await loadDocuments(loadConfig(join(folder, 'weir.yaml'), {}, {}));
  const told = problems.map((p) => `${p.file.replace(`${folder}/`, '')}:${p.line} ${p.severity} ${p.code}`).sort();
  assert.deepEqual(
    told,
    [
      'bad.txt:2 warning list.bad_value',
      'weir.yaml:10 error config.unknown_site',
      'weir.yaml:11 error config.duplicate',
      'weir.yaml:12 error config.duplicate',
      'weir.yaml:12 error config.duplicate',
      'weir.yaml:1 error config.duplicate',
      'weir.yaml:3 error list.threat_kind',
      'weir.yaml:4 error list.bad_value',
      'weir.yaml:5 error list.unreadable',
      'weir.yaml:9 error config.duplicate',
    ].sort(),
  );
});

test('a tenant named on the command line has one id for ever', () => {
  assert.deepEqual(createTenant('acme'), createTenant('acme'));
  assert.ok(isUuid(createTenant('acme').id));
  assert.equal(createTenant('6F9619FF-8B86-4011-B42D-00CF4FC964FF').id, '6f9619ff-8b86-4011-b42d-00cf4fc964ff');
  assert.throws(() => createTenant('No Such!'), { name: 'UsageError' });
});

test('canonical JSON does not depend on the order of keys', () => {
  assert.equal(canonicalJson({ b: [1, null, 'ä'], a: { d: true, c: undefined } }), '{"a":{"d":true},"b":[1,null,"ä"]}');
  assert.deepEqual(JSON.parse(canonicalJson(JSON.parse('{"__proto__":{"x":1}}'))), JSON.parse('{"__proto__":{"x":1}}'));
});

test('a source whose exporters say whose records are must name exporters, known tenants and a format that has them', async (t) => {
  const kafka = 'kafka: { brokers: [localhost:9092] }\ntenants: [{ slug: acme }]\nsources:\n';
  const problemsOf = async (source: string): Promise<string[]> => {
    const loaded = loadConfig(join(folderOf(t, { 'weir.yaml': `${kafka}${source}\n` }), 'weir.yaml'), {}, {});
    const { problems } = await loadDocuments(loaded);
    return problems.map(({ code, line }) => `${code} at ${line}`);
  };
  const exporters = 'tenant_from: exporter, exporters: [{ prefix: 192.0.2.0/24, tenant: acme }]';
  assert.deepEqual(await problemsOf(`  - { name: f, topic: flows, format: goflow2-json, ${exporters} }`), []);
  assert.deepEqual(await problemsOf(`  - { name: f, topic: flows, ${exporters} }`), ['config.exporters at 4']);
  assert.deepEqual(await problemsOf('  - { name: f, topic: flows, format: goflow2-json, tenant_from: exporter }'), [
    'config.exporters at 4',
  ]);
  const stranger = exporters.replace('acme', 'nobody');
  assert.deepEqual(await problemsOf(`  - { name: f, topic: flows, format: akvorado-json, ${stranger} }`), [
    'config.unknown_tenant at 4',
  ]);
});

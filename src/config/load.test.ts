import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { PACKAGE_ROOT } from '../root.ts';
import { configurationPage } from './docs.ts';
import { configurationJsonSchema, configurationSchemaFile } from './json-schema.ts';
import { loadConfig, type Overrides } from './load.ts';
import { durationText, parseDuration, parseSize, sizeText } from './scalar.ts';

function load(t: TestContext, text: string, overrides: Overrides = {}, environment: NodeJS.ProcessEnv = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'weir-config-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'weir.yaml');
  writeFileSync(path, text);
  const loaded = loadConfig(path, overrides, environment);
  const told = loaded.problems.map((p) => `${p.line}:${p.column} ${p.severity} ${p.code}: ${p.message}`);
  return { ...loaded, folder, told };
}

test('without a file: the defaults', () => {
  const { config, problems } = loadConfig(null, {}, {});
  assert.deepEqual(problems, []);
  assert.equal(config.batch.bytes, 4_194_304);
  assert.equal(config.lateness, 300_000);
  assert.equal(config.correlate.suppression, 3_600_000);
  assert.equal(config.store.kind, 'chdb');
  assert.equal(config.data, join(process.cwd(), 'weir-data'));
  assert.deepEqual(config.tenants, []);
});

test('values are read in the units of people, paths from where the file lies', (t) => {
  const { config, told, folder } = load(
    t,
    `data: var
budget: { bytes: 256MiB }
lateness: 90s
correlate: { suppression: 1h30m }
rules: { directories: [ours, /etc/weir/rules] }
sources:
  - { name: fra, input: 'in/*.log.gz', tenant: acme, lateness: 2m, timezone: '+02:00' }
  - { name: pipe, input: '-' }
tenants:
  - slug: acme
    sites: [{ id: 007, prefixes: [10.0.0.0/8, '2001:db8::/32'] }]
`,
  );
  assert.deepEqual(told, []);
  assert.equal(config.data, join(folder, 'var'));
  assert.equal(config.budget.bytes, 268_435_456);
  assert.equal(config.lateness, 90_000);
  assert.equal(config.correlate.suppression, 5_400_000);
  assert.deepEqual(config.rules.directories, [join(folder, 'ours'), '/etc/weir/rules']);
  assert.equal(config.sources[0].input, join(folder, 'in/*.log.gz'));
  assert.equal(config.sources[0].lateness, 120_000);
  assert.equal(config.sources[1].input, '-');
  assert.equal(config.sources[1].lateness, -1);
  assert.equal(config.tenants[0].sites[0].id, '007');
});

test('every problem is told at once, with its place and what would be right', (t) => {
  const { told, config } = load(
    t,
    `wrokers: 4
store:
  kind: duckdb
  threads: many
batch:
  bytes: 1
log: info
__proto__: { polluted: true }
tenants:
  - name: Nobody
  - slug: Acme!
    sites: [{ id: a, prefixes: [10.0.0.0/40] }]
  -
`,
  );
  assert.deepEqual(told, [
    "1:1 error config.unknown_key: Unknown key 'wrokers'; did you mean 'workers'?",
    told[1],
    "6:10 error config.wrong_value: 'batch.bytes' is '1': expected a value from 4KiB to 64MiB.",
    "3:9 error config.wrong_value: 'store.kind' is 'duckdb': expected one of chdb, servers, null.",
    "4:12 error config.wrong_value: 'store.threads' is 'many': expected a whole number.",
    "7:6 error config.wrong_type: 'log': expected keys with values.",
    told[6],
    "10:5 error config.missing_key: 'tenants[0].slug' is missing.",
    "11:11 error config.wrong_value: 'tenants[1].slug' is 'Acme!': expected at most 100 lower-case letters, digits and hyphens.",
    "12:33 error config.wrong_value: 'tenants[1].sites[0].prefixes[0]' is '10.0.0.0/40': expected an IPv4 or IPv6 address or prefix, such as 10.1.0.0/16.",
  ]);
  assert.match(told[1], /^8:1 error config.unknown_key: Unknown key '__proto__'/);
  assert.match(told[6], /^13:\d error config.wrong_type: 'tenants\[2\]'/);
  assert.equal(config.store.kind, 'chdb', 'a wrong value leaves the default');
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

test('YAML errors and duplicate keys have their line; a missing file is a problem, not a throw', (t) => {
  assert.match(load(t, 'data: a\ndata: b\n').told[0], /^2:1 error yaml.duplicate_key/);
  assert.match(load(t, 'data: [a\nworkers: 1\n').told[0], /^\d+:\d+ error yaml.syntax/);
  const { problems } = loadConfig('/nowhere/weir.yaml', {}, {});
  assert.equal(problems[0].code, 'config.unreadable');
});

test('the environment beats the file, the command line beats both', (t) => {
  const environment = {
    WEIR_STORE_THREADS: '3',
    WEIR_WORKERS: '2',
    WEIR_RULES_DIRECTORIES: '/a:/b',
    WEIR_KAFKA_BROKERS: 'one:9092,two:9092',
    WEIR_STORE_KID: 'x',
  };
  const { config, problems } = load(
    t,
    'store: { threads: 1 }\nworkers: 1\n',
    { workers: 7, data: 'here' },
    environment,
  );
  assert.equal(config.store.threads, 3);
  assert.equal(config.workers, 7);
  assert.deepEqual(config.rules.directories, ['/a', '/b']);
  assert.deepEqual(config.kafka.brokers, ['one:9092', 'two:9092']);
  assert.equal(config.data, join(process.cwd(), 'here'));
  assert.deepEqual(
    problems.map((p) => p.message),
    ['WEIR_STORE_KID: did you mean WEIR_STORE_KIND?'],
  );
  const wrong = load(t, '', {}, { WEIR_WORKERS: 'all' });
  assert.equal(wrong.problems[0].file, 'environment WEIR_WORKERS');
  assert.equal(wrong.problems[0].severity, 'error');
});

test('later checks can point at a section of the file', (t) => {
  const { config, origins } = load(
    t,
    'tenants:\n  - slug: a\n    policies:\n      - id: p\n        conditions: {x: 1}\n',
  );
  const place = origins.problem(config.tenants[0].policies[0], 'conditions', 'error', 'x', '');
  assert.equal(place.line, 5);
});

test('sizes and durations are read back as they are written', () => {
  fc.assert(fc.property(fc.nat(), (n) => assert.equal(parseSize(sizeText(n)), n)));
  fc.assert(fc.property(fc.nat(), (n) => assert.equal(parseDuration(durationText(n)), n)));
  assert.equal(parseSize('64MB'), 64_000_000);
  assert.equal(parseSize('1.5k'), 1536);
  for (const wrong of ['', 'm', '5 minutes', '-1s', '1x']) assert.equal(parseDuration(wrong), null, wrong);
  for (const wrong of ['', 'MiB', '-5', '1ZB']) assert.equal(parseSize(wrong), null, wrong);
});

test('reference page and JSON Schema name every key, and the page in docs/ is the current one', () => {
  const page = configurationPage();
  for (const key of ['`store.memory_bytes`', '`lateness`', '## `tenants`', '`groups_per_rule`', '5m', '1GiB']) {
    assert.ok(page.includes(key.replaceAll('groups_per_rule', 'correlate.groups_per_rule')), key);
  }
  const onDisk = (path: string): string => readFileSync(join(PACKAGE_ROOT, path), 'utf8');
  assert.equal(onDisk('docs/configuration.md'), page, 'run `npm run docs`');
  assert.equal(onDisk('docs/weir.schema.json'), configurationSchemaFile(), 'run `npm run docs`');
  const schema = configurationJsonSchema() as { properties: Record<string, { items?: { required?: string[] } }> };
  assert.deepEqual(schema.properties.sources.items?.required, ['name']);
});

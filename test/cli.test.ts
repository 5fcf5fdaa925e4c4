// Promise: the command line says what it did, in sentences and in JSON, and its exit status can be relied on.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { uuidFrom } from '../src/model/hash.ts';
import { PACKAGE_ROOT } from '../src/root.ts';
import { oneDocument, rowsOf, runJson, Scratch, valuesOf } from './support/cli.ts';
import { flow } from './support/crooked.ts';
import { weir } from './support/run.ts';

const scratch = new Scratch('cli');
after(() => scratch.remove());

const DEMO = join(PACKAGE_ROOT, 'examples', 'demo.yaml');
const VERBS = ['demo', 'run', 'alerts', 'query', 'rejects', 'check', 'policy', 'rules', 'generate', 'bench', 'docs'];

/** Runs a command that must end with `status`; returns its standard output. */
async function said(args: readonly string[], status = 0, input?: Uint8Array): Promise<string> {
  const { code, stdout, stderr } = await weir(args, input);
  assert.equal(code, status, `weir ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

describe('help', () => {
  test('weir names every verb; without a verb it is wrong usage', async () => {
    const help = await said(['--help']);
    for (const verb of VERBS) assert.match(help, new RegExp(`^ {2}${verb} +\\S`, 'm'));
    await said([], 2);
    const { code, stderr } = await weir(['fly']);
    assert.equal(code, 2);
    assert.match(stderr, /there is no verb 'fly'/);
  });

  test('every verb tells its usage, its options and an example', async () => {
    for (const verb of VERBS) {
      const help = await said([verb, '--help']);
      assert.ok(help.startsWith(`usage: weir ${verb} `), help);
      assert.match(help, /^options:\n {2}--\w/m, verb);
      assert.match(help, new RegExp(`^examples:\n.*weir ${verb}`, 'm'), verb);
    }
  });
});

describe('a run', { concurrency: 1 }, () => {
  const input = scratch.write('flows.ndjson', `${flow({})}\n\n${flow({ source_port: 70_000 })}\n${flow({})}\n`);
  const data = scratch.path('data');
  const args = ['--input', input, '--tenant', 'newcomer', '--data', data];

  test('--json: one document with every count', async () => {
    const { code, summary } = await runJson(args);
    assert.equal(code, 0);
    const { elapsed_s, records_per_s, workers, evicted, unknown_keys, ...counts } = summary;
    assert.deepEqual(counts, {
      records: { read: 4, accepted: 2, rejected: 1, skipped: 1 },
      rejects: { out_of_range: 1 },
      stored: { flows: 2, sessions: 0, tunnel_stats: 0, logs: 0, alerts: 0, traffic_analytics: 1 },
      late: 0,
    });
    for (const number of [elapsed_s, records_per_s, workers, evicted, unknown_keys])
      assert.equal(typeof number, 'number');
  });

  test('again: nothing is new; the tenant that no configuration knows keeps the UUID of its name', async () => {
    const summary = await said(['run', ...args]);
    assert.match(summary, /^Nothing is new/);
    const [, id] = /tenant newcomer .* as ([0-9a-f-]{36})/.exec(summary) ?? [];
    assert.equal(id, uuidFrom('tenant', 'newcomer'));
    assert.deepEqual(await valuesOf(data, 'SELECT DISTINCT toString(tenant_id) FROM flows'), [id]);
  });

  test('a file that has grown is read on from where reading stopped', async () => {
    scratch.write('flows.ndjson', `${readFileSync(input, 'utf8')}${flow({ source_ip: '10.0.0.8' })}\n`);
    const summary = await said(['run', ...args]);
    assert.match(summary, /^1 records in .*1 accepted, 0 rejected, 0 skipped\nstored: 1 flows/);
    assert.match(summary, /^next:\n {2}npx weir alerts --data /m);
    assert.deepEqual(await valuesOf(data, 'SELECT count() FROM flows'), [3]);
  });

  test('--strict: rejects are a failure, and everything else is stored all the same', async () => {
    const strict = scratch.path('data-strict');
    const { code, summary } = await runJson([...args.slice(0, -1), strict, '--strict']);
    assert.equal(code, 1);
    assert.equal(summary.records.rejected, 1);
    assert.deepEqual(await valuesOf(strict, 'SELECT count() FROM flows'), [3]);
  });

  test('standard input', async () => {
    const piped = scratch.path('data-piped');
    const { code, summary } = await runJson(
      ['--input', '-', '--tenant', 'acme', '--data', piped],
      Buffer.from(`${flow({})}\n${flow({})}`),
    );
    assert.equal(code, 0);
    assert.equal(summary.stored.flows, 2);
    assert.deepEqual(await valuesOf(piped, 'SELECT count() FROM flows'), [2]);
  });

  test('rejects list and show', async () => {
    const { counts, rejects } = oneDocument(await said(['rejects', 'list', '--data', data, '--json'])) as {
      counts: Record<string, number>;
      rejects: { reject_id: string; position: number; raw: string; advice: string }[];
    };
    assert.deepEqual(counts, { out_of_range: 1 });
    assert.equal(rejects[0].position, Buffer.byteLength(`${flow({})}\n\n`));
    assert.equal(rejects[0].raw, flow({ source_port: 70_000 }));
    const page = await said(['rejects', 'show', rejects[0].reject_id.slice(0, 8), '--data', data]);
    assert.match(page, /^out_of_range: source_port is '70000'\n/);
    assert.ok(page.includes(rejects[0].advice));
    assert.match(await said(['rejects', 'list', '--data', data]), /1 of 1 rejected records/);
    await said(['rejects', 'show', '00000000', '--data', data], 1);
  });

  test('query: table, JSON and CSV; reading only', async () => {
    const sql = 'SELECT source_ip, count() AS flows FROM flows GROUP BY 1 ORDER BY 1';
    assert.match(
      await said(['query', sql, '--data', data]),
      /source_ip +flows\n.*\n10\.0\.0\.7 +2\n10\.0\.0\.8 +1\n2 rows/,
    );
    assert.equal(
      await said(['query', sql, '--data', data, '--format', 'csv']),
      '"source_ip","flows"\n"10.0.0.7",2\n"10.0.0.8",1\n',
    );
    assert.deepEqual(await rowsOf(data, sql), [
      { source_ip: '10.0.0.7', flows: 2 },
      { source_ip: '10.0.0.8', flows: 1 },
    ]);
    for (const statement of [
      'DROP TABLE flows',
      'INSERT INTO flows SELECT * FROM flows',
      "SELECT * FROM file('/etc/passwd')",
    ]) {
      const { code, stderr } = await weir(['query', statement, '--data', data]);
      assert.notEqual(code, 0, statement);
      assert.match(stderr, /^weir: \w+/);
    }
    assert.deepEqual(await valuesOf(data, 'SELECT count() FROM flows'), [3]);
  });
});

describe('generated telemetry and what is found in it', { concurrency: 1 }, () => {
  const input = scratch.path('demo.ndjson');
  const truth = scratch.path('truth.json');
  const data = scratch.path('data-demo');
  const generated = (seed: string, more: readonly string[] = []): string[] => [
    'generate',
    '--scenario',
    'demo',
    '--seed',
    seed,
    '--records',
    '31000',
    ...more,
  ];

  before(async () => {
    await said(generated('3', ['--out', input, '--truth', truth]));
    await said(['run', '--input', input, '--config', DEMO, '--data', data]);
  });

  test('the same seed gives the same bytes, another seed others', async () => {
    const first = readFileSync(input, 'utf8');
    assert.equal(first.trimEnd().split('\n').length, 31_000);
    assert.ok((await said(generated('3'))) === first, 'the same seed, on standard output');
    assert.ok((await said(generated('4'))) !== first, 'another seed');
    const { stories } = oneDocument(readFileSync(truth, 'utf8')) as { stories: unknown[] };
    assert.ok(stories.length > 5);
  });

  for (const format of ['msgpack', 'zeek']) {
    test(`--format ${format} is read without a reject, its format found by itself`, async () => {
      const path = scratch.path(`demo.${format}`);
      await said(generated('3', ['--format', format, '--out', path]));
      const own = format === 'zeek' ? ['--tenant', 'acme', '--pop', 'fra1'] : [];
      const target = scratch.path(`data-${format}`);
      const { code, summary } = await runJson(['--input', path, '--config', DEMO, '--data', target, ...own]);
      assert.equal(code, 0);
      assert.deepEqual(summary.rejects, {});
      assert.ok(summary.stored.flows > 10_000, `${summary.stored.flows} flows`);
    });
  }

  test('alerts: list, filters, and one with its reason and evidence', async () => {
    const list = (...more: string[]) => said(['alerts', '--data', data, ...more]);
    const all = oneDocument(await list('--json')) as {
      alert_id: string;
      tenant: string;
      title: string;
      reason: string;
    }[];
    assert.ok(all.length > 0);
    const [{ alert_id: id, title, reason, tenant }] = all;
    const ours = oneDocument(await list('--tenant', tenant, '--json')) as { tenant: string }[];
    assert.deepEqual([...new Set(ours.map((alert) => alert.tenant))], [tenant]);
    assert.deepEqual(oneDocument(await list('--rule', 'no such rule', '--json')), []);
    assert.match(await list(), new RegExp(`${id.slice(0, 8)} .*${tenant}`));
    const page = await said(['alerts', 'show', id, '--data', data]);
    for (const part of [title, reason, 'Evidence: ', 'technique', 'ATT&CK']) assert.ok(page.includes(part), part);
    assert.deepEqual(oneDocument(await said(['alerts', 'show', id.slice(0, 12), '--data', data, '--json'])), all[0]);
    await said(['alerts', 'show', 'ffffffff', '--data', data], 1);
  });
});

describe('checks', () => {
  test('weir check: every problem with its file and line; status 1', async () => {
    const config = scratch.write(
      'broken.yaml',
      `worker: 2
sources:
  - { name: a, input: nothing.log, tenant: acme, format: papyrus }
tenants:
  - slug: acme
    timezone: Mars/Olympus
    policies:
      - { id: p, action: Shout, conditions: [{ field: destination_port, op: eq, value: 22 }] }
`,
    );
    const text = await said(['check', '--config', config], 1);
    for (const line of [1, 3, 6, 8]) assert.match(text, new RegExp(`broken\\.yaml:${line}:\\d+: .+\\[[a-z._]+\\]`));
    const { ok, problems } = oneDocument(await said(['check', '--config', config, '--json'], 1)) as {
      ok: boolean;
      problems: { line: number; code: string }[];
    };
    assert.equal(ok, false);
    assert.ok(problems.every(({ line, code }) => line > 0 && code !== ''));
    const { code, stderr } = await weir(['run', '--config', config, '--data', scratch.path('never')]);
    assert.equal(code, 2, 'a run refuses it');
    assert.match(stderr, /broken\.yaml:1/);
    await said(['check', '--config', DEMO]);
  });

  test('weir policy test: which policy decides, and why', async () => {
    const example = (name: string): string => join(PACKAGE_ROOT, 'examples', name);
    const args = ['policy', 'test', '--config', example('weir.yaml'), '--flow', example('flow.json')];
    assert.match(await said(args), /remote-access-by-night/);
    const { records } = oneDocument(await said([...args, '--json'])) as {
      records: { policy: unknown; action: string }[];
    };
    assert.equal(records[0].action, 'Block');
    assert.deepEqual(records[0].policy, {
      id: 'remote-access-by-night',
      name: 'No remote access from outside by night or at weekends',
      version: 2,
    });
    await said([...args.slice(0, -1), '-'], 1, Buffer.from('{"source_ip":"no address"}'));
  });

  test('weir rules: the shipped rules pass their own cases', async () => {
    assert.match(await said(['rules', 'test']), /^(\d+) of \1 cases pass\n$/);
    const { rules, problems } = oneDocument(await said(['rules', 'list', '--json'])) as {
      rules: { techniques: string; alerts: boolean }[];
      problems: unknown[];
    };
    assert.ok(rules.length > 10);
    assert.deepEqual(problems, []);
  });

  test('weir docs --check: no generated page has drifted', async () => {
    assert.equal(await said(['docs', '--check']), '');
  });
});

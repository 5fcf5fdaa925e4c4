// Promise: the reading verbs answer in sentences, tables and JSON, and stored data cannot command the terminal.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { encodeRows } from '../../workers/encode/index.ts';
import { neverCrash } from '../delivery/crashpoints.ts';
import { openDataDirectory } from '../delivery/directory.ts';
import { EMPTY_COMMIT, writeCommit } from '../delivery/ledger.ts';
import type { Alert } from '../model/alert.ts';
import { uuidFrom } from '../model/hash.ts';
import { openChdbStore } from '../sinks/clickhouse/chdb.ts';
import { alert, alertRow, TENANTS } from './alerts.test-support.ts';
import { alerts } from './alerts.ts';
import { query } from './query.ts';
import { rejects } from './rejects.ts';
import { alertLine } from './report.ts';
import { plainAddresses, printable, renderTable } from './table.ts';
import { parseMoment } from './values.ts';
import { type Io, UsageError, type Values, type Verb } from './verb.ts';

const base = mkdtempSync(join(tmpdir(), 'weir-verbs-'));
const data = join(base, 'data');
after(() => rmSync(base, { recursive: true, force: true }));

async function run(verb: Verb, positionals: string[], values: Values = {}, isTTY = false): Promise<string> {
  const output: string[] = [];
  const defaults = Object.fromEntries(Object.entries(verb.options).map(([name, option]) => [name, option.default]));
  const io = {
    stdout: { write: (text: string) => output.push(text), isTTY },
    stderr: { write: () => {} },
    env: {},
  } as unknown as Io;
  assert.equal(await verb.run({ ...defaults, data, ...values }, positionals, io), 0);
  return output.join('');
}

const reject = (code: string, position: number, raw: Uint8Array) => ({
  reject_id: uuidFrom('reject', code, String(position)),
  tenant_id: TENANTS.acme,
  source: 'edge',
  file: 'f'.repeat(32),
  position,
  length: 100_000,
  code,
  detail: `what is wrong at ${position}`,
  format: 'native-json',
  raw,
});

describe('reading verbs', () => {
  before(async () => {
    const { release } = openDataDirectory(data);
    const store = await openChdbStore({ directory: data });
    const rows = [
      alert('acme', 'high', 'T1046', 1, 1),
      alert('acme', 'high', 'T1046', 1, 10),
      alert('acme', 'low', 'T1110.001', 5, 1),
      alert('umbrella', 'critical', 'T1046', 3, 1),
    ].map(alertRow);
    const refused = [
      reject('syntax', 7, Buffer.from('{"a\u001b[2J')),
      reject('syntax', 9, Buffer.from([0xff, 0x41])),
      reject('bad_timestamp', 1, Buffer.from('{}')),
    ];
    const tables = [encodeRows('alerts', rows), encodeRows('rejects', refused)];
    const lane = join(data, 'lanes', 'acme');
    mkdirSync(lane, { recursive: true });
    const read = { fingerprint: '', fingerprintLength: 0, generation: 0, inputBytes: 9, referenceMs: 0, done: true };
    const file = { ...read, file: 'f'.repeat(32), path: '/logs/edge\u001b.log', position: 9 };
    await writeCommit(join(lane, 'ledger'), { ...EMPTY_COMMIT, files: [['edge', file]] }, neverCrash);
    for (const { table, rows, bytes } of tables) await store.write({ table, rows, token: table, chunks: [bytes] });
    await store.close();
    release();
  });

  test('query: a table by default, one JSON document, CSV; IPv4 as people write it', async () => {
    const sql =
      "SELECT toIPv6('192.0.2.1') AS ip, 18446744073709551615 AS n, '\u001b[31mred' AS text, ['::ffff:1.2.3.4'] AS list, 'he said \"::ffff:1.2.3.4\"' AS said";
    const table = await run(query, [sql]);
    assert.match(table, /192\.0\.2\.1 +18446744073709551615 +\\x1b\[31mred/);
    assert.ok(!table.includes('\u001b'));
    assert.match(table, /1 row\n$/);
    const json = await run(query, [sql], { json: true });
    assert.match(json, /"n":18446744073709551615/);
    const [row] = JSON.parse(json) as Record<string, unknown>[];
    assert.deepEqual(
      { ip: row.ip, list: row.list, said: row.said },
      { ip: '192.0.2.1', list: ['1.2.3.4'], said: 'he said "::ffff:1.2.3.4"' },
    );
    const hostile = "SELECT 'a\u001b[31m\u202eb\u0085' AS a, 'c\nd' AS b";
    assert.equal(await run(query, [hostile], { format: 'csv' }), '"a","b"\n"a\u001b[31m\u202eb\u0085","c\nd"\n');
    assert.equal(await run(query, [hostile], { format: 'csv' }, true), '"a","b"\n"a\\x1b[31m\\u202eb\\x85","c\nd"\n');
    const escaped = await run(query, [hostile], { json: true });
    assert.doesNotMatch(escaped, /[\u001b\u202e\u0085]/);
    assert.deepEqual(JSON.parse(escaped), [{ a: 'a\u001b[31m\u202eb\u0085', b: 'c\nd' }]);
    const csv = await run(query, ["SELECT toIPv6('192.0.2.1') AS ip, 'a \"::ffff:1.2.3.4\"' AS b"], { format: 'csv' });
    assert.equal(csv, '"ip","b"\n"192.0.2.1","a ""::ffff:1.2.3.4"""\n');
    assert.equal(await run(query, ['SELECT 1 WHERE 0'], { format: 'json' }), '[\n\n]\n');
    assert.match(await run(query, ['SELECT count() FROM flows']), /0\n1 row/);
  });

  test('query: wrong usage is a sentence', async () => {
    await assert.rejects(run(query, []), UsageError);
    await assert.rejects(run(query, ['SELECT', '1']), /quotes/);
    await assert.rejects(run(query, ['SELECT 1'], { format: 'xml' }), UsageError);
    await assert.rejects(run(query, ['SELECT 1'], { data: join(base, 'none') }), { code: 'data_directory_missing' });
    await assert.rejects(run(query, ['SELECT * FROM nothing']), { code: 'query_failed' });
  });

  test('alerts: the highest revision of each, newest first, filtered', async () => {
    const ids = async (values: Values) =>
      (JSON.parse(await run(alerts, [], { json: true, ...values })) as Alert[]).map(
        (a) => `${a.tenant} ${a.attack.techniques[0].id} ${a.revision}`,
      );
    assert.deepEqual(await ids({}), ['acme T1110.001 1', 'umbrella T1046 1', 'acme T1046 10']);
    assert.deepEqual(await ids({ tenant: 'acme' }), ['acme T1110.001 1', 'acme T1046 10']);
    assert.deepEqual(await ids({ tenant: TENANTS.umbrella }), ['umbrella T1046 1']);
    assert.deepEqual(await ids({ tenant: "' OR 1=1 --" }), []);
    assert.deepEqual(await ids({ severity: 'high' }), ['umbrella T1046 1', 'acme T1046 10']);
    assert.deepEqual(await ids({ technique: 't1110' }), ['acme T1110.001 1']);
    assert.deepEqual(await ids({ technique: 'T111' }), []);
    assert.deepEqual(await ids({ since: '2024-05-01T02:00:00Z', until: '2024-05-01T04:00:00Z' }), ['umbrella T1046 1']);
    assert.deepEqual(await ids({ rule: 'horizontal', limit: '1' }), ['acme T1110.001 1']);
    assert.deepEqual(await ids({ rule: 'nothing' }), []);
    await assert.rejects(ids({ severity: 'bad' }), UsageError);
    await assert.rejects(ids({ limit: '0' }), UsageError);
    await assert.rejects(ids({ since: 'yesterday' }), UsageError);
    const table = await run(alerts, []);
    assert.match(table, /critical +umbrella +T1046/);
    assert.match(table, /3 of 3 alerts/);
    assert.ok(!table.includes('\u001b'));
    assert.equal(await run(alerts, [], { tenant: 'nobody' }), 'no alerts\n');
  });

  test('alerts show: a page with everything that explains it', async () => {
    const id = uuidFrom('alert', 'acme', 'T1046');
    const page = await run(alerts, ['show', id.slice(0, 8)]);
    for (const part of [
      'HIGH  Horizontal scan',
      'touched 10 hosts',
      id,
      'TA0007 Discovery',
      'T1046 Network Service Discovery',
      '[2001:db8::1]:22 (DE)',
      '1 of 10 events',
      'Isolate it.',
      '- scanners',
      'ffffffffffff@12',
    ])
      assert.ok(page.includes(part), part);
    assert.ok(!/[\u001b\u0007]/.test(page));
    assert.equal((JSON.parse(await run(alerts, ['show', id], { json: true })) as Alert).revision, 10);
    await assert.rejects(run(alerts, ['show', '00000000']), { code: 'alert_unknown' });
    await assert.rejects(run(alerts, ['show', 'x']), UsageError);
    await assert.rejects(run(alerts, ['explain', id]), UsageError);
  });

  test('rejects: counts with advice, and the bytes shown safely', async () => {
    const table = await run(rejects, ['list']);
    assert.match(table, /syntax +2 +The record is not well-formed/);
    assert.ok(!table.includes('\u001b'));
    const listed = JSON.parse(await run(rejects, ['list'], { json: true, code: 'syntax', limit: '1' })) as {
      counts: object;
      rejects: { reject_id: string; position: number }[];
    };
    assert.deepEqual(listed.counts, { syntax: 2 });
    assert.equal(listed.rejects[0].position, 7);
    const page = await run(rejects, ['show', listed.rejects[0].reject_id]);
    assert.match(table, / edge +edge\\x1b\.log +7 /);
    assert.match(page, / path +\/logs\/edge\\x1b\.log /);
    assert.match(
      page,
      /syntax: what is wrong at 7\nThe record is not well-formed[\s\S]*byte 7 .* the first 7 kept\n\n\{"a\\x1b\[2J\n$/,
    );
    assert.match(await run(rejects, ['show', uuidFrom('reject', 'syntax', '9')]), /\\xffA\n$/);
    assert.equal(await run(rejects, ['list'], { source: 'nowhere' }), 'no rejected records\n');
    await assert.rejects(run(rejects, ['list'], { code: 'nonsense' }), UsageError);
    await assert.rejects(run(rejects, ['show', 'ffffffff']), { code: 'reject_unknown' });
  });
});

test('a table fits the terminal', () => {
  const table = renderTable(
    [{ title: 'a' }, { title: 'long' }, { title: 'n', align: 'right' }],
    [['x'.repeat(30), 'y'.repeat(60), '7']],
    { width: 50 },
  );
  for (const line of table.trimEnd().split('\n')) assert.ok([...line].length <= 50, line);
  assert.match(table, /…/);
});

test('hostile text stays text', () => {
  assert.equal(printable('a\u001b[2J\u202eb\u009b\nc'), 'a\\x1b[2J\\u202eb\\x9b\\nc');
  assert.equal(plainAddresses("['::ffff:10.0.0.1','::ffff:0:1']"), "['10.0.0.1','::ffff:0:1']");
});

test('moments: dates, times and ages', () => {
  assert.equal(parseMoment('--since', '2024-05-01'), Date.UTC(2024, 4, 1));
  assert.equal(parseMoment('--since', '2024-05-01 12:00'), Date.UTC(2024, 4, 1, 12));
  assert.equal(parseMoment('--since', '2024-05-01T12:00:00.5+02:00'), Date.UTC(2024, 4, 1, 10, 0, 0, 500));
  assert.equal(parseMoment('--since', '90m', 10_000_000), 10_000_000 - 90 * 60_000);
  assert.throws(() => parseMoment('--since', '1'), UsageError);
});

test('an alert as it fires cannot command the terminal', () => {
  const line = alertLine({ ...alert('acme', 'high', 'T1046', 1, 1), reason: 'a\u001b[2J\u202eb' }, false);
  assert.match(line, /^HIGH .* T1046 Horizontal scan: a\\x1b\[2J\\u202eb$/);
});

// Promise: with store.kind: servers the reading verbs ask ClickHouse, which itself keeps them from doing anything but reading.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from '@clickhouse/client';
import { encodeRows } from '../../workers/encode/index.ts';
import { openHttpStore } from '../sinks/clickhouse/http.ts';
import { readerOf } from '../sinks/clickhouse/http-reader.ts';
import { NO_CARRIER } from '../sinks/sink.ts';
import { alert, alertRow } from './alerts.test-support.ts';
import { alerts } from './alerts.ts';
import { loadForVerb } from './prepare.ts';
import { production } from './production.test-support.ts';
import { query } from './query.ts';

test('alerts and query over ClickHouse', async (t) => {
  const servers = await production(t, ['clickhouse'], { sources: [{ name: 'flows', topic: 'flows' }] });
  if (!servers) return;
  const { config: file, name, verb } = servers;
  const { config } = await loadForVerb({ config: file });
  const store = await openHttpStore(config.clickhouse, NO_CARRIER);
  const rows = [alert('acme', 'high', 'T1046', 1, 10), alert('umbrella', 'low', 'T1110', 3, 1)].map(alertRow);
  const block = encodeRows('alerts', rows);
  await store.write({ table: 'alerts', rows: 2, token: 'a', chunks: [block.bytes] });
  await store.close();

  const listed = await verb(alerts, [], { tenant: 'acme' });
  assert.match(listed.out, /T1046 .*Horizontal scan/);
  assert.match(listed.out, /1 of 1 alerts/);
  const { details } = rows[1] as { details: string };
  const { alert_id: id } = JSON.parse(details) as { alert_id: string };
  assert.match((await verb(alerts, ['show', id.slice(0, 8)])).out, /LOW {2}Horizontal scan/);
  assert.equal((JSON.parse((await verb(alerts, [], { json: true })).out) as unknown[]).length, 2);
  assert.deepEqual(
    JSON.parse((await verb(query, ['SELECT count() AS n FROM alerts'], { json: true })).out) as unknown,
    [{ n: 2 }],
  );
  assert.match((await verb(query, [`SELECT count() FROM ${name}.alerts`])).out, /2\n1 row/);

  const code = (sql: string) =>
    verb(query, [sql]).then(
      () => 'answered',
      (error: { code?: string; message: string }) => `${error.code ?? error.constructor.name}: ${error.message}`,
    );
  // What is elsewhere must not look like nothing.
  assert.match(await code('SELECT count() FROM flows'), /^stored_elsewhere: .*cqlsh/);
  assert.match(await code(`SELECT 1 FROM alerts AS a, ${name}.flows`), /^stored_elsewhere/);
  assert.match(await code('SELECT 1 FROM alerts JOIN sessions USING tenant_id'), /^stored_elsewhere: .*ScyllaDB/);
  assert.match(await code('SELECT * FROM rejects'), /weir rejects list/);
  assert.match(await code('SELECT * FROM logs'), /clickhouse.store_logs/);
  assert.equal(await code('WITH flows AS (SELECT 1 AS a) SELECT a FROM flows'), 'answered');
  // Limits cannot be lifted from inside.
  assert.match(await code('SELECT 1 SETTINGS max_execution_time = 0'), /^query_failed: .*read-only/);
  assert.match(await code('SELECT count() FROM system.numbers WHERE number > 1 SETTINGS readonly = 0'), /query_failed/);
  assert.match(await code('SELEC'), /UsageError/);
  assert.match(await code('SELECT * FROM nowhere'), /query_failed: .*SHOW TABLES/);
  assert.match(await code('SELECT repeat(toString(number), 100) FROM numbers(20000000)'), /too large|too many/i);
});

test('the server refuses what the lexer would let through', async (t) => {
  const servers = await production(t, ['clickhouse']);
  if (!servers) return;
  const { clickhouse } = (await loadForVerb({ config: servers.config })).config;
  const client = createClient({ url: clickhouse.url, database: clickhouse.database });
  t.after(() => client.close());
  const { READ_LIMITS } = await import('../sinks/clickhouse/http-reader.ts');
  const settings = READ_LIMITS as unknown as Record<string, string | number>;
  for (const statement of [
    "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')",
    "SELECT * FROM file('/etc/passwd', 'LineAsString', 'a String')",
    "SELECT * FROM remote('127.0.0.1', system.one)",
    'INSERT INTO alerts (reason) SELECT 1',
    'DROP TABLE alerts',
    'CREATE TABLE x (a UInt8) ENGINE = Memory',
    'SET readonly = 0',
  ])
    await assert.rejects(
      client.exec({ query: statement, clickhouse_settings: settings }).then(({ stream }) => stream.toArray()),
      /readonly mode|READONLY/i,
      statement,
    );
});

test('a user whom the server keeps read-only can read; no server is a sentence', async (t) => {
  const servers = await production(t, ['clickhouse']);
  if (!servers) return;
  const { clickhouse } = (await loadForVerb({ config: servers.config })).config;
  // A session that was made read-only is kept so as a user's profile would keep it.
  const { url, database } = clickhouse;
  const client = createClient({ url, database, session_id: servers.name });
  await client.command({ query: 'SET readonly = 1' });
  const reader = readerOf(client, url, () => client.close());
  t.after(() => reader.close());
  assert.deepEqual(JSON.parse(await reader.query('SELECT number AS n FROM numbers(2)', 'JSONEachRow')), [
    { n: 0 },
    { n: 1 },
  ]);
  assert.deepEqual(JSON.parse(await reader.query('SELECT 1 AS n FROM alerts', 'JSONEachRow')), []);
  const nowhere = createClient({ url: 'http://127.0.0.1:1' });
  const lost = readerOf(nowhere, 'http://127.0.0.1:1', () => nowhere.close());
  await assert.rejects(lost.query('SELECT 1', 'TSV'), {
    code: 'clickhouse_unreachable',
    message: /ClickHouse at http:\/\/127\.0\.0\.1:1: .*ECONNREFUSED/,
  });
  await lost.close();
});

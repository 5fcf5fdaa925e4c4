// A ClickHouse server over HTTP: a block is stored once in every table that it reaches, and refusals have a class.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, suite } from 'node:test';
import { type ClickHouseClient, type ClickHouseSettings, createClient } from '@clickhouse/client';
import { orSkip, startServices, testWith } from '../../../test/services/index.ts';
import { encodeRows } from '../../../workers/encode/index.ts';
import type { Config } from '../../config/schema.ts';
import { NO_CARRIER, SinkError, type StoreBlock } from '../sink.ts';
import { HttpStore, httpClient, openHttpReader, openHttpStore } from './http.ts';
import { migrate, type SchemaRunner } from './schema.ts';

const TENANT = '7b0c1e2d-3f4a-5b6c-8d7e-9fa0b1c2d3e4';
const START = Date.UTC(2026, 9, 10) / 1000;

function traffic(from: number, rows: number): Uint8Array {
  const list = Array.from({ length: rows }, (_, i) => ({
    tenant_id: TENANT,
    pop_id: 'fra1',
    timestamp: START + from + i,
    total_bytes: 3n,
    total_requests: 1,
    blocked_requests: 0,
    application: `app${i % 3}`,
    category: '',
  }));
  return encodeRows('traffic_analytics', list).bytes;
}

const block = (token: string, ...chunks: Uint8Array[]): StoreBlock => ({
  table: 'traffic_analytics',
  token,
  rows: 0,
  chunks,
});

/** How a write went: "stored", or class and code of its refusal. */
const outcomeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'stored',
    (error: unknown) => (error instanceof SinkError ? `${error.kind} ${error.code}` : `no SinkError: ${String(error)}`),
  );

suite('a ClickHouse server', () => {
  let services: Awaited<ReturnType<typeof startServices<'clickhouse'>>> | null = null;
  const testWithClickHouse = testWith(() => services, 'ClickHouse');
  let admin: ClickHouseClient;
  let store: HttpStore;
  let settings: Config['clickhouse'];
  const command = (query: string): Promise<unknown> => admin.command({ query });

  before(async (t) => {
    services = await orSkip(t as never, () => startServices(['clickhouse']));
    if (services === null) return;
    const database = `test_${randomUUID().replaceAll('-', '')}`;
    settings = {
      url: services.clickhouse.url,
      username: 'default',
      password: '',
      database,
      request_timeout: 30_000,
      store_logs: true,
    };
    admin = createClient({ url: settings.url });
    await command(`CREATE DATABASE ${database}`);
    const client = httpClient(settings);
    const runner: SchemaRunner = {
      enter: async () => {},
      run: async (query) => void (await client.command({ query })),
      rows: async (query) => (await client.query({ query, format: 'JSONEachRow' })).json(),
    };
    await migrate(runner, {}, { database });
    await client.close();
    store = await openHttpStore(settings, NO_CARRIER);
  });
  after(async () => {
    if (services === null) return;
    await store?.close();
    await command(`DROP DATABASE ${settings.database}`);
    await admin.close();
    await services.stop();
  });

  const sums = async (): Promise<string[]> =>
    Promise.all(
      ['traffic_analytics', 'traffic_analytics_5m', 'traffic_analytics_1h'].map(async (table) =>
        (await store.query(`SELECT sum(total_requests), sum(total_bytes) FROM ${table}`, 'TSV')).trim(),
      ),
    );

  testWithClickHouse('the same token stores once, in the table and in what its views sum up', async () => {
    const first = block('a', traffic(0, 1000));
    await store.write(first);
    assert.deepEqual(await sums(), Array(3).fill('1000\t3000'));
    for (let i = 0; i < 3; i++) await store.write(first);
    await Promise.all([store.write(first), store.write(block('b', traffic(1000, 10))), store.write(first)]);
    assert.deepEqual(await sums(), Array(3).fill('1010\t3030'));
    await store.write(block('a', traffic(0, 600), traffic(600, 400))); // a replay may have it from other workers
    assert.deepEqual(await sums(), Array(3).fill('1010\t3030'));
  });

  testWithClickHouse('several chunks are one block, in order; repeated as one chunk it is the same one', async () => {
    const before = await sums();
    await store.write(block('c', traffic(5000, 300), traffic(5300, 1), traffic(5301, 200)));
    const now = await sums();
    assert.notDeepEqual(now, before);
    await store.write(block('c', traffic(5000, 501)));
    assert.deepEqual(await sums(), now);
    const blocks = await store.query(
      `SELECT count() FROM system.parts WHERE database = '${settings.database}' AND table = 'traffic_analytics' AND rows = 501`,
      'TSV',
    );
    assert.equal(blocks.trim(), '1');
  });

  testWithClickHouse('the same rows under another token are other rows', async () => {
    const count = async (): Promise<number> =>
      Number(await store.query('SELECT count() FROM traffic_analytics', 'TSV'));
    const before = await count();
    await store.write(block('d', traffic(9000, 5)));
    await store.write(block('e', traffic(9000, 5)));
    assert.equal(await count(), before + 10);
  });

  testWithClickHouse('bytes that were cut or spoiled leave nothing behind, and use no token up', async () => {
    const before = await sums();
    const good = traffic(20_000, 100);
    for (const bad of [good.subarray(0, 300), good.subarray(0, good.length - 1), new Uint8Array([255, 255, 3, 4])])
      assert.match(await outcomeOf(store.write(block('p', bad))), /^(retryable|fatal) [A-Z_]+$/);
    assert.match(await outcomeOf(store.write(block('p', good, good.subarray(0, 50)))), /^(retryable|fatal) /);
    assert.deepEqual(await sums(), before);
    await store.write(block('p', good));
    assert.notDeepEqual(await sums(), before);
  });

  /** A store whose client is held to settings that the server enforces. */
  const under = (more: ClickHouseSettings): HttpStore =>
    new HttpStore(
      createClient({ url: settings.url, database: settings.database, clickhouse_settings: more }),
      NO_CARRIER,
      settings.url,
    );

  testWithClickHouse('who may only read stops loudly, and so does a stranger', async () => {
    const before = await sums();
    const reading = under({ readonly: '1' });
    assert.equal(await outcomeOf(reading.write(block('r', traffic(30_000, 5)))), 'fatal READONLY');
    await reading.close();
    assert.deepEqual(await sums(), before);
    const stranger = { ...settings, username: 'nobody_at_all' };
    await assert.rejects(openHttpStore(stranger, NO_CARRIER), {
      code: 'clickhouse_unreachable',
      message: /nobody_at_all/,
    });
    const writing = new HttpStore(httpClient(stranger), NO_CARRIER, settings.url);
    assert.equal(await outcomeOf(writing.write(block('r', traffic(30_000, 5)))), 'fatal AUTHENTICATION_FAILED');
    await writing.close();
  });

  testWithClickHouse('want of memory passes by itself', async () => {
    const before = await sums();
    const small = under({ max_memory_usage: '3000000' });
    const large = block('m', traffic(40_000, 100_000));
    assert.equal(await outcomeOf(small.write(large)), 'retryable MEMORY_LIMIT_EXCEEDED');
    await small.close();
    assert.deepEqual(await sums(), before);
    await store.write(large);
    assert.notDeepEqual(await sums(), before);
  });

  testWithClickHouse('a schema that is not ours is fatal, and told on opening', async () => {
    const { database } = settings;
    await command(`ALTER TABLE ${database}.logs DROP COLUMN threat`);
    await command(`DROP TABLE ${database}.rejects`);
    const row = { ...block('s', traffic(0, 1)) };
    assert.match(await outcomeOf(store.write({ ...row, table: 'rejects' })), /^fatal UNKNOWN_TABLE$/);
    assert.match(await outcomeOf(store.write({ ...row, table: 'logs' })), /^fatal NO_SUCH_COLUMN_IN_TABLE$/);
    await command(`ALTER TABLE ${database}.schema_version DELETE WHERE version >= 10 SETTINGS mutations_sync = 2`);
    await assert.rejects(openHttpStore(settings, NO_CARRIER), {
      code: 'schema_outdated',
      message: /010_traffic_rollups/,
    });
    await command(`INSERT INTO ${database}.schema_version (version, file) SELECT 999, 'x'`);
    await assert.rejects(openHttpStore(settings, NO_CARRIER), { code: 'schema_mismatch' });
  });

  testWithClickHouse('a server that is not there passes by itself while writing, and is told on opening', async () => {
    const away = { ...settings, url: 'http://127.0.0.1:1' };
    await assert.rejects(openHttpStore(away, NO_CARRIER), { code: 'clickhouse_unreachable' });
    const gone = new HttpStore(httpClient(away), NO_CARRIER, away.url);
    assert.equal(await outcomeOf(gone.write(block('x', traffic(0, 1)))), 'retryable ECONNREFUSED');
    await gone.close();
  });

  testWithClickHouse('the reader reads and does nothing else', async () => {
    const reader = openHttpReader(settings);
    assert.equal((await reader.query('SELECT {a:UInt8} + 1', 'TSV', { a: 4 })).trim(), '5');
    for (const sql of [
      'DROP TABLE traffic_analytics',
      'INSERT INTO traffic_analytics SELECT * FROM traffic_analytics',
      'SELECT 1; DROP TABLE logs',
    ])
      await assert.rejects(reader.query(sql, 'TSV'), sql);
    await assert.rejects(reader.query('SELECT FROM WHERE', 'TSV'), { name: 'UsageError' });
    await assert.rejects(reader.query('SELECT * FROM nothing_here', 'TSV'), { code: 'query_failed' });
    await reader.close();
  });
});

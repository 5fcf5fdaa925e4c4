// Promise: a block is stored once however often it is written, survives kill -9 once acknowledged, and refusals have a class.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { encodeRows } from '../../../workers/encode/index.ts';
import { dataPaths } from '../../delivery/directory.ts';
import { SinkError, type StoreBlock } from '../sink.ts';
import { openChdbStore } from './chdb.ts';

const TENANT = '7b0c1e2d-3f4a-5b6c-8d7e-9fa0b1c2d3e4';

function traffic(month: number, rows: number): Uint8Array {
  const timestamp = Date.UTC(2024, month - 1, 10) / 1000;
  return encodeRows(
    'traffic_analytics',
    Array.from({ length: rows }, (_, i) => ({
      tenant_id: TENANT,
      pop_id: 'fra1',
      timestamp: timestamp + i,
      total_bytes: 1n,
      total_requests: 1,
      blocked_requests: 0,
      application: `app${i % 7}`,
      category: '',
    })),
  ).bytes;
}

const block = (token: string, ...chunks: Uint8Array[]): StoreBlock => ({
  table: 'traffic_analytics',
  token,
  rows: 0,
  chunks,
});

describe('the chDB store', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'weir-store-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  test('a block of several chunks is one part a month, and its token makes repeats harmless, also after reopening', async () => {
    const written = block('a', traffic(1, 3000), traffic(1, 2000), traffic(2, 10));
    let store = await openChdbStore({ directory });
    await Promise.all([store.write(written), store.write(block('b', traffic(1, 1)))]);
    await store.write(written);
    const count = 'SELECT count(), sum(total_requests) FROM weir.traffic_analytics';
    const parts =
      "SELECT partition, sum(rows), count() FROM system.parts WHERE active AND table = 'traffic_analytics' AND rows > 1 GROUP BY partition ORDER BY 1";
    assert.equal((await store.query(count, 'TSV')).trim(), '5011\t5011');
    assert.match((await store.query(parts, 'TSV')).trim(), /^202401\t500[01]\t1\n202402\t10\t1$/);
    await store.close();
    store = await openChdbStore({ directory });
    await store.write(written);
    await store.write(block('a', traffic(1, 5000), traffic(2, 10))); // a replay may cut its batches elsewhere
    assert.equal((await store.query(count, 'TSV')).trim(), '5011\t5011');
    assert.deepEqual(readdirSync(dataPaths(directory).spool), []);
    await store.close();
  });

  test('refusals are classed, and leave nothing behind', async () => {
    const store = await openChdbStore({ directory });
    const kindOf = (chunk: Uint8Array, table: StoreBlock['table'] = 'traffic_analytics') =>
      store.write({ table, token: 'x', rows: 1, chunks: [chunk] }).then(
        () => 'stored',
        (error: unknown) => (error instanceof SinkError ? error.kind : String(error)),
      );
    assert.equal(await kindOf(traffic(1, 10).subarray(0, 300)), 'fatal');
    assert.equal(await kindOf(new Uint8Array([255, 255, 3, 4])), 'fatal');
    await store.query('DROP TABLE weir.rejects', 'Null');
    assert.equal(await kindOf(traffic(1, 1), 'rejects'), 'fatal');
    rmSync(dataPaths(directory).spool, { recursive: true });
    assert.equal(await kindOf(traffic(1, 1)), 'fatal');
    assert.equal((await store.query('SELECT count() FROM weir.traffic_analytics', 'TSV')).trim(), '0');
    await store.close();
  });

  test('retention follows the configuration', async () => {
    const ttl =
      "SELECT name, extract(engine_full, 'toIntervalSecond\\\\(\\\\d+\\\\)') FROM system.tables WHERE database = 'weir' AND name IN ('flows', 'logs', 'rejects') ORDER BY name";
    for (const [retention, expected] of [
      [{}, 'flows\ttoIntervalSecond(604800)\nlogs\ttoIntervalSecond(2592000)\nrejects\ttoIntervalSecond(2592000)'],
      [{ flows: 2, logs: 0 }, 'flows\ttoIntervalSecond(172800)\nlogs\t\nrejects\ttoIntervalSecond(2592000)'],
      [
        { logs: 1 },
        'flows\ttoIntervalSecond(172800)\nlogs\ttoIntervalSecond(86400)\nrejects\ttoIntervalSecond(2592000)',
      ],
    ] as const) {
      const store = await openChdbStore({ directory, retention });
      assert.equal((await store.query(ttl, 'TSV')).trim(), expected);
      await store.close();
    }
  });

  test('data of a newer Weir is refused, of an older one completed', async () => {
    let store = await openChdbStore({ directory });
    await store.query('TRUNCATE TABLE weir.schema_version', 'Null');
    await store.query('DROP VIEW weir.alerts_latest', 'Null');
    await store.close();
    store = await openChdbStore({ directory });
    assert.equal((await store.query('SELECT count() FROM weir.alerts_latest', 'TSV')).trim(), '0');
    await store.query("INSERT INTO weir.schema_version (version, file) SELECT 999, 'x'", 'Null');
    await store.close();
    await assert.rejects(openChdbStore({ directory }), { code: 'schema_mismatch' });
  });

  test('spool files of a killed process are removed', async () => {
    const { spool } = dataPaths(directory);
    mkdirSync(spool);
    writeFileSync(join(spool, '0.native'), 'rest');
    const store = await openChdbStore({ directory });
    assert.equal(existsSync(join(spool, '0.native')), false);
    await store.close();
  });

  test('a token whose rows a kill kept from being stored is taken back; tokens of merged parts stay', async () => {
    const count = 'SELECT count() FROM weir.traffic_analytics';
    let store = await openChdbStore({ directory });
    await store.write(block('a', traffic(1, 10)));
    await store.write(block('b', traffic(1, 200)));
    await store.query('OPTIMIZE TABLE weir.traffic_analytics FINAL', 'Null');
    await store.write(block('c', traffic(1, 3000)));
    const path = (
      await store.query(
        "SELECT path FROM system.parts WHERE active AND table = 'traffic_analytics' AND rows = 3000 AND level = 0",
        'TSVRaw',
      )
    ).trim();
    await store.close();
    rmSync(path, { recursive: true }); // what a kill between the token and the part's name leaves
    const logs = join(path, '..', 'deduplication_logs');
    appendFileSync(join(logs, readdirSync(logs).sort().at(-1) as string), '1\t202401_9'); // and one amid the token
    store = await openChdbStore({ directory });
    assert.equal((await store.query(count, 'TSV')).trim(), '210');
    for (const _ of [1, 2]) {
      await store.write(block('a', traffic(1, 10)));
      await store.write(block('b', traffic(1, 200)));
      await store.write(block('c', traffic(1, 3000)));
    }
    assert.equal((await store.query(count, 'TSV')).trim(), '3210');
    await store.close();
  });

  test('a path that chDB would read as a pattern is refused', async () => {
    await assert.rejects(openChdbStore({ directory: join(directory, 'a{b}') }), { code: 'data_directory_name' });
  });

  test('what was acknowledged before kill -9 is there afterwards; a second process is refused meanwhile', async () => {
    const script = `
      import { openChdbStore } from ${JSON.stringify(new URL('./chdb.js', import.meta.url).href)};
      import { encodeRows } from ${JSON.stringify(new URL('../../../workers/encode/index.js', import.meta.url).href)};
      const store = await openChdbStore({ directory: ${JSON.stringify(directory)} });
      const row = { tenant_id: '${TENANT}', pop_id: 'p', timestamp: 1700000000, total_bytes: 1, total_requests: 1, blocked_requests: 0, application: '', category: '' };
      for (let i = 0; ; i++) {
        await store.write({ table: 'traffic_analytics', token: 'k' + i, rows: 1, chunks: [encodeRows('traffic_analytics', [row]).bytes] });
        process.stdout.write('k' + i + '\\n');
      }`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let acknowledged = 0;
    for await (const chunk of child.stdout) {
      if (acknowledged === 0) await assert.rejects(openChdbStore({ directory }), { code: 'data_directory_in_use' });
      acknowledged += String(chunk).split('\n').length - 1;
      if (acknowledged >= 20) child.kill('SIGKILL');
    }
    const store = await openChdbStore({ directory });
    const stored = Number(await store.query('SELECT count() FROM weir.traffic_analytics', 'TSV'));
    assert.ok(stored === acknowledged || stored === acknowledged + 1, `${stored} stored, ${acknowledged} acknowledged`);
    await store.close();
  });
});

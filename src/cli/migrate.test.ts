// weir migrate against a real ClickHouse: once, again, and several at once.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { createClient } from '@clickhouse/client';
import { orSkip, startServices } from '../../test/services/index.ts';
import { weir } from '../../test/support/run.ts';

test('several at once, and again: the schema is there once, and nothing is left to do', async (t) => {
  const services = await orSkip(t, () => startServices(['clickhouse']));
  if (services === null) return;
  const database = `test_${randomUUID().replaceAll('-', '')}`;
  const { url } = services.clickhouse;
  const client = createClient({ url });
  t.after(async () => {
    await client.command({ query: `DROP DATABASE IF EXISTS ${database}` });
    await client.close();
    await services.stop();
  });
  const settings = ['store.kind=servers', `clickhouse.url=${url}`, `clickhouse.database=${database}`];
  const run = async (...more: string[]): Promise<{ code: number | null; clickhouse: string[]; stderr: string }> => {
    const { code, stdout, stderr } = await weir([
      'migrate',
      '--json',
      ...more,
      ...settings.flatMap((one) => ['--set', one]),
    ]);
    return {
      code,
      stderr,
      clickhouse: stdout === '' ? [] : (JSON.parse(stdout) as { clickhouse: string[] }).clickhouse,
    };
  };
  const dry = await run('--dry-run');
  assert.ok(dry.clickhouse.length >= 10, dry.stderr);
  const together = await Promise.all([run(), run(), run()]);
  for (const { code, stderr } of together) assert.equal(code, 0, stderr);
  const again = await run();
  assert.deepEqual(again.clickhouse, [], again.stderr + JSON.stringify(again));
  const query = `SELECT name, engine FROM system.tables WHERE database = '${database}' ORDER BY name`;
  const tables: { name: string }[] = await (await client.query({ query, format: 'JSONEachRow' })).json();
  for (const name of [
    'traffic_analytics',
    'traffic_analytics_5m',
    'traffic_analytics_1h',
    'alerts',
    'threat_analytics',
    'rejects',
  ])
    assert.ok(
      tables.some((table) => table.name === name),
      name,
    );
  const versions = `SELECT uniqExact(version) AS count, max(version) AS newest FROM ${database}.schema_version`;
  const [{ count, newest }] = await (await client.query({ query: versions, format: 'JSONEachRow' })).json<{
    count: string;
    newest: number;
  }>();
  assert.equal(Number(count), Number(newest));
});

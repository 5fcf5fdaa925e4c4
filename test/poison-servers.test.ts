// Rows that a ClickHouse server can never take, among others that it takes. (Cassandra takes whatever passes decoding: its guardrails
// do not hold for clients without authentication; workers/scylla/writer.test.ts plays a server that refuses.)

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { createClient } from '@clickhouse/client';
import { Client } from 'cassandra-driver';
import { orSkip, startServices } from './services/index.ts';
import { Scratch } from './support/cli.ts';
import { flow } from './support/crooked.ts';
import { runVictim, weir } from './support/run.ts';

const scratch = new Scratch('poison-servers');
after(() => scratch.remove());

const SESSIONS = 60;
const session = (i: number): string =>
  JSON.stringify({
    session_id: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
    timestamp: '2026-03-02T09:00:00Z',
    status: 'active',
    metadata: { kind: 'vpn' },
  });
const event = (i: number): string =>
  JSON.stringify({
    timestamp: '2026-03-02T09:00:01Z',
    severity: 'info',
    message: isRefused(i) ? `cursed ${i}` : `fine ${i}`,
  });
const isRefused = (i: number): boolean => i === 3 || i === 17;

test('refused rows of servers are dead letters; the rest is stored', async (t) => {
  const services = await orSkip(t, () => startServices(['cassandra', 'clickhouse']));
  if (!services) return;
  const name = `poison_${randomBytes(4).toString('hex')}`;
  const lines = [
    ...Array.from({ length: SESSIONS }, (_, i) => session(i)),
    ...Array.from({ length: 20 }, (_, i) => event(i)),
    ...Array.from({ length: 50 }, (_, i) => flow({ source_port: 2000 + i })),
  ];
  const config = scratch.write(
    'weir.yaml',
    JSON.stringify({
      store: { kind: 'servers' },
      scylla: { contact_points: [services.cassandra.contactPoint], keyspace: name, consistency: 'one' },
      clickhouse: { url: services.clickhouse.url, database: name, store_logs: true },
      sources: [
        { name: 'in', input: scratch.write('in.ndjson', `${lines.join('\n')}\n`), tenant: 'acme', pop: 'fra1' },
      ],
      tenants: [{ slug: 'acme' }],
      rules: { packs: false },
    }),
  );
  const clickhouse = createClient({ url: services.clickhouse.url, database: name });
  const cassandra = new Client({
    contactPoints: [services.cassandra.contactPoint],
    localDataCenter: services.cassandra.localDataCenter,
    keyspace: name,
  });
  try {
    const migrated = await weir(['migrate', '--config', config]);
    assert.equal(migrated.code, 0, migrated.stderr);
    await clickhouse.command({
      query: "ALTER TABLE logs ADD CONSTRAINT no_curse CHECK NOT startsWith(message, 'cursed')",
    });
    const orders = {
      values: { config, data: scratch.path('data'), workers: '2', set: ['batch.records=13', 'block.rows=40'] },
    };
    assert.equal(await runVictim({ ...orders, crash: { point: 'rows-isolated', nth: 1 } }), null);
    const summary = await runVictim(orders);
    assert.ok(summary);
    const rows = async (query: string): Promise<Record<string, string>[]> =>
      (await clickhouse.query({ query, format: 'JSONEachRow' })).json();
    const rejects = await rows('SELECT code, raw FROM rejects ORDER BY raw');
    assert.deepEqual(
      rejects.map(({ code, raw }) => `${code} ${raw}`),
      [17, 3].map((i) => `store_refused ${event(i)}`),
    );
    assert.equal((await rows('SELECT message FROM logs')).length, 18);
    const stored = await cassandra.execute('SELECT session_id FROM sessions');
    assert.equal(stored.rows.length, SESSIONS);
    assert.equal((await cassandra.execute('SELECT flow_id FROM flows')).rows.length, 50);
  } finally {
    await cassandra.execute(`DROP KEYSPACE IF EXISTS ${name}`);
    await clickhouse.command({ query: `DROP DATABASE IF EXISTS ${name}` });
    await Promise.all([cassandra.shutdown(), clickhouse.close()]);
    await services.stop();
  }
});

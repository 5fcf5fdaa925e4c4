// Promise: a purge leaves nothing of its tenant in any table, which the tables themselves say, and nothing of another is touched.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { weir } from '../../test/support/run.ts';
import { makeTopics } from '../kafka/topics.ts';
import { uuidFrom } from '../model/hash.ts';
import { loadForVerb } from './prepare.ts';
import { clientsOf, flow, production, whileRunning } from './production.test-support.ts';
import { tenant } from './tenant.ts';

interface Report {
  readonly purged: boolean;
  readonly tables: readonly {
    readonly store: string;
    readonly table: string;
    readonly before: number;
    readonly after: number;
  }[];
  readonly remains: readonly string[];
}

const session = (whose: string, id: number): string =>
  JSON.stringify({
    tenant_id: whose,
    session_id: uuidFrom('session', whose, String(id)),
    started_at: '2024-05-01T11:00:00Z',
    last_activity: new Date(Date.now() + 240_000).toISOString(), // ahead, and so later than a deletion of now
    status: 'active',
    source_ip: '10.0.0.1',
  });
const tunnel = (whose: string, id: number): string =>
  JSON.stringify({
    tenant_id: whose,
    pop_id: 'fra1',
    tunnel_id: uuidFrom('tunnel', whose),
    timestamp: new Date(Date.now() - id * 1000).toISOString(),
    latency_ms: 3,
  });

for (const bucket of ['0s', '1h'])
  test(`of two tenants on servers, one (flow_bucket ${bucket})`, async (t) => {
    const servers = await production(t, ['kafka', 'cassandra', 'clickhouse'], {
      sources: ['flows', 'sessions', 'tunnels', 'logs'].map((topic) => ({ name: topic, topic, format: 'native-json' })),
      scylla: { flow_bucket: bucket },
      clickhouse: { store_logs: true },
      block: { seconds: 1 },
      snapshot: { seconds: 1 },
      workers: 1,
    });
    if (!servers) return;
    const { name, verb } = servers;
    const { config } = await loadForVerb({ config: servers.config });
    const { admin, producer, clickhouse, cluster } = await clientsOf(t, config, name);
    const topics = ['flows', 'sessions', 'tunnels', 'logs'];
    await makeTopics(
      admin,
      topics.map((topic) => ({ topic: `${name}-${topic}`, numPartitions: 1 })),
    );
    const send = (topic: string, make: (whose: string, i: number) => string) =>
      producer.send({
        topic: `${name}-${topic}`,
        messages: ['acme', 'globex'].flatMap((whose) =>
          Array.from({ length: 120 }, (_, i) => ({ value: make(whose, i) })),
        ),
      });
    await send('sessions', session);
    await send('tunnels', tunnel);
    await send('logs', (whose, i) =>
      JSON.stringify({ tenant_id: whose, pop_id: 'fra1', timestamp: '2024-05-01T12:00:00Z', message: `m${i}` }),
    );
    await send('flows', (whose, i) => flow(whose, i, { pop_id: `pop${i % 3}` }));
    const count = async (table: string): Promise<number> =>
      Number((await cluster.execute(`SELECT count(*) AS n FROM ${table}`)).rows[0].n);
    const rows = async (table: string): Promise<number> => {
      const answer = await clickhouse.query({ query: `SELECT count() AS n FROM ${table}`, format: 'JSONEachRow' });
      return Number((await answer.json<{ n: string }>())[0].n);
    };
    const all = async (): Promise<number[]> => [
      ...(await Promise.all(['flows', 'sessions', 'tunnel_stats'].map(count))),
      await rows('logs'),
    ];
    await whileRunning(servers.config, async () => {
      const counts = await all();
      return counts.join() === '240,240,240,240' && (await rows('traffic_analytics')) >= 6;
    });

    await assert.rejects(verb(tenant, ['purge', 'acme']), /--yes/);
    const dry = JSON.parse((await verb(tenant, ['purge', 'acme'], { 'dry-run': true, json: true })).out) as Report;
    assert.equal(dry.purged, false);
    assert.equal((await all()).join(), '240,240,240,240');
    const { status, out } = await verb(tenant, ['purge', 'acme'], { yes: true, json: true });
    assert.equal(status, 0, out);
    const { purged, tables, remains } = JSON.parse(out) as Report;
    assert.equal(purged, true);
    assert.deepEqual(
      tables.filter(({ after }) => after !== 0),
      [],
    );
    const before = Object.fromEntries(tables.map((one) => [`${one.store} ${one.table}`, one.before]));
    assert.ok(before['scylla flows'] >= 3, 'three PoPs have partitions of their own');
    assert.deepEqual(
      [before['scylla sessions'], before['scylla tunnel_stats'], before['clickhouse logs']],
      [120, 120, 120],
    );
    for (const table of ['traffic_analytics', 'traffic_analytics_5m', 'traffic_analytics_1h'])
      assert.ok(before[`clickhouse ${table}`] > 0, table);
    assert.equal((await all()).join(), '120,120,120,120');
    assert.match(remains.join('\n'), new RegExp(`${name}-flows[\\s\\S]*status to inactive`));
    const again = await verb(tenant, ['purge', 'acme'], { yes: true });
    assert.match(again.out, /there was nothing: every table was asked/);
  });

test('of two tenants in a data directory, one', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-purge-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const config = join(folder, 'weir.yaml');
  const data = join(folder, 'data');
  const input = join(folder, 'in.ndjson');
  writeFileSync(config, 'rules: { packs: false }\ntenants: [{ slug: acme }, { slug: globex }]\n');
  const records = ['acme', 'globex'].flatMap((whose) => [
    ...Array.from({ length: 10 }, (_, i) => flow(whose, i)),
    session(whose, 1),
    tunnel(whose, 1),
    flow(whose, 99, { bytes_sent: 'many' }),
  ]);
  writeFileSync(input, `${records.join('\n')}\n`);
  const place = ['--config', config, '--data', data];
  const ran = await weir(['run', '--input', input, ...place, '--json']);
  assert.equal(ran.code, 0, ran.stderr);
  const done = await weir(['tenant', 'purge', 'globex', '--yes', '--json', ...place]);
  assert.equal(done.code, 0, done.stderr + done.stdout);
  const { tables } = JSON.parse(done.stdout) as Report;
  assert.deepEqual(
    tables.filter(({ after }) => after !== 0),
    [],
  );
  assert.deepEqual(
    Object.fromEntries(tables.filter(({ before }) => before > 0).map((one) => [one.table, one.before])),
    {
      flows: 10,
      rejects: 1,
      session_events: 1,
      traffic_analytics: 1,
      traffic_analytics_1h: 1,
      traffic_analytics_5m: 1,
      tunnel_stats: 1,
    },
  );
  const left = await weir(['tenant', 'purge', 'acme', '--dry-run', '--json', ...place]);
  const kept = JSON.parse(left.stdout) as Report;
  assert.equal(kept.tables.find(({ table }) => table === 'flows')?.before, 10);
  const read = await weir(['run', '--input', input, ...place, '--json']);
  assert.equal((JSON.parse(read.stdout) as { records: { read: number } }).records.read, 0, 'what was read stays read');
});

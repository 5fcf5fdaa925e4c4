// Promise: after a rebuild the sums of one tenant are those of its flows, in every table, however often it was killed on its way and
// whatever flows came meanwhile; nothing of another tenant is touched.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, LiveWeir } from '../../test/support/cli.ts';
import { weir } from '../../test/support/run.ts';
import { loadConfig } from '../config/load.ts';
import { tenantId } from '../control/tenants.ts';
import { makeTopics } from '../kafka/topics.ts';
import { embeddedEngine } from '../purge/open.ts';
import type { Engine } from '../purge/tables.ts';
import { BLOCKING } from '../rebuild/flows.ts';
import { type Rebuilt, rebuildTenant } from '../rebuild/index.ts';
import { openRebuild } from '../rebuild/open.ts';
import { loadForVerb } from './prepare.ts';
import { clientsOf, flow, production } from './production.test-support.ts';
import { rebuild } from './rebuild.ts';

const ACME = tenantId('acme');
const GLOBEX = tenantId('globex');
const FROM = Date.UTC(2024, 4, 1, 12);
const TO = FROM + 2 * 3_600_000;
const ACTIONS = ['Allow', 'Log', ...BLOCKING, 'Isolate', 'DENY'];

interface Fields {
  readonly tenant: string;
  readonly pop: string;
  readonly at: number;
  readonly application: string;
  readonly action: string;
  readonly bytes: number;
}

function fieldsOf(tenant: string, i: number): Fields {
  return {
    tenant,
    pop: `pop${i % 2}`,
    at: FROM + ((i * 37) % 110) * 60_000 + i,
    application: ['https', 'ssh', ''][i % 3],
    action: ACTIONS[i % ACTIONS.length],
    bytes: 100 + i,
  };
}

const recordOf = (f: Fields, i: number): string =>
  flow(f.tenant, i, {
    pop_id: f.pop,
    timestamp: f.at,
    action: f.action,
    bytes_sent: f.bytes,
    bytes_received: 1,
    ...(f.application === '' ? { application: undefined } : { application: f.application }),
  });

/** By tenant, PoP, application and start of the time: bytes, flows, blocked. Reckoned here, not by Weir. */
function expectedOf(flows: readonly Fields[], seconds: number): string[] {
  const blocking = new Set<string>(BLOCKING);
  const sums = new Map<string, [number, number, number]>();
  for (const f of flows) {
    const key = [f.tenant === 'acme' ? ACME : GLOBEX, f.pop, Math.floor(f.at / 1000 / seconds) * seconds].join(' ');
    const [bytes, requests, blocked] = sums.get(key) ?? [0, 0, 0];
    const stopped = blocking.has(f.action.toLowerCase()) ? 1 : 0;
    sums.set(key, [bytes + f.bytes + 1, requests + 1, blocked + stopped]);
  }
  return [...sums].map(([key, values]) => `${key} ${values.join(' ')}`).sort();
}

const TABLES = { traffic_analytics: 60, traffic_analytics_5m: 300, traffic_analytics_1h: 3600 } as const;

type Rows = (sql: string) => Promise<Record<string, unknown>[]>;

async function sums(rows: Rows, table: string): Promise<string[]> {
  const found = await rows(
    `SELECT concat(toString(tenant_id), ' ', pop_id, ' ', toString(toUnixTimestamp(timestamp)), ' ', toString(sum(total_bytes)), ' ', toString(sum(total_requests)), ' ', toString(sum(blocked_requests))) AS line FROM ${table} GROUP BY tenant_id, pop_id, timestamp HAVING sum(total_requests) != 0`,
  );
  return found.map(({ line }) => String(line)).sort();
}

async function allRight(rows: Rows, flows: readonly Fields[], tenants = [ACME, GLOBEX]): Promise<void> {
  const of = (lines: string[]): string[] => lines.filter((line) => tenants.some((id) => line.startsWith(id)));
  for (const [table, seconds] of Object.entries(TABLES))
    assert.deepEqual(of(await sums(rows, table)), of(expectedOf(flows, seconds)), table);
}

/** A view's target shows a block a moment after the table does. */
async function becomesRight(rows: Rows, flows: readonly Fields[], tenants = [ACME, GLOBEX]): Promise<void> {
  await eventually('views have followed', () =>
    allRight(rows, flows, tenants).then(
      () => true,
      () => false,
    ),
  ).catch(() => {});
  await allRight(rows, flows, tenants); // says what is wrong
}

/** Rows lost, rows counted twice, and a coarse table that a view did not feed: of one tenant or the other. */
const DAMAGE = (id: string): string[] => [
  `ALTER TABLE traffic_analytics DELETE WHERE tenant_id = '${id}' AND pop_id = 'pop1' SETTINGS mutations_sync = 2`,
  `INSERT INTO traffic_analytics SELECT * FROM traffic_analytics WHERE tenant_id = '${id}' AND pop_id = 'pop0' SETTINGS async_insert = 0, insert_deduplicate = 0`,
  `ALTER TABLE traffic_analytics_5m DELETE WHERE tenant_id = '${id}' AND pop_id = 'pop0' SETTINGS mutations_sync = 2`,
];

async function all(spans: AsyncGenerator<Rebuilt>): Promise<Rebuilt[]> {
  const found: Rebuilt[] = [];
  for await (const span of spans) found.push(span);
  return found;
}

const POINTS = [
  'after-flows',
  'after-plan',
  'after-traffic_analytics',
  'after-traffic_analytics_5m',
  'after-traffic_analytics_1h',
];

test('embedded: killed at each point and run again, one tenant at a time', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-rebuild-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'weir.yaml');
  const data = join(folder, 'data');
  const input = join(folder, 'in.ndjson');
  writeFileSync(file, `data: ${data}\nrules: { packs: false }\ntenants: [{ slug: acme }, { slug: globex }]\n`);
  const flows = ['acme', 'globex'].flatMap((tenant) => Array.from({ length: 200 }, (_, i) => fieldsOf(tenant, i)));
  writeFileSync(input, `${flows.map((f, i) => recordOf(f, i)).join('\n')}\n`);
  const ran = await weir(['run', '--input', input, '--config', file, '--json']);
  assert.equal(ran.code, 0, ran.stderr);
  const { config } = loadConfig(file, {}, {});
  const span = { tenant: ACME, from: FROM, to: TO };
  const withEngine = async (use: (engine: Engine) => Promise<void>): Promise<void> => {
    const engine = await embeddedEngine(config);
    await use(engine).finally(() => engine.close());
  };
  const right = (tenants?: string[]): Promise<void> =>
    withEngine((engine) => allRight((sql) => engine.rows(sql, {}), flows, tenants));
  const rebuilt = async (reach?: (point: string) => void): Promise<Rebuilt[]> => {
    const kit = await openRebuild(config);
    return all(rebuildTenant({ ...kit, ...(reach ? { reach } : {}) }, span)).finally(() => kit.close());
  };
  await right();
  assert.deepEqual(
    (await rebuilt()).map(({ outcome }) => outcome),
    ['right'],
  );
  for (const point of POINTS) {
    await withEngine(async (engine) => {
      for (const statement of DAMAGE(ACME)) await engine.run(statement, {});
    });
    const died = new Error(point);
    await assert.rejects(
      rebuilt((at) => {
        if (at === point) throw died;
      }),
      died,
    );
    const outcomes = (await rebuilt()).map(({ outcome }) => outcome);
    // What was planned is carried out as it was; what was not is found anew.
    assert.deepEqual(outcomes, [point === 'after-flows' ? 'corrected' : 'right'], point);
    await right();
  }
  await withEngine(async (engine) => {
    for (const statement of [...DAMAGE(ACME), ...DAMAGE(GLOBEX)]) await engine.run(statement, {});
  });
  await rebuilt();
  await right([ACME]);
  await assert.rejects(right([GLOBEX]), 'another tenant stays as it was');
  const asked = ['--from', '2024-05-01T12:00:00Z', '--to', '2024-05-01T14:00:00Z', '--config', file];
  const command = await weir(['rebuild', 'traffic-analytics', ...asked, '--json']);
  assert.equal(command.code, 0, command.stderr + command.stdout);
  // The newest flow is from 13:49: the last hour is not behind the watermark.
  const { spans, notes } = JSON.parse(command.stdout) as { spans: { to: string; outcome: string }[]; notes: string[] };
  assert.deepEqual(
    spans.map(({ to }) => to),
    Array(2).fill('2024-05-01T13:00:00.000Z'),
  );
  assert.match(notes.join(), /not behind the watermark/);
});

test('embedded: the process is killed wherever it happens to be', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-rebuild-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'weir.yaml');
  const input = join(folder, 'in.ndjson');
  writeFileSync(
    file,
    `data: ${join(folder, 'data')}\nrules: { packs: false }\ntenants: [{ slug: acme }, { slug: globex }]\n`,
  );
  const flows = Array.from({ length: 200 }, (_, i) => fieldsOf('acme', i));
  const later = { ...fieldsOf('acme', 200), pop: 'pop2', at: TO + 3_600_000 }; // moves the watermark
  writeFileSync(input, `${[...flows, later].map((f, i) => recordOf(f, i)).join('\n')}\n`);
  const ran = await weir(['run', '--input', input, '--config', file, '--json']);
  assert.equal(ran.code, 0, ran.stderr);
  const { config } = loadConfig(file, {}, {});
  const engine = await embeddedEngine(config);
  for (const statement of DAMAGE(ACME)) await engine.run(statement, {});
  await engine.close();
  const asked = ['rebuild', 'traffic-analytics', '--from', '2024-05-01T12:00:00Z', '--to', '2024-05-01T14:00:00Z'];
  let ended = 0;
  for (let wait = 800; ended === 0; wait += 150) {
    await using live = new LiveWeir([...asked, '--config', file, '--json']);
    const timer = setTimeout(() => live.process.kill('SIGKILL'), wait);
    const { code, signal, stderr } = await live.closed;
    clearTimeout(timer);
    if (signal === null) assert.equal(code, 0, stderr);
    if (signal === null) ended++;
  }
  const again = await embeddedEngine(config);
  await allRight((sql) => again.rows(sql, {}), [...flows, later]).finally(() => again.close());
});

test('servers: flows keep coming while it compares; kills, both tenants', async (t) => {
  const servers = await production(t, ['kafka', 'cassandra', 'clickhouse'], {
    sources: [{ name: 'flows', topic: 'flows', format: 'native-json' }],
    block: { seconds: 1 },
    snapshot: { seconds: 5 }, // rollups come that much later than flows
    workers: 1,
  });
  if (!servers) return;
  const { name, verb } = servers;
  const { config } = await loadForVerb({ config: servers.config });
  const { admin, producer, clickhouse, cluster } = await clientsOf(t, config, name);
  const topic = `${name}-flows`;
  await makeTopics(admin, [{ topic, numPartitions: 2 }]);
  const sent: Fields[] = [];
  const send = async (tenant: string, from: number, count: number): Promise<void> => {
    const made = Array.from({ length: count }, (_, i) => fieldsOf(tenant, from + i));
    const messages = made.map((f, i) => ({ partition: tenant === 'acme' ? 0 : 1, value: recordOf(f, from + i) }));
    await producer.send({ topic, messages });
    sent.push(...made);
  };
  const rows: Rows = async (query) => (await clickhouse.query({ query, format: 'JSONEachRow' })).json();
  const counted = async (): Promise<boolean> => {
    const [{ n }] = await rows('SELECT toString(sum(total_requests)) AS n FROM traffic_analytics');
    return Number(n) === sent.length;
  };
  await send('acme', 0, 150);
  await send('globex', 0, 150);
  const span = { tenant: ACME, from: FROM, to: TO };
  const rebuilt = async (reach?: (point: string) => void): Promise<Rebuilt[]> => {
    const kit = await openRebuild(config);
    return all(rebuildTenant({ ...kit, ...(reach ? { reach } : {}) }, span)).finally(() => kit.close());
  };
  {
    await using live = new LiveWeir(['run', '--config', servers.config, '--json']);
    await eventually('all flows are counted', () => counted().catch(() => false), live);
    await becomesRight(rows, sent);
    assert.deepEqual(
      (await rebuilt()).map(({ outcome }) => outcome),
      ['right'],
    );
    for (const statement of [...DAMAGE(ACME), ...DAMAGE(GLOBEX)]) await clickhouse.command({ query: statement });
    // Late flows of these very hours, before, while and after sums are taken.
    let id = 1000;
    let feeding = true;
    const feed = (async () => {
      for (let i = 0; i < 12 && feeding; i++) {
        await send('acme', id, 5);
        id += 5;
        await new Promise((resolve) => setTimeout(resolve, 400));
      }
    })();
    const outcomes: string[] = [];
    for (let i = 0; i < 4; i++) outcomes.push(...(await rebuilt()).map(({ outcome }) => outcome));
    feeding = false;
    await feed;
    assert.ok(outcomes.includes('corrected'), outcomes.join());
    const wanted = sent.filter(({ tenant }) => tenant === 'acme').length;
    await eventually(
      'late flows are counted',
      async () => {
        const [{ n }] = await rows(
          `SELECT toString(sum(total_requests)) AS n FROM traffic_analytics WHERE tenant_id = '${ACME}'`,
        );
        return Number(n) === wanted;
      },
      live,
    );
    await becomesRight(rows, sent, [ACME]);
    // Flows that are stored, and whose rollups are under way: nothing is missing.
    await send('acme', 5000, 40);
    await eventually(
      'the flows are stored',
      async () => {
        const { rows: found } = await cluster.execute('SELECT count(*) AS n FROM flows');
        return Number(found[0].n) === sent.length;
      },
      live,
    );
    const under = await counted();
    assert.deepEqual(
      (await rebuilt()).map(({ outcome }) => outcome),
      ['right'],
      `rollups ${under ? 'were in' : 'were under way'}`,
    );
    await allRight(rows, sent, [ACME]);
    for (const point of POINTS) {
      for (const statement of DAMAGE(ACME)) await clickhouse.command({ query: statement });
      await assert.rejects(
        rebuilt((at) => {
          if (at === point) throw new Error(point);
        }),
        new RegExp(point),
      );
      await rebuilt();
      await allRight(rows, sent, [ACME]);
    }
    // Two at once would both add what is missing.
    const kit = await openRebuild(config);
    await assert.rejects(openRebuild(config), { code: 'rebuild_running' });
    await kit.close();
    await assert.rejects(allRight(rows, sent, [GLOBEX]), 'another tenant stays as it was');
    assert.equal((await live.stop('SIGTERM')).code, 0, live.stderr);
  }
  const window = { from: '2024-05-01T12:00:00Z', to: '2024-05-01T13:00:00Z', tenant: 'globex', json: true };
  const { out, status } = await verb(rebuild, ['traffic-analytics'], window);
  assert.equal(status, 0, out);
  const { spans } = JSON.parse(out) as { spans: { outcome: string }[] };
  assert.deepEqual(
    spans.map(({ outcome }) => outcome),
    ['corrected'],
  );
});

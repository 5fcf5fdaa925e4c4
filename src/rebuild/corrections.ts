// What has to be added to each table so that its sums are those of the flows; computed, journaled and applied inside ClickHouse.
//
// A correction is a row of its own, with counters modulo 2^64: sum() of UInt64 wraps alike, so that a surplus is taken away by adding.
// All corrections of a table are one insert of one part under one token: sums over the table are the old ones until it is there, and the
// right ones from then on, whatever else is inserted meanwhile.

import type { Engine } from '../purge/tables.ts';
import type { Span } from './flows.ts';

/** Beginning of a row's time, of the minute that a flow is counted in. The coarser tables are fed by views of the first. */
export const TARGETS = {
  traffic_analytics: 'toStartOfMinute',
  traffic_analytics_5m: 'toStartOfFiveMinutes',
  traffic_analytics_1h: 'toStartOfHour',
} as const;
export type Target = keyof typeof TARGETS;
const NAMES = Object.keys(TARGETS) as Target[];

const VIEWS: Readonly<Partial<Record<Target, string>>> = {
  traffic_analytics_5m: 'traffic_analytics_to_5m',
  traffic_analytics_1h: 'traffic_analytics_to_1h',
};

/** An insert that its client has left ends by itself after so long, s. */
export const APPLY_SECONDS = 300;

/** As inserts of a lane have them: one block, one part, remembered by its token, by views' targets too. */
const ONE_PART = [
  'async_insert = 0',
  'insert_deduplicate = 1',
  'deduplicate_blocks_in_dependent_materialized_views = 1',
  'max_block_size = 10000000',
  'max_insert_block_size = 10000000',
  'min_insert_block_size_rows = 10000000',
  'min_insert_block_size_bytes = 4000000000',
  'max_insert_threads = 1',
  'max_threads = 1',
  'max_partitions_per_insert_block = 0',
  `max_execution_time = ${APPLY_SECONDS}`,
].join(', ');

const KEY = 'pop_id, timestamp, application, category';
const COUNTERS = 'total_bytes, total_requests, blocked_requests';

/** Writes the corrections of all tables under `id`; returns how many rows each needs. */
export async function plan(engine: Engine, id: string, span: Span): Promise<ReadonlyMap<Target, number>> {
  const { tenant } = span;
  const from = span.from / 1000;
  const to = span.to / 1000;
  const views = await engine.rows(
    "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'MaterializedView'",
    {},
  );
  for (const target of NAMES) {
    const start = TARGETS[target];
    const view = VIEWS[target];
    // What the correction of the first table will push on is as good as there.
    const pushed =
      view !== undefined && views.some(({ name }) => name === view)
        ? `UNION ALL SELECT p.pop_id, ${start}(p.timestamp), p.application, p.category, toUInt64(0), toUInt64(0), toUInt64(0),
             p.total_bytes, p.total_requests, p.blocked_requests, p.counted_at, 0
           FROM traffic_rebuild_rows AS p
           WHERE p.tenant_id = {tenant:UUID} AND p.rebuild_id = {id:UUID} AND p.target = 'traffic_analytics'`
        : '';
    await engine.run(
      `INSERT INTO traffic_rebuild_rows (rebuild_id, tenant_id, target, ${KEY}, ${COUNTERS}, counted_at)
       SELECT {id:UUID}, {tenant:UUID}, {target:String}, pop, at, app, cat, bytes, requests, blocked, since FROM (
         SELECT pop, at, app, cat,
           toUInt64(sum(fb) - sum(rb)) AS bytes, toUInt64(sum(fr) - sum(rr)) AS requests, toUInt64(sum(fk) - sum(rk)) AS blocked,
           if(max(stored) = 1, minIf(counted, stored = 1), now()) AS since
         FROM (
           SELECT f.pop_id AS pop, ${start}(f.timestamp) AS at, f.application AS app, f.category AS cat,
             f.total_bytes AS fb, f.total_requests AS fr, f.blocked_requests AS fk,
             toUInt64(0) AS rb, toUInt64(0) AS rr, toUInt64(0) AS rk, toDateTime(0) AS counted, 0 AS stored
           FROM traffic_rebuild_rows AS f
           WHERE f.tenant_id = {tenant:UUID} AND f.rebuild_id = {id:UUID} AND f.target = 'flows'
           UNION ALL
           SELECT r.pop_id, r.timestamp, r.application, r.category, toUInt64(0), toUInt64(0), toUInt64(0),
             r.total_bytes, r.total_requests, r.blocked_requests, r.ingested_at, 1
           FROM ${target} AS r
           WHERE r.tenant_id = {tenant:UUID} AND r.timestamp >= toDateTime({from:UInt32}) AND r.timestamp < toDateTime({to:UInt32})
           ${pushed}
         )
         GROUP BY pop, at, app, cat
       )
       WHERE bytes != 0 OR requests != 0 OR blocked != 0`,
      { id, tenant, target, from, to },
    );
  }
  const rows = await engine.rows(
    "SELECT target, toString(count()) AS n FROM traffic_rebuild_rows WHERE tenant_id = {tenant:UUID} AND rebuild_id = {id:UUID} AND target != 'flows' GROUP BY target",
    { tenant, id },
  );
  return new Map(rows.map(({ target, n }) => [String(target) as Target, Number(n)]));
}

/** Puts journaled corrections into their tables. Repeatable: each table takes them once. */
export async function apply(
  engine: Engine,
  id: string,
  tenant: string,
  reach: (point: string) => void = () => {},
): Promise<void> {
  for (const target of NAMES) {
    // The token is made of our own id, which is a UUID, and a name of ours.
    await engine.run(
      `INSERT INTO ${target} (tenant_id, ${KEY}, ${COUNTERS}, ingested_at)
       SELECT c.tenant_id, c.pop_id, c.timestamp, c.application, c.category, c.total_bytes, c.total_requests, c.blocked_requests, c.counted_at
       FROM traffic_rebuild_rows AS c
       WHERE c.tenant_id = {tenant:UUID} AND c.rebuild_id = {id:UUID} AND c.target = {target:String}
       ORDER BY c.pop_id, c.timestamp, c.application, c.category
       SETTINGS insert_deduplication_token = 'rebuild-${checked(id)}-${target}', ${ONE_PART}`,
      { tenant, id, target },
    );
    reach(`after-${target}`);
  }
}

function checked(id: string): string {
  if (!/^[0-9a-f-]{36}$/.test(id)) throw new Error('a rebuild has a UUID');
  return id;
}

export async function journal(engine: Engine, id: string, span: Span, state: 'planned' | 'done'): Promise<void> {
  const { tenant, from, to } = span;
  await engine.run(
    'INSERT INTO traffic_rebuilds (rebuild_id, tenant_id, hour_from, hour_to, state) SELECT {id:UUID}, {tenant:UUID}, toDateTime({from:UInt32}), toDateTime({to:UInt32}), {state:String} SETTINGS async_insert = 0',
    { id, tenant, from: from / 1000, to: to / 1000, state },
  );
}

export interface Unfinished {
  readonly id: string;
  readonly span: Span;
  /** Since it was planned, s. */
  readonly age: number;
}

/** Rebuilds of a tenant that were planned and, as far as the journal knows, not carried out to their end. */
export async function unfinished(engine: Engine, tenant: string): Promise<readonly Unfinished[]> {
  const rows = await engine.rows(
    `SELECT toString(rebuild_id) AS id, toUnixTimestamp(any(hour_from)) AS from, toUnixTimestamp(any(hour_to)) AS to,
       toInt32(dateDiff('second', min(ingested_at), now())) AS age
     FROM traffic_rebuilds WHERE tenant_id = {tenant:UUID} GROUP BY rebuild_id HAVING countIf(state = 'done') = 0 ORDER BY min(ingested_at)`,
    { tenant },
  );
  return rows.map(({ id, from, to, age }) => ({
    id: String(id),
    age: Number(age),
    span: { tenant, from: Number(from) * 1000, to: Number(to) * 1000 },
  }));
}

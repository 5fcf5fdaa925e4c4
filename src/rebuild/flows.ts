// Sums of stored flows by (PoP, minute, application, category), as workers/rollup makes them of flows that pass.

import type { Client, types } from 'cassandra-driver';
import type { Engine } from '../purge/tables.ts';

export interface Span {
  readonly tenant: string;
  /** Whole hours, ms since 1970: [from, to). */
  readonly from: number;
  readonly to: number;
}

export interface FlowSums {
  /** Writes the sums of a span into traffic_rebuild_rows under this id. Returns the number of flows. */
  load(id: string, span: Span): Promise<number>;
  /** Whether the span that was loaded last has the same sums still. */
  unchanged(): Promise<boolean>;
}

/** What counts as blocked: our own decisions, and what producers call them (as in workers/rollup). */
export const BLOCKING = [
  'block',
  'blocked',
  'isolate',
  'deny',
  'denied',
  'drop',
  'dropped',
  'reject',
  'rejected',
] as const;

const COLUMNS =
  'rebuild_id, tenant_id, target, pop_id, timestamp, application, category, total_bytes, total_requests, blocked_requests, counted_at';

/** Of the embedded store, in one statement. Nobody writes meanwhile. */
export function embeddedFlows(engine: Engine): FlowSums {
  return {
    async load(id, { tenant, from, to }) {
      await engine.run(
        `INSERT INTO traffic_rebuild_rows (${COLUMNS})
         SELECT {id:UUID}, f.tenant_id, 'flows', toString(f.pop_id), toDateTime(intDiv(toUnixTimestamp64Milli(f.timestamp), 60000) * 60),
           toString(f.application), toString(f.category), sum(f.bytes_sent + f.bytes_received), count(),
           countIf(lower(f.action) IN {blocking:Array(String)}), toDateTime(0)
         FROM flows AS f
         WHERE f.tenant_id = {tenant:UUID} AND f.timestamp >= fromUnixTimestamp64Milli({from:Int64}) AND f.timestamp < fromUnixTimestamp64Milli({to:Int64})
         GROUP BY 1, 2, 3, 4, 5, 6, 7`,
        { id, tenant, from, to, blocking: BLOCKING },
      );
      const [{ n }] = await engine.rows(
        "SELECT toString(sum(total_requests)) AS n FROM traffic_rebuild_rows WHERE tenant_id = {tenant:UUID} AND rebuild_id = {id:UUID} AND target = 'flows'",
        { tenant, id },
      );
      return Number(n);
    },
    unchanged: async () => true,
  };
}

interface Sum {
  bytes: bigint;
  requests: number;
  blocked: number;
}

export interface ScyllaPlace {
  readonly client: Client;
  readonly keyspace: string;
  /** Of the table's key; 0 for none. */
  readonly bucketMs: number;
}

/** Inserts rows into a table of ClickHouse. */
export type InsertRows = (table: string, rows: readonly Record<string, unknown>[]) => Promise<void>;

const ROWS = 20_000;
const PAGE = 5000;

export function scyllaFlows(place: ScyllaPlace, insert: InsertRows): FlowSums {
  const blocking = new Set<string>(BLOCKING);
  let last: { span: Span; sums: Map<string, Sum> } | null = null;
  const read = async ({ tenant, from, to }: Span): Promise<Map<string, Sum>> => {
    const sums = new Map<string, Sum>();
    for await (const row of flowsOf(place, tenant, from, to)) {
      const minute = Math.floor(row.timestamp.getTime() / 60_000) * 60;
      const key = JSON.stringify([row.pop_id, minute, row.application ?? '', row.category ?? '']);
      const sum = sums.get(key) ?? { bytes: 0n, requests: 0, blocked: 0 };
      if (sum.requests === 0) sums.set(key, sum);
      sum.bytes += unsigned(row.bytes_sent) + unsigned(row.bytes_received);
      sum.requests++;
      if (blocking.has((row.action ?? '').toLowerCase())) sum.blocked++;
    }
    return sums;
  };
  return {
    async load(id, span) {
      const sums = await read(span);
      last = { span, sums };
      let rows: Record<string, unknown>[] = [];
      let flows = 0;
      for (const [key, { bytes, requests, blocked }] of sums) {
        const [pop_id, timestamp, application, category] = JSON.parse(key) as [string, number, string, string];
        flows += requests;
        rows.push({
          rebuild_id: id,
          tenant_id: span.tenant,
          target: 'flows',
          pop_id,
          timestamp,
          application,
          category,
          total_bytes: BigInt.asUintN(64, bytes).toString(),
          total_requests: requests,
          blocked_requests: blocked,
          counted_at: 0,
        });
        if (rows.length < ROWS) continue;
        await insert('traffic_rebuild_rows', rows);
        rows = [];
      }
      if (rows.length > 0) await insert('traffic_rebuild_rows', rows);
      return flows;
    },
    async unchanged() {
      if (last === null) return true;
      const now = await read(last.span);
      if (now.size !== last.sums.size) return false;
      for (const [key, sum] of now) {
        const then = last.sums.get(key);
        if (then?.bytes !== sum.bytes || then.requests !== sum.requests || then.blocked !== sum.blocked) return false;
      }
      return true;
    },
  };
}

/** A BIGINT holds the 64 bits of a counter, whose highest is not a sign. Absent is 0. */
function unsigned(value: types.Long | null): bigint {
  return value === null ? 0n : BigInt.asUintN(64, BigInt(value.toString()));
}

interface FlowRow {
  readonly pop_id: string;
  readonly timestamp: Date;
  readonly application: string | null;
  readonly category: string | null;
  readonly action: string | null;
  readonly bytes_sent: types.Long | null;
  readonly bytes_received: types.Long | null;
}

/** Consistent with what the barrier saw: the driver's number for LOCAL_QUORUM. */
const LOCAL_QUORUM = 6;

async function* flowsOf(place: ScyllaPlace, tenant: string, from: number, to: number): AsyncGenerator<FlowRow> {
  const { client, keyspace, bucketMs } = place;
  const key = bucketMs > 0 ? 'tenant_id, pop_id, bucket' : 'tenant_id, pop_id';
  const where = `tenant_id = ? AND pop_id = ?${bucketMs > 0 ? ' AND bucket = ?' : ''} AND timestamp >= ? AND timestamp < ?`;
  const flows = `SELECT pop_id, timestamp, application, category, action, bytes_sent, bytes_received FROM ${keyspace}.flows WHERE ${where}`;
  for await (const partition of pages(client, `SELECT DISTINCT ${key} FROM ${keyspace}.flows`, [])) {
    const { tenant_id, pop_id, bucket } = partition as { tenant_id: object; pop_id: string; bucket?: Date };
    if (String(tenant_id) !== tenant) continue;
    if (bucket && (bucket.getTime() >= to || bucket.getTime() + bucketMs <= from)) continue;
    const parameters = [tenant_id, pop_id, ...(bucket ? [bucket] : []), new Date(from), new Date(to)];
    yield* pages(client, flows, parameters) as AsyncGenerator<FlowRow>;
  }
}

async function* pages(client: Client, query: string, parameters: readonly unknown[]): AsyncGenerator<unknown> {
  let pageState: string | undefined;
  do {
    const options = { prepare: true, fetchSize: PAGE, pageState, consistency: LOCAL_QUORUM };
    const page = await client.execute(query, [...parameters], options);
    yield* page.rows;
    pageState = page.pageState ?? undefined;
  } while (pageState !== undefined);
}

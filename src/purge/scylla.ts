// ScyllaDB or Cassandra. Partitions of flows are found by walking the keys of the table, since the server knows no others; those
// of sessions by the tenant; tunnel statistics row by row, since their key does not name the tenant.

import { type Client, types } from 'cassandra-driver';
import type { Config } from '../config/schema.ts';
import { scyllaClient } from '../sinks/scylla/client.ts';
import type { PurgeStore } from './purge.ts';

/**
 * Later than any write of a session or of tunnel statistics claims to be, µs: those carry event time, which may be ahead, and starts of
 * sessions count backwards from the year 2101 (workers/scylla/encoder.ts). Only rows that were found are deleted with it, so
 * that it hides nothing that comes later under another key.
 */
const LATEST_STAMP = types.Long.fromNumber(10_000_000_000_000 + Date.UTC(2101, 0, 1) * 1000);

const PAGE = 1000;
/** Rows of one batch; they share a partition. */
const BATCH = 50;

export async function purgeScylla(config: Config, tenant: string): Promise<PurgeStore> {
  const client = await scyllaClient(config.scylla);
  try {
    const { keyspace } = config.scylla;
    await client.metadata.refreshKeyspace(keyspace);
    const columns = (await client.metadata.getTable(keyspace, 'flows'))?.columnsByName ?? {};
    return new ScyllaPurge(client, keyspace, tenant, Object.hasOwn(columns, 'bucket'));
  } catch (error) {
    await client.shutdown();
    throw error;
  }
}

type Row = Readonly<Record<string, unknown>>;

class ScyllaPurge implements PurgeStore {
  readonly name = 'scylla';
  private readonly client: Client;
  private readonly keyspace: string;
  private readonly tenant: types.Uuid;
  private readonly bucketed: boolean;

  constructor(client: Client, keyspace: string, tenant: string, bucketed: boolean) {
    this.client = client;
    this.keyspace = keyspace;
    this.tenant = types.Uuid.fromString(tenant);
    this.bucketed = bucketed;
  }

  async held() {
    return [
      { table: 'flows', count: await counted(this.flows()), unit: 'partitions' as const },
      { table: 'sessions', count: await counted(this.sessions()), unit: 'rows' as const },
      { table: 'tunnel_stats', count: await counted(this.tunnels()), unit: 'rows' as const },
    ];
  }

  async remove(): Promise<void> {
    const { keyspace } = this;
    const bucket = this.bucketed ? ' AND bucket = ?' : '';
    for await (const { pop_id, bucket: start } of this.flows())
      await this.write(`DELETE FROM ${keyspace}.flows WHERE tenant_id = ? AND pop_id = ?${bucket}`, [
        this.tenant,
        pop_id,
        ...(this.bucketed ? [start] : []),
      ]);
    await this.removeRows(
      `DELETE FROM ${keyspace}.sessions USING TIMESTAMP ? WHERE tenant_id = ? AND session_id = ?`,
      this.sessions(),
      () => '',
      ({ session_id }) => [LATEST_STAMP, this.tenant, session_id],
    );
    await this.removeRows(
      `DELETE FROM ${keyspace}.tunnel_stats USING TIMESTAMP ? WHERE tunnel_id = ? AND timestamp = ?`,
      this.tunnels(),
      ({ tunnel_id }) => String(tunnel_id),
      ({ tunnel_id, timestamp }) => [LATEST_STAMP, tunnel_id, timestamp],
    );
  }

  async close(): Promise<void> {
    await this.client.shutdown();
  }

  /** Keys of the tenant's partitions. */
  private async *flows(): AsyncGenerator<Row> {
    const key = this.bucketed ? 'tenant_id, pop_id, bucket' : 'tenant_id, pop_id';
    for await (const row of this.read(`SELECT DISTINCT ${key} FROM ${this.keyspace}.flows`, []))
      if (this.tenant.equals(row.tenant_id as types.Uuid)) yield row;
  }

  private sessions(): AsyncGenerator<Row> {
    return this.read(`SELECT session_id FROM ${this.keyspace}.sessions WHERE tenant_id = ?`, [this.tenant]);
  }

  private async *tunnels(): AsyncGenerator<Row> {
    const sql = `SELECT tunnel_id, timestamp, tenant_id FROM ${this.keyspace}.tunnel_stats`;
    for await (const row of this.read(sql, []))
      if (row.tenant_id !== null && this.tenant.equals(row.tenant_id as types.Uuid)) yield row;
  }

  private async *read(query: string, parameters: readonly unknown[]): AsyncGenerator<Row> {
    let pageState: string | undefined;
    do {
      const options = { prepare: true, fetchSize: PAGE, pageState, consistency: types.consistencies.localQuorum };
      const page = await this.client.execute(query, [...parameters], options);
      yield* page.rows as unknown as Row[];
      pageState = page.pageState ?? undefined;
    } while (pageState !== undefined);
  }

  private async removeRows(
    query: string,
    rows: AsyncGenerator<Row>,
    partitionOf: (row: Row) => string,
    parametersOf: (row: Row) => unknown[],
  ): Promise<void> {
    let batch: { query: string; params: unknown[] }[] = [];
    let partition = '';
    const send = async (): Promise<void> => {
      if (batch.length > 0) await this.client.batch(batch, { prepare: true, logged: false, ...WRITTEN });
      batch = [];
    };
    for await (const row of rows) {
      if (partitionOf(row) !== partition || batch.length >= BATCH) await send();
      partition = partitionOf(row);
      batch.push({ query, params: parametersOf(row) });
    }
    await send();
  }

  private async write(query: string, parameters: unknown[]): Promise<void> {
    await this.client.execute(query, parameters, { prepare: true, ...WRITTEN });
  }
}

/** Every replica that may be asked later must know: a quorum, whatever consistency rows are written with. */
const WRITTEN = { consistency: types.consistencies.localQuorum, isIdempotent: true } as const;

async function counted(rows: AsyncGenerator<unknown>): Promise<number> {
  let count = 0;
  for await (const _ of rows) count++;
  return count;
}

// ClickHouse, embedded or a server: every table of the database that says whose its rows are, targets of views among them.

import { setTimeout as sleep } from 'node:timers/promises';
import { OperationalError } from '../cli/verb.ts';
import type { QueryParameters } from '../sinks/sink.ts';
import type { Held, PurgeStore } from './purge.ts';

export interface Engine {
  rows(query: string, parameters: QueryParameters): Promise<Record<string, unknown>[]>;
  run(query: string, parameters: QueryParameters): Promise<void>;
  close(): Promise<void>;
}

const POLL_MS = 200;

export function purgeTables(name: string, engine: Engine, database: string, tenant: string): PurgeStore {
  const tables = async (): Promise<string[]> => {
    const rows = await engine.rows(
      "SELECT name FROM system.tables WHERE database = {database:String} AND engine LIKE '%MergeTree' AND name IN (SELECT table FROM system.columns WHERE database = {database:String} AND name = 'tenant_id') ORDER BY name",
      { database },
    );
    return rows.map((row) => String(row.name));
  };
  return {
    name,
    async held() {
      const held: Held[] = [];
      for (const table of await tables()) {
        const sql =
          'SELECT toString(count()) AS n FROM {database:Identifier}.{table:Identifier} WHERE tenant_id = {tenant:UUID}';
        const [{ n }] = await engine.rows(sql, { database, table, tenant });
        held.push({ table, count: Number(n), unit: 'rows' });
      }
      return held;
    },
    async remove() {
      const all = await tables();
      // Parts are written anew without the rows. Asked for first and waited for afterwards, so that tables do not wait for each other.
      for (const table of all)
        await engine.run(
          'ALTER TABLE {database:Identifier}.{table:Identifier} DELETE WHERE tenant_id = {tenant:UUID} SETTINGS mutations_sync = 0',
          { database, table, tenant },
        );
      await untilDone(engine, database, all, tenant);
    },
    close: () => engine.close(),
  };
}

/** However long it takes: tables may be large. Throws OperationalError('purge_failed') for one that the server cannot carry out. */
async function untilDone(engine: Engine, database: string, tables: readonly string[], tenant: string): Promise<void> {
  for (let failures = 0; ; await sleep(POLL_MS)) {
    const open = await engine.rows(
      'SELECT table, latest_fail_reason AS reason FROM system.mutations WHERE database = {database:String} AND table IN {tables:Array(String)} AND is_done = 0 AND position(command, {tenant:String}) > 0',
      { database, tables, tenant },
    );
    if (open.length === 0) return;
    const failed = open.find(({ reason }) => String(reason) !== '');
    // A reason may pass (memory, a merge in the way): the server tries again by itself.
    if (failed === undefined) failures = 0;
    else if (++failures * POLL_MS > 60_000)
      throw new OperationalError('purge_failed', `${String(failed.table)} cannot be purged: ${String(failed.reason)}`);
  }
}

// The stores of a configuration, opened for a purge.

import type { Config } from '../config/schema.ts';
import { openDataDirectory } from '../delivery/directory.ts';
import { openChdbStore } from '../sinks/clickhouse/chdb.ts';
import { httpClient } from '../sinks/clickhouse/http.ts';
import { DATABASE } from '../sinks/clickhouse/schema.ts';
import type { PurgeStore } from './purge.ts';
import { type Engine, purgeTables } from './tables.ts';

/** Throws OperationalError: `data_directory_missing`, `data_directory_in_use`, and what opening a store throws. */
export async function openStores(config: Config, tenant: string): Promise<PurgeStore[]> {
  if (config.store.kind === 'servers') {
    const { purgeScylla } = await import('./scylla.ts');
    const scylla = await purgeScylla(config, tenant);
    return [scylla, purgeTables('clickhouse', serverEngine(config), config.clickhouse.database, tenant)];
  }
  return [purgeTables('embedded store', await embeddedEngine(config), DATABASE, tenant)];
}

/** Whoever purges has the directory to himself: a run would go on writing. */
export async function embeddedEngine(config: Config): Promise<Engine> {
  const { root, release } = openDataDirectory(config.data, { create: false });
  try {
    const { memory_bytes: memoryBytes, threads } = config.store;
    const store = await openChdbStore({ directory: root, memoryBytes, threads, retention: config.retention });
    return {
      rows: async (query, parameters) => {
        const text = await store.query(query, 'JSONEachRow', parameters);
        return text
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as Record<string, unknown>);
      },
      run: async (query, parameters) => void (await store.query(query, 'Null', parameters)),
      close: async () => {
        await store.close();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

export function serverEngine({ clickhouse }: Config): Engine {
  // What is asked here may take long, and is asked once.
  const client = httpClient({ ...clickhouse, request_timeout: Math.max(clickhouse.request_timeout, 330_000) });
  return {
    rows: async (query, parameters) =>
      (await client.query({ query, format: 'JSONEachRow', query_params: parameters })).json(),
    run: async (query, parameters) => void (await client.command({ query, query_params: parameters })),
    close: () => client.close(),
  };
}

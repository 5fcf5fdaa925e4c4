// Where the reading verbs find what a run has stored: in the data directory, or, with store.kind: servers, in ClickHouse.

import type { Config } from '../config/schema.ts';
import { openHttpReader } from '../sinks/clickhouse/http.ts';
import { openReader } from '../sinks/clickhouse/reader.ts';
import { tablesRead } from '../sinks/clickhouse/sql.ts';
import type { QueryParameters, Reader } from '../sinks/sink.ts';
import { loadForVerb } from './prepare.ts';
import { OperationalError, SET_OPTION, type Values } from './verb.ts';

export const DATA_OPTIONS = {
  data: {
    type: 'string',
    argument: 'DIR',
    help: 'data directory (default: WEIR_DATA, else data of the configuration, else weir-data)',
  },
  config: {
    type: 'string',
    argument: 'FILE',
    help: 'configuration that names the data directory, or servers with store.kind: servers (default ./weir.yaml if there is one)',
  },
  set: SET_OPTION,
} as const;

/** Servers (by their configuration) or a data directory. */
export type Place = { readonly servers: Config } | { readonly servers: null; readonly directory: string };

/** Named by --data, no configuration is read: a broken one must not keep anybody from looking at what is stored. */
export async function placeOf(values: Values): Promise<Place> {
  if (typeof values.data === 'string' && values.set === undefined) return { servers: null, directory: values.data };
  const { config } = await loadForVerb(values);
  return config.store.kind === 'servers' ? { servers: config } : { servers: null, directory: config.data };
}

/** Runs `use` with a reader of what the options name; `directory` is '' for servers. */
export async function withReader<T>(
  values: Values,
  use: (reader: Reader, directory: string) => Promise<T>,
): Promise<T> {
  const place = await placeOf(values);
  const directory = place.servers ? '' : place.directory;
  const reader = place.servers ? serverReader(place.servers) : await openReader(directory);
  try {
    return await use(reader, directory);
  } finally {
    await reader.close();
  }
}

/** Refuses tables that exist in ClickHouse and are empty there: no rows would be taken for nothing having happened. */
function serverReader(config: Config): Reader {
  const reader = openHttpReader(config.clickhouse);
  return {
    query: async (sql, format, parameters) => {
      for (const { database, table } of tablesRead(sql)) {
        if (database !== '' && database !== config.clickhouse.database) continue;
        const where = storedElsewhere(table, config);
        if (where !== '') throw new OperationalError('stored_elsewhere', where);
      }
      return reader.query(sql, format, parameters);
    },
    close: () => reader.close(),
  };
}

/** Records come from Kafka, and refused ones go there. */
export function hasTopics({ sources }: Config): boolean {
  return sources.some(({ topic }) => topic !== '');
}

/** '' for tables that ClickHouse has rows of. */
function storedElsewhere(table: string, config: Config): string {
  const { scylla, kafka, clickhouse } = config;
  const place = `ScyllaDB (keyspace ${scylla.keyspace}), and this reads ClickHouse`;
  switch (table) {
    case 'flows':
      return `with store.kind: servers, flows are in ${place}: look one tenant and PoP up with cqlsh (SELECT … FROM ${scylla.keyspace}.flows WHERE tenant_id = … AND pop_id = '…'), or sum over traffic_analytics here.`;
    case 'sessions':
    case 'session_events':
      return `with store.kind: servers, sessions are in ${place}: look a tenant's up with cqlsh (SELECT … FROM ${scylla.keyspace}.sessions WHERE tenant_id = …).`;
    case 'tunnel_stats':
      return `with store.kind: servers, tunnel statistics are in ${place}: look a tunnel's up with cqlsh (SELECT … FROM ${scylla.keyspace}.tunnel_stats WHERE tunnel_id = …).`;
    case 'rejects':
      return hasTopics(config)
        ? `refused records are in the topic ${kafka.prefix}dead-letters: 'weir rejects list' reads it.`
        : '';
    case 'logs':
      return clickhouse.store_logs
        ? ''
        : 'log events are not stored with store.kind: servers unless clickhouse.store_logs is true.';
    default:
      return '';
  }
}

/** Rows of a query as objects. 64-bit numbers must be made strings or small in the SQL. */
export async function rowsOf<T>(reader: Reader, sql: string, parameters?: QueryParameters): Promise<T[]> {
  return JSON.parse((await reader.query(sql, 'JSONEachRow', parameters)).trim() || '[]') as T[];
}

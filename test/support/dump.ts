// Everything a data directory holds, in canonical order and without ingestion times: two equal runs give equal dumps.
// Child process (chDB allows one directory a process): node dump.js DIR → JSON {table: rows}.

import { TABLES, type TableName } from '../../src/model/tables.ts';
import { openReader } from '../../src/sinks/clickhouse/reader.ts';

export type Dump = Record<TableName, readonly Record<string, unknown>[]>;

/** Rollups are further rows for late arrivals: they count summed by key. */
const SUMMED = `SELECT tenant_id, pop_id, timestamp, application, category, sum(total_bytes) AS bytes, sum(total_requests) AS requests,
  sum(blocked_requests) AS blocked FROM traffic_analytics GROUP BY ALL ORDER BY ALL`;

const reader = await openReader(process.argv[2]);
const dump: Record<string, unknown> = {};
for (const table of Object.keys(TABLES) as TableName[]) {
  const columns = TABLES[table].map((column) => `\`${column.name}\``).join(', ');
  const sql = table === 'traffic_analytics' ? SUMMED : `SELECT ${columns} FROM ${table} ORDER BY ALL`;
  const text = await reader.query(sql, 'JSONEachRow');
  dump[table] = JSON.parse(text) as unknown; // the reader gives JSONEachRow as one array
}
await reader.close();
await new Promise((resolve) => process.stdout.write(JSON.stringify(dump), resolve));

// The numbered DDL of schema/clickhouse, applied forward. What was applied stands in the table `schema_version`.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OperationalError } from '../../cli/verb.ts';
import type { TableName } from '../../model/tables.ts';
import { PACKAGE_ROOT } from '../../root.ts';
import { splitStatements } from './sql.ts';

export const DATABASE = 'weir';

/**
 * Days that rows are kept after their ingestion; 0 = for ever; absent = as the DDL has it. `sessions` stands for
 * session_events, and alerts are kept as long as threat_analytics unless they have a value of their own.
 */
export type Retention = Readonly<Partial<Record<TableName | 'sessions', number>>>;

export interface SchemaRunner {
  run(statement: string): Promise<void>;
  /** JSON rows (JSONEachRow). */
  rows(query: string): Promise<Record<string, unknown>[]>;
}

const SCHEMA_FOLDER = join(PACKAGE_ROOT, 'schema', 'clickhouse');

/** Creates or completes the schema. Throws OperationalError('schema_mismatch') for a database of a newer Weir. */
export async function migrate(runner: SchemaRunner, retention: Retention, folder = SCHEMA_FOLDER): Promise<void> {
  await runner.run(`CREATE DATABASE IF NOT EXISTS ${DATABASE}`);
  await runner.run(`USE ${DATABASE}`);
  await runner.run(
    'CREATE TABLE IF NOT EXISTS schema_version (version UInt32, file String, applied_at DateTime DEFAULT now()) ENGINE = MergeTree ORDER BY version',
  );
  const files = await schemaFiles(folder);
  const newest = files.at(-1)?.version ?? 0;
  const [row] = await runner.rows('SELECT toUInt32(max(version)) AS version FROM schema_version');
  const applied = Number(row.version);
  if (applied > newest)
    throw new OperationalError(
      'schema_mismatch',
      `the data was written by a newer Weir (schema ${applied}, this one knows ${newest}): use that version, or another data directory.`,
    );
  for (const { version, file } of files) {
    if (version <= applied) continue;
    const script = await readFile(join(folder, file), 'utf8');
    for (const statement of splitStatements(script)) await runner.run(statement); // repeatable: a kill in between is harmless
    // SELECT, never VALUES: after those the embedded engine goes on reading rows from the process's standard input.
    await runner.run(
      `INSERT INTO schema_version (version, file) SELECT ${version}, '${file}' SETTINGS async_insert = 0`,
    );
  }
  await applyRetention(runner, retention);
}

async function schemaFiles(folder: string): Promise<{ version: number; file: string }[]> {
  const files = (await readdir(folder)).filter((file) => /^\d{3}_[a-z_]+\.sql$/.test(file)).sort();
  return files.map((file) => ({ version: Number(file.slice(0, 3)), file }));
}

async function applyRetention(runner: SchemaRunner, retention: Retention): Promise<void> {
  const tables = await runner.rows(
    `SELECT name, extract(engine_full, 'TTL ingested_at \\\\+ toIntervalSecond\\\\((\\\\d+)\\\\)') AS seconds FROM system.tables WHERE database = '${DATABASE}' AND engine = 'MergeTree'`,
  );
  for (const { name, seconds } of tables) {
    const days = daysOf(retention, String(name));
    if (days === undefined) continue;
    const wanted = days === 0 ? '' : String(Math.round(days * 86_400));
    if (wanted === seconds) continue;
    const change = wanted === '' ? 'REMOVE TTL' : `MODIFY TTL ingested_at + toIntervalSecond(${wanted})`;
    await runner.run(`ALTER TABLE ${name} ${change} SETTINGS materialize_ttl_after_modify = 0`);
  }
}

function daysOf(retention: Retention, table: string): number | undefined {
  if (table === 'session_events') return retention.session_events ?? retention.sessions;
  if (table === 'alerts') return retention.alerts ?? retention.threat_analytics;
  return Object.hasOwn(retention, table) ? retention[table as TableName] : undefined;
}

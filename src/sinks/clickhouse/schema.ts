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
  /** Makes the database unless it is there; what follows happens in it. */
  enter(database: string): Promise<void>;
  run(statement: string): Promise<void>;
  /** JSON rows (JSONEachRow). */
  rows(query: string): Promise<Record<string, unknown>[]>;
}

export const SCHEMA_FOLDER = join(PACKAGE_ROOT, 'schema', 'clickhouse');

/**
 * Creates or completes the schema; returns the files that were applied. Throws OperationalError('schema_mismatch') for a
 * database of a newer Weir.
 */
export async function migrate(
  runner: SchemaRunner,
  retention: Retention,
  { database = DATABASE, folder = SCHEMA_FOLDER } = {},
): Promise<string[]> {
  await runner.enter(database);
  await runner.run(
    'CREATE TABLE IF NOT EXISTS schema_version (version UInt32, file String, applied_at DateTime DEFAULT now()) ENGINE = MergeTree ORDER BY version',
  );
  const files = await schemaFiles(folder);
  const applied = await appliedVersion(runner.rows.bind(runner), files);
  const done: string[] = [];
  for (const { version, file } of files) {
    if (version <= applied) continue;
    done.push(file);
    const script = await readFile(join(folder, file), 'utf8');
    for (const statement of splitStatements(script)) await runner.run(statement); // repeatable: a kill in between is harmless
    // SELECT, never VALUES: after those the embedded engine goes on reading rows from the process's standard input.
    await runner.run(
      `INSERT INTO schema_version (version, file) SELECT ${version}, '${file}' SETTINGS async_insert = 0`,
    );
  }
  await applyRetention(runner, retention, database);
  return done;
}

type Rows = SchemaRunner['rows'];

async function appliedVersion(rows: Rows, files: readonly SchemaFile[]): Promise<number> {
  const [row] = await rows('SELECT toUInt32(max(version)) AS version FROM schema_version');
  const applied = Number(row.version);
  const newest = files.at(-1)?.version ?? 0;
  if (applied > newest)
    throw new OperationalError(
      'schema_mismatch',
      `the data was written by a newer Weir (schema ${applied}, this one knows ${newest}): use that version, or another data directory.`,
    );
  return applied;
}

/** Files that a server's schema lacks. */
export async function outstanding(rows: Rows, database: string, folder = SCHEMA_FOLDER): Promise<readonly string[]> {
  const files = await schemaFiles(folder);
  const tables = await rows(
    `SELECT name FROM system.tables WHERE database = '${database}' AND name = 'schema_version'`,
  );
  if (tables.length === 0) return files.map(({ file }) => file);
  const applied = await appliedVersion(rows, files);
  return files.filter(({ version }) => version > applied).map(({ file }) => file);
}

/** Throws OperationalError: `schema_outdated` when `weir migrate` has something to do, `schema_mismatch`. */
export async function checkSchema(rows: Rows, database: string): Promise<void> {
  const lacking = await outstanding(rows, database);
  if (lacking.length > 0)
    throw new OperationalError(
      'schema_outdated',
      `ClickHouse's database ${database} lacks ${lacking.join(', ')}: run 'weir migrate'.`,
    );
}

interface SchemaFile {
  readonly version: number;
  readonly file: string;
}

async function schemaFiles(folder: string): Promise<SchemaFile[]> {
  const files = (await readdir(folder)).filter((file) => /^\d{3}_[a-z_]+\.sql$/.test(file)).sort();
  return files.map((file) => ({ version: Number(file.slice(0, 3)), file }));
}

async function applyRetention(runner: SchemaRunner, retention: Retention, database: string): Promise<void> {
  const tables = await runner.rows(
    `SELECT name, extract(engine_full, 'TTL ingested_at \\\\+ toIntervalSecond\\\\((\\\\d+)\\\\)') AS seconds FROM system.tables WHERE database = '${database}' AND engine LIKE '%MergeTree'`,
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

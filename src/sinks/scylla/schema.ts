// The numbered DDL of schema/scylla, applied forward. What was applied stands in the table `schema_version` of the keyspace; a row
// there, written only if it is absent, keeps two runners apart.

import { readdir, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Client } from 'cassandra-driver';
import { OperationalError } from '../../cli/verb.ts';
import { PACKAGE_ROOT } from '../../root.ts';

const FOLDER = join(PACKAGE_ROOT, 'schema', 'scylla');
/** A runner that died lets go after so long, s. */
const LOCK_SECONDS = 120;

export interface ScyllaSchemaOptions {
  readonly keyspace: string;
  readonly localDataCenter: string;
  /** Where the keyspace is made. */
  readonly replication: number;
  readonly bucketed: boolean;
  /** Days by table; 0 keeps for ever. */
  readonly retention: Readonly<Record<'flows' | 'sessions' | 'tunnel_stats', number>>;
}

interface Step {
  readonly version: number;
  readonly file: string;
  readonly statements: readonly string[];
}

/** Files that the keyspace lacks. */
export async function scyllaOutstanding(client: Client, options: ScyllaSchemaOptions): Promise<readonly string[]> {
  const steps = await stepsOf(options);
  const { rows } = await client.execute(
    'SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?',
    [options.keyspace],
    { prepare: true },
  );
  if (!rows.some((row) => row.table_name === 'schema_version')) return steps.map(({ file }) => file);
  const applied = await appliedVersions(client, options.keyspace);
  const newest = Math.max(0, ...applied);
  if (newest > steps.length)
    throw new OperationalError(
      'schema_mismatch',
      `the keyspace ${options.keyspace} was made by a newer Weir (schema ${newest}): use that version.`,
    );
  return steps.filter(({ version }) => !applied.has(version)).map(({ file }) => file);
}

/**
 * Creates or completes the keyspace; returns the files that were applied. Throws OperationalError: `migration_running`,
 * `schema_mismatch`.
 */
export async function migrateScylla(client: Client, options: ScyllaSchemaOptions): Promise<string[]> {
  const { keyspace, localDataCenter, replication } = options;
  await client.execute(
    `CREATE KEYSPACE IF NOT EXISTS ${keyspace} WITH replication = {'class': 'NetworkTopologyStrategy', '${localDataCenter.replaceAll("'", "''")}': ${replication}}`,
  );
  await client.execute(
    `CREATE TABLE IF NOT EXISTS ${keyspace}.schema_version (version INT PRIMARY KEY, file TEXT, applied_at TIMESTAMP)`,
  );
  await lock(client, keyspace);
  try {
    const applied = await appliedVersions(client, keyspace);
    const done: string[] = [];
    for (const { version, file, statements } of await stepsOf(options)) {
      if (applied.has(version)) continue;
      for (const statement of statements) await client.execute(statement); // repeatable: a kill in between is harmless
      await client.execute(
        `INSERT INTO ${keyspace}.schema_version (version, file, applied_at) VALUES (?, ?, toTimestamp(now()))`,
        [version, file],
        { prepare: true },
      );
      done.push(file);
    }
    for (const [table, days] of Object.entries(options.retention))
      await client.execute(`ALTER TABLE ${keyspace}.${table} WITH default_time_to_live = ${Math.round(days * 86_400)}`);
    return done;
  } finally {
    await client
      .execute(`DELETE FROM ${keyspace}.schema_version WHERE version = ${LOCK_ROW} IF EXISTS`)
      .catch(() => {});
  }
}

/** The version that stands for the lock. */
const LOCK_ROW = -1;

async function lock(client: Client, keyspace: string): Promise<void> {
  const owner = `${hostname()} ${process.pid}`;
  const { rows } = await client.execute(
    `INSERT INTO ${keyspace}.schema_version (version, file, applied_at) VALUES (${LOCK_ROW}, ?, toTimestamp(now())) IF NOT EXISTS USING TTL ${LOCK_SECONDS}`,
    [owner],
    { prepare: true },
  );
  const [answer] = rows as unknown as { '[applied]': boolean; file?: string }[];
  if (answer['[applied]']) return;
  throw new OperationalError(
    'migration_running',
    `another 'weir migrate' is at work (${answer.file}); wait for it, at most ${LOCK_SECONDS} s if it has died.`,
  );
}

async function appliedVersions(client: Client, keyspace: string): Promise<ReadonlySet<number>> {
  const { rows } = await client.execute(`SELECT version FROM ${keyspace}.schema_version`);
  return new Set(rows.map((row) => Number(row.version)).filter((version) => version > 0));
}

async function stepsOf({ keyspace, bucketed }: ScyllaSchemaOptions): Promise<Step[]> {
  const files = (await readdir(FOLDER)).filter((file) => /^\d{3}_[a-z_]+\.cql$/.test(file)).sort();
  return Promise.all(
    files.map(async (file) => {
      const text = (await readFile(join(FOLDER, file), 'utf8'))
        .replaceAll(/^--.*$/gm, '')
        .replaceAll('{keyspace}', keyspace)
        .replaceAll('{bucket}', bucketed ? 'bucket TIMESTAMP,' : '')
        .replaceAll('{bucket_key}', bucketed ? ', bucket' : '');
      const statements = text.split(';').map((statement) => statement.trim());
      return {
        version: Number(file.slice(0, 3)),
        file,
        statements: statements.filter((statement) => statement !== ''),
      };
    }),
  );
}

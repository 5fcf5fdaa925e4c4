// ScyllaDB or Cassandra: reachable, up to date, and keeping what it acknowledged.

import type { Client } from 'cassandra-driver';
import type { Config } from '../config/schema.ts';
import { scyllaClient } from '../sinks/scylla/client.ts';
import { type ScyllaSchemaOptions, scyllaOutstanding } from '../sinks/scylla/schema.ts';
import { checkAccess } from './access.ts';
import { type Check, checkClock, Findings } from './check.ts';
import { checkFlowKey, type FlowRate } from './flow-key.ts';

export async function examineScylla(
  config: Config,
  schema: ScyllaSchemaOptions,
  rate: FlowRate | null,
): Promise<readonly Check[]> {
  const { scylla } = config;
  const findings = new Findings('scylla');
  if (scylla.contact_points.length === 0) {
    findings.problem('reachable', 'scylla.contact_points names no node', 'name at least one node.');
    return findings.checks;
  }
  let client: Client;
  try {
    client = await scyllaClient(scylla);
  } catch (error) {
    const { message } = error as Error;
    const todo = /auth|credentials/i.test(message)
      ? 'see scylla.username and WEIR_SCYLLA_PASSWORD.'
      : 'see scylla.contact_points, scylla.local_data_center, the nodes, and what lies between.';
    findings.problem('reachable', message.replace(/\s+/g, ' '), todo);
    return findings.checks;
  }
  try {
    const settings = await settingsOf(client);
    await findings.attempt('nodes', () => nodes(findings, client, scylla.local_data_center));
    const open = scylla.username === '' || /AllowAll/.test(settings.get('authenticator') ?? '');
    const { username, password, tls } = scylla;
    const hosts = scylla.contact_points;
    checkAccess(findings, {
      username,
      password,
      hosts,
      open,
      encrypted: tls.enabled,
      variable: 'WEIR_SCYLLA_PASSWORD',
    });
    await checkClock(findings, 'the node asked', async () => {
      const { rows } = await client.execute('SELECT toTimestamp(now()) AS now FROM system.local');
      return (rows[0].now as Date).getTime();
    });
    await findings.attempt('schema', async () => {
      const lacking = await scyllaOutstanding(client, schema);
      if (lacking.length === 0) findings.ok('schema', `keyspace ${schema.keyspace} is up to date`);
      else findings.problem('schema', `keyspace ${schema.keyspace} lacks ${lacking.join(', ')}`, "run 'weir migrate'.");
    });
    const replicas = await replicasOf(client, schema.keyspace, scylla.local_data_center);
    replication(findings, replicas, scylla);
    durability(findings, settings, replicas.count);
    batches(findings, settings, scylla.batch_bytes);
    await findings.attempt('retention', () => retention(findings, client, schema));
    await findings.attempt('flow key', () => flowKey(findings, client, config, rate));
    await findings.attempt('permissions', () => permissions(findings, client, schema));
  } finally {
    await client.shutdown();
  }
  return findings.checks;
}

/** Settings of the node asked: Cassandra shows them in a virtual table, ScyllaDB in another. */
async function settingsOf(client: Client): Promise<ReadonlyMap<string, string>> {
  for (const table of ['system_views.settings', 'system.config']) {
    try {
      const { rows } = await client.execute(`SELECT name, value FROM ${table}`);
      return new Map(rows.map((row) => [String(row.name), String(row.value).replace(/^"|"$/g, '')]));
    } catch {
      // The other server's name for it, or a right that is missing: what depends on it says so.
    }
  }
  return new Map();
}

async function nodes(findings: Findings, client: Client, dataCenter: string): Promise<void> {
  const { rows } = await client.execute('SELECT release_version, cluster_name FROM system.local');
  const hosts = client.hosts.values();
  const versions = [...new Set(hosts.map(({ cassandraVersion }) => cassandraVersion))];
  findings.ok('reachable', `cluster ${rows[0].cluster_name} answers`);
  if (Number(String(rows[0].release_version).split('.')[0]) >= 3)
    findings.ok('version', `release ${versions.join(', ')} (ScyllaDB counts as Cassandra's release)`);
  else findings.problem('version', `release ${rows[0].release_version}`, 'use ScyllaDB 5 or Cassandra 4 or newer.');
  const local = hosts.filter(({ datacenter }) => datacenter === dataCenter);
  const down = local.filter((host) => !host.isUp());
  const text = `${local.length - down.length} of ${local.length} nodes of ${dataCenter} are up`;
  if (down.length === 0) findings.ok('nodes', text);
  else findings.warning('nodes', text, `bring ${down.map(({ address }) => address).join(', ')} back.`);
  const peers = await client.execute('SELECT schema_version FROM system.peers');
  const own = await client.execute('SELECT schema_version FROM system.local');
  const schemas = new Set([...own.rows, ...peers.rows].map((row) => String(row.schema_version)));
  if (schemas.size === 1) findings.ok('schema agreement', 'the nodes agree on the schema');
  else
    findings.warning(
      'schema agreement',
      'the nodes disagree on the schema',
      'wait; then see nodetool describecluster.',
    );
}

interface Replicas {
  /** In the data centre that is asked; 0 where the keyspace is not there. */
  readonly count: number;
  readonly durableWrites: boolean;
}

async function replicasOf(client: Client, keyspace: string, dataCenter: string): Promise<Replicas> {
  const { rows } = await client.execute(
    'SELECT durable_writes, replication FROM system_schema.keyspaces WHERE keyspace_name = ?',
    [keyspace],
    { prepare: true },
  );
  if (rows.length === 0) return { count: 0, durableWrites: true };
  const replication = rows[0].replication as Record<string, string>;
  return {
    count: Number(replication[dataCenter] ?? replication.replication_factor ?? 0),
    durableWrites: rows[0].durable_writes !== false,
  };
}

function replication(findings: Findings, { count, durableWrites }: Replicas, scylla: Config['scylla']): void {
  if (count === 0) {
    findings.unchecked('replication', `keyspace ${scylla.keyspace} is not there yet`, "run 'weir migrate'.");
    return;
  }
  if (!durableWrites)
    findings.problem(
      'durable writes',
      'the keyspace bypasses the commit log',
      'ALTER KEYSPACE … WITH durable_writes = true.',
    );
  const text = `${count} replicas in ${scylla.local_data_center}, written with consistency ${scylla.consistency}`;
  const one = scylla.consistency === 'one' || scylla.consistency === 'local_one';
  if (count < 3)
    findings.warning(
      'replication',
      `${text}: ${count === 1 ? 'a node that is down stops flows, and its disk is the only one' : 'with one node down, a quorum is not reached'}`,
      'ALTER KEYSPACE … WITH replication of 3, then nodetool repair.',
    );
  else if (one)
    findings.warning(
      'replication',
      `${text}: one node may die with what it alone has acknowledged`,
      'set scylla.consistency: local_quorum.',
    );
  else findings.ok('replication', text);
}

function durability(findings: Findings, settings: ReadonlyMap<string, string>, replicas: number): void {
  const sync = settings.get('commitlog_sync');
  if (sync === undefined) {
    findings.unchecked(
      'durability',
      'commitlog_sync cannot be read',
      'look for it in scylla.yaml: batch, or three replicas.',
    );
    return;
  }
  const text = `commitlog_sync is ${sync}`;
  if (sync !== 'periodic') findings.ok('durability', `${text}: what was acknowledged is on the disk`);
  else if (replicas === 1)
    findings.problem(
      'durability',
      `${text} and there is one replica: a killed node loses flows of its last seconds that it acknowledged`,
      'set commitlog_sync: batch, or have three replicas.',
    );
  else findings.ok('durability', `${text}: only nodes that die together lose what they acknowledged`);
}

function batches(findings: Findings, settings: ReadonlyMap<string, string>, configured: number): void {
  const warn = sizeOf(settings, 'batch_size_warn_threshold');
  const fail = sizeOf(settings, 'batch_size_fail_threshold');
  if (fail === null) {
    findings.unchecked('batches', 'batch_size_fail_threshold cannot be read');
    return;
  }
  const text = `batches of ${configured} bytes; the server refuses above ${fail}${warn === null ? '' : ` and warns above ${warn}`}`;
  if (configured > fail) findings.problem('batches', text, 'lower scylla.batch_bytes.');
  else if (warn !== null && configured > warn * 1.1)
    findings.warning(
      'batches',
      `${text}: its log fills`,
      'raise batch_size_warn_threshold, or lower scylla.batch_bytes.',
    );
  else findings.ok('batches', text);
}

/** `5KiB`, or a number of KiB under the older name. */
function sizeOf(settings: ReadonlyMap<string, string>, name: string): number | null {
  const text = settings.get(name) ?? '';
  const [, digits, unit = 'B'] = /^(\d+)(B|KiB|MiB)?$/.exec(text) ?? [];
  if (digits !== undefined) return Number(digits) * { B: 1, KiB: 1024, MiB: 1 << 20 }[unit as 'B' | 'KiB' | 'MiB'];
  const older = settings.get(`${name}_in_kb`);
  return older !== undefined && /^\d+$/.test(older) ? Number(older) * 1024 : null;
}

async function retention(findings: Findings, client: Client, schema: ScyllaSchemaOptions): Promise<void> {
  const { rows } = await client.execute(
    'SELECT table_name, default_time_to_live FROM system_schema.tables WHERE keyspace_name = ?',
    [schema.keyspace],
    { prepare: true },
  );
  const wrong = Object.entries(schema.retention).filter(([table, days]) => {
    const found = rows.find((row) => row.table_name === table);
    return found !== undefined && Number(found.default_time_to_live) !== Math.round(days * 86_400);
  });
  if (wrong.length === 0) findings.ok('retention', 'tables keep rows for as long as the configuration says');
  else
    findings.warning(
      'retention',
      `${wrong.map(([table]) => table).join(', ')} ${wrong.length === 1 ? 'keeps' : 'keep'} rows for another time than the configuration says`,
      "run 'weir migrate'; rows that are there keep the time that they were given.",
    );
}

async function flowKey(findings: Findings, client: Client, config: Config, rate: FlowRate | null): Promise<void> {
  const { keyspace, flow_bucket: bucketMs } = config.scylla;
  const { rows } = await client.execute(
    "SELECT kind FROM system_schema.columns WHERE keyspace_name = ? AND table_name = 'flows' AND column_name = 'bucket'",
    [keyspace],
    { prepare: true },
  );
  const table = await client.metadata.getTable(keyspace, 'flows');
  if (table && rows.length > 0 !== bucketMs > 0)
    findings.problem(
      'flow key',
      `the table has ${rows.length > 0 ? 'a' : 'no'} time bucket in its key, and scylla.flow_bucket says ${bucketMs > 0 ? 'there is one' : 'there is none'}`,
      'set scylla.flow_bucket as the table has it, or migrate a new keyspace.',
    );
  checkFlowKey(findings, { bucketMs, retentionDays: config.retention.flows, rate });
}

/** Conditional deletions of rows that cannot be: nothing is written, and the right to write is needed all the same. */
async function permissions(findings: Findings, client: Client, schema: ScyllaSchemaOptions): Promise<void> {
  const { keyspace } = schema;
  const nobody = '00000000-0000-0000-0000-000000000000';
  const bucket = schema.bucketed ? ' AND bucket = 0' : '';
  const probes = {
    flows: `tenant_id = ${nobody} AND pop_id = ''${bucket} AND timestamp = 0 AND flow_id = ${nobody}`,
    sessions: `tenant_id = ${nobody} AND session_id = ${nobody}`,
    tunnel_stats: `tunnel_id = ${nobody} AND timestamp = 0`,
  };
  const refused: string[] = [];
  for (const [table, where] of Object.entries(probes)) {
    try {
      await client.execute(`SELECT tenant_id FROM ${keyspace}.${table} LIMIT 1`);
      await client.execute(`DELETE FROM ${keyspace}.${table} WHERE ${where} IF EXISTS`);
    } catch (error) {
      if (!/Unauthorized|permission/i.test(String(error))) throw error;
      refused.push(table);
    }
  }
  if (refused.length === 0) findings.ok('permissions', 'the user may read and write all three tables');
  else
    findings.problem(
      'permissions',
      `the user may not read and write ${refused.join(', ')}`,
      `GRANT SELECT, MODIFY ON KEYSPACE ${keyspace} TO that user.`,
    );
}

// ClickHouse: reachable, up to date, set so that a block counts once and stays.

import type { Config } from '../config/schema.ts';
import { httpClient } from '../sinks/clickhouse/http.ts';
import { outstanding } from '../sinks/clickhouse/schema.ts';
import { checkAccess } from './access.ts';
import { type Check, checkClock, Findings, bytes as inBytes } from './check.ts';
import type { FlowRate } from './flow-key.ts';

/** Tables that runs write to, and the targets of views on them: all must know the tokens of a rewind. */
const TABLES = ['traffic_analytics', 'threat_analytics', 'alerts', 'traffic_analytics_5m', 'traffic_analytics_1h'];
const VIEWS = ['traffic_analytics_to_5m', 'traffic_analytics_to_1h'];

export interface ClickhouseReport {
  readonly checks: readonly Check[];
  /** The busiest tenant and PoP of the last hour that has any flows; null when none is known. */
  readonly rate: FlowRate | null;
}

export async function examineClickhouse(config: Config, lanes: number): Promise<ClickhouseReport> {
  const { clickhouse: settings } = config;
  const findings = new Findings('clickhouse');
  if (settings.url === '') {
    findings.problem(
      'reachable',
      'clickhouse.url is not set',
      'name the server: clickhouse.url: http://clickhouse:8123.',
    );
    return { checks: findings.checks, rate: null };
  }
  const { protocol, hostname } = new URL(settings.url);
  const { username, password } = settings;
  const variable = 'WEIR_CLICKHOUSE_PASSWORD';
  const open = password === '';
  const client = httpClient({ ...settings, request_timeout: Math.min(settings.request_timeout, 15_000) }, 'default');
  const ask: Ask = async (query, parameters = {}) =>
    (await client.query({ query, format: 'JSONEachRow', query_params: parameters })).json();
  const may: May = async (query) => {
    const { stream } = await client.exec({ query }); // CHECK GRANT takes no FORMAT
    const chunks = (await stream.toArray()) as Buffer[];
    return Buffer.concat(chunks).toString().trim() === '1';
  };
  try {
    if (!(await isReachable(findings, settings, ask))) return { checks: findings.checks, rate: null };
    checkAccess(findings, { username, password, variable, open, encrypted: protocol === 'https:', hosts: [hostname] });
    await checkClock(findings, 'ClickHouse', async () => {
      const [{ ms }] = await ask('SELECT toString(toUnixTimestamp64Milli(now64(3))) AS ms');
      return Number(ms);
    });
    await findings.attempt('schema', () => schema(findings, settings.database, ask));
    await findings.attempt('deduplication', () => deduplication(findings, config, lanes, ask));
    await findings.attempt('views', () => views(findings, settings.database, ask));
    await findings.attempt('block settings', () => blockSettings(findings, ask));
    await findings.attempt('durability', () => durability(findings, settings.database, ask));
    await findings.attempt('permissions', () => permissions(findings, settings.database, may));
    await findings.attempt('disk', () => disks(findings, ask));
    await findings.attempt('parts', () => parts(findings, settings.database, ask));
    return { checks: findings.checks, rate: await observedRate(settings.database, ask) };
  } finally {
    await client.close();
  }
}

type Row = Readonly<Record<string, string>>;
type Ask = (query: string, parameters?: Readonly<Record<string, unknown>>) => Promise<Row[]>;

type May = (query: string) => Promise<boolean>;

async function isReachable(findings: Findings, settings: Config['clickhouse'], ask: Ask): Promise<boolean> {
  try {
    const [{ version, zone }] = await ask('SELECT version() AS version, serverTimezone() AS zone');
    findings.ok('reachable', `ClickHouse at ${settings.url} answers '${settings.username}'`);
    const [year] = version.split('.').map(Number);
    if (year >= 24) findings.ok('version', `version ${version}`);
    else findings.warning('version', `version ${version} is older than what Weir is tested with`, 'use 24.8 or newer.');
    if (/^(UTC|Etc\/UTC|GMT)$/.test(zone)) findings.ok('time zone', 'the server counts in UTC');
    else
      findings.warning(
        'time zone',
        `the server's time zone is ${zone}: hours and months of rollups, and times without a zone in queries, are its own`,
        'set <timezone>UTC</timezone>.',
      );
    return true;
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    const refused = code === '516' || /AUTHENTICATION_FAILED|Authentication failed/.test(message);
    findings.problem(
      'reachable',
      `ClickHouse at ${settings.url} ${refused ? `refuses '${settings.username}'` : 'cannot be reached'}: ${message}`,
      refused
        ? 'see clickhouse.username and WEIR_CLICKHOUSE_PASSWORD.'
        : 'see clickhouse.url, the server, and what lies between.',
    );
    return false;
  }
}

async function schema(findings: Findings, database: string, ask: Ask): Promise<void> {
  const lacking = await outstanding(
    (query) => ask(query.replace(' schema_version', ` ${database}.schema_version`)),
    database,
  );
  if (lacking.length === 0) findings.ok('schema', `database ${database} is up to date`);
  else findings.problem('schema', `database ${database} lacks ${lacking.join(', ')}`, "run 'weir migrate'.");
}

async function deduplication(findings: Findings, config: Config, lanes: number, ask: Ask): Promise<void> {
  const { database, store_logs } = config.clickhouse;
  const tables = store_logs ? [...TABLES, 'logs'] : TABLES;
  const rows = await ask(
    "SELECT name, engine, extract(engine_full, 'replicated_deduplication_window = (\\\\d+)') AS window FROM system.tables WHERE database = {database:String} AND name IN {tables:Array(String)}",
    { database, tables },
  );
  // Recovery repeats the blocks since the last commit of each lane; a block is an insert a month in each table.
  const needed = (config.snapshot.blocks + 4) * Math.max(1, lanes) * 2;
  const said: string[] = [];
  const small: string[] = [];
  for (const { name, engine, window } of rows) {
    // The engine's own default, where the table sets none.
    const size = window === '' ? (engine.startsWith('Replicated') ? 1000 : 0) : Number(window);
    if (size < needed) small.push(`${name} ${size}`);
    said.push(`${name} ${size}`);
  }
  if (rows.length < tables.length) findings.unchecked('deduplication', 'tables are missing', "run 'weir migrate'.");
  else if (small.length > 0)
    findings.problem(
      'deduplication',
      `a rewind may repeat ${needed} blocks, and fewer are remembered by: ${small.join(', ')}`,
      `ALTER TABLE … MODIFY SETTING non_replicated_deduplication_window = ${Math.max(10_000, needed * 2)} (replicated_deduplication_window on Replicated tables), on views' targets too: else recovery stores rows twice.`,
    );
  else findings.ok('deduplication', `a rewind may repeat ${needed} blocks; remembered are: ${said.join(', ')}`);
}

async function views(findings: Findings, database: string, ask: Ask): Promise<void> {
  const rows = await ask(
    "SELECT name FROM system.tables WHERE database = {database:String} AND engine = 'MaterializedView' AND name IN {views:Array(String)}",
    { database, views: VIEWS },
  );
  const lacking = VIEWS.filter((view) => !rows.some(({ name }) => name === view));
  if (lacking.length === 0) findings.ok('views', 'coarser rollups follow traffic_analytics');
  else
    findings.problem(
      'views',
      `the views ${lacking.join(', ')} are missing: coarser rollups fall behind`,
      "make them anew (schema/clickhouse/010_traffic_rollups.sql); 'weir rebuild traffic-analytics' fills what they missed.",
    );
}

/** What every insert of Weir sets: the user must be allowed to. */
const WANTED: Readonly<Record<string, number>> = {
  async_insert: 0,
  insert_deduplicate: 1,
  deduplicate_blocks_in_dependent_materialized_views: 1,
  max_block_size: 10_000_000,
  max_insert_block_size: 10_000_000,
  min_insert_block_size_rows: 10_000_000,
};

async function blockSettings(findings: Findings, ask: Ask): Promise<void> {
  const rows = await ask(
    'SELECT name, toString(readonly) AS readonly, toString(min) AS min, toString(max) AS max, value FROM system.settings WHERE name IN {names:Array(String)}',
    { names: Object.keys(WANTED) },
  );
  const refused = rows.filter(({ name, readonly, min, max, value }) => {
    const wanted = WANTED[name];
    const bounded = (limit: string | null, below: boolean): boolean =>
      limit !== null && limit !== '' && (below ? wanted < Number(limit) : wanted > Number(limit));
    return (readonly === '1' && Number(value) !== wanted) || bounded(min, true) || bounded(max, false);
  });
  if (refused.length === 0)
    findings.ok('block settings', 'inserts may set what makes a block one part under its token');
  else
    findings.problem(
      'block settings',
      `the user may not set ${refused.map(({ name }) => `${name} = ${WANTED[name]}`).join(', ')}: a block might be split, and counted twice when repeated`,
      "lift these constraints from the user's profile.",
    );
}

async function durability(findings: Findings, database: string, ask: Ask): Promise<void> {
  const [{ value }] = await ask("SELECT value FROM system.merge_tree_settings WHERE name = 'fsync_after_insert'");
  const [{ replicated }] = await ask(
    "SELECT toString(countIf(startsWith(engine, 'Replicated'))) AS replicated FROM system.tables WHERE database = {database:String}",
    { database },
  );
  const text = `fsync_after_insert is ${value}; ${replicated === '0' ? 'tables are not replicated' : `${replicated} tables are replicated`}`;
  if (value === '0' && replicated === '0')
    findings.warning(
      'durability',
      `${text}: a kill loses nothing, a power loss may lose the last seconds of acknowledged inserts`,
      "set fsync_after_insert = 1 (merge_tree), or replicate; 'weir rebuild traffic-analytics' makes lost rollups again.",
    );
  else findings.ok('durability', text);
}

async function permissions(findings: Findings, database: string, may: May): Promise<void> {
  const lacking = async (rights: readonly string[]): Promise<string[]> => {
    const answers = await Promise.all(rights.map((right) => may(`CHECK GRANT ${right} ON ${database}.*`)));
    return rights.filter((_, i) => !answers[i]);
  };
  const using = await lacking(['SELECT', 'INSERT']);
  const making = await lacking(['CREATE TABLE', 'CREATE VIEW', 'ALTER TABLE']);
  if (using.length > 0)
    findings.problem(
      'permissions',
      `the user lacks ${using.join(', ')} on ${database}.*`,
      `GRANT SELECT, INSERT ON ${database}.* TO that user.`,
    );
  else if (making.length > 0)
    findings.ok(
      'permissions',
      `the user may read and insert; 'weir migrate' needs another one (it lacks ${making.join(', ')})`,
    );
  else findings.ok('permissions', 'the user may read, insert and migrate');
}

async function disks(findings: Findings, ask: Ask): Promise<void> {
  const rows = await ask(
    'SELECT name, toString(free_space) AS free, toString(total_space) AS total FROM system.disks WHERE total_space > 0 AND total_space < toUInt64(1e18)',
  );
  for (const { name, free, total } of rows) {
    const text = `disk ${name}: ${inBytes(Number(free))} of ${inBytes(Number(total))} are free`;
    if (Number(free) < Number(total) * 0.05) findings.problem('disk', text, 'free some: merges need room too.');
    else if (Number(free) < Number(total) * 0.15) findings.warning('disk', text, 'free some before it is full.');
    else findings.ok('disk', text);
  }
}

async function parts(findings: Findings, database: string, ask: Ask): Promise<void> {
  const [row] = await ask(
    'SELECT table, partition, toString(count()) AS n FROM system.parts WHERE database = {database:String} AND active GROUP BY table, partition ORDER BY count() DESC LIMIT 1',
    { database },
  );
  if (row === undefined) {
    findings.ok('parts', 'there are no parts yet');
    return;
  }
  const text = `${row.table} has ${row.n} active parts in one partition, the most of all`;
  const todo =
    'merges fall behind: raise block.rows and block.seconds, or give ClickHouse more of the disk and the processor.';
  if (Number(row.n) > 1000) findings.warning('parts', text, todo);
  else findings.ok('parts', text);
}

/** Flows are counted in the rollups of the hour before the newest one, which may be half full. */
async function observedRate(database: string, ask: Ask): Promise<FlowRate | null> {
  try {
    const [row] = await ask(
      `SELECT toString(sum(total_requests)) AS n, toString(timestamp) AS hour FROM ${database}.traffic_analytics_1h
       WHERE timestamp > now() - INTERVAL 30 DAY AND timestamp < toStartOfHour(now())
       GROUP BY tenant_id, pop_id, timestamp ORDER BY timestamp DESC, sum(total_requests) DESC LIMIT 1`,
    );
    return row === undefined ? null : { perSecond: Number(row.n) / 3600, from: `seen in the hour of ${row.hour}` };
  } catch {
    return null; // the check of the schema says why
  }
}

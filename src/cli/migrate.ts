// weir migrate: brings the schemas of ScyllaDB and ClickHouse up to date.

import type { ClickHouseClient } from '@clickhouse/client';
import type { Config } from '../config/schema.ts';
import { httpClient } from '../sinks/clickhouse/http.ts';
import { migrate as migrateClickhouse, outstanding, type SchemaRunner } from '../sinks/clickhouse/schema.ts';
import { scyllaClient } from '../sinks/scylla/client.ts';
import { migrateScylla, type ScyllaSchemaOptions, scyllaOutstanding } from '../sinks/scylla/schema.ts';
import { loadForVerb } from './prepare.ts';
import { CONFIG_OPTION, SET_OPTION, UsageError, type Verb } from './verb.ts';

export const migrate: Verb = {
  name: 'migrate',
  usage: '[--config weir.yaml] [--dry-run] [--json]',
  summary: 'Creates or completes the tables of ScyllaDB (or Cassandra) and ClickHouse. Repeatable; one at a time.',
  options: {
    config: CONFIG_OPTION,
    set: SET_OPTION,
    'dry-run': { type: 'boolean', help: 'only say what would be applied' },
    json: { type: 'boolean', help: 'one JSON document' },
  },
  examples: ['weir migrate --config weir.yaml --dry-run', 'weir migrate --config weir.yaml'],
  async run(values, positionals, io) {
    if (positionals.length > 0) throw new UsageError(`migrate takes no argument: '${positionals[0]}'.`);
    const { config } = await loadForVerb(values);
    if (config.clickhouse.url === '' && config.scylla.contact_points.length === 0)
      throw new UsageError(
        'neither clickhouse.url nor scylla.contact_points is configured: there is nothing to migrate',
      );
    const dry = values['dry-run'] === true;
    const applied = { scylla: await scylla(config, dry), clickhouse: await clickhouse(config, dry) };
    if (values.json) io.stdout.write(`${JSON.stringify({ dry_run: dry, ...applied })}\n`);
    else {
      const said = dry ? 'would apply' : 'applied';
      for (const [store, files] of Object.entries(applied)) {
        if (files === null) continue;
        io.stdout.write(`${store}: ${files.length === 0 ? 'up to date' : `${said} ${files.join(', ')}`}\n`);
      }
    }
    return 0;
  },
};

async function scylla(config: Config, dry: boolean): Promise<readonly string[] | null> {
  if (config.scylla.contact_points.length === 0) return null;
  const client = await scyllaClient(config.scylla);
  try {
    const options = scyllaSchemaOptions(config);
    return dry ? await scyllaOutstanding(client, options) : await migrateScylla(client, options);
  } finally {
    await client.shutdown();
  }
}

export function scyllaSchemaOptions({ scylla: settings, retention }: Config): ScyllaSchemaOptions {
  return {
    keyspace: settings.keyspace,
    localDataCenter: settings.local_data_center,
    replication: settings.replication,
    bucketed: settings.flow_bucket > 0,
    retention: { flows: retention.flows, sessions: retention.sessions, tunnel_stats: retention.tunnel_stats },
  };
}

async function clickhouse(config: Config, dry: boolean): Promise<readonly string[] | null> {
  const { clickhouse: settings, retention } = config;
  if (settings.url === '') return null;
  const { database } = settings;
  const runner = new HttpRunner(httpClient(settings, 'default'), config);
  try {
    if (dry) return await outstanding((query) => runner.rows(query), database);
    return await migrateClickhouse(runner, retention, { database });
  } finally {
    await runner.close();
  }
}

/** HTTP has no session: the database that a runner enters is that of its client. */
class HttpRunner implements SchemaRunner {
  private client: ClickHouseClient;
  private readonly config: Config;

  constructor(client: ClickHouseClient, config: Config) {
    this.client = client;
    this.config = config;
  }

  async enter(database: string): Promise<void> {
    await this.client.command({ query: `CREATE DATABASE IF NOT EXISTS ${database}` });
    await this.client.close();
    this.client = httpClient(this.config.clickhouse, database);
  }

  async run(statement: string): Promise<void> {
    await this.client.command({ query: statement });
  }

  async rows(query: string): Promise<Record<string, unknown>[]> {
    return (await this.client.query({ query, format: 'JSONEachRow' })).json();
  }

  async close(): Promise<void> {
    await this.client.close();
  }
}

// Real servers, a configuration that names them with a prefix, keyspace and database of its own, and verbs run against it.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createClient } from '@clickhouse/client';
import cassandra from 'cassandra-driver';
import { stringify } from 'yaml';
import { orSkip, type ServiceName, type Services, startServices } from '../../test/services/index.ts';
import { eventually, LiveWeir } from '../../test/support/cli.ts';
import type { Config } from '../config/schema.ts';
import { Kafka, LOG_LEVEL } from '../kafka/library.ts';
import { uuidFrom } from '../model/hash.ts';
import { migrate } from './migrate.ts';
import type { Io, Values, Verb } from './verb.ts';

export interface Said {
  readonly status: number;
  readonly out: string;
}

/** Runs a verb in this process, its defaults applied. */
export async function runVerb(verb: Verb, positionals: readonly string[], values: Values): Promise<Said> {
  const output: string[] = [];
  const options = Object.entries(verb.options);
  const defaults = Object.fromEntries(options.map(([name, option]) => [name, option.default]));
  const io = {
    stdout: { write: (text: string) => output.push(text) },
    stderr: { write: () => {} },
    env: {},
  } as unknown as Io;
  const status = await verb.run({ ...defaults, ...values }, positionals, io);
  return { status, out: output.join('') };
}

export interface Production<Name extends ServiceName> {
  readonly services: Services<Name>;
  /** Prefix of topics is `NAME-`; group, keyspace and database are NAME: other tests use the same servers. */
  readonly name: string;
  readonly config: string;
  verb(verb: Verb, positionals?: readonly string[], values?: Values): Promise<Said>;
}

/** Null: skipped. What was made ends with the test. `more` overrides sections of the configuration. */
export async function production<Name extends ServiceName>(
  t: TestContext,
  names: readonly Name[],
  more: Readonly<Record<string, unknown>> = {},
): Promise<Production<Name> | null> {
  const services = await orSkip(t, () => startServices(names));
  if (!services) return null;
  const folder = mkdtempSync(join(tmpdir(), 'weir-production-'));
  t.after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await services.stop();
  });
  const name = `t${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`;
  const config = join(folder, 'weir.yaml');
  const has = services as Partial<Services<ServiceName>>;
  const sections: Record<string, object> = {
    store: { kind: 'servers' },
    rules: { packs: false },
    tenants: [{ slug: 'acme' }, { slug: 'globex' }],
    ...(has.kafka
      ? { kafka: { brokers: [...has.kafka.brokers], prefix: `${name}-`, group: name, session_timeout: '2s' } }
      : {}),
    ...(has.cassandra
      ? {
          scylla: {
            contact_points: [has.cassandra.contactPoint],
            keyspace: name,
            local_data_center: has.cassandra.localDataCenter,
          },
        }
      : {}),
    ...(has.clickhouse ? { clickhouse: { url: has.clickhouse.url, database: name } } : {}),
  };
  const merged = Object.entries(more).map(([key, value]) => [
    key,
    typeof value !== 'object' || Array.isArray(value) ? value : { ...sections[key], ...value },
  ]);
  writeFileSync(config, stringify({ data: join(folder, 'data'), ...sections, ...Object.fromEntries(merged) }));
  const verb = (run: Verb, positionals: readonly string[] = [], values: Values = {}): Promise<Said> =>
    runVerb(run, positionals, { config, ...values });
  if (has.cassandra || has.clickhouse) await verb(migrate);
  return { services, name, config, verb };
}

/** A native flow of the PoP fra1, at noon unless `more` says otherwise: 15 bytes. */
export function flow(tenant: string, id: number, more: object = {}): string {
  return JSON.stringify({
    tenant_id: tenant,
    pop_id: 'fra1',
    timestamp: '2024-05-01T12:00:00Z',
    flow_id: uuidFrom('flow', tenant, String(id)),
    source_ip: '10.0.0.1',
    destination_ip: '192.0.2.1',
    source_port: 1000 + id,
    destination_port: 443,
    protocol: 6,
    bytes_sent: 10,
    bytes_received: 5,
    packets_sent: 1,
    packets_received: 1,
    application: 'https',
    action: 'Allow',
    ...more,
  });
}

/** Clients of all three servers, for looking at them beside Weir. They are closed when the test ends. */
export async function clientsOf(
  t: TestContext,
  { kafka: { brokers }, scylla, clickhouse: { url } }: Config,
  name: string,
) {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: LOG_LEVEL.NOTHING });
  const admin = kafka.admin();
  const producer = kafka.producer();
  const clickhouse = createClient({ url, database: name });
  const cluster = new cassandra.Client({
    contactPoints: [...scylla.contact_points],
    localDataCenter: scylla.local_data_center,
    keyspace: name,
  });
  await Promise.all([admin.connect(), producer.connect()]);
  t.after(() => Promise.all([admin.disconnect(), producer.disconnect(), clickhouse.close(), cluster.shutdown()]));
  return { admin, producer, clickhouse, cluster };
}

/** `weir run` as a process of its own until something has come about; then it is asked to stop, and must end well. */
export async function whileRunning(config: string, until: () => Promise<boolean>): Promise<void> {
  await using live = new LiveWeir(['run', '--config', config, '--json']);
  await eventually('what the test waits for', () => until().catch(() => false), live);
  const { code, stderr } = await live.stop('SIGTERM');
  assert.equal(code, 0, stderr);
}

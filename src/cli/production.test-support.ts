// Real servers, a configuration that names them with a prefix, keyspace and database of its own, and verbs run against it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { stringify } from 'yaml';
import { orSkip, type ServiceName, type Services, startServices } from '../../test/services/index.ts';
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
  /** Prefix of topics is `NAME-`; keyspace and database are NAME. */
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
    ...(has.kafka ? { kafka: { brokers: [...has.kafka.brokers], prefix: `${name}-`, session_timeout: '2s' } } : {}),
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

// Real servers for tests: Kafka, Cassandra, the ClickHouse engine and PostgreSQL on loopback, from package registries,
// without containers. In: which ones. Out: where they listen, and the means to kill them and to bring them back.

import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { cassandra } from './cassandra.ts';
import { clickhouse } from './clickhouse.ts';
import { ServiceError } from './failure.ts';
import { newHolder } from './holders.ts';
import { kafka } from './kafka.ts';
import { postgres, programsOf } from './postgres.ts';
import { kill9, release, running, type Server, start } from './server.ts';
import { isolated, type Ports, type ServiceName, type Settings, settingsOf } from './settings.ts';

export { isLacking, ServiceError } from './failure.ts';
export { orSkip, testWith } from './or-skip.ts';
export type { ServiceName } from './settings.ts';

export const SERVERS: Readonly<Record<ServiceName, Server>> = { kafka, cassandra, clickhouse, postgres };

export interface Addresses {
  readonly kafka: {
    readonly brokers: readonly string[];
    /** A second listener, for a proxy: it says of itself that it is at `advertisedPort`, and is at `port`. */
    readonly proxied: { readonly port: number; readonly advertisedPort: number };
  };
  readonly cassandra: { readonly contactPoint: string; readonly localDataCenter: string };
  /** `url` without credentials: the user `default` has no password. Make a database of your own. */
  readonly clickhouse: { readonly url: string };
  /** `psql`: the client, to be run with `env` on top of the caller's. */
  readonly postgres: {
    readonly url: string;
    readonly psql: string;
    readonly env: Readonly<Record<string, string>>;
  };
}

export interface Control<Name extends ServiceName> {
  /** Kafka and Cassandra with their children, without a warning. */
  kill9(name: Name): Promise<void>;
  /** Again, on the same port and data. Resolves when it is ready; does nothing while it runs. */
  start(name: Name): Promise<void>;
  /** Of the running server: for SIGSTOP and the like. */
  pid(name: Name): number | undefined;
  /** Where data and logs are. */
  readonly home: string;
  /** Ends what this call started, unless another test still uses it. Data that tests began are deleted. */
  stop(): Promise<void>;
}

export type Services<Name extends ServiceName> = Pick<Addresses, Name> & Control<Name>;

export interface ServicesOptions {
  /** A home and ports of its own: for tests that kill. Otherwise servers that are already up are shared. */
  readonly isolated?: boolean;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * All of `names`, up and ready; with one that cannot be had, none, and its ServiceError is thrown.
 * They end with this process, however it ends.
 */
export async function startServices<Name extends ServiceName>(
  names: readonly Name[],
  options: ServicesOptions = {},
): Promise<Services<Name>> {
  const shared = settingsOf(options.env ?? process.env);
  const settings = options.isolated ? await isolated(shared) : shared;
  const holder = newHolder();
  const guard: Guard = { settings, names, holder, removeHome: options.isolated ?? false };
  const keeper = keep(guard);
  const starts: Promise<unknown>[] = [];
  let stopped = false;
  const startOne = async (name: Name) => {
    if (stopped) throw new ServiceError('services_not_running', `These services were stopped: ${name} is not started.`);
    const started = start(SERVERS[name], settings, holder);
    starts.push(started);
    await started;
  };
  const stop = async () => {
    stopped = true;
    await Promise.allSettled(starts); // one that is on its way would come up after all was released
    await releaseAll(guard);
    keeper.stdin?.end('done');
  };
  try {
    const outcomes = await Promise.allSettled(names.map(startOne));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    const addresses = await addressesOf(names, settings);
    return {
      ...addresses,
      home: settings.home,
      kill9: async (name) => void (await kill9(name, settings.home)),
      start: startOne,
      pid: (name) => running(name, settings.home)?.pid,
      stop,
    };
  } catch (error) {
    await stop().catch(() => {}); // the first failure is the one to tell
    throw error;
  }
}

/** What a use of services leaves to be done; the keeper does it when the process has died. */
export interface Guard {
  readonly settings: Settings;
  readonly names: readonly ServiceName[];
  readonly holder: string;
  readonly removeHome: boolean;
}

export async function releaseAll({ settings, names, holder, removeHome }: Guard): Promise<void> {
  await Promise.all(names.map((name) => release(SERVERS[name], settings.home, holder)));
  if (removeHome) rmSync(settings.home, { recursive: true, force: true });
}

/** A process that waits for the end of this one. It keeps nobody waiting. */
function keep(guard: Guard): ChildProcess {
  const keeper = spawn(process.execPath, [join(import.meta.dirname, 'keeper.js'), JSON.stringify(guard)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true, // not interrupted with us: it has our work to do then
  });
  keeper.unref();
  (keeper.stdin as unknown as { unref(): void }).unref();
  return keeper;
}

async function addressesOf<Name extends ServiceName>(
  names: readonly Name[],
  { home, cache, ports }: Settings,
): Promise<Pick<Addresses, Name>> {
  const found: Partial<Record<ServiceName, unknown>> = {};
  for (const name of names) {
    const actual = running(name, home)?.ports ?? ports; // one that was up already listens where it was told to
    found[name] =
      name === 'postgres'
        ? await postgresOf(actual, join(home, name), cache)
        : ADDRESS[name as keyof typeof ADDRESS](actual);
  }
  return found as Pick<Addresses, Name>;
}

const ADDRESS = {
  kafka: (ports: Ports): Addresses['kafka'] => ({
    brokers: [`127.0.0.1:${ports.kafka}`],
    proxied: { port: ports.kafkaProxied, advertisedPort: ports.kafkaProxy },
  }),
  cassandra: (ports: Ports): Addresses['cassandra'] => ({
    contactPoint: `127.0.0.1:${ports.cassandra}`,
    localDataCenter: 'datacenter1',
  }),
  clickhouse: (ports: Ports): Addresses['clickhouse'] => ({ url: `http://127.0.0.1:${ports.clickhouse}` }),
};

async function postgresOf(ports: Ports, directory: string, cache: string): Promise<Addresses['postgres']> {
  const { bin, env } = await programsOf(cache, directory);
  return { url: `postgres://postgres@127.0.0.1:${ports.postgres}/postgres`, psql: join(bin, 'psql'), env };
}

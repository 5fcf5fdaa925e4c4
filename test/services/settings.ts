// Where services keep things and where they listen: from the environment, or from a test that wants its own.

import { mkdtempSync } from 'node:fs';
import { chmod, lstat, mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../../src/cli/verb.ts';
import { ServiceError } from './failure.ts';

export const SERVICE_NAMES = ['kafka', 'cassandra', 'clickhouse', 'postgres'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** The environment variable of every port, and its number without one. */
export const PORTS = {
  kafka: ['KAFKA_PORT', 19092],
  kafkaController: ['KAFKA_CTRL_PORT', 19093],
  kafkaProxied: ['KAFKA_PROXIED_PORT', 19094],
  kafkaProxy: ['KAFKA_PROXY_PORT', 19095],
  cassandra: ['CQL_PORT', 19042],
  cassandraStorage: ['CASS_STORAGE_PORT', 17000],
  clickhouse: ['CH_PORT', 18123],
  postgres: ['PG_PORT', 15432],
} as const;
export type PortName = keyof typeof PORTS;
export type Ports = Readonly<Record<PortName, number>>;

export interface Settings {
  /** Data, configuration, logs and process records: a directory a server. */
  readonly home: string;
  /** What was downloaded. Survives everything. */
  readonly cache: string;
  readonly ports: Ports;
}

export function settingsOf(env: NodeJS.ProcessEnv): Settings {
  const ports = Object.entries(PORTS).map(([name, [variable, fallback]]) => [name, portOf(variable, env, fallback)]);
  return {
    home: env.WEIR_SERVICES_HOME || join(tmpdir(), `weir-services-${userInfo().uid}`),
    cache: env.WEIR_SERVICES_CACHE || join(userCache(env), 'weir-services'),
    ports: Object.fromEntries(ports) as Ports,
  };
}

/** A home and ports that nobody else uses. */
export async function isolated(settings: Settings): Promise<Settings> {
  return { ...settings, home: mkdtempSync(join(tmpdir(), 'weir-services-own-')), ports: await unusedPorts() };
}

/** Makes the home, or refuses a directory that is somebody's or something else: `wipe` deletes in it. */
export async function openHome(home: string): Promise<void> {
  const marker = 'made-by-weir-services';
  await mkdir(home, { recursive: true });
  const found = await lstat(home);
  const files = await readdir(home);
  const ours = found.isDirectory() && (files.length === 0 || files.includes(marker));
  if (!ours || (process.getuid && found.uid !== process.getuid()))
    throw new ServiceError(
      'services_home_unfit',
      `${home} was not made by this command, or not by this user: set WEIR_SERVICES_HOME to another directory.`,
    );
  if (files.length > 0) return;
  await chmod(home, process.getuid?.() === 0 ? 0o711 : 0o700); // started by root, PostgreSQL passes it as another user
  await writeFile(join(home, marker), '');
}

export async function requireFree(ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    if (await isFree(port)) continue;
    throw new ServiceError('services_port_taken', `Port ${port} is taken by another process: end it, or name another.`);
  }
}

function portOf(variable: string, env: NodeJS.ProcessEnv, fallback: number): number {
  const text = env[variable];
  if (!text) return fallback;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65535) return port;
  throw new UsageError(`${variable} is '${text}', not a port number.`);
}

function userCache(env: NodeJS.ProcessEnv): string {
  if (env.XDG_CACHE_HOME) return env.XDG_CACHE_HOME;
  return process.platform === 'darwin' ? join(homedir(), 'Library', 'Caches') : join(homedir(), '.cache');
}

/** Given out by this process: servers that are starting do not listen yet. */
const given = new Set<number>();

/** Below the range that outgoing connections take theirs from, so that a killed server finds its port free again. */
async function unusedPorts(): Promise<Ports> {
  const names = Object.keys(PORTS) as PortName[];
  const ports = new Map<PortName, number>();
  while (ports.size < names.length) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    ports.set(names[ports.size], port);
  }
  return Object.fromEntries(ports) as Ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

// What one file a server says of it, and the life of a server: start, stop, kill -9, status, wipe.

import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from './failure.ts';
import { hold, isHeld, letGo } from './holders.ts';
import { withLock } from './lock.ts';
import { ended, familyOf, type Identity, identify, isAlive, memoryOf, signal } from './process.ts';
import { openHome, type PortName, type Ports, requireFree, type ServiceName, type Settings } from './settings.ts';

export interface Place {
  /** Where `install` put the server's own files. */
  readonly software: string;
  /** The server's directory in the home: it keeps everything there. */
  readonly directory: string;
  readonly ports: Ports;
}

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Another user than the caller. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

export interface Server {
  readonly name: ServiceName;
  /** The one for clients first. */
  readonly ports: readonly PortName[];
  /** What it may take to be ready, in seconds, on a slow machine. */
  readonly patience: number;
  /** Asks it to end; its data survive either way. */
  readonly stopSignal: NodeJS.Signals;
  /** Fetches the server unless the cache has it, and says where it is. */
  install(cache: string): Promise<string>;
  /** Writes configuration and, the first time, formats the data. */
  prepare(place: Place): Promise<Launch>;
  /** `log`: what this process of the server has logged so far. */
  isReady(ports: Ports, log: () => string): Promise<boolean>;
}

/** Of a running server, beside its directory. */
export interface Running extends Identity {
  readonly ports: Ports;
  /** Where its log begins: the file goes on over restarts. */
  readonly logStart: number;
  /** Ends with the last test that holds it; what the command started stays. */
  readonly byTest: boolean;
}

export interface Status {
  readonly name: ServiceName;
  readonly up: boolean;
  readonly pid?: number;
  readonly port?: number;
  readonly memoryBytes?: number;
  readonly directory: string;
}

const directoryOf = (name: ServiceName, home: string) => join(home, name);
const recordOf = (name: ServiceName, home: string) => join(home, `${name}.json`);
/** Marks data that a test began: they go with it. */
const throwAwayOf = (name: ServiceName, home: string) => join(directoryOf(name, home), 'throw-away');
const logOf = (name: ServiceName, home: string) => join(home, `${name}.log`);
const exclusively = <T>(name: ServiceName, home: string, work: () => Promise<T>) =>
  withLock(join(home, `${name}.lock`), work);

/** The recorded process if it is still that process; whatever else has its number is none of ours. */
export function running(name: ServiceName, home: string): Running | undefined {
  let record: Running;
  try {
    record = JSON.parse(readFileSync(recordOf(name, home), 'utf8')) as Running;
  } catch {
    return undefined;
  }
  return isAlive(record) ? record : undefined;
}

export interface Started {
  readonly running: Running;
  readonly already: boolean;
}

/** Up and ready, now or already before. A test gives its `holder`: what it starts ends with the last that holds it. */
export async function start(server: Server, settings: Settings, holder?: string): Promise<Started> {
  const { name } = server;
  const { home, ports } = settings;
  const software = await server.install(settings.cache);
  await openHome(home);
  return exclusively(name, home, async () => {
    if (holder) hold(name, home, holder);
    const before = running(name, home);
    if (before) {
      await untilReady(server, before, home);
      return { running: before, already: true };
    }
    await requireFree(server.ports.map((port) => ports[port]));
    const directory = directoryOf(name, home);
    const fresh = mkdirSync(directory, { recursive: true }) !== undefined;
    if (holder && fresh) writeFileSync(throwAwayOf(name, home), '');
    if (!holder) rmSync(throwAwayOf(name, home), { force: true });
    const launch = await server.prepare({ software, directory, ports });
    const now = await launched(launch, logOf(name, home), { ports, byTest: holder !== undefined });
    await writeFile(recordOf(name, home), JSON.stringify(now));
    await untilReady(server, now, home);
    return { running: now, already: false };
  });
}

/** Whether it ran. Asks, waits, and kills when it does not listen. */
export async function stop(server: Server, home: string): Promise<boolean> {
  await openHome(home);
  return exclusively(server.name, home, () => stopHeld(server, home));
}

async function stopHeld(server: Server, home: string): Promise<boolean> {
  const now = running(server.name, home);
  if (now) {
    const family = familyOf(now);
    signal(now, server.stopSignal);
    if (!(await ended(family, 20_000))) await killAll(family);
  }
  rmSync(recordOf(server.name, home), { force: true });
  return now !== undefined;
}

/** SIGKILL to it and its children, gone when this returns: PostgreSQL does not start beside its orphans. */
export async function kill9(name: ServiceName, home: string): Promise<Running> {
  const now = running(name, home);
  if (!now) throw new ServiceError('services_not_running', `${name} does not run.`);
  await killAll(familyOf(now));
  rmSync(recordOf(name, home), { force: true });
  return now;
}

/** Ends it and deletes its data, configuration and log; the cache stays. */
export async function wipe(server: Server, home: string): Promise<void> {
  await openHome(home);
  await exclusively(server.name, home, async () => {
    await stopHeld(server, home);
    erase(server.name, home);
  });
}

/** A test is done with it: the last one ends what tests started, and takes along the data that tests began. */
export async function release(server: Server, home: string, holder: string): Promise<void> {
  const { name } = server;
  await openHome(home);
  await exclusively(name, home, async () => {
    letGo(name, home, holder);
    const now = running(name, home);
    if (isHeld(name, home) || (now && !now.byTest)) return;
    if (!existsSync(throwAwayOf(name, home))) {
      await stopHeld(server, home);
      return;
    }
    if (now) await killAll(familyOf(now));
    erase(name, home);
  });
}

export function status(server: Server, home: string): Status {
  const { name } = server;
  const now = running(name, home);
  const directory = directoryOf(name, home);
  if (!now) return { name, up: false, directory };
  return { name, up: true, pid: now.pid, port: now.ports[server.ports[0]], memoryBytes: memoryOf(now), directory };
}

function erase(name: ServiceName, home: string): void {
  for (const path of [directoryOf(name, home), recordOf(name, home), logOf(name, home)])
    rmSync(path, { recursive: true, force: true });
}

async function killAll(family: readonly Identity[]): Promise<void> {
  for (const member of family) signal(member, 'SIGKILL');
  await ended(family, 10_000);
}

async function launched(launch: Launch, log: string, facts: Pick<Running, 'ports' | 'byTest'>): Promise<Running> {
  const descriptor = openSync(log, 'a', 0o644);
  const logStart = statSync(log).size;
  try {
    const server = spawn(launch.command, launch.args, {
      cwd: launch.cwd ?? '/',
      env: { ...process.env, ...launch.env },
      stdio: ['ignore', descriptor, descriptor],
      detached: true, // outlives the command, and is not interrupted with it
      ...launch.user,
    });
    await new Promise((resolve, reject) => server.once('spawn', resolve).once('error', reject));
    server.unref();
    const identity = identify(server.pid!) ?? { pid: server.pid!, startTime: '' }; // '': it has ended already
    return { ...identity, ...facts, logStart };
  } finally {
    closeSync(descriptor);
  }
}

async function untilReady(server: Server, now: Running, home: string): Promise<void> {
  const { name, patience } = server;
  const file = logOf(name, home);
  const log = () => readFileSync(file).subarray(now.logStart).toString();
  for (const end = Date.now() + patience * 1000; !(await server.isReady(now.ports, log)); await sleep(50)) {
    const tail = () => `The end of ${file}:\n${log().trim().split('\n').slice(-15).join('\n')}`;
    if (!isAlive(now)) throw new ServiceError('services_ended', `${name} ended before it was ready. ${tail()}`);
    if (Date.now() < end) continue;
    await killAll(familyOf(now));
    throw new ServiceError('services_not_ready', `${name} was not ready after ${patience} s. ${tail()}`);
  }
}

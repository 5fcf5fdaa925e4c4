// The data directory: what lies where, its format version, and the lock that keeps it to one process.

import { randomBytes } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { OperationalError } from '../cli/verb.ts';

/** Format of the directory's layout; the stores inside have versions of their own. */
const FORMAT = 1;

/** Where things lie inside a data directory. */
export interface DataPaths {
  readonly root: string;
  readonly manifest: string;
  readonly lock: string;
  /** Address of the running process's query socket. */
  readonly endpoint: string;
  /** chDB's own directory. */
  readonly store: string;
  /** Blocks on their way into the store; emptied on opening. */
  readonly spool: string;
}

export function dataPaths(directory: string): DataPaths {
  const root = resolve(directory);
  const at = (name: string): string => join(root, name);
  return {
    root,
    manifest: at('weir.json'),
    lock: at('lock'),
    endpoint: at('endpoint.json'),
    store: at('store'),
    spool: at('spool'),
  };
}

export interface DataDirectory extends DataPaths {
  /** Gives the lock back. Repeatable. */
  release(): void;
}

export interface LockOwner {
  readonly pid: number;
  /** Start time of the process in clock ticks since boot ('' where /proc is absent): tells a reused pid apart. */
  readonly start: string;
  /** Of this boot of the machine ('' where unknown). */
  readonly boot: string;
  readonly nonce: string;
}

/**
 * Creates (unless `create` is false) and locks a data directory. Throws OperationalError: `data_directory_missing`,
 * `data_directory_in_use` (naming the process), `data_directory_format`, `data_directory_unusable`.
 */
export function openDataDirectory(directory: string, { create = true } = {}): DataDirectory {
  const paths = dataPaths(directory);
  if (!create && !existsSync(paths.manifest)) throw missing(paths.root);
  try {
    mkdirSync(paths.root, { recursive: true, mode: 0o700 });
    const release = acquire(paths);
    try {
      checkManifest(paths);
    } catch (error) {
      release();
      throw error;
    }
    return { ...paths, release };
  } catch (error) {
    if (error instanceof OperationalError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new OperationalError(
      'data_directory_unusable',
      `the data directory ${paths.root} cannot be used: ${reason}`,
      error,
    );
  }
}

/** The live process that holds the directory's lock, or null. */
export function lockOwner(directory: string): LockOwner | null {
  const owner = readOwner(dataPaths(directory).lock);
  return owner && isAlive(owner) ? owner : null;
}

/** Bytes that an unprivileged process may still write where `path` lies. */
export function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

/** Throws OperationalError('disk_full') when less than `bytes` are free where `path` lies. */
export function requireFreeBytes(path: string, bytes: number): void {
  const free = freeBytes(path);
  if (free >= bytes) return;
  const mega = (n: number): string => `${Math.floor(n / 1e6)} MB`;
  throw new OperationalError('disk_full', `${path} has ${mega(free)} free, ${mega(bytes)} are needed.`);
}

/** What lies at `root` is no data directory, or nobody may say so: `data_directory_unreadable`. */
export function missing(root: string): OperationalError {
  try {
    readdirSync(root);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM')
      return new OperationalError(
        'data_directory_unreadable',
        `${root} may not be read by this user (${code}).`,
        error,
      );
  }
  return new OperationalError(
    'data_directory_missing',
    `${root} holds no Weir data; 'weir run --data ${root}' puts some there.`,
  );
}

function checkManifest({ manifest, root }: DataPaths): void {
  const next = `${manifest}.next`;
  if (!existsSync(manifest)) {
    // What a first start leaves that is killed or meets a full disk is ours, not somebody's.
    const ours = (name: string): boolean => name === 'lock' || name.startsWith('lock.') || name === basename(next);
    const others = readdirSync(root).filter((name) => !ours(name));
    if (others.length > 0)
      throw new OperationalError(
        'data_directory_foreign',
        `${root} is not empty and not a Weir data directory; name another one.`,
      );
    writeFileSync(next, `${JSON.stringify({ format: FORMAT })}\n`);
    renameSync(next, manifest);
    return;
  }
  let format: unknown;
  try {
    format = (JSON.parse(readFileSync(manifest, 'utf8')) as { format?: unknown }).format;
  } catch (cause) {
    throw new OperationalError('data_directory_format', `${manifest} cannot be read.`, cause);
  }
  if (format !== FORMAT)
    throw new OperationalError(
      'data_directory_format',
      `${root} has format ${String(format)}; this Weir reads format ${FORMAT}.`,
    );
}

/** Takes the lock; one left by a dead process is taken over. */
function acquire({ lock, root }: DataPaths): () => void {
  const me: LockOwner = { ...identity(process.pid), nonce: randomBytes(8).toString('hex') };
  const mine = `${lock}.${process.pid}.${me.nonce}`;
  try {
    writeFileSync(mine, JSON.stringify(me), { mode: 0o600 });
    for (let attempt = 0; attempt < 100; attempt++) {
      if (tryLink(mine, lock)) return () => releaseLock(lock, me);
      const owner = readOwner(lock);
      if (owner && isAlive(owner))
        throw new OperationalError(
          'data_directory_in_use',
          `${root} is in use by process ${owner.pid}; stop it, or name another directory.`,
        );
      discard(lock, owner);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  throw new OperationalError('data_directory_in_use', `${root}: the lock changes hands too fast.`);
}

/** `link` creates the lock with its content in one step, so no reader ever sees half of it. */
function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a stale lock, unless another process replaced it in the meantime: then that one is put back. */
function discard(lock: string, judged: LockOwner | null): void {
  const aside = `${lock}.stale.${process.pid}`;
  try {
    renameSync(lock, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const taken = readOwner(aside);
  if (taken && taken.nonce !== judged?.nonce) tryLink(aside, lock);
  rmSync(aside, { force: true });
}

function releaseLock(lock: string, me: LockOwner): void {
  if (readOwner(lock)?.nonce === me.nonce) rmSync(lock, { force: true });
}

function readOwner(path: string): LockOwner | null {
  try {
    const { pid, start, boot, nonce } = JSON.parse(readFileSync(path, 'utf8')) as Partial<LockOwner>;
    if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 0) return null;
    return { pid, start: String(start ?? ''), boot: String(boot ?? ''), nonce: String(nonce ?? '') };
  } catch {
    return null; // absent, or not written by us: nobody to respect
  }
}

function isAlive(owner: LockOwner): boolean {
  const now = identity(owner.pid);
  if (owner.boot !== '' && now.boot !== '' && owner.boot !== now.boot) return false;
  if (owner.start !== '' && now.boot !== '') return owner.start === now.start;
  try {
    process.kill(owner.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Start and boot of a process, from /proc where there is one; start is '' for a process that is gone. */
function identity(pid: number): Omit<LockOwner, 'nonce'> {
  const boot = readText('/proc/sys/kernel/random/boot_id').trim();
  const stat = readText(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name in brackets may hold anything
  const dead = fields[0] === 'Z' || fields[0] === 'X';
  return { pid, start: dead ? '' : (fields[19] ?? ''), boot };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

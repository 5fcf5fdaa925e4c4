// One at a time, across processes. A lock of a process that has died counts as free.

import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from './failure.ts';
import { type Identity, isAlive, SELF } from './process.ts';

/** Longer than the slowest download or start under it. */
const PATIENCE = 15 * 60_000;

let serial = 0;

export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  await acquire(path);
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function acquire(path: string): Promise<void> {
  const own = `${path}.${process.pid}.${serial++}`;
  await writeFile(own, JSON.stringify(SELF)); // linked only when complete: a lock never lacks its holder
  try {
    for (const end = Date.now() + PATIENCE; !(await taken(own, path)); await sleep(100)) {
      const holder = await holderOf(path);
      if (holder && !isAlive(holder)) await setAside(path, own, holder);
      else if (Date.now() > end)
        throw new ServiceError('services_busy', `Process ${holder?.pid} has held ${path} for too long.`);
    }
  } finally {
    await rm(own, { force: true });
  }
}

async function taken(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function holderOf(path: string): Promise<Identity | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined); // released in between
  return text === undefined ? undefined : (JSON.parse(text) as Identity);
}

/** Another process may have done the same and taken the lock already: then what was moved is given back. */
async function setAside(path: string, own: string, dead: Identity): Promise<void> {
  const aside = `${own}.dead`;
  try {
    await rename(path, aside);
  } catch {
    return; // another was quicker
  }
  const moved = await holderOf(aside);
  if (moved && (moved.pid !== dead.pid || moved.startTime !== dead.startTime)) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
}

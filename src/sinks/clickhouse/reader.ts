// How the reading verbs reach the data: through the running process if there is one, else by opening the store themselves.

import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperationalError } from '../../cli/verb.ts';
import { dataPaths, lockOwner, missing, openDataDirectory } from '../../delivery/directory.ts';
import type { Reader } from '../sink.ts';
import { openChdbStore } from './chdb.ts';
import { connectEndpoint } from './endpoint.ts';

/** A process that starts, ends, or is a reader itself holds the lock without an endpoint for so long at most, ms. */
const PATIENCE_MS = 15_000;

export interface ReaderOptions {
  readonly patienceMs?: number;
  readonly memoryBytes?: number;
  readonly threads?: number;
}

/** Throws OperationalError: `data_directory_missing`, `data_directory_in_use`, and what opening a store throws. */
export async function openReader(directory: string, options: ReaderOptions = {}): Promise<Reader> {
  const { manifest, root } = dataPaths(directory);
  const until = performance.now() + (options.patienceMs ?? PATIENCE_MS);
  for (;;) {
    if (!existsSync(manifest)) throw missing(root);
    if (lockOwner(directory)) {
      const live = await connectEndpoint(directory);
      if (live) return live;
    }
    try {
      return await openAlone(directory, options);
    } catch (error) {
      const busy = error instanceof OperationalError && error.code === 'data_directory_in_use';
      if (!busy || performance.now() > until) throw error;
    }
    await sleep(100);
  }
}

async function openAlone(directory: string, options: ReaderOptions): Promise<Reader> {
  const { root, release } = openDataDirectory(directory, { create: false });
  try {
    const store = await openChdbStore({ ...options, directory: root });
    const reader = await store.reader();
    return {
      query: reader.query,
      async close() {
        await reader.close();
        await store.close();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

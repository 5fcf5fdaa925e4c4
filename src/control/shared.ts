// Control snapshots where every instance finds them: whoever takes over a lane repeats its blocks under the snapshots that its
// journal names, lists included.

import { readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { OperationalError } from '../cli/verb.ts';
import type { ControlSnapshot } from '../model/control.ts';
import { exists, keepFile } from './files.ts';
import { loadSnapshot, saveSnapshot } from './snapshot.ts';

export interface SharedBlobs {
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** Null when it is not there. */
  get(name: string): Promise<Uint8Array | null>;
}

/** Writes the snapshot, and the lists that it names, to `root` and to the others. */
export async function publishSnapshot(root: string, snapshot: ControlSnapshot, blobs: SharedBlobs): Promise<void> {
  await saveSnapshot(root, snapshot);
  for (const name of [...listsOf(snapshot), `control/${snapshot.hash}.json`])
    await blobs.put(name, await readFile(join(root, name)));
}

/** The snapshot from `root`, or from the others, who may have made it. Throws OperationalError as `loadSnapshot` does. */
export async function sharedSnapshot(root: string, hash: string, blobs: SharedBlobs): Promise<ControlSnapshot> {
  await fetchFile(root, `control/${hash}.json`, blobs);
  const snapshot = await loadSnapshot(root, hash);
  for (const name of listsOf(snapshot)) await fetchFile(root, name, blobs);
  for (const { path } of snapshot.enrich.geo) {
    if (await exists(path)) continue;
    const message = `control snapshot ${hash} needs the database ${basename(path)}: give this instance the same databases as the others have.`;
    throw new OperationalError('snapshot_missing', message);
  }
  return snapshot;
}

function listsOf({ lists, tenants }: ControlSnapshot): string[] {
  const files = [...lists, ...tenants.flatMap((tenant) => tenant.lists)].map(({ file }) => file);
  return [...new Set(files.filter((file) => file !== ''))].map((file) => `lists/${basename(file)}`);
}

async function fetchFile(root: string, name: string, blobs: SharedBlobs): Promise<void> {
  const path = join(root, name);
  if (await exists(path)) return;
  const bytes = await blobs.get(name);
  if (bytes === null) return; // whoever needs it says what is missing
  await keepFile(dirname(path), '', async (temporary) => {
    await writeFile(temporary, bytes);
    return basename(path);
  });
}

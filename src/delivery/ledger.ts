// The ledger of a lane: up to which block every store has acknowledged, with the lane's state at that very point.
// Offsets and state are one file, replaced as a whole, so that they can never disagree (guarantee 1).

import { existsSync } from 'node:fs';
import { open, readFile, rename } from 'node:fs/promises';
import { Packr } from 'msgpackr';
import type { FileProgress } from '../sources/source.ts';
import type { Reach } from './crashpoints.ts';

export interface Commit {
  readonly version: 1;
  /** Last block whose effects every store holds; 0 for none. */
  readonly seq: number;
  /** Control snapshot in force after that block. */
  readonly control: string;
  /** Tenants that were parked in that block; absent for none. */
  readonly parked?: readonly string[];
  /** Position of every file, by source name. */
  readonly files: readonly (readonly [string, FileProgress])[];
  /** State of the correlator after that block; null before the first. */
  readonly state: Uint8Array | null;
}

export const EMPTY_COMMIT: Commit = { version: 1, seq: 0, control: '', files: [], state: null };

const packr = new Packr({ useRecords: false });

export async function readCommit(path: string): Promise<Commit> {
  if (!existsSync(path)) return EMPTY_COMMIT;
  const commit = packr.unpack(await readFile(path)) as Commit;
  if (commit.version !== 1)
    throw new Error(`${path}: written by another version of Weir (ledger version ${commit.version})`);
  return commit;
}

export async function writeCommit(path: string, commit: Commit, reach: Reach): Promise<void> {
  const next = `${path}.next`;
  const handle = await open(next, 'w');
  try {
    await handle.writeFile(packr.pack(commit));
    await handle.datasync();
  } finally {
    await handle.close();
  }
  reach('during-commit');
  await rename(next, path);
}

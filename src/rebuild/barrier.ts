// When what is in one store and what is in the other speak of the same records. Flows and rollups of a record are written at
// different moments: a sum of one side is only comparable with a sum of the other once all that was under way has arrived.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperationalError } from '../cli/verb.ts';
import type { Config } from '../config/schema.ts';
import { openDataDirectory } from '../delivery/directory.ts';
import { Journal } from '../delivery/journal.ts';
import { readCommit } from '../delivery/ledger.ts';
import { lanePositions } from '../kafka/log-positions.ts';
import type { KafkaReader } from '../kafka/reader.ts';

export interface Barrier {
  /** Resolves when rollups hold every record whose flow was stored when this was called. */
  storedAreCounted(): Promise<void>;
  /** Resolves when flows hold every record whose rollup was stored when this was called. */
  countedAreStored(): Promise<void>;
}

/** A commit is due every `snapshot.seconds`; a lane that changes its owner, or waits for a store, takes longer. */
const PATIENCE_MS = 180_000;
const POLL_MS = 500;

/**
 * Of Kafka's lanes, by their logs: `stores` and `detects` are the state topics of those roles, the same one where they run together.
 * Rejects with OperationalError('rebuild_blocked') when a lane does not go on.
 */
export function laneBarrier(reader: KafkaReader, stores: string, detects: string, patienceMs = PATIENCE_MS): Barrier {
  const wait = async (ahead: string, behind: string): Promise<void> => {
    // A block is journaled before anything of it is written: what is in a store is among these.
    const { journaled: wanted } = await lanePositions(reader, ahead);
    const until = Date.now() + patienceMs;
    for (;;) {
      const { committed } = await lanePositions(reader, behind);
      const open = [...wanted].filter(([stream, offset]) => (committed.get(stream) ?? 0) < offset);
      if (open.length === 0) return;
      if (Date.now() > until)
        throw new OperationalError(
          'rebuild_blocked',
          `blocks are unfinished (${open.map(([stream, offset]) => `${stream} up to ${offset}`).join(', ')}), and nobody finishes them: their rollups may still come, and would count twice. Start 'weir run', or see why it waits.`,
        );
      await sleep(POLL_MS);
    }
  };
  return {
    storedAreCounted: () => wait(stores, detects),
    countedAreStored: () => wait(detects, stores),
  };
}

/** Nothing is under way: the caller keeps runs away. */
export const STILL: Barrier = { storedAreCounted: async () => {}, countedAreStored: async () => {} };

/**
 * Keeps runs away from a data directory until the returned function is called. Throws OperationalError: `data_directory_in_use`,
 * `rebuild_blocked` for blocks that an earlier run left unfinished.
 */
export async function keepStill({ data }: Config): Promise<() => void> {
  const { root, release } = openDataDirectory(data, { create: false });
  try {
    await requireFinished(root);
    return release;
  } catch (error) {
    release();
    throw error;
  }
}

/** Throws OperationalError('rebuild_blocked'). The lock of the directory must be held. */
export async function requireFinished(root: string): Promise<void> {
  const lanes = join(root, 'lanes');
  for (const lane of existsSync(lanes) ? readdirSync(lanes) : []) {
    const { seq } = await readCommit(join(lanes, lane, 'ledger'));
    const journal = await Journal.open(join(lanes, lane, 'journal.jsonl'), seq);
    await journal.close();
    if (journal.pending.length > 0)
      throw new OperationalError(
        'rebuild_blocked',
        `${root}: an earlier run left ${journal.pending.length} blocks unfinished; their rollups are still to come, and would count twice. Run 'weir run' once more, then rebuild.`,
      );
  }
}

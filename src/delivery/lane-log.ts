// What a lane remembers outside the process: its journal, and its last commit (offsets and state at one point). The port
// that files (embedded) and a compacted topic (Kafka) implement.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DivertedOutput } from '../model/outputs.ts';
import type { Reach } from './crashpoints.ts';
import { Journal, type JournalEntry, type JournalLine } from './journal.ts';
import { type Commit, readCommit, writeCommit } from './ledger.ts';

/** Packed messages that are sent with a journal entry, or not at all. */
export type Outgoing = Readonly<Record<DivertedOutput, readonly Uint8Array[]>>;

export interface LaneLog {
  /** The last commit, as found on opening. */
  readonly commit: Commit;
  /** Blocks that were journaled after it, in order: what recovery must follow. */
  readonly pending: readonly JournalEntry[];
  /**
   * Resolves when the line is safe, and `outgoing` sent, both or neither.
   * Rejects with `Fenced` when another owner has the lane by now.
   */
  append(line: JournalLine, outgoing?: Outgoing): Promise<void>;
  /** Replaces the last commit, then forgets the journal up to its block. Rejects with `Fenced` as `append` does. */
  save(commit: Commit): Promise<void>;
  close(): Promise<void>;
}

/** Another owner has taken the lane over: nothing of this one may have any further effect. */
export class Fenced extends Error {
  override readonly name = 'Fenced';
}

/** In files of `folder`, which is made when it is not there. */
export async function openFileLog(folder: string, reach: Reach): Promise<LaneLog> {
  mkdirSync(folder, { recursive: true });
  const ledger = join(folder, 'ledger');
  const commit = await readCommit(ledger);
  const journal = await Journal.open(join(folder, 'journal.jsonl'), commit.seq);
  return {
    commit,
    pending: journal.pending,
    append: (line) => journal.append(line),
    save: async (next) => {
      await writeCommit(ledger, next, reach);
      reach('after-commit');
      await journal.truncate(next.seq);
    },
    close: () => journal.close(),
  };
}

// The journal of a lane: which input makes up each block, written before any effect of the block leaves the process.
// One JSON line an entry. A torn last line is a block of which nothing left; it is dropped.

import { existsSync } from 'node:fs';
import { open, readFile, rename, writeFile } from 'node:fs/promises';
import type { OutputName } from '../model/outputs.ts';
import type { RefusedPiece } from '../sinks/sink.ts';
import type { FileProgress, Range } from '../sources/source.ts';

/** A stretch of one source, in the order in which the lane took it. */
export interface JournalPart {
  readonly source: string;
  readonly ranges: readonly Range[];
}

export interface JournalEntry {
  /** Counts the blocks of the lane from 1, without gaps. */
  readonly seq: number;
  /** Hash of the control snapshot in force for the whole block. */
  readonly control: string;
  readonly parts: readonly JournalPart[];
  /** Files that no earlier entry names, by source. */
  readonly files: readonly (readonly [string, FileProgress])[];
  /** The input ended with this block: open alerts wrote a revision. */
  readonly end: boolean;
  /** With this block the rollups since the last such block were written, and the state saved. */
  readonly commit: boolean;
  /** Everything appended before this moment (ms since 1970) was in with this block; absent for no tick. */
  readonly tick?: number;
  /** Tenants (UUIDs) whose records of the block went to the overflow; absent for none. */
  readonly parked?: readonly string[];
  /** Pieces that stores refused, each said by a further line: see `JournalRefusal`. */
  readonly refused?: readonly RefusedOf[];
}

/** A piece of the block's rows of one table that its store refused, so they are stored in smaller ones from then on. */
export type RefusedOf = RefusedPiece & { readonly table: OutputName };

/** Said of a block that is in the journal already. */
export interface JournalRefusal {
  readonly seq: number;
  readonly refused: readonly RefusedOf[];
}

export type JournalLine = JournalEntry | JournalRefusal;

/** Adds a line to the entries before it; of two entries of one block the first counts. */
export function mergeLine(entries: JournalEntry[], line: JournalLine): void {
  const at = entries.findIndex(({ seq }) => seq === line.seq);
  if ('parts' in line) {
    if (at < 0) entries.push(line);
  } else if (at >= 0) {
    entries[at] = { ...entries[at], refused: [...(entries[at].refused ?? []), ...line.refused] };
  }
}

type Handle = Awaited<ReturnType<typeof open>>;

export class Journal {
  /** Entries found on opening, in order: what recovery must follow. */
  readonly pending: readonly JournalEntry[];
  private handle: Handle;
  private readonly path: string;
  private kept: JournalEntry[];
  private last: Promise<void> = Promise.resolve();

  private constructor(path: string, handle: Handle, entries: JournalEntry[]) {
    this.path = path;
    this.handle = handle;
    this.pending = entries;
    this.kept = [...entries];
  }

  /** Opens the journal and drops what `committed` (a block's seq) already covers. */
  static async open(path: string, committed: number): Promise<Journal> {
    const entries = (existsSync(path) ? parse(await readFile(path, 'utf8'), path) : []).filter(
      (e) => e.seq > committed,
    );
    entries.forEach((entry, i) => {
      if (entry.seq !== committed + 1 + i)
        throw new Error(`${path}: block ${committed + 1 + i} is missing from the journal`);
    });
    await rewrite(path, entries);
    return new Journal(path, await open(path, 'a'), entries);
  }

  async append(line: JournalLine): Promise<void> {
    return this.exclusively(async () => {
      await this.handle.appendFile(`${JSON.stringify(line)}\n`);
      mergeLine(this.kept, line);
    });
  }

  /** Forgets blocks up to `seq`; called after the ledger holds them. */
  async truncate(seq: number): Promise<void> {
    return this.exclusively(async () => {
      this.kept = this.kept.filter((entry) => entry.seq > seq);
      await rewrite(this.path, this.kept);
      await this.handle.close();
      this.handle = await open(this.path, 'a');
    });
  }

  async close(): Promise<void> {
    return this.exclusively(() => this.handle.close());
  }

  /** Appending while the file is being replaced would write into the old one, and lose the entry. */
  private exclusively(work: () => Promise<void>): Promise<void> {
    const done = this.last.then(work);
    this.last = done.catch(() => {});
    return done;
  }
}

function parse(text: string, path: string): JournalEntry[] {
  const lines = text.split('\n');
  lines.pop(); // '' after the last newline, or a torn entry
  const entries: JournalEntry[] = [];
  lines.forEach((line, i) => {
    try {
      mergeLine(entries, JSON.parse(line) as JournalLine);
    } catch (cause) {
      throw new Error(`${path}:${i + 1}: the journal cannot be read`, { cause });
    }
  });
  return entries;
}

async function rewrite(path: string, entries: readonly JournalEntry[]): Promise<void> {
  const next = `${path}.next`;
  await writeFile(next, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  await rename(next, path);
}

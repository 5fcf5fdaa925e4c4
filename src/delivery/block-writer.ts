// Writes the inserts of a lane's blocks. Where a store refuses a block for good, its rows are written in pieces, and records whose
// rows are refused by themselves become dead letters with their original bytes: a poison record never blocks its lane.

import type { ControlSnapshot } from '../model/control.ts';
import type { OutputName } from '../model/outputs.ts';
import type { TableRows } from '../model/tables.ts';
import { type BlockSink, type RefusedPiece, SinkError, type StoreBlock } from '../sinks/sink.ts';
import type { Source } from '../sources/source.ts';
import { insertOf } from './block.ts';
import type { Reach } from './crashpoints.ts';
import type { JournalEntry, RefusedOf } from './journal.ts';
import type { LaneLog } from './lane-log.ts';
import type { Router } from './router.ts';
import { underSnapshot } from './under-snapshot.ts';

export interface BlockWriterParts {
  readonly lane: string;
  readonly store: BlockSink;
  readonly log: LaneLog;
  readonly router: Router;
  readonly reach: Reach;
  readonly sourceOf: (name: string) => Source;
  /** Makes the snapshot known to all workers. */
  readonly install: (hash: string) => Promise<ControlSnapshot>;
}

/** Tables whose rows are of one record each. */
const OF_RECORDS: ReadonlySet<OutputName> = new Set(['flows', 'session_events', 'tunnel_stats', 'logs']);

const NEVER = new AbortController().signal;

export class BlockWriter {
  private readonly parts: BlockWriterParts;

  constructor(parts: BlockWriterParts) {
    this.parts = parts;
  }

  /** Resolves to the number of rows that were refused, once they are dead letters and all others are stored. */
  async write(insert: StoreBlock, entry: JournalEntry): Promise<number> {
    const { store, log, reach } = this.parts;
    const { table, rows } = insert;
    const known: RefusedOf[] = (entry.refused ?? []).filter((piece) => piece.table === table);
    const note = async (piece: RefusedPiece): Promise<void> => {
      const refused = { ...piece, table };
      await log.append({ seq: entry.seq, refused: [refused] });
      known.push(refused);
      reach('refusal-journaled');
    };
    if (known.length === 0) {
      try {
        await store.write(insert);
        return 0;
      } catch (error) {
        if (!(error instanceof SinkError) || error.kind !== 'poison') throw error;
        if (!OF_RECORDS.has(table)) throw refusedBlock(insert, error);
        await note({ from: 0, to: rows, code: error.code, message: error.message });
      }
    }
    await store.isolate(insert, { known, note });
    reach('rows-isolated');
    const refused = known.filter(({ from, to }) => to - from === 1).sort((a, b) => a.from - b.from);
    if (refused.length > 0) await this.deadLetters(insert, entry, refused);
    reach('dead-letters-written');
    return refused.length;
  }

  /** Reads the block's input once more, for the records that the refused rows are of. */
  private async deadLetters(insert: StoreBlock, entry: JournalEntry, refused: readonly RefusedPiece[]): Promise<void> {
    const { lane, router, store, sourceOf, install } = this.parts;
    const { table, token } = insert;
    const snapshot = await install(entry.control);
    const found: TableRows[] = [];
    let before = 0;
    for (const part of entry.parts) {
      const source = sourceOf(part.source);
      const index = snapshot.sources.findIndex(({ name }) => name === source.name);
      for await (const read of source.again().replay(part.ranges, source.files(), NEVER)) {
        const { bytes, segments, ranges, release } = underSnapshot(read, index);
        const wanted = refused.flatMap(({ from, code, message }) =>
          from >= before ? [{ row: from - before, code, message }] : [],
        );
        const batch = { bytes, segments, appendedAtMs: ranges[0]?.appendedAtMs ?? 0, parked: entry.parked ?? [] };
        const { rows, seen } = await router.refuse(lane, entry.control, batch, table, wanted).finally(release);
        found.push(...rows);
        before += seen;
      }
    }
    for (const output of new Set(found.map((rows) => rows.table))) {
      const letters = insertOf(
        output,
        `${token}-refused`,
        found.filter((rows) => rows.table === output),
      );
      await store.write(letters);
      await router.forget(letters.parcels ?? []);
    }
  }
}

function refusedBlock({ table, rows, token }: StoreBlock, cause: SinkError): SinkError {
  const what = `the store refuses a block of ${rows} rows for ${table} (token ${token})`;
  return new SinkError('fatal', 'store_refused', `${what}: ${cause.message}`, cause);
}

// A block: what one contiguous stretch of a lane's input puts into the stores. The unit of journal, insert and acknowledgement.

import { utf8 } from '../model/bytes.ts';
import { hashHex } from '../model/hash.ts';
import { DIVERTED_OUTPUTS, type DivertedOutput, type OutputName } from '../model/outputs.ts';
import type { TableRows } from '../model/tables.ts';
import type { StoreBlock } from '../sinks/sink.ts';
import type { Range } from '../sources/source.ts';
import type { JournalEntry } from './journal.ts';
import type { Outgoing } from './lane-log.ts';

/** What a whole block is decided under. */
export interface Regime {
  /** Hash of the control snapshot. */
  readonly control: string;
  /** UUIDs of the tenants that are parked, sorted. */
  readonly parked: readonly string[];
}

export function sameRegime(a: Regime, b: Regime): boolean {
  return a.control === b.control && a.parked.join() === b.parked.join();
}

export class OpenBlock implements Regime {
  readonly control: string;
  /** Tenants whose records take the detour, for the whole block; see parking.ts. */
  readonly parked: readonly string[];
  readonly openedAt: number;
  readonly parts: { source: string; ranges: Range[] }[] = [];
  rows = 0;
  private readonly chunks = new Map<OutputName, TableRows[]>();

  constructor({ control, parked }: Regime, openedAt: number) {
    this.control = control;
    this.parked = parked;
    this.openedAt = openedAt;
  }

  /** Adds a batch: where it came from and its rows. Neighbouring ranges are joined, so the journal stays short. */
  add(source: string, ranges: readonly Range[], rows: readonly TableRows[]): void {
    let part = this.parts.at(-1);
    if (part?.source !== source) {
      part = { source, ranges: [] };
      this.parts.push(part);
    }
    for (const range of ranges) {
      const last = part.ranges.at(-1);
      if (last && continues(last, range)) part.ranges[part.ranges.length - 1] = { ...last, to: range.to };
      else part.ranges.push(range);
    }
    for (const table of rows) {
      const known = this.chunks.get(table.table);
      if (known) known.push(table);
      else this.chunks.set(table.table, [table]);
      this.rows += table.rows;
    }
  }

  /** Packed messages that go out with the journal entry, and only with it. */
  outgoing(): Outgoing {
    const bytesOf = (output: DivertedOutput): Uint8Array[] => (this.chunks.get(output) ?? []).map(({ bytes }) => bytes);
    return { misplaced: bytesOf('misplaced'), overflow: bytesOf('overflow') };
  }

  /**
   * The inserts of the closed block. Tokens are made from the journaled ranges, so a replay repeats them and the store drops
   * what it already has. Rollup and alert rows come one piece a month and keep a token each.
   */
  inserts(lane: string, entry: JournalEntry, closing: readonly TableRows[]): StoreBlock[] {
    const identity = hashHex(utf8(JSON.stringify([lane, entry.seq, entry.parts])));
    const inserts: StoreBlock[] = [];
    for (const [table, pieces] of this.chunks) {
      if ((DIVERTED_OUTPUTS as readonly string[]).includes(table)) continue; // sent with the journal entry
      const insert = insertOf(table, `${identity}-${table}`, pieces);
      if (insert.rows > 0) inserts.push(insert);
    }
    closing.forEach(({ table, rows, bytes }, i) => {
      if (rows > 0) inserts.push({ table, token: `${identity}-${table}-${i}`, rows, chunks: [bytes] });
    });
    return inserts;
  }
}

/** What several pieces of rows put into one table under one token. */
export function insertOf(table: OutputName, token: string, pieces: readonly TableRows[]): StoreBlock {
  return {
    table,
    token,
    rows: pieces.reduce((sum, { rows }) => sum + rows, 0),
    chunks: pieces.flatMap(({ parcel, bytes }) => (parcel ? [] : [bytes])),
    parcels: pieces.flatMap(({ parcel }) => parcel ?? []),
  };
}

function continues(last: Range, next: Range): boolean {
  return (
    last.file === next.file &&
    last.to === next.from &&
    last.referenceMs === next.referenceMs &&
    last.appendedAtMs === next.appendedAtMs
  );
}

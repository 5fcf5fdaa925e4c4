// How far lanes have come, read from their logs by somebody who does not own them: what is journaled, and what of it is committed.

import { Packr } from 'msgpackr';
import type { JournalEntry } from '../delivery/journal.ts';
import type { Commit } from '../delivery/ledger.ts';
import type { KafkaReader } from './reader.ts';
import { recordsOf } from './records.ts';

export interface LanePositions {
  /** By stream (topic/partition): the offset behind the last record of any journaled block. */
  readonly journaled: ReadonlyMap<string, number>;
  /** The offset behind the last record whose effects every store of this group holds. */
  readonly committed: ReadonlyMap<string, number>;
}

const packr = new Packr({ useRecords: false });

/** Of all lanes of a group together: a stream belongs to one lane. `reader` must know the topic. */
export async function lanePositions(reader: KafkaReader, topic: string): Promise<LanePositions> {
  const journaled = new Map<string, number>();
  const committed = new Map<string, number>();
  const reach = (positions: Map<string, number>, stream: string, offset: number): void => {
    positions.set(stream, Math.max(offset, positions.get(stream) ?? 0));
  };
  for (let partition = 0; partition < reader.partitions(topic); partition++) {
    const { first, end } = await reader.offsets(topic, partition);
    let pieces: Buffer[] = [];
    for await (const batch of reader.range(topic, partition, first, end)) {
      for (const { key, value, headers } of recordsOf(batch)) {
        if (value === null) continue;
        if (key === 'journal')
          for (const { ranges } of (JSON.parse(value.toString()) as JournalEntry).parts)
            for (const { file, to } of ranges) reach(journaled, file, to);
        if (key !== 'commit') continue;
        if (headers.piece === '0') pieces = [];
        pieces.push(Buffer.from(value));
        if (pieces.length < Number(headers.pieces)) continue;
        const { files } = packr.unpack(Buffer.concat(pieces)) as Commit;
        for (const [, { file, position }] of files) {
          reach(committed, file, position);
          reach(journaled, file, position);
        }
      }
    }
  }
  return { journaled, committed };
}

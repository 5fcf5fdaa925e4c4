// How far lanes have come, read from their logs by somebody who does not own them: what is journaled, and what of it is committed.

import { logRecords } from './log-records.ts';
import type { KafkaReader } from './reader.ts';

export interface LanePositions {
  /** By stream (topic/partition): the offset behind the last record of any journaled block. */
  readonly journaled: ReadonlyMap<string, number>;
  /** The offset behind the last record whose effects every store of this group holds. */
  readonly committed: ReadonlyMap<string, number>;
}

/** Of all lanes of a group together: a stream belongs to one lane. `reader` must know the topic. */
export async function lanePositions(reader: KafkaReader, topic: string): Promise<LanePositions> {
  const journaled = new Map<string, number>();
  const committed = new Map<string, number>();
  const reach = (positions: Map<string, number>, stream: string, offset: number): void => {
    positions.set(stream, Math.max(offset, positions.get(stream) ?? 0));
  };
  for (let partition = 0; partition < reader.partitions(topic); partition++) {
    const { first, end } = await reader.offsets(topic, partition);
    for await (const record of logRecords(reader.range(topic, partition, first, end), `${topic}/${partition}`)) {
      if (record.kind === 'journal' && 'parts' in record.line)
        for (const { ranges } of record.line.parts) for (const { file, to } of ranges) reach(journaled, file, to);
      if (record.kind !== 'commit') continue;
      for (const [, { file, position }] of record.commit.files) {
        reach(committed, file, position);
        reach(journaled, file, position);
      }
    }
  }
  return { journaled, committed };
}

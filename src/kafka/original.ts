// The record that a dead letter is about, as it still stands in its topic: with its key and headers, which the letter does not keep,
// and all its bytes, of which the letter keeps a head.

import { CodecError, decompress } from '../model/kafka/codecs.ts';
import { HEADER_BYTES, RecordWalker, readHeader } from '../model/kafka/record-batch.ts';
import { type KafkaReader, OffsetOutOfRange, type RawRecordBatch } from './reader.ts';

export interface Original {
  readonly key: Buffer | null;
  readonly value: Buffer;
  readonly headers: readonly (readonly [name: string, value: Buffer])[];
}

/** A walk through a partition: letters are asked for in the order of their records, or nearly so. */
interface Walk {
  readonly batches: AsyncGenerator<RawRecordBatch>;
  batch: RawRecordBatch | null;
}

/** Partitions that are walked at once. */
const MOST_WALKS = 32;
/** Further ahead than so many offsets, asking anew is cheaper than reading on. */
const READ_ON = 20_000;

export class Originals {
  private readonly reader: KafkaReader;
  private readonly walks = new Map<string, Walk>();

  /** `reader` must know the topics that are asked for. */
  constructor(reader: KafkaReader) {
    this.reader = reader;
  }

  /** Null when the topic no longer has the record. Cheap for ascending offsets of a partition. */
  async find(topic: string, partition: number, offset: number): Promise<Original | null> {
    try {
      const batch = await this.batchOf(topic, partition, offset);
      return batch && recordAt(batch, offset);
    } catch (error) {
      this.walks.delete(`${topic}/${partition}`);
      if (error instanceof CodecError || error instanceof OffsetOutOfRange) return null;
      throw error;
    }
  }

  private async batchOf(topic: string, partition: number, offset: number): Promise<RawRecordBatch | null> {
    const stream = `${topic}/${partition}`;
    let walk = this.walks.get(stream);
    const at = walk?.batch;
    if (at && holds(at, offset)) return at;
    if (!walk || !at || offset < at.baseOffset || offset > at.lastOffset + READ_ON) {
      const { first, end } = await this.reader.offsets(topic, partition);
      if (offset < first || offset >= end) return null;
      walk = { batches: this.reader.range(topic, partition, offset, end), batch: null };
      if (this.walks.size >= MOST_WALKS) this.walks.delete(this.walks.keys().next().value ?? '');
      this.walks.set(stream, walk);
    }
    for (;;) {
      const { value, done } = await walk.batches.next();
      if (done || value.baseOffset > offset) {
        this.walks.delete(stream);
        return null;
      }
      walk.batch = value;
      if (holds(value, offset)) return value;
    }
  }
}

function holds({ baseOffset, lastOffset }: RawRecordBatch, offset: number): boolean {
  return baseOffset <= offset && offset <= lastOffset;
}

const MOST_BYTES = 256 << 20;

function recordAt({ bytes }: RawRecordBatch, offset: number): Original | null {
  const header = readHeader(bytes, 0, bytes.length);
  if (header === null) return null;
  const records = decompress(header.codec, bytes.subarray(HEADER_BYTES, header.bytes), MOST_BYTES);
  const view = (start: number, length: number): Buffer => Buffer.from(records.subarray(start, start + length));
  const walker = new RecordWalker();
  walker.open(records, 0, records.length);
  for (let i = 0; i < header.count; i++) {
    walker.next();
    if (header.baseOffset + walker.offsetDelta !== offset) continue;
    const { keyStart, keyLength, valueStart, valueLength } = walker;
    if (valueLength < 0) return null;
    return {
      key: keyLength < 0 ? null : view(keyStart, keyLength),
      value: view(valueStart, valueLength),
      headers: walker.headerEntries().map(([name, value]) => [name, Buffer.from(value ?? [])]),
    };
  }
  return null;
}

// Reads partitions by offset, as raw record batches, on connections of its own: no group, no positions but the caller's.

import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaConfig } from 'kafkajs';
import { CodecError } from '../model/kafka/codecs.ts';
import { readHeader } from '../model/kafka/record-batch.ts';
import { type Cluster, createCluster } from './library.ts';

export interface Wanted {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly maxBytes: number;
}

/** A record batch of data: transaction markers and what was aborted are left out. */
export interface RawRecordBatch {
  readonly bytes: Uint8Array;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly compressed: boolean;
  /** Newest time stamp of its records, ms since 1970. */
  readonly maxTimestamp: number;
  readonly count: number;
}

export interface Fetched {
  readonly topic: string;
  readonly partition: number;
  readonly batches: readonly RawRecordBatch[];
  /** Everything before it has been seen, markers and gaps included. */
  readonly next: number;
  /** High watermark: offset behind the last record that there is; of an open transaction it may not be read yet. */
  readonly high: number;
}

/** The broker no longer has (or never had) the offset that was asked for. */
export class OffsetOutOfRange extends Error {
  override readonly name = 'OffsetOutOfRange';
  readonly topic: string;
  readonly partition: number;
  constructor(topic: string, partition: number, cause: unknown) {
    super(`${topic}/${partition}: the broker does not have this offset`, { cause });
    this.topic = topic;
    this.partition = partition;
  }
}

const READ_COMMITTED = 1;
/** Errors of a partition whose leader is being changed, or has just been named. */
const UNSETTLED: ReadonlySet<string> = new Set(['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE']);
const LEADERSHIP_MS = 30_000;

export class KafkaReader {
  private readonly cluster: Cluster;
  /** Last fetch of each broker: a connection answers one after the other, and kafkajs would open another one it loses sight of. */
  private readonly last = new Map<number, Promise<unknown>>();

  constructor(options: KafkaConfig) {
    this.cluster = createCluster(options);
  }

  async connect(topics: readonly string[]): Promise<void> {
    await this.cluster.connect();
    await this.cluster.addMultipleTargetTopics(topics);
  }

  async close(): Promise<void> {
    await this.cluster.disconnect();
  }

  /** Number of partitions of a topic that `connect` named. */
  partitions(topic: string): number {
    return this.cluster.findTopicPartitionMetadata(topic).length;
  }

  /** Broker that leads a partition; undefined while there is none. */
  leader(topic: string, partition: number): number | undefined {
    const found = this.cluster.findTopicPartitionMetadata(topic).find(({ partitionId }) => partitionId === partition);
    return found === undefined || found.leader < 0 ? undefined : found.leader;
  }

  async refresh(): Promise<void> {
    await this.cluster.refreshMetadata();
  }

  /** First offset that there is, and the one behind the last. */
  async offsets(topic: string, partition: number): Promise<{ first: number; end: number }> {
    return { first: await this.offset(topic, partition, true), end: await this.offset(topic, partition, false) };
  }

  /** Asks again while leadership moves: kafkajs does not. */
  private async offset(topic: string, partition: number, fromBeginning: boolean): Promise<number> {
    for (const end = Date.now() + LEADERSHIP_MS; ; await sleep(100)) {
      try {
        const [found] = await this.cluster.fetchTopicsOffset([{ topic, partitions: [{ partition }], fromBeginning }]);
        return Number(found.partitions[0].offset);
      } catch (error) {
        if (!UNSETTLED.has((error as { type?: string }).type ?? '') || Date.now() > end) throw error;
        await this.refresh();
      }
    }
  }

  /** One fetch from one broker; waits up to `waitMs` when there is nothing. Throws OffsetOutOfRange and kafkajs' errors. */
  fetch(node: number, wanted: readonly Wanted[], waitMs: number, maxBytes: number): Promise<Fetched[]> {
    const before = this.last.get(node) ?? Promise.resolve();
    const done = before.then(() => this.ask(node, wanted, waitMs, maxBytes));
    this.last.set(
      node,
      done.catch(() => {}),
    );
    return done;
  }

  private async ask(node: number, wanted: readonly Wanted[], waitMs: number, maxBytes: number): Promise<Fetched[]> {
    const broker = await this.cluster.findBroker({ nodeId: String(node) });
    const topics = [...new Set(wanted.map(({ topic }) => topic))].map((topic) => ({
      topic,
      partitions: wanted
        .filter((one) => one.topic === topic)
        .map(({ partition, offset, maxBytes: most }) => ({ partition, fetchOffset: String(offset), maxBytes: most })),
    }));
    const request = { isolationLevel: READ_COMMITTED, maxWaitTime: waitMs, minBytes: 1, maxBytes, topics };
    try {
      const { responses } = await broker.fetch(request);
      return responses.flatMap(({ topicName, partitions }) =>
        partitions.map((one) => {
          const offset = wanted.find(
            ({ topic, partition }) => topic === topicName && partition === one.partition,
          )!.offset;
          const { batches, next } = committed(one.messages[0] ?? NOTHING, offset, one.abortedTransactions ?? []);
          return { topic: topicName, partition: one.partition, batches, next, high: Number(one.highWatermark) };
        }),
      );
    } catch (error) {
      const { name, topic, partition, host, port } = error as {
        name?: string;
        topic?: string;
        partition?: number;
        host?: string;
        port?: number;
      };
      if (name === 'KafkaJSOffsetOutOfRange') throw new OffsetOutOfRange(String(topic), Number(partition), error);
      if (name === 'KafkaJSConnectionClosedError' && host !== undefined && port !== undefined)
        this.cluster.removeBroker({ host, port });
      throw error;
    }
  }

  /** Every batch of a partition from `from` up to `until` (exclusive), one fetch after the other. */
  async *range(topic: string, partition: number, from: number, until: number): AsyncGenerator<RawRecordBatch> {
    let offset = from;
    for (let failures = 0; offset < until; ) {
      const node = this.leader(topic, partition);
      try {
        if (node === undefined) throw new Error(`${topic}/${partition} has no leader now`);
        const [fetched] = await this.fetch(
          node,
          [{ topic, partition, offset, maxBytes: RANGE_BYTES }],
          200,
          RANGE_BYTES,
        );
        yield* fetched.batches;
        offset = fetched.next;
        failures = 0;
      } catch (error) {
        if (error instanceof OffsetOutOfRange || error instanceof CodecError || ++failures > 20) throw error;
        await new Promise((resolve) => setTimeout(resolve, Math.min(2000, 50 * 2 ** failures)));
        await this.refresh().catch(() => {});
      }
    }
  }
}

const NOTHING = new Uint8Array(0);
const RANGE_BYTES = 4 << 20;

/** Splits a record set, leaving out transaction markers and what was aborted. Throws CodecError. */
function committed(
  bytes: Uint8Array,
  from: number,
  abortedTransactions: readonly { readonly producerId: string; readonly firstOffset: string }[],
): { batches: RawRecordBatch[]; next: number } {
  const batches: RawRecordBatch[] = [];
  const open = abortedTransactions
    .map(({ producerId, firstOffset }) => ({ producer: BigInt(producerId), first: Number(firstOffset) }))
    .sort((a, b) => a.first - b.first);
  const aborted = new Set<bigint>();
  let next = from;
  for (let at = 0; at < bytes.length; ) {
    const header = readHeader(bytes, at, bytes.length);
    if (header === null) break; // the end of what fitted into the answer
    const { lastOffset, baseOffset, producerId } = header;
    while (open.length > 0 && open[0].first <= lastOffset) aborted.add(open.shift()!.producer);
    if (header.control) {
      if (isAbort(bytes, at)) aborted.delete(producerId);
    } else if (!(header.transactional && aborted.has(producerId)) && lastOffset >= from && header.count !== 0)
      batches.push({
        bytes: bytes.subarray(at, at + header.bytes),
        baseOffset,
        lastOffset,
        compressed: header.codec !== 'none',
        maxTimestamp: header.maxTimestamp,
        count: header.count,
      });
    next = Math.max(next, lastOffset + 1);
    at += header.bytes;
  }
  return { batches, next };
}

/** A marker's one record has the key (version, type), both 16 bits: type 0 aborts, 1 commits. */
function isAbort(bytes: Uint8Array, at: number): boolean {
  // Header of 61 bytes; record: length, attributes, timestamp delta, offset delta (one byte each), key length, key.
  const key = at + 61 + 5;
  return bytes[key + 2] === 0 && bytes[key + 3] === 0;
}

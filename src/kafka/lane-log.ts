// The journal and commits of a lane in Kafka: partition n of the state topic. What is written there goes through a transactional
// producer whose id is the lane's: opening the log takes the id over, and from then on the broker refuses whatever an earlier
// owner still wants to write. So nobody's effects leave a process unless its journal entry was written as the lane's owner.
//
// Records, in order: `owner` (somebody has taken over), `journal` (an entry), `commit` (a commit, in pieces of one transaction).
// After a commit the partition is trimmed up to it, or up to the first block that it does not cover: blocks are journaled while earlier
// ones are being written, so some stand before the commit. What an opening reads is the last commit and the blocks since.

import { randomUUID } from 'node:crypto';
import type { Admin, Kafka, Producer } from 'kafkajs';
import type { Reach } from '../delivery/crashpoints.ts';
import { type JournalEntry, type JournalLine, mergeLine } from '../delivery/journal.ts';
import { Fenced, type LaneLog, type Outgoing } from '../delivery/lane-log.ts';
import { type Commit, EMPTY_COMMIT } from '../delivery/ledger.ts';
import { LANE_HEADER } from '../model/messages.ts';
import { logRecords, packr, VERSION } from './log-records.ts';
import type { KafkaReader } from './reader.ts';
import { requestsOf, type Sent } from './requests.ts';

export interface KafkaLogOptions {
  readonly kafka: Kafka;
  readonly admin: Admin;
  /** Connected, and knowing the state topic. */
  readonly reader: KafkaReader;
  readonly topic: string;
  readonly partition: number;
  /** Where messages for other lanes go. */
  readonly repartition: string;
  /** Where records of parked tenants go, in the lane's own partition. */
  readonly overflow: string;
  /** Name of the group: lanes of other groups are other lanes. */
  readonly group: string;
  readonly reach: Reach;
}

/** Bytes of a commit in one message; brokers take 1 MiB by default. */
const PIECE_BYTES = 512 * 1024;

/** Of what takes a detour, in one request: its topics are made for it, and the block waits for each answer. */
const PASSING_BYTES = 900 * 1024;

export async function openKafkaLog(options: KafkaLogOptions): Promise<LaneLog> {
  const { kafka, group, partition } = options;
  const producer = kafka.producer({
    transactionalId: `weir-${group}-lane-${partition}`,
    idempotent: true,
    maxInFlightRequests: 1,
    transactionTimeout: 30_000,
    allowAutoTopicCreation: false,
    retry: { initialRetryTime: 50, maxRetryTime: 1000, retries: 12 },
  });
  try {
    await producer.connect();
    const token = randomUUID();
    const owner = { key: 'owner', value: token, headers: {} };
    await send(options, producer, [owner], NOTHING);
    const found = await readLog(options, token);
    return new KafkaLog(options, producer, found);
  } catch (error) {
    await producer.disconnect().catch(() => {});
    throw error;
  }
}

interface Piece {
  readonly key: string;
  readonly value: string | Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** Writes all or nothing; returns the offset of the first. Rejects with `Fenced` whatever went wrong: only reading the log again tells. */
async function send(
  { topic, partition, repartition, overflow }: KafkaLogOptions,
  producer: Producer,
  pieces: readonly Piece[],
  outgoing: Outgoing,
): Promise<number> {
  try {
    const transaction = await producer.transaction();
    try {
      let first = -1;
      for (const piece of pieces) {
        // One at a time: what is sent together becomes one record batch, and must not be longer than the broker takes.
        const [{ baseOffset }] = await transaction.send({ topic, messages: [{ ...piece, partition }], acks: -1 });
        if (first < 0) first = Number(baseOffset);
      }
      for (const messages of requestsOf(outgoing.misplaced, PASSING_BYTES))
        await transaction.send({ topic: repartition, messages: messages.map(toItsLane), acks: -1 });
      for (const messages of requestsOf(outgoing.overflow, PASSING_BYTES)) {
        const own = messages.map((message) => ({ ...message, partition }));
        await transaction.send({ topic: overflow, messages: own, acks: -1 });
      }
      await transaction.commit();
      return first;
    } catch (error) {
      await transaction.abort().catch(() => {});
      throw error;
    }
  } catch (error) {
    throw new Fenced(`lane ${partition}: its log cannot be written by this process any more: ${String(error)}`, {
      cause: error,
    });
  }
}

const NOTHING: Outgoing = { misplaced: [], overflow: [] };

const toItsLane = (message: Sent): Sent & { partition: number } => ({
  ...message,
  partition: Number(message.headers[LANE_HEADER]),
});

interface Found {
  readonly commit: Commit;
  readonly pending: readonly JournalEntry[];
  /** Where the entry of each block begins, by the block's number. */
  readonly offsets: Map<number, number>;
}

/** Reads up to the record with which this opening took over: everything before it is visible then. */
async function readLog({ reader, topic, partition }: KafkaLogOptions, token: string): Promise<Found> {
  const offsets = new Map<number, number>();
  let commit: Commit = EMPTY_COMMIT;
  let pending: JournalEntry[] = [];
  const { first } = await reader.offsets(topic, partition);
  const batches = reader.range(topic, partition, first, Number.POSITIVE_INFINITY);
  for await (const record of logRecords(batches, `${topic}/${partition}`)) {
    if (record.kind === 'owner') {
      if (record.token === token) return { commit, pending: contiguous(pending, commit, topic), offsets };
    } else if (record.kind === 'journal') {
      const { line, offset } = record;
      // Of two owners' entries of one block the later was never acknowledged: what was written first counts.
      if (line.seq > commit.seq) mergeLine(pending, line);
      if (!offsets.has(line.seq)) offsets.set(line.seq, offset);
    } else {
      commit = record.commit;
      const { seq } = commit;
      pending = pending.filter((entry) => entry.seq > seq);
    }
  }
  throw new Error(`${topic}/${partition}: the log ends before it was read`);
}

function contiguous(pending: JournalEntry[], commit: Commit, topic: string): JournalEntry[] {
  pending.forEach(({ seq }, i) => {
    if (seq !== commit.seq + 1 + i)
      throw new Error(`${topic}: block ${commit.seq + 1 + i} is missing from the journal`);
  });
  return pending;
}

class KafkaLog implements LaneLog {
  readonly commit: Commit;
  readonly pending: readonly JournalEntry[];
  private readonly options: KafkaLogOptions;
  private readonly producer: Producer;
  private readonly offsets: Map<number, number>;
  private last: Promise<unknown> = Promise.resolve();

  constructor(options: KafkaLogOptions, producer: Producer, { commit, pending, offsets }: Found) {
    this.options = options;
    this.producer = producer;
    this.commit = commit;
    this.pending = pending;
    this.offsets = offsets;
  }

  async append(line: JournalLine, outgoing = NOTHING): Promise<void> {
    const entry = { key: 'journal', value: JSON.stringify(line), headers: { version: String(VERSION) } };
    const offset = await this.write([entry], outgoing);
    if (!this.offsets.has(line.seq)) this.offsets.set(line.seq, offset);
  }

  async save(commit: Commit): Promise<void> {
    const { admin, topic, partition, reach } = this.options;
    const bytes = packr.pack(commit);
    const pieces = Math.max(1, Math.ceil(bytes.length / PIECE_BYTES));
    const messages = Array.from({ length: pieces }, (_, i) => ({
      key: 'commit',
      value: Buffer.from(bytes.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES)),
      headers: { version: String(VERSION), piece: String(i), pieces: String(pieces) },
    }));
    reach('during-commit');
    let offset = await this.write(messages);
    reach('after-commit');
    // What lies before it is of no use any more, but for blocks that were journaled while this one was being written: without their
    // entries a recovery would cut them anew, under other tokens. If trimming fails, the next commit does it.
    for (const [seq, at] of this.offsets) {
      if (seq <= commit.seq) this.offsets.delete(seq);
      else offset = Math.min(offset, at);
    }
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] }).catch(() => {});
  }

  async close(): Promise<void> {
    await this.last.catch(() => {});
    await this.producer.disconnect().catch(() => {});
  }

  /** A transactional producer does one thing at a time. */
  private write(pieces: readonly Piece[], outgoing = NOTHING): Promise<number> {
    const done = this.last.then(() => send(this.options, this.producer, pieces, outgoing));
    this.last = done.catch(() => {});
    return done;
  }
}

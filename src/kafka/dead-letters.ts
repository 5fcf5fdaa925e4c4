// The dead-letter topic, read: refused records, and marks of those that were sent back. A mark is a record of the same topic and
// partition behind its letter, so that it is kept as long as the letter, and is there for whoever reads next.

import { createHash } from 'node:crypto';
import type { Admin } from 'kafkajs';
import { OperationalError } from '../cli/verb.ts';
import type { RejectCode } from '../model/reject.ts';
import type { KafkaReader } from './reader.ts';
import { type KafkaRecord, recordsOf } from './records.ts';

/** Header of a mark: the letter that was sent back. A letter has no such header, and a mark no `weir-reject-id`. */
export const REPLAYED = 'weir-replayed';

export interface DeadLetter {
  readonly kind: 'letter';
  /** One letter, however often it stands in the topic: its reject id and a digest of its bytes, since two documents of one record may be refused alike. */
  readonly key: string;
  readonly id: string;
  readonly code: RejectCode;
  readonly detail: string;
  readonly tenantId: string;
  readonly source: string;
  /** Where the record came from: topic/partition, and the offset there. */
  readonly stream: string;
  readonly position: number;
  readonly length: number;
  readonly format: string;
  readonly bytes: Buffer;
  /** Where the letter stands. */
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
}

export interface ReplayMark {
  readonly kind: 'mark';
  /** Of the letter. */
  readonly key: string;
  /** topic/partition that the record was sent to. */
  readonly to: string;
  readonly attempt: number;
  readonly timestampMs: number;
}

/** Everything in the topic, partition by partition, each in order; from the first record that is not older than `sinceMs` on. */
export async function* deadLetters(
  admin: Admin,
  reader: KafkaReader,
  topic: string,
  sinceMs?: number,
): AsyncGenerator<DeadLetter | ReplayMark> {
  const starts =
    sinceMs === undefined ? [] : await admin.fetchTopicOffsetsByTimestamp(topic, Math.max(0, Math.floor(sinceMs)));
  for (let partition = 0; partition < reader.partitions(topic); partition++) {
    const { first, end } = await reader.offsets(topic, partition);
    const start = starts.find((one) => one.partition === partition)?.offset;
    const from = start === undefined ? first : Number(start) < 0 ? end : Math.max(first, Number(start));
    yield* lettersOf(reader, topic, partition, from, end);
  }
}

/** Those with an offset in [from, to). */
export async function* lettersOf(
  reader: KafkaReader,
  topic: string,
  partition: number,
  from: number,
  to: number,
): AsyncGenerator<DeadLetter | ReplayMark> {
  for await (const batch of reader.range(topic, partition, from, to)) {
    for (const record of recordsOf(batch)) {
      if (record.offset < from || record.offset >= to) continue;
      const read = markOf(record) ?? letterOf(record, partition);
      if (read !== null) yield read;
    }
  }
}

function letterOf({ headers, value, offset, timestamp }: KafkaRecord, partition: number): DeadLetter | null {
  const id = headers['weir-reject-id'];
  if (id === undefined || value === null) return null; // somebody else's record
  return {
    kind: 'letter',
    key: `${id}-${createHash('sha256').update(value).digest('hex').slice(0, 16)}`,
    id,
    code: headers['weir-code'] as RejectCode,
    detail: headers['weir-detail'] ?? '',
    tenantId: headers['weir-tenant-id'] ?? '',
    source: headers['weir-source'] ?? '',
    stream: headers['weir-stream'] ?? '',
    position: Number(headers['weir-position']),
    length: Number(headers['weir-length']),
    format: headers['weir-format'] ?? '',
    bytes: value,
    partition,
    offset,
    timestampMs: timestamp,
  };
}

function markOf({ headers, timestamp }: KafkaRecord): ReplayMark | null {
  const key = headers[REPLAYED];
  if (key === undefined) return null;
  const attempt = Number(headers['weir-attempt']);
  return { kind: 'mark', key, to: headers['weir-replayed-to'] ?? '', attempt, timestampMs: timestamp };
}

/** Throws OperationalError('topic_missing'). */
export async function requireTopic(admin: Admin, topic: string): Promise<void> {
  if ((await admin.listTopics()).includes(topic)) return;
  throw new OperationalError(
    'topic_missing',
    `Kafka has no topic ${topic}: is kafka.prefix right, and did 'weir run' make its topics?`,
  );
}

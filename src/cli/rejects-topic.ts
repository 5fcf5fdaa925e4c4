// Refused records of a Kafka instance: its dead-letter topic.

import type { Config } from '../config/schema.ts';
import { type DeadLetter, deadLetters, type ReplayMark, requireTopic } from '../kafka/dead-letters.ts';
import { type KafkaSession, openKafka } from '../kafka/session.ts';
import { topicNames } from '../kafka/topics.ts';
import type { RejectFilter } from './rejects-filter.ts';
import type { Rejected, RejectList } from './rejects-view.ts';

export interface LetterBox {
  readonly session: KafkaSession;
  readonly topic: string;
  /** What is in the topic, read through once. */
  read(sinceMs?: number): AsyncGenerator<DeadLetter | ReplayMark>;
}

export async function withLetters<T>({ kafka }: Config, use: (box: LetterBox) => Promise<T>): Promise<T> {
  const session = await openKafka(kafka);
  try {
    const topic = topicNames(kafka, kafka.group).deadLetters;
    await requireTopic(session.admin, topic);
    const reader = await session.reader([topic]);
    return await use({ session, topic, read: (sinceMs) => deadLetters(session.admin, reader, topic, sinceMs) });
  } finally {
    await session.close();
  }
}

export function isMeant(letter: DeadLetter, filter: RejectFilter): boolean {
  const { tenantId, code, source, sinceMs, untilMs } = filter;
  return (
    (tenantId === undefined || letter.tenantId === tenantId) &&
    (code === undefined || letter.code === code) &&
    (source === undefined || letter.source === source) &&
    (sinceMs === undefined || letter.timestampMs >= sinceMs) &&
    (untilMs === undefined || letter.timestampMs < untilMs)
  );
}

/** Counts all; keeps the newest `limit` with their bytes, newest first. */
export async function topicList(box: LetterBox, filter: RejectFilter, limit: number): Promise<RejectList> {
  const counts = new Map<string, number>();
  const seen = new Set<string>();
  const marks = new Map<string, ReplayMark>();
  let kept: DeadLetter[] = [];
  for await (const one of box.read(filter.sinceMs)) {
    if (one.kind === 'mark') {
      marks.set(one.key, one);
      continue;
    }
    if (!isMeant(one, filter) || seen.has(one.key)) continue; // a letter may stand there twice: at least once on the wire
    seen.add(one.key);
    counts.set(one.code, (counts.get(one.code) ?? 0) + 1);
    kept.push({ ...one, bytes: Buffer.from(one.bytes) }); // not the whole batch that it is a view on
    if (kept.length >= limit * 2 + 100) kept = newest(kept, limit);
  }
  return { counts, found: newest(kept, limit).map((letter) => viewOf(letter, marks.get(letter.key))) };
}

function newest(letters: readonly DeadLetter[], limit: number): DeadLetter[] {
  return [...letters]
    .sort((a, b) => b.timestampMs - a.timestampMs || a.partition - b.partition || b.offset - a.offset)
    .slice(0, limit);
}

/** Those whose id begins so. */
export async function topicById(box: LetterBox, id: string): Promise<readonly Rejected[]> {
  const found = new Map<string, DeadLetter>();
  const marks = new Map<string, ReplayMark>();
  for await (const one of box.read()) {
    if (one.kind === 'mark') marks.set(one.key, one);
    else if (one.id.startsWith(id) && found.size < 100) found.set(one.key, { ...one, bytes: Buffer.from(one.bytes) });
  }
  return [...found.values()].map((letter) => viewOf(letter, marks.get(letter.key)));
}

function viewOf(letter: DeadLetter, mark: ReplayMark | undefined): Rejected {
  const { id, tenantId, source, stream, position, length, code, detail, format, timestampMs, bytes } = letter;
  const at = (ms: number): string => new Date(ms).toISOString();
  return {
    reject_id: id,
    tenant_id: tenantId,
    source,
    file: stream,
    path: null,
    position,
    length,
    code,
    detail,
    format,
    rejected_at: at(timestampMs),
    replayed: mark ? { to: mark.to, at: at(mark.timestampMs), attempt: mark.attempt } : null,
    bytes,
  };
}

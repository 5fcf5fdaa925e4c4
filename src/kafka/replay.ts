// Sends refused records back to where they came from. A record and the mark that it was sent go through one transaction, so that
// neither is ever there alone; the transactional id is the group's, so that a second replay ends the first one before it looks
// which marks there are.

import type { IHeaders, Kafka, Message, Producer, Transaction } from 'kafkajs';
import { OperationalError } from '../cli/verb.ts';
import { type DeadLetter, REPLAYED } from './dead-letters.ts';
import type { Original, Originals } from './original.ts';

/** Why a letter cannot be sent back. */
export type Unfit = 'replayed' | 'not_from_kafka' | 'topic_missing' | 'unreadable_batch' | 'cut';

export const UNFIT_TEXT: Readonly<Record<Unfit, string>> = {
  replayed: 'was sent back before; --again does it once more',
  not_from_kafka: 'did not come from a topic: there is none to send it back to',
  topic_missing: 'the topic that it came from is gone',
  unreadable_batch: 'is a record batch that could not be unpacked, not a record',
  cut: 'is longer than what its dead letter keeps, and its topic no longer has the original',
};

export interface Replayable {
  readonly letter: DeadLetter;
  readonly topic: string;
  readonly partition: number;
  readonly attempt: number;
  readonly key: Buffer | null;
  readonly value: Buffer;
  readonly headers: IHeaders;
  /** The topic still had the record, so its key and headers are as they were. */
  readonly original: boolean;
}

/** How a letter would be sent back. `topics`: those that there are, with their numbers of partitions. */
export async function replayable(
  letter: DeadLetter,
  deadLetters: string,
  topics: ReadonlyMap<string, number>,
  originals: Originals,
): Promise<Replayable | Unfit> {
  if (letter.code === 'input_corrupt') return 'unreadable_batch';
  const place = /^(.+)\/(\d+)$/.exec(letter.stream);
  if (place === null) return 'not_from_kafka';
  const [, topic, number] = place;
  const partition = Number(number);
  const partitions = topics.get(topic);
  if (partitions === undefined || partition >= partitions) return 'topic_missing';
  const found = await originals.find(topic, partition, letter.position);
  // The same offset of a topic that was made anew is another record.
  const original = found && isOf(found, letter) ? found : null;
  if (original === null && letter.bytes.length < letter.length) return 'cut';
  const attempt = attemptOf(original) + 1;
  // One document of several in a record goes back alone: the others were accepted, or have letters of their own.
  const whole = original !== null && original.value.length - letter.length <= FRAMING_BYTES;
  return {
    letter,
    topic,
    partition,
    attempt,
    key: original === null ? keyOf(letter) : original.key,
    value: whole ? original.value : letter.bytes,
    headers: {
      ...headersOf(original),
      'weir-replayed-from': `${deadLetters}/${letter.partition}/${letter.offset}`,
      'weir-reject-id': letter.id,
      'weir-attempt': String(attempt),
    },
    original: original !== null,
  };
}

/** A protobuf record may come with the length that delimits it; a line with its newline. */
const FRAMING_BYTES = 5;

/** A pretty-printed document was made one line. */
function isOf({ value }: Original, { bytes, length }: DeadLetter): boolean {
  if (value.length < length - FRAMING_BYTES) return false;
  const flat = (text: Buffer): string => text.toString('latin1').replace(/[\r\n]/g, ' ');
  const kept = flat(bytes);
  const whole = flat(value);
  if (whole.includes(kept)) return true;
  for (let prefix = 1; prefix <= FRAMING_BYTES; prefix++) if (whole === kept.slice(prefix)) return true;
  return false;
}

function attemptOf(original: Original | null): number {
  const header = original?.headers.find(([name]) => name === 'weir-attempt')?.[1].toString();
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) : 1;
}

/** Producers key by tenant; which tenant that is, the letter knows unless nobody did. */
function keyOf({ tenantId }: DeadLetter): Buffer | null {
  return /^[0-]*$/.test(tenantId) ? null : Buffer.from(tenantId);
}

const OURS = new Set(['weir-replayed-from', 'weir-reject-id', 'weir-attempt']);

function headersOf(original: Original | null): IHeaders {
  const headers: Record<string, Buffer[]> = {};
  for (const [name, value] of original?.headers ?? [])
    if (!OURS.has(name)) headers[name] = [...(Object.hasOwn(headers, name) ? headers[name] : []), value];
  return headers;
}

/** Only one replay of a group is at work: opening this ends another one, and what that had not committed is undone. */
export class Replayer {
  private readonly producer: Producer;
  private readonly deadLetters: string;
  private open: Transaction;

  private constructor(producer: Producer, deadLetters: string, open: Transaction) {
    this.producer = producer;
    this.deadLetters = deadLetters;
    this.open = open;
  }

  static async start(kafka: Kafka, group: string, deadLetters: string): Promise<Replayer> {
    const producer = kafka.producer({
      transactionalId: `weir-${group}-replay`,
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      transactionTimeout: 30_000,
      retry: { initialRetryTime: 50, maxRetryTime: 1000, retries: 8 },
    });
    await producer.connect();
    try {
      // kafkajs takes the id over with the first transaction, not with the connection.
      return new Replayer(producer, deadLetters, await producer.transaction());
    } catch (error) {
      await producer.disconnect();
      throw fenced(error);
    }
  }

  /** All of them or none. Throws OperationalError('replay_failed'). */
  async send(records: readonly Replayable[]): Promise<void> {
    try {
      const marks: Message[] = [];
      for (const { letter, topic, partition, key, value, headers, attempt } of records) {
        await this.open.send({ topic, acks: -1, messages: [{ partition, key, value, headers }] });
        marks.push({
          partition: letter.partition,
          key: letter.tenantId,
          value: Buffer.alloc(0),
          headers: {
            [REPLAYED]: letter.key,
            'weir-replayed-to': `${topic}/${partition}`,
            'weir-attempt': String(attempt),
          },
        });
      }
      await this.open.send({ topic: this.deadLetters, acks: -1, messages: marks });
      await this.open.commit();
      this.open = await this.producer.transaction();
    } catch (error) {
      throw fenced(error);
    }
  }

  async close(): Promise<void> {
    if (this.open.isActive()) await this.open.abort().catch(() => {});
    await this.producer.disconnect();
  }
}

function fenced(error: unknown): OperationalError {
  return new OperationalError(
    'replay_failed',
    `Kafka did not take it (another replay may have begun): ${error instanceof Error ? error.message : String(error)}. What was not sent has no mark: run the same command again.`,
    error,
  );
}

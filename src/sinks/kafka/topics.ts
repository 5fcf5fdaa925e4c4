// Alerts and dead letters to their topics. At least once on the wire: a message says by its
// headers which one it is, so a repeat is known as one.

import type { Kafka, Producer } from 'kafkajs';
import { requestsOf } from '../../kafka/requests.ts';
import type { SentOutput } from '../../model/outputs.ts';
import { type BlockSink, SinkError, type SinkErrorKind, type StoreBlock } from '../sink.ts';

/** Kafka's errors that somebody must do something about. */
const FATAL = new Set([
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'INVALID_TOPIC_EXCEPTION',
]);
const POISON = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD']);

export class KafkaSink implements BlockSink {
  private readonly producer: Producer;
  private readonly topics: Readonly<Record<SentOutput, string>>;

  private constructor(producer: Producer, topics: Readonly<Record<SentOutput, string>>) {
    this.producer = producer;
    this.topics = topics;
  }

  static async open(kafka: Kafka, topics: Readonly<Record<SentOutput, string>>): Promise<KafkaSink> {
    const producer = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: { initialRetryTime: 50, maxRetryTime: 1000, retries: 8 },
    });
    await producer.connect();
    return new KafkaSink(producer, topics);
  }

  async write({ table, chunks }: StoreBlock): Promise<void> {
    const topic = this.topics[table as SentOutput];
    try {
      for (const messages of requestsOf(chunks)) await this.producer.send({ topic, acks: -1, messages });
    } catch (error) {
      throw classify(error);
    }
  }

  /** Weir makes messages that brokers take: one that is refused is a setting of the broker's or of the topic's. */
  async isolate({ table }: StoreBlock): Promise<never> {
    const topic = this.topics[table as SentOutput];
    const message = `Kafka: ${topic} refuses messages; compare its max.message.bytes and the broker's message.max.bytes with limits.record_bytes.`;
    throw new SinkError('fatal', 'store_refused', message);
  }

  async close(): Promise<void> {
    await this.producer.disconnect();
  }
}

function classify(error: unknown): SinkError {
  const { type, name, message, cause } = error as { type?: string; name?: string; message?: string; cause?: unknown };
  if (type === undefined && cause !== undefined && cause !== error) return classify(cause);
  const code = type ?? name ?? 'kafka_failed';
  const kind: SinkErrorKind = FATAL.has(code) ? 'fatal' : POISON.has(code) ? 'poison' : 'retryable';
  return new SinkError(kind, code, `Kafka: ${message ?? String(error)}`, error);
}

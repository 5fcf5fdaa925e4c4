// Kafka for verbs that look and leave again: few attempts, and a sentence when there is nobody.

import type { Admin, Kafka as Client } from 'kafkajs';
import { OperationalError, UsageError } from '../cli/verb.ts';
import type { Config } from '../config/schema.ts';
import { Kafka } from './library.ts';
import { clientOptions } from './options.ts';
import { KafkaReader } from './reader.ts';

export interface KafkaSession {
  readonly kafka: Client;
  readonly admin: Admin;
  /** A reader that knows the topics. */
  reader(topics: readonly string[]): Promise<KafkaReader>;
  close(): Promise<void>;
}

/** Throws UsageError without brokers, OperationalError: `kafka_unreachable`, `kafka_refused`. */
export async function openKafka(settings: Config['kafka']): Promise<KafkaSession> {
  if (settings.brokers.length === 0)
    throw new UsageError('kafka.brokers names no broker: give the configuration with --config.');
  const options = {
    ...clientOptions(settings, () => {}),
    retry: { initialRetryTime: 100, maxRetryTime: 1000, retries: 4 },
    requestTimeout: 10_000,
  };
  const kafka = new Kafka(options);
  const admin = kafka.admin();
  try {
    await admin.connect();
  } catch (error) {
    await admin.disconnect().catch(() => {});
    const message = error instanceof Error ? error.message : String(error);
    const refused = /authentication|SASL/i.test(message);
    throw new OperationalError(
      refused ? 'kafka_refused' : 'kafka_unreachable',
      `Kafka at ${settings.brokers.join(', ')}: ${message}`,
      error,
    );
  }
  const readers: KafkaReader[] = [];
  return {
    kafka,
    admin,
    async reader(topics) {
      const reader = new KafkaReader(options);
      readers.push(reader);
      await reader.connect(topics);
      return reader;
    },
    async close() {
      await Promise.allSettled([...readers.map((reader) => reader.close()), admin.disconnect()]);
    },
  };
}

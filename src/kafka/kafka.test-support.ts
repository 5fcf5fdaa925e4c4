// A real Kafka for a test file: connected once, topics of its own.

import { randomUUID } from 'node:crypto';
import type { Admin, ITopicConfig, Kafka as KafkaClient, KafkaConfig, Producer } from 'kafkajs';
import { startServices } from '../../test/services/index.ts';
import { Kafka, LOG_LEVEL } from './library.ts';
import { KafkaReader } from './reader.ts';
import { makeTopics } from './topics.ts';

export interface KafkaBench {
  readonly options: KafkaConfig;
  readonly kafka: KafkaClient;
  readonly admin: Admin;
  /** A topic that no other test has. */
  topic(more?: Partial<ITopicConfig>): Promise<string>;
  reader(...topics: string[]): Promise<KafkaReader>;
  producer(transactionalId?: string): Promise<Producer>;
  close(): Promise<void>;
}

export async function openKafka(): Promise<KafkaBench> {
  const services = await startServices(['kafka']);
  const options: KafkaConfig = {
    brokers: [...services.kafka.brokers],
    logLevel: LOG_LEVEL.NOTHING,
    logCreator: () => () => {},
    retry: { initialRetryTime: 50, retries: 8 },
  };
  const kafka = new Kafka(options);
  const admin = kafka.admin();
  const closing: (() => Promise<unknown>)[] = [() => admin.disconnect()];
  await admin.connect();
  return {
    options,
    kafka,
    admin,
    async topic(more = {}) {
      const topic = `test-${randomUUID()}`;
      await makeTopics(admin, [{ topic, numPartitions: 1, ...more }]);
      closing.push(() => admin.deleteTopics({ topics: [topic] }));
      return topic;
    },
    async reader(...topics) {
      const reader = new KafkaReader(options);
      await reader.connect(topics);
      closing.push(() => reader.close());
      return reader;
    },
    async producer(transactionalId) {
      const more = transactionalId === undefined ? {} : { transactionalId };
      const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, ...more });
      await producer.connect();
      closing.push(() => producer.disconnect());
      return producer;
    },
    async close() {
      for (const step of closing.reverse()) await step().catch(() => {});
      await services.stop();
    },
  };
}

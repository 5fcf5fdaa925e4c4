// Topics as the chaos tests fill and read them: with kafkajs' own consumer, not with Weir's reader.

import { randomUUID } from 'node:crypto';
import type { Kafka, KafkaMessage } from 'kafkajs';

export const INPUT = ['flows', 'logs', 'tunnels', 'sessions'] as const;
export type InputTopic = (typeof INPUT)[number];
export const LANES = 4;

/** Every record that can be read of the topics (of transactions, the committed ones). */
export async function readAll(kafka: Kafka, topics: readonly string[]): Promise<KafkaMessage[]> {
  const admin = kafka.admin();
  await admin.connect();
  const wanted = new Map<string, number>();
  for (const topic of topics)
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic))
      if (Number(high) > Number(low)) wanted.set(`${topic}/${partition}`, Number(high));
  await admin.disconnect();
  const found: KafkaMessage[] = [];
  if (wanted.size === 0) return found;
  const consumer = kafka.consumer({ groupId: `reader-${randomUUID()}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics: [...topics], fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer.on('consumer.crash', ({ payload }) => payload.restart || reject(payload.error));
    consumer
      .run({
        eachBatch: async ({ batch: { topic, partition, messages } }) => {
          found.push(...messages);
          const last = messages.at(-1);
          const end = wanted.get(`${topic}/${partition}`) ?? 0;
          if (last && Number(last.offset) >= end - 1) wanted.delete(`${topic}/${partition}`);
          if (wanted.size === 0) resolve();
        },
      })
      .catch(reject);
  }).finally(() => consumer.disconnect());
  return found;
}

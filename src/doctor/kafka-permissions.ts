// Whether Weir may read, write and make its topics. Nothing is written for it: a transaction is opened over the partitions, which
// needs the right to write there, and aborted; topics are made with `validateOnly`.

import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperationalError } from '../cli/verb.ts';
import type { Config } from '../config/schema.ts';
import { type Cluster, createCluster } from '../kafka/library.ts';
import { clientOptions } from '../kafka/options.ts';
import type { KafkaSession } from '../kafka/session.ts';
import { inputTopics, topicNames } from '../kafka/topics.ts';
import { groupOf } from '../sinks/open.ts';
import type { Findings } from './check.ts';

export async function checkPermissions(findings: Findings, config: Config, session: KafkaSession): Promise<void> {
  const known = new Set(await session.admin.listTopics());
  const refused: string[] = [];
  const inputs = inputTopics(config).filter((topic) => known.has(topic));
  for (const topic of inputs) if (!(await mayRead(session, topic))) refused.push(`read ${topic}`);
  const outputs = Object.values(topicNames(config.kafka, groupOf(config))) as string[];
  for (const topic of outputs.filter((name) => known.has(name)))
    if (!(await mayWrite(config, topic))) refused.push(`write ${topic}`);
  const missing = outputs.filter((topic) => !known.has(topic));
  if (missing.length > 0 && config.kafka.create_topics && !(await mayMake(session, missing)))
    refused.push(`make ${missing.join(', ')}`);
  if (refused.length === 0) findings.ok('permissions', 'Weir may read its input topics, and write or make its own');
  else
    findings.problem(
      'permissions',
      `Weir may not ${refused.join('; ')}`,
      `give it Read on input topics and group ${groupOf(config)}, Read, Write and Delete on its own topics, and Write on transactional ids weir-*.`,
    );
}

async function mayRead(session: KafkaSession, topic: string): Promise<boolean> {
  try {
    const reader = await session.reader([topic]);
    const { end } = await reader.offsets(topic, 0);
    const leader = reader.leader(topic, 0);
    if (leader !== undefined) await reader.fetch(leader, [{ topic, partition: 0, offset: end, maxBytes: 1 }], 1, 1);
    return true;
  } catch (error) {
    return refusal(error);
  }
}

/** Of kafkajs' own: the requests of a transaction, one by one. */
interface Coordinator {
  initProducerId(request: { transactionalId: string; transactionTimeout: number }): Promise<{
    producerId: string;
    producerEpoch: number;
  }>;
  addPartitionsToTxn(request: {
    transactionalId: string;
    producerId: string;
    producerEpoch: number;
    topics: readonly { topic: string; partitions: readonly number[] }[];
  }): Promise<unknown>;
  endTxn(request: {
    transactionalId: string;
    producerId: string;
    producerEpoch: number;
    transactionResult: boolean;
  }): Promise<unknown>;
}

async function mayWrite({ kafka }: Config, topic: string): Promise<boolean> {
  const cluster = createCluster({ ...clientOptions(kafka, () => {}), retry: { retries: 3 } });
  await cluster.connect();
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        await emptyTransaction(cluster, topic);
        return true;
      } catch (error) {
        if (attempt === ATTEMPTS || !PASSING.has((error as { type?: string }).type ?? '')) return refusal(error);
        await sleep(PAUSE_MS);
      }
    }
  } finally {
    await cluster.disconnect();
  }
}

/** What coordinators say while they come up or have another transaction of the same id to end. */
const PASSING = new Set([
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
  'CONCURRENT_TRANSACTIONS',
]);
const ATTEMPTS = 20;
const PAUSE_MS = 500;

async function emptyTransaction(cluster: Cluster, topic: string): Promise<void> {
  const transactionalId = 'weir-doctor';
  const types = createRequire(import.meta.url)('kafkajs/src/protocol/coordinatorTypes.js') as { TRANSACTION: number };
  const coordinator = (await cluster.findGroupCoordinator({
    groupId: transactionalId,
    coordinatorType: types.TRANSACTION,
  })) as unknown as Coordinator;
  const { producerId, producerEpoch } = await coordinator.initProducerId({
    transactionalId,
    transactionTimeout: 10_000,
  });
  const us = { transactionalId, producerId, producerEpoch };
  await coordinator.addPartitionsToTxn({ ...us, topics: [{ topic, partitions: [0] }] });
  await coordinator.endTxn({ ...us, transactionResult: false });
}

async function mayMake({ admin }: KafkaSession, topics: readonly string[]): Promise<boolean> {
  try {
    await admin.createTopics({
      validateOnly: true,
      waitForLeaders: false,
      topics: topics.map((topic) => ({ topic, numPartitions: 1 })),
    });
    return true;
  } catch (error) {
    return refusal(error);
  }
}

/** False for a refusal; everything else is no answer to the question. */
function refusal(error: unknown): boolean {
  const { type, message, errors = [] } = error as { type?: string; message?: string; errors?: { type?: string }[] };
  const said = [type, message, ...errors.map((one) => one.type)].join(' ');
  if (/AUTHORIZATION_FAILED|not authorized/i.test(said)) return false;
  throw new OperationalError('kafka_failed', String(message), error);
}

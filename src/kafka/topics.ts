// The topics that a configuration needs: input ones must be there, with equal numbers of partitions; the others are made.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin, ITopicConfig } from 'kafkajs';
import { OperationalError } from '../cli/verb.ts';
import type { Config } from '../config/schema.ts';

/** Names with prefix and group in them. */
export interface TopicNames {
  readonly alerts: string;
  readonly deadLetters: string;
  /** Records of parked tenants. Of one group, as each parks for itself. */
  readonly overflow: string;
  /** Records of tenants whose lane is another one than they came in by. Of one group, as each has the same strays. */
  readonly repartition: string;
  /** Journal and commits of the lanes, a partition a lane. */
  readonly state: string;
  /** Control snapshots and lists by content hash, compacted. */
  readonly control: string;
}

export function topicNames({ prefix }: Config['kafka'], group: string): TopicNames {
  return {
    alerts: `${prefix}alerts`,
    deadLetters: `${prefix}dead-letters`,
    overflow: `${prefix}overflow-${group}`,
    repartition: `${prefix}repartition-${group}`,
    state: `${prefix}state-${group}`,
    control: `${prefix}state-control`,
  };
}

/** Topics that sources read, with their prefix. */
export function inputTopics({ sources, kafka }: Pick<Config, 'sources' | 'kafka'>): string[] {
  return [...new Set(sources.flatMap(({ topic }) => (topic === '' ? [] : [`${kafka.prefix}${topic}`])))];
}

/** Partitions that every input topic has. Throws OperationalError: `topic_missing`, `partitions_differ`. */
export async function lanesOf(admin: Admin, topics: readonly string[]): Promise<number> {
  const known = new Set(await admin.listTopics());
  const missing = topics.filter((topic) => !known.has(topic));
  if (missing.length > 0)
    throw new OperationalError(
      'topic_missing',
      `Kafka has no topic ${missing.join(', ')}: create it with as many partitions as the other input topics.`,
    );
  const { topics: found } = await admin.fetchTopicMetadata({ topics: [...topics] });
  const counts = found.map(({ name, partitions }) => ({ name, partitions: partitions.length }));
  const [first] = counts;
  if (counts.some(({ partitions }) => partitions !== first.partitions))
    throw new OperationalError(
      'partitions_differ',
      `the input topics have unequal numbers of partitions (${counts.map(({ name, partitions }) => `${name} ${partitions}`).join(', ')}): a lane is one partition of every topic. Drain Weir, then give all of them the same number.`,
    );
  return first.partitions;
}

/** Of a record that takes a detour, what says where it came from. */
const HEADER_BYTES = 64 * 1024;
/** What requestsOf packs into one. */
const LEAST_MESSAGE_BYTES = 1 << 20;

/** Makes output and state topics that are missing. `recordBytes`: of the longest record. */
export async function createTopics(
  admin: Admin,
  names: TopicNames,
  lanes: number,
  replication: number,
  recordBytes: number,
): Promise<void> {
  const known = new Set(await admin.listTopics());
  const passing = { 'max.message.bytes': String(Math.max(LEAST_MESSAGE_BYTES, recordBytes) + HEADER_BYTES) };
  const configOf = (entries: Readonly<Record<string, string>>) =>
    Object.entries(entries).map(([name, value]) => ({ name, value }));
  const wanted = [
    { topic: names.alerts, numPartitions: lanes, configEntries: [] },
    { topic: names.deadLetters, numPartitions: lanes, configEntries: [] },
    { topic: names.overflow, numPartitions: lanes, configEntries: configOf({ ...passing, 'retention.ms': '-1' }) },
    { topic: names.repartition, numPartitions: lanes, configEntries: configOf(passing) },
    // Trimmed by its owner up to the last commit, so nothing may be deleted by age.
    {
      topic: names.state,
      numPartitions: lanes,
      configEntries: configOf({ 'retention.ms': '-1', 'retention.bytes': '-1' }),
    },
    { topic: names.control, numPartitions: 1, configEntries: configOf({ 'cleanup.policy': 'compact' }) },
  ].filter(({ topic }) => !known.has(topic));
  if (wanted.length > 0)
    await makeTopics(
      admin,
      wanted.map((topic) => ({ ...topic, replicationFactor: replication })),
    );
}

/**
 * Makes topics, but for those that another process has just made, and waits until their partitions have leaders: kafkajs' own wait
 * gives up where a broker has not heard of a topic yet. Throws OperationalError('topic_without_leader').
 */
export async function makeTopics(admin: Admin, topics: ITopicConfig[]): Promise<void> {
  await admin.createTopics({ topics, waitForLeaders: false }).catch((error: unknown) => {
    if (!String(error).includes('already exists') && !alreadyThere(error)) throw error;
  });
  const names = topics.map(({ topic }) => topic);
  for (const end = Date.now() + LEADERS_MS; ; await sleep(100)) {
    const led = await isLed(admin, names).catch((error: unknown) => {
      if (Date.now() > end) throw error;
      return false;
    });
    if (led) return;
    if (Date.now() > end)
      throw new OperationalError(
        'topic_without_leader',
        `Kafka gives no leader to ${names.join(', ')}: look at its brokers.`,
      );
  }
}

const LEADERS_MS = 30_000;

/** A broker may be named as the leader before it knows that it is: then it refuses offsets. */
async function isLed(admin: Admin, names: readonly string[]): Promise<boolean> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [...names] });
  if (topics.some(({ partitions }) => partitions.some(({ leader }) => leader < 0))) return false;
  await Promise.all(names.map((name) => admin.fetchTopicOffsets(name)));
  return true;
}

/** Two instances may start at once. */
function alreadyThere(error: unknown): boolean {
  const errors = (error as { errors?: { type?: string }[] }).errors ?? [];
  return errors.length > 0 && errors.every(({ type }) => type === 'TOPIC_ALREADY_EXISTS');
}

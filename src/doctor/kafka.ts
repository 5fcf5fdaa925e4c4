// Kafka: reachable, its topics as lanes need them, and how far behind the group is.

import type { Admin } from 'kafkajs';
import { OperationalError } from '../cli/verb.ts';
import type { Config } from '../config/schema.ts';
import { createCluster } from '../kafka/library.ts';
import { clientOptions } from '../kafka/options.ts';
import { type KafkaSession, openKafka } from '../kafka/session.ts';
import { inputTopics, topicNames } from '../kafka/topics.ts';
import { groupOf, rolesOf } from '../sinks/open.ts';
import { checkAccess } from './access.ts';
import { type Check, count, Findings } from './check.ts';
import { checkPermissions } from './kafka-permissions.ts';
import { checkTopics } from './kafka-topics.ts';

export interface KafkaReport {
  readonly checks: readonly Check[];
  /** Partitions of the input topics; 0 while they are not known. */
  readonly lanes: number;
}

export async function examineKafka(config: Config): Promise<KafkaReport> {
  const { kafka: settings } = config;
  const findings = new Findings('kafka');
  let session: KafkaSession;
  try {
    session = await openKafka(settings);
  } catch (error) {
    const refused = error instanceof OperationalError && error.code === 'kafka_refused';
    findings.problem(
      'reachable',
      (error as Error).message,
      refused
        ? 'see kafka.sasl and WEIR_KAFKA_SASL_PASSWORD.'
        : 'see kafka.brokers, kafka.tls, the brokers, and what lies between.',
    );
    return { checks: findings.checks, lanes: 0 };
  }
  try {
    const { admin } = session;
    await findings.attempt('reachable', async () => {
      const { brokers } = await admin.describeCluster();
      findings.ok('reachable', `${count(brokers.length, 'broker')} at ${settings.brokers.join(', ')}`);
    });
    await findings.attempt('version', () => version(findings, settings));
    const { mechanism, username, password } = settings.sasl;
    checkAccess(findings, {
      username,
      password,
      open: mechanism === 'none' && settings.tls.cert === '',
      encrypted: settings.tls.enabled,
      hosts: settings.brokers,
      variable: 'WEIR_KAFKA_SASL_PASSWORD',
    });
    const lanes = await inputs(findings, config, admin);
    await findings.attempt('topics', () => checkTopics(findings, config, admin, lanes));
    if (lanes > 0) {
      await findings.attempt('lag', () => lag(findings, config, admin));
      await findings.attempt('clock', () => clock(findings, config, admin));
    }
    await findings.attempt('permissions', () => checkPermissions(findings, config, session));
    return { checks: findings.checks, lanes };
  } finally {
    await session.close();
  }
}

/** Requests that Weir makes, by their number in the protocol, with the least version that it needs. */
const NEEDED: Readonly<Record<string, readonly [api: number, least: number]>> = {
  'record batches (0.11)': [0, 3],
  'raw fetches (0.11)': [1, 4],
  'trimming (0.11)': [21, 0],
  'transactions (0.11)': [22, 0],
};

async function version(findings: Findings, settings: Config['kafka']): Promise<void> {
  const cluster = createCluster({ ...clientOptions(settings, () => {}), retry: { retries: 2 } });
  await cluster.connect();
  try {
    const { versions } = cluster.brokerPool;
    const lacking = Object.entries(NEEDED).filter(([, [api, least]]) => !((versions[api]?.maxVersion ?? -1) >= least));
    if (lacking.length > 0)
      findings.problem(
        'version',
        `the broker lacks ${lacking.map(([what]) => what).join(', ')}`,
        'use Kafka 2.3 or newer.',
      );
    else if ((versions[1]?.maxVersion ?? 0) < 11)
      findings.warning('version', 'the broker is older than what Weir is tested with', 'use Kafka 2.3 or newer.');
    else findings.ok('version', `the broker speaks all that Weir does (Fetch up to version ${versions[1].maxVersion})`);
  } finally {
    await cluster.disconnect();
  }
}

/** Number of lanes; 0 where the topics do not give one. */
async function inputs(findings: Findings, config: Config, admin: Admin): Promise<number> {
  const topics = inputTopics(config);
  if (topics.length === 0) {
    findings.unchecked('input topics', 'no source has a topic', 'name topics under sources.');
    return 0;
  }
  const known = new Set(await admin.listTopics());
  const missing = topics.filter((topic) => !known.has(topic));
  if (missing.length > 0) {
    findings.problem(
      'input topics',
      `Kafka has no topic ${missing.join(', ')}`,
      'create it with as many partitions as the other input topics, or see kafka.prefix and the right to describe it.',
    );
    return 0;
  }
  const { topics: found } = await admin.fetchTopicMetadata({ topics });
  const counts = found
    .map(({ name, partitions }) => `${name} ${partitions.length}`)
    .sort()
    .join(', ');
  const lanes = new Set(found.map(({ partitions }) => partitions.length));
  if (lanes.size > 1) {
    const todo = 'a lane is one partition of every topic: drain Weir, then give all of them the same number.';
    findings.problem('partitions', `the input topics have unequal numbers of partitions: ${counts}`, todo);
    return 0;
  }
  const [number] = lanes;
  findings.ok('partitions', `${counts}: ${count(number, 'lane')}`);
  await findings.attempt('state partitions', async () => {
    const { state, deadLetters, alerts } = topicNames(config.kafka, groupOf(config));
    const own = [state, deadLetters, alerts].filter((topic) => known.has(topic));
    const made = (await admin.fetchTopicMetadata({ topics: own })).topics;
    const short = made.find(({ name, partitions }) => name === state && partitions.length < number);
    if (short)
      findings.problem(
        'state partitions',
        `${short.name} has ${short.partitions.length} partitions for ${number} lanes`,
        'lanes beyond them have no journal: add partitions to it while Weir is stopped.',
      );
  });
  return number;
}

async function lag(findings: Findings, config: Config, admin: Admin): Promise<void> {
  const topics = inputTopics(config);
  const group = groupOf(config);
  const committed = await admin.fetchOffsets({ groupId: group, topics });
  for (const topic of topics) {
    const ends = await admin.fetchTopicOffsets(topic);
    const ours = committed.find((one) => one.topic === topic)?.partitions ?? [];
    const at = new Map(ours.map(({ partition, offset }) => [partition, Number(offset)]));
    const begun = [...at.values()].some((offset) => offset >= 0);
    const behind = ends.reduce((sum, { partition, low, high }) => {
      const offset = at.get(partition) ?? -1;
      return sum + Math.max(0, Number(high) - Math.max(offset < 0 ? Number(low) : offset, Number(low)));
    }, 0);
    const lost = ends.filter(
      ({ partition, low }) => (at.get(partition) ?? -1) >= 0 && at.get(partition)! < Number(low),
    );
    const text = `${topic}: ${count(behind, 'record')} behind (group ${group})`;
    if (lost.length > 0)
      findings.problem(
        'lag',
        `${topic}: the broker has deleted records of partition ${lost.map(({ partition }) => partition).join(', ')} that the group has not read`,
        'raise retention.ms; kafka.missing_offsets: earliest goes on with what there is, and counts the gap.',
      );
    else if (!begun)
      findings.unchecked('lag', `${topic}: group ${group} has committed nothing yet, ${count(behind, 'record')} wait`);
    else findings.ok('lag', text);
  }
  const { detect, store } = rolesOf(config);
  if (!(detect && store)) findings.ok('role', `this instance is the group ${group}`);
}

/** Kafka tells no time. What producers stamped far ahead of now shows their clocks, or ours. */
async function clock(findings: Findings, config: Config, admin: Admin): Promise<void> {
  const ahead: string[] = [];
  for (const topic of inputTopics(config)) {
    const found = await admin.fetchTopicOffsetsByTimestamp(topic, Date.now() + 300_000);
    const ends = await admin.fetchTopicOffsets(topic);
    // Where nothing is that new, kafkajs gives the end in place of the broker's -1.
    const real = found.filter(({ partition, offset }) => {
      const end = ends.find((one) => one.partition === partition);
      return Number(offset) >= 0 && Number(offset) < Number(end?.high ?? 0);
    });
    if (real.length > 0) ahead.push(topic);
  }
  if (ahead.length === 0)
    findings.ok(
      'clock',
      'Kafka tells no time of its own; no record is stamped more than 5 minutes ahead of this machine',
    );
  else
    findings.warning(
      'clock',
      `${ahead.join(', ')} ${ahead.length === 1 ? 'has' : 'have'} records stamped more than 5 minutes ahead of this machine`,
      "synchronise the producers' clocks, or this one.",
    );
}

// Settings of topics: what is kept how long, on how many brokers, and how long records may be.

import type { Admin, ITopicMetadata } from 'kafkajs';
import type { Config } from '../config/schema.ts';
import { inputTopics, topicNames } from '../kafka/topics.ts';
import { groupOf } from '../sinks/open.ts';
import { bytes, duration, type Findings } from './check.ts';

/** Kafka's number for topics, in requests for settings. */
const TOPIC = 2;
/** Pieces of commits and requests of the sinks are half a MiB; with what is around them. */
const LEAST_MESSAGE = 600 * 1024;
/** Weir may be down for so long over a weekend. */
const LEAST_RETENTION_MS = 3 * 86_400_000;

interface Topic {
  readonly name: string;
  readonly metadata: ITopicMetadata;
  readonly settings: ReadonlyMap<string, string>;
}

export async function checkTopics(findings: Findings, config: Config, admin: Admin, lanes: number): Promise<void> {
  const names = topicNames(config.kafka, groupOf(config));
  const known = new Set(await admin.listTopics());
  const outputs = Object.values(names) as string[];
  const missing = outputs.filter((topic) => !known.has(topic));
  if (missing.length > 0 && !config.kafka.create_topics)
    findings.problem(
      'output topics',
      `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing, and kafka.create_topics is off`,
      `create them with ${Math.max(1, lanes)} partitions (${names.control}: one, cleanup.policy=compact; ${names.state}: retention.ms=-1).`,
    );
  else if (missing.length > 0) findings.ok('output topics', `'weir run' makes ${missing.join(', ')}`);
  else findings.ok('output topics', 'all are there');
  const inputs = inputTopics(config).filter((topic) => known.has(topic));
  const topics = await topicsOf(admin, [...inputs, ...outputs.filter((topic) => known.has(topic))]);
  replication(findings, topics);
  lengths(findings, topics, inputs, config, names);
  inputRetention(
    findings,
    topics.filter(({ name }) => inputs.includes(name)),
  );
  ownRetention(findings, topics, names);
}

async function topicsOf(admin: Admin, names: readonly string[]): Promise<Topic[]> {
  if (names.length === 0) return [];
  const { topics } = await admin.fetchTopicMetadata({ topics: [...names] });
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: names.map((name) => ({ type: TOPIC, name })),
  });
  const sorted = [...topics].sort((a, b) => (a.name < b.name ? -1 : 1));
  return sorted.map((metadata) => {
    const found = resources.find(({ resourceName }) => resourceName === metadata.name);
    const entries = (found?.configEntries ?? []).map((entry) => [entry.configName, entry.configValue] as const);
    return { name: metadata.name, metadata, settings: new Map(entries) };
  });
}

function replication(findings: Findings, topics: readonly Topic[]): void {
  const single: string[] = [];
  const loose: string[] = [];
  const impossible: string[] = [];
  const behind: string[] = [];
  for (const { name, metadata, settings } of topics) {
    const replicas = Math.min(...metadata.partitions.map((partition) => partition.replicas.length));
    const insync = Number(settings.get('min.insync.replicas') ?? 1);
    if (insync > replicas) impossible.push(`${name} (${insync} of ${replicas})`);
    else if (replicas === 1) single.push(name);
    else if (insync < 2 || settings.get('unclean.leader.election.enable') === 'true') loose.push(name);
    if (metadata.partitions.some((partition) => partition.isr.length < partition.replicas.length)) behind.push(name);
  }
  if (impossible.length > 0)
    findings.problem(
      'durability',
      `min.insync.replicas is more than there are replicas: ${impossible.join(', ')}`,
      'nothing can be written there: lower it, or add replicas.',
    );
  if (single.length > 0)
    findings.warning(
      'durability',
      `one replica: ${single.join(', ')}: a broker that is down stops them, and its disk is the only one (Weir writes with acks=all)`,
      'have three replicas and min.insync.replicas=2; kafka.replication is for topics that Weir makes.',
    );
  if (loose.length > 0)
    findings.warning(
      'durability',
      `an acknowledged record may be on one broker only: ${loose.join(', ')}`,
      'set min.insync.replicas=2 and unclean.leader.election.enable=false.',
    );
  if (behind.length > 0)
    findings.warning('in sync', `replicas are behind: ${behind.join(', ')}`, 'see the brokers that hold them.');
  if (impossible.length + single.length + loose.length === 0 && topics.length > 0)
    findings.ok('durability', 'acks=all; every topic has replicas, and two of them must be in sync');
}

function lengths(
  findings: Findings,
  topics: readonly Topic[],
  inputs: readonly string[],
  config: Config,
  names: ReturnType<typeof topicNames>,
): void {
  const { record_bytes: most } = config.limits;
  const longer: string[] = [];
  const short: string[] = [];
  for (const { name, settings } of topics) {
    const limit = Number(settings.get('max.message.bytes'));
    if (!(limit > 0)) continue;
    // A batch may be a little longer than its record.
    if (inputs.includes(name) && limit > most * 1.02) longer.push(`${name} ${bytes(limit)}`);
    const passing = name === names.repartition || name === names.overflow;
    if (!inputs.includes(name) && limit < (passing ? Math.max(LEAST_MESSAGE, most) : LEAST_MESSAGE))
      short.push(`${name} ${bytes(limit)}`);
  }
  if (longer.length > 0)
    findings.warning(
      'record length',
      `topics take longer records than limits.record_bytes (${bytes(most)}): ${longer.join(', ')}`,
      'raise limits.record_bytes, or lower max.message.bytes: a single record in between is refused (record_too_large).',
    );
  if (short.length > 0)
    findings.problem(
      'message length',
      `max.message.bytes is too small for what Weir writes: ${short.join(', ')}`,
      `set it to ${Math.max(LEAST_MESSAGE, most)} or more.`,
    );
  if (longer.length + short.length === 0 && topics.length > 0)
    findings.ok('record length', `max.message.bytes fits limits.record_bytes (${bytes(most)}) and what Weir writes`);
}

function inputRetention(findings: Findings, topics: readonly Topic[]): void {
  for (const { name, settings } of topics) {
    const ms = Number(settings.get('retention.ms') ?? -1);
    const size = Number(settings.get('retention.bytes') ?? -1);
    if (settings.get('cleanup.policy')?.includes('compact'))
      findings.problem(
        'retention',
        `${name} is compacted: records with an equal key are thrown away`,
        'set cleanup.policy=delete.',
      );
    else if (ms >= 0 && ms < LEAST_RETENTION_MS)
      findings.warning(
        'retention',
        `${name} keeps records for ${duration(ms)}: that is how long Weir may be down or behind`,
        'raise retention.ms.',
      );
    else {
      const time = ms < 0 ? 'for ever' : `for ${duration(ms)}`;
      findings.ok(
        'retention',
        `${name} keeps records ${time}${size >= 0 ? `, at most ${bytes(size)} a partition` : ''}`,
      );
    }
  }
}

function ownRetention(findings: Findings, topics: readonly Topic[], names: ReturnType<typeof topicNames>): void {
  for (const { name, settings } of topics) {
    const ms = settings.get('retention.ms');
    const size = settings.get('retention.bytes') ?? '-1';
    const policy = settings.get('cleanup.policy') ?? 'delete';
    if (name === names.state && (ms !== '-1' || size !== '-1' || policy !== 'delete'))
      findings.problem(
        'state',
        `${name} may lose the journal (retention.ms=${ms}, retention.bytes=${size}, cleanup.policy=${policy})`,
        'set retention.ms=-1, retention.bytes=-1 and cleanup.policy=delete: Weir trims it itself.',
      );
    else if (name === names.state) findings.ok('state', `${name} is kept until Weir trims it`);
    if (name === names.control && policy !== 'compact')
      findings.problem(
        'control',
        `${name} has cleanup.policy=${policy}: snapshots that the journal refers to may go`,
        'set cleanup.policy=compact.',
      );
    if (name === names.overflow && ms !== '-1')
      findings.warning(
        'overflow',
        `${name} keeps parked records for ${duration(Number(ms))} only`,
        'set retention.ms=-1.',
      );
    if (name === names.deadLetters)
      findings.ok(
        'dead letters',
        `${name} keeps refused records ${ms === '-1' ? 'for ever' : `for ${duration(Number(ms))}`}`,
      );
  }
}

// Everything of Kafka that one instance has: connections, its membership in the group, its lanes and what they read and write.

import type { Admin, Producer } from 'kafkajs';
import type { Config } from '../config/schema.ts';
import { publishSnapshot, sharedSnapshot } from '../control/shared.ts';
import { DETOURS, detoursOf } from '../control/snapshot.ts';
import type { Reach } from '../delivery/crashpoints.ts';
import { KafkaLanes, type OpenedLane } from '../delivery/kafka-lanes.ts';
import { Lane, type LaneObserver, type LaneSettings } from '../delivery/lane.ts';
import type { LaneLog } from '../delivery/lane-log.ts';
import type { LaneRun } from '../delivery/lane-run.ts';
import type { Commit } from '../delivery/ledger.ts';
import type { Router } from '../delivery/router.ts';
import type { Traffic } from '../delivery/traffic.ts';
import type { ControlSnapshot } from '../model/control.ts';
import type { SlabPool } from '../model/slabs.ts';
import { KafkaSink } from '../sinks/kafka/topics.ts';
import type { BlockSink } from '../sinks/sink.ts';
import { FetchBudget, KafkaStream } from '../sources/kafka.ts';
import type { SourceNote } from '../sources/source.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { KafkaBlobs } from './blobs.ts';
import { Fetcher } from './fetcher.ts';
import { KafkaGauges } from './gauges.ts';
import { openKafkaLog } from './lane-log.ts';
import { Kafka } from './library.ts';
import { Membership } from './membership.ts';
import { clientOptions, type Warn } from './options.ts';
import { KafkaReader } from './reader.ts';
import { createTopics, inputTopics, lanesOf, type TopicNames, topicNames } from './topics.ts';

/** What lanes are made of besides Kafka's own. */
export interface LaneKit {
  /** The data directory: control snapshots are kept there too. */
  readonly root: string;
  readonly snapshot: ControlSnapshot;
  readonly router: Router;
  readonly store: BlockSink;
  readonly observer: LaneObserver;
  readonly traffic: Traffic;
  readonly settings: LaneSettings;
  readonly slabs: SlabPool;
  readonly batchBytes: number;
  readonly now: () => number;
  readonly reach: Reach;
  /** What watches the logs of lanes, and for the fault tests what breaks them. */
  readonly wrapLog: (log: LaneLog, lane: string) => LaneLog;
}

const LEAST_ANSWER_BYTES = 16 * 1024;

export class KafkaHost {
  /** Partitions of every input topic. */
  readonly lanes: number;
  readonly names: TopicNames;
  readonly client: InstanceType<typeof Kafka>;
  private readonly config: Config;
  private readonly group: string;
  private readonly warn: Warn;
  private readonly admin: Admin;
  private readonly reader: KafkaReader;
  /** For the logs of lanes, which must not wait behind a fetch that waits for something to come. */
  private readonly logs: KafkaReader;
  private readonly producer: Producer;
  private readonly blobs: KafkaBlobs;
  private readonly fetcher: Fetcher;
  private readonly budget: FetchBudget;
  private readonly supply: KafkaLanes;
  private readonly gauges: KafkaGauges;
  private readonly telemetry: Telemetry;
  private readonly snapshots = new Map<string, ControlSnapshot>();
  private readonly told: SourceNote[] = [];
  /** Offset of the overflow up to which records were deleted, by lane. */
  private readonly trimmed = new Map<number, number>();
  private kit!: LaneKit;
  private control = '';
  private membership: Membership | null = null;

  private constructor(config: Config, group: string, warn: Warn, telemetry: Telemetry, parts: Connected) {
    this.config = config;
    this.group = group;
    this.warn = warn;
    this.lanes = parts.lanes;
    this.names = parts.names;
    this.client = parts.client;
    this.admin = parts.admin;
    this.reader = parts.reader;
    this.logs = parts.logs;
    this.producer = parts.producer;
    this.blobs = new KafkaBlobs(parts.producer, parts.logs, parts.names.control);
    this.budget = new FetchBudget(config.budget.bytes);
    // An answer may go beyond the budget, since the budget is looked at before it is asked for: by a quarter at most.
    const answerBytes = Math.max(Math.floor(config.budget.bytes / 4), LEAST_ANSWER_BYTES);
    const partitionBytes = Math.min(config.kafka.fetch_bytes, answerBytes);
    const { health, metrics } = telemetry;
    this.telemetry = telemetry;
    this.fetcher = new Fetcher({ reader: parts.reader, partitionBytes, answerBytes, warn, health });
    this.supply = new KafkaLanes({ open: (lane) => this.openLane(lane), warn });
    this.gauges = new KafkaGauges({ metrics, admin: parts.admin, budget: this.budget, lanes: this.supply });
    health.check(() => {
      const missing = this.supply.assignedLanes - this.supply.open().length;
      if (missing <= 0) health.worked('lanes');
      else health.failed('lanes', 'lanes_not_open', `${missing} lanes that the group has given out are not open`);
      if (this.membership?.member) return null;
      return { code: 'not_in_group', message: `the consumer group ${group} has not given out the lanes yet` };
    });
  }

  /** Connects, and makes topics that are missing. Throws OperationalError: `topic_missing`, `partitions_differ`. */
  static async connect(config: Config, group: string, warn: Warn, telemetry: Telemetry): Promise<KafkaHost> {
    const options = clientOptions(config.kafka, warn);
    const client = new Kafka(options);
    const admin = client.admin();
    const names = topicNames(config.kafka, group);
    const topics = inputTopics(config);
    await admin.connect();
    const lanes = await lanesOf(admin, topics);
    if (config.kafka.create_topics) {
      const { replication } = config.kafka;
      await createTopics(admin, names, lanes, replication, config.limits.record_bytes);
    }
    const reader = new KafkaReader(options);
    await reader.connect([...topics, ...detoursOf(config).map((detour) => names[detour])]);
    const logs = new KafkaReader(options);
    await logs.connect([names.state, names.control]);
    const producer = client.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
    await producer.connect();
    return new KafkaHost(config, group, warn, telemetry, { client, admin, reader, logs, producer, names, lanes });
  }

  /** Where messages go. */
  sink(): Promise<KafkaSink> {
    const { alerts, deadLetters } = this.names;
    return KafkaSink.open(this.client, { alert_messages: alerts, dead_letters: deadLetters });
  }

  /** Joins the group; lanes follow from `runs`. */
  async start(kit: LaneKit): Promise<void> {
    this.kit = kit;
    await this.changeControl(kit.snapshot);
    this.membership = new Membership({
      kafka: this.client,
      group: this.group,
      topics: [...new Set(this.inputs.map(({ topic }) => topic))],
      lanes: this.lanes,
      sessionTimeoutMs: this.config.kafka.session_timeout,
      owned: () => this.supply.owned(),
      assigned: (lanes) => this.supply.assign(lanes),
      rebalanced: () => this.telemetry.metrics.add('weir_rebalances_total', 1),
      strangers: (topics) =>
        this.warn(
          'a member of the consumer group reads other topics, so its lanes are read by nobody: give it a group of its own',
          {
            code: 'group_shared',
            topics: topics.slice(0, 10),
          },
        ),
      crashed: (error) => this.supply.fail(error),
    });
    await this.membership.start();
    this.gauges.start();
  }

  runs(signal: AbortSignal): AsyncGenerator<LaneRun> {
    return this.supply.runs(signal);
  }

  /** In force from the next batch of every lane on. */
  async changeControl(snapshot: ControlSnapshot): Promise<void> {
    await publishSnapshot(this.kit.root, snapshot, this.blobs);
    this.snapshots.set(snapshot.hash, snapshot);
    this.control = snapshot.hash;
    for (const lane of this.supply.open()) await lane.changeControl(snapshot);
  }

  /** Lanes that are open now. */
  openLanes(): readonly Lane[] {
    return this.supply.open();
  }

  notes(): readonly SourceNote[] {
    return this.told;
  }

  async close(): Promise<void> {
    await this.membership?.stop().catch(() => {});
    await this.fetcher.stop();
    await this.gauges.stop();
    await Promise.allSettled([
      this.reader.close(),
      this.logs.close(),
      this.producer.disconnect(),
      this.admin.disconnect(),
    ]);
  }

  private async openLane(partition: number): Promise<OpenedLane> {
    const { router, store, observer, traffic, settings, reach } = this.kit;
    const { client: kafka, admin, logs: reader, names, group } = this;
    const { state: topic, repartition, overflow } = names;
    const log = await openKafkaLog({ kafka, admin, reader, topic, partition, repartition, overflow, group, reach });
    const name = `kafka:${group}:${partition}`;
    const sources = this.streams(partition);
    try {
      const lane = new Lane(
        {
          name,
          sources,
          overflow: sources.find(({ topic }) => topic === overflow),
          parked: (tenants) => this.tellParked(name, tenants),
          router,
          store,
          log: this.kit.wrapLog(this.watched(log, partition), name),
          settings,
          observer,
          traffic,
          reach,
          snapshotOf: (hash) => this.snapshotOf(hash),
        },
        this.control,
      );
      this.membership?.commit(offsetsOf(log.commit)); // its last owner may have died before it told the group
      this.gauges.add(sources);
      const close = (): Promise<void> => {
        this.gauges.remove(sources);
        return log.close();
      };
      return { lane, close };
    } catch (error) {
      await log.close();
      throw error;
    }
  }

  /** The group's offsets follow the commits, for whoever watches the lag; of the overflow nobody needs what was read. */
  private watched(log: LaneLog, partition: number): LaneLog {
    return {
      commit: log.commit,
      pending: log.pending,
      append: (line, outgoing) => log.append(line, outgoing),
      save: async (commit) => {
        await log.save(commit);
        const offsets = offsetsOf(commit);
        this.membership?.commit(offsets);
        await this.trimOverflow(partition, offsets);
      },
      close: () => log.close(),
    };
  }

  private async trimOverflow(partition: number, offsets: ReturnType<typeof offsetsOf>): Promise<void> {
    const { overflow: topic } = this.names;
    const read = offsets.find((one) => one.topic === topic)?.offset ?? 0;
    if (read === (this.trimmed.get(partition) ?? 0)) return;
    this.trimmed.set(partition, read);
    // If it fails, the next commit that finds something more to trim does it.
    await this.admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(read) }] }).catch(() => {});
  }

  private streams(partition: number): KafkaStream[] {
    const { kit, fetcher, budget, reader, config } = this;
    return this.inputs.map(
      ({ name, index, topic }) =>
        new KafkaStream({
          name,
          index,
          topic,
          partition,
          slabs: kit.slabs,
          // Parked records come in smaller pieces, since they come between others.
          batchBytes: topic === this.names.overflow ? kit.batchBytes / 4 : kit.batchBytes,
          budget,
          fetcher,
          offsets: () => reader.offsets(topic, partition),
          missingOffsets: config.kafka.missing_offsets,
          now: kit.now,
          note: (note) => {
            this.told.push(note);
            this.warn(`${note.path} ${note.message}`, { code: note.code });
          },
        }),
    );
  }

  /** Topics that every lane reads a partition of. */
  private get inputs(): Input[] {
    const { config, names } = this;
    const topics = config.sources.flatMap(({ name, topic }, index) =>
      topic === '' ? [] : { name, index, topic: `${config.kafka.prefix}${topic}` },
    );
    const detours = detoursOf(config).map((detour, i) => {
      return { name: DETOURS[detour], index: config.sources.length + i, topic: names[detour] };
    });
    return [...topics, ...detours];
  }

  private tellParked(lane: string, tenants: readonly string[]): void {
    const slugs = this.snapshots.get(this.control)?.tenants.filter(({ id }) => tenants.includes(id)) ?? [];
    const fields = { lane, tenants: slugs.map(({ slug }) => slug) };
    if (tenants.length > 0) this.warn('tenants over their quota: their records wait in the overflow topic', fields);
    else this.warn('no tenant of the lane is over its quota any more, and all that waited is read', { lane });
  }

  private async snapshotOf(hash: string): Promise<ControlSnapshot> {
    const known = this.snapshots.get(hash) ?? (await sharedSnapshot(this.kit.root, hash, this.blobs));
    this.snapshots.set(hash, known);
    return known;
  }
}

interface Input {
  readonly name: string;
  /** Position in the control snapshot's sources. */
  readonly index: number;
  readonly topic: string;
}

interface Connected {
  readonly client: InstanceType<typeof Kafka>;
  readonly admin: Admin;
  readonly reader: KafkaReader;
  readonly logs: KafkaReader;
  readonly producer: Producer;
  readonly names: TopicNames;
  readonly lanes: number;
}

function offsetsOf({ files }: Commit): { topic: string; partition: number; offset: number }[] {
  return files.map(([, { file, position }]) => {
    const at = file.lastIndexOf('/');
    return { topic: file.slice(0, at), partition: Number(file.slice(at + 1)), offset: position };
  });
}

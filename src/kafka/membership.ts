// Membership of the consumer group, and nothing else: kafkajs joins, beats its heart and says which lanes are ours. Records are
// fetched elsewhere (fetcher.ts), so its own fetching stays paused and no heartbeat waits for processing.

import type { Consumer, Kafka, PartitionAssigner } from 'kafkajs';
import { assignLanes } from './assign.ts';
import { AssignerProtocol } from './library.ts';

const ASSIGNER = 'weir-lanes';

export interface MembershipOptions {
  readonly kafka: Kafka;
  readonly group: string;
  readonly topics: readonly string[];
  readonly lanes: number;
  readonly sessionTimeoutMs: number;
  /** Lanes at work here, asked when the group is joined. */
  readonly owned: () => readonly number[];
  /** The lanes that are ours from now on. */
  readonly assigned: (lanes: readonly number[]) => void;
  /** The group has given out its lanes. */
  readonly rebalanced: () => void;
  /** Topics of a member that reads none of ours: it takes lanes, and we read none of what it should. Told by the group's leader. */
  readonly strangers: (topics: readonly string[]) => void;
  /** The group cannot be a member of any more; kafkajs does not try again. */
  readonly crashed: (error: Error) => void;
}

export interface GroupOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export class Membership {
  private readonly options: MembershipOptions;
  private readonly consumer: Consumer;
  private generation = 0;
  private joined = false;
  /** Not committed so far. */
  private readonly offsets = new Map<string, { topic: string; partition: number; offset: string }>();
  private committing = false;

  constructor(options: MembershipOptions) {
    this.options = options;
    const { kafka, group, sessionTimeoutMs } = options;
    this.consumer = kafka.consumer({
      groupId: group,
      partitionAssigners: [this.assigner()],
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: Math.max(sessionTimeoutMs, 10_000),
      heartbeatInterval: Math.max(100, Math.floor(sessionTimeoutMs / 10)),
      maxWaitTimeInMs: Math.min(200, Math.floor(sessionTimeoutMs / 10)),
      allowAutoTopicCreation: false,
      retry: { initialRetryTime: 100, maxRetryTime: 2000, retries: 1000 },
    });
  }

  /** Whether the group has this instance among its members, as last heard. */
  get member(): boolean {
    return this.joined;
  }

  async start(): Promise<void> {
    const { topics, assigned, rebalanced, crashed } = this.options;
    const { GROUP_JOIN, CRASH } = this.consumer.events;
    this.consumer.on(GROUP_JOIN, ({ payload }) => {
      const mine = Object.entries(payload.memberAssignment).map(([topic, partitions]) => ({ topic, partitions }));
      this.consumer.pause(mine); // before anything is fetched: kafkajs emits this event before it goes on
      this.generation++;
      this.joined = true;
      const ours = new Set(mine.flatMap(({ topic, partitions }) => partitions.map((n) => `${topic}/${n}`)));
      for (const key of this.offsets.keys()) if (!ours.has(key)) this.offsets.delete(key);
      this.commit([]);
      rebalanced();
      assigned([...new Set(mine.flatMap(({ partitions }) => partitions))].sort((a, b) => a - b));
    });
    this.consumer.on(CRASH, ({ payload }) => {
      this.joined = false;
      if (!payload.restart) crashed(payload.error);
    });
    await this.consumer.connect();
    await this.consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await this.consumer.run({ autoCommit: false, eachBatch: async () => {} });
  }

  /**
   * For people and tools that watch the lag; what counts is the lane's own log. Nobody waits for it: during a rebalance or without
   * a coordinator kafkajs may try for a long time. Failing is no harm.
   */
  commit(offsets: readonly GroupOffset[]): void {
    for (const { topic, partition, offset } of offsets)
      this.offsets.set(`${topic}/${partition}`, { topic, partition, offset: String(offset) });
    if (!this.joined || this.committing || this.offsets.size === 0) return;
    this.committing = true;
    const newest = new Map(this.offsets);
    this.offsets.clear();
    this.consumer.commitOffsets([...newest.values()]).then(
      () => {
        this.committing = false;
        this.commit([]); // what has come meanwhile
      },
      () => {
        this.committing = false; // with the next one, or when the group has been joined again
        for (const [key, offset] of newest) if (!this.offsets.has(key)) this.offsets.set(key, offset);
      },
    );
  }

  /** Leaves the group, so that others need not wait for the session to end. */
  async stop(): Promise<void> {
    this.joined = false;
    await this.consumer.disconnect();
  }

  private assigner(): PartitionAssigner {
    const { lanes, topics } = this.options;
    const version = 1;
    return () => ({
      name: ASSIGNER,
      version,
      protocol: () => {
        const userData = Buffer.from(JSON.stringify({ generation: this.generation, owned: this.options.owned() }));
        return {
          name: ASSIGNER,
          metadata: AssignerProtocol.MemberMetadata.encode({ version, topics: [...topics], userData }),
        };
      },
      assign: async ({ members }) => {
        const known = members.map(({ memberId, memberMetadata }) => ({
          id: memberId,
          ...claimOf(memberMetadata),
        }));
        const others = known.filter((member) => !member.topics.some((topic) => topics.includes(topic)));
        if (others.length > 0) this.options.strangers(others.flatMap((member) => member.topics));
        const assignment = assignLanes(known, lanes);
        return known.map(({ id }) => {
          const partitions = assignment.get(id) ?? [];
          const byTopic = Object.fromEntries(topics.map((topic) => [topic, partitions]));
          return {
            memberId: id,
            memberAssignment: AssignerProtocol.MemberAssignment.encode({
              version,
              assignment: byTopic,
              userData: Buffer.alloc(0),
            }),
          };
        });
      },
    });
  }
}

/** What a member says of itself. Whatever that is, the others must get their lanes. */
function claimOf(metadata: Buffer): {
  owned: readonly number[];
  generation: number;
  topics: readonly string[];
} {
  let topics: readonly string[] = [];
  try {
    const decoded = AssignerProtocol.MemberMetadata.decode(metadata);
    const userData = decoded?.userData;
    topics = decoded?.topics ?? [];
    const { owned, generation } = JSON.parse(String(userData)) as { owned: unknown; generation: unknown };
    return {
      owned: Array.isArray(owned) ? owned.filter((lane) => Number.isInteger(lane)) : [],
      generation: typeof generation === 'number' ? generation : 0,
      topics,
    };
  } catch {
    return { owned: [], generation: 0, topics }; // a member that says nothing of itself has nothing yet
  }
}

// Fetches for all streams at once, one request at a time to each broker. A stream that has enough, or a full budget, is simply
// not asked for: that is the whole back-pressure (guarantee 4).

import { setTimeout as sleep } from 'node:timers/promises';
import { CodecError } from '../model/kafka/codecs.ts';
import { Pulse } from '../model/pulse.ts';
import type { Health } from '../telemetry/health.ts';
import { type Fetched, type KafkaReader, OffsetOutOfRange, type Wanted } from './reader.ts';

/** What is being read of one partition. */
export interface FetchTarget {
  readonly topic: string;
  readonly partition: number;
  /** Offset to fetch from, or null when nothing is wanted now. */
  wanted(): number | null;
  /** Records that there are, whether or not any of them was fetched. */
  reaches(high: number): void;
  /** Called only with what follows the offset that was wanted last. */
  deliver(fetched: Fetched): void;
  /** The partition cannot be read on: the offset is gone, or its bytes are no record batches. */
  fail(error: Error): void;
}

export interface FetcherOptions {
  readonly reader: KafkaReader;
  /** Most bytes of a partition in one answer. */
  readonly partitionBytes: number;
  /** Most bytes of one answer. */
  readonly answerBytes: number;
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  /** Told which brokers answer. */
  readonly health: Pick<Health, 'failed' | 'worked'>;
}

/** How long a broker may wait for something to come, ms. */
const WAIT_MS = 200;
const LONGEST_PAUSE_MS = 2000;

export class Fetcher {
  private readonly options: FetcherOptions;
  private readonly targets = new Set<FetchTarget>();
  private readonly loops = new Map<number, Promise<void>>();
  private readonly stopped = new AbortController();
  private readonly wake = new Pulse();

  constructor(options: FetcherOptions) {
    this.options = options;
  }

  add(target: FetchTarget): void {
    this.targets.add(target);
    this.start();
  }

  remove(target: FetchTarget): void {
    this.targets.delete(target);
  }

  /** A target wants something that it did not want before. */
  poke(): void {
    this.wake.fire();
    this.start();
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    this.poke();
    await Promise.all(this.loops.values());
  }

  /** One loop a broker that leads something which is wanted. */
  private start(): void {
    if (this.stopped.signal.aborted) return;
    for (const { topic, partition } of this.targets) {
      const node = this.options.reader.leader(topic, partition);
      if (node === undefined || this.loops.has(node)) continue;
      this.loops.set(
        node,
        this.loop(node).finally(() => {
          this.loops.delete(node);
          this.options.health.worked(brokerName(node)); // nothing is wanted of it any more
        }),
      );
    }
  }

  private async loop(node: number): Promise<void> {
    const { signal } = this.stopped;
    for (let failures = 0; !signal.aborted; ) {
      const wanted = this.wantedOf(node);
      if (wanted.length === 0) {
        if (!this.leads(node)) return; // another broker leads them now, and has a loop of its own
        await this.wake.within(WAIT_MS);
        continue;
      }
      try {
        const answers = await this.options.reader.fetch(node, wanted, WAIT_MS, this.options.answerBytes);
        for (const answer of answers) this.hand(answer, wanted);
        failures = 0;
        this.options.health.worked(brokerName(node));
      } catch (error) {
        if (this.refuse(error)) continue;
        failures++;
        this.options.health.failed(brokerName(node), 'kafka_unreachable', String(error));
        if (failures === 3) {
          this.options.warn('Kafka cannot be read now; trying again', { broker: node, error: String(error) });
        }
        const pause = Math.min(LONGEST_PAUSE_MS, 50 * 2 ** failures);
        await sleep(pause, undefined, { signal }).catch(() => {});
        await this.options.reader.refresh().catch(() => {});
        this.start();
      }
    }
  }

  private wantedOf(node: number): Wanted[] {
    const { reader, partitionBytes: maxBytes } = this.options;
    return [...this.targets].flatMap((target) => {
      const { topic, partition } = target;
      const offset = reader.leader(topic, partition) === node ? target.wanted() : null;
      return offset === null ? [] : [{ topic, partition, offset, maxBytes }];
    });
  }

  private leads(node: number): boolean {
    return [...this.targets].some(({ topic, partition }) => this.options.reader.leader(topic, partition) === node);
  }

  /** An answer to a question that is no longer asked (the stream was moved or closed meanwhile) is dropped. */
  private hand(fetched: Fetched, asked: readonly Wanted[]): void {
    const question = asked.find(({ topic, partition }) => topic === fetched.topic && partition === fetched.partition);
    for (const target of this.targets) {
      if (target.topic !== fetched.topic || target.partition !== fetched.partition) continue;
      target.reaches(fetched.high);
      if (question !== undefined && target.wanted() === question.offset && fetched.next > question.offset)
        target.deliver(fetched);
    }
  }

  /** True when the error is one partition's own and was told to it. */
  private refuse(error: unknown): boolean {
    if (!(error instanceof OffsetOutOfRange)) {
      if (error instanceof CodecError) for (const target of this.targets) target.fail(error);
      return false;
    }
    for (const target of this.targets)
      if (target.topic === error.topic && target.partition === error.partition) target.fail(error);
    return true;
  }
}

function brokerName(node: number): string {
  return `broker ${node}`;
}

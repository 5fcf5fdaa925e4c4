// What Kafka's side is at, asked for when it is scraped. How much there is to read is asked of the brokers every few seconds: while a
// stream is not fetched, since a sink stalls, nothing else would tell how far behind it falls.

import type { Admin } from 'kafkajs';
import type { KafkaLanes } from '../delivery/kafka-lanes.ts';
import type { FetchBudget, KafkaStream } from '../sources/kafka.ts';
import type { Metrics } from '../telemetry/registry.ts';

export interface KafkaGaugesOptions {
  readonly metrics: Metrics;
  readonly admin: Admin;
  readonly budget: FetchBudget;
  readonly lanes: KafkaLanes;
}

const ASK_MS = 10_000;

export class KafkaGauges {
  private readonly options: KafkaGaugesOptions;
  private readonly streams = new Set<KafkaStream>();
  private timer: NodeJS.Timeout | null = null;
  private asking: Promise<void> | null = null;

  constructor(options: KafkaGaugesOptions) {
    this.options = options;
    options.metrics.onScrape(() => this.report());
  }

  start(): void {
    this.timer = setInterval(() => {
      this.asking ??= this.ask().finally(() => {
        this.asking = null;
      });
    }, ASK_MS).unref();
  }

  async stop(): Promise<void> {
    if (this.timer) clearInterval(this.timer);
    await this.asking;
  }

  add(streams: readonly KafkaStream[]): void {
    for (const stream of streams) this.streams.add(stream);
  }

  remove(streams: readonly KafkaStream[]): void {
    for (const stream of streams) this.streams.delete(stream);
  }

  private report(): void {
    const { metrics, budget, lanes } = this.options;
    metrics.set('weir_lanes_assigned', lanes.assignedLanes);
    metrics.set('weir_in_flight_bytes', budget.used, { what: 'fetched' });
    metrics.set('weir_budget_bytes', budget.limit, { what: 'fetched' });
    metrics.clear('weir_kafka_lag_records'); // partitions that went elsewhere are others' to report
    metrics.clear('weir_kafka_behind_seconds');
    const now = Date.now();
    let paused = 0;
    for (const stream of this.streams) {
      if (stream.paused) paused++;
      const labels = { topic: stream.topic, partition: String(stream.partition) };
      const { lag } = stream;
      if (lag === null) continue;
      metrics.set('weir_kafka_lag_records', lag, labels);
      metrics.set('weir_kafka_behind_seconds', stream.behindMs(now) / 1000, labels);
    }
    metrics.set('weir_paused_sources', paused, { what: 'fetched' });
  }

  /** A failure is told by whoever fetches; the figures stay as they were. */
  private async ask(): Promise<void> {
    for (const topic of new Set([...this.streams].map((stream) => stream.topic))) {
      const partitions = await this.options.admin.fetchTopicOffsets(topic).catch(() => []);
      const high = new Map(partitions.map(({ partition, high }) => [partition, Number(high)]));
      for (const stream of this.streams) if (stream.topic === topic) stream.reaches(high.get(stream.partition) ?? -1);
    }
  }
}

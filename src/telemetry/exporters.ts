// Exporters as metrics: those most recently seen, so that addresses which come and go (or are made up) cost bounded memory.

import { LRUCache } from 'lru-cache';
import type { Metrics } from './registry.ts';

export interface ExporterReport {
  readonly exporter: string;
  readonly flows: number;
  readonly failures: number;
  /** ms since 1970. */
  readonly newestMs: number;
}

/** Names are what records say; addresses are shorter. */
const LONGEST_NAME = 64;

export class Exporters {
  private readonly metrics: Metrics;
  private readonly seen: LRUCache<string, true> | null;

  /** `most` = 0: none. */
  constructor(metrics: Metrics, most: number) {
    this.metrics = metrics;
    const dispose = (_: true, exporter: string, reason: string): void => {
      if (reason !== 'set') this.forget(exporter);
    };
    this.seen = most > 0 ? new LRUCache<string, true>({ max: most, dispose }) : null;
  }

  /** Those of one batch. `appendedMs`: when the batch was appended to its topic; undefined where nothing tells. */
  note(reports: readonly ExporterReport[], appendedMs: number | undefined): void {
    const { metrics, seen } = this;
    if (seen === null) return;
    const now = Date.now() / 1000;
    for (const { exporter: name, flows, failures, newestMs } of reports) {
      const exporter = name.slice(0, LONGEST_NAME);
      seen.set(exporter, true);
      metrics.add('weir_exporter_records_total', flows, { exporter });
      metrics.add('weir_exporter_decode_failures_total', failures, { exporter });
      metrics.set('weir_exporter_last_seen_timestamp_seconds', now, { exporter });
      if (appendedMs !== undefined && flows > 0)
        metrics.set('weir_exporter_clock_skew_seconds', (newestMs - appendedMs) / 1000, { exporter });
    }
  }

  private forget(exporter: string): void {
    this.metrics.remove('weir_exporter_records_total', { exporter });
    this.metrics.remove('weir_exporter_decode_failures_total', { exporter });
    this.metrics.remove('weir_exporter_last_seen_timestamp_seconds', { exporter });
    this.metrics.remove('weir_exporter_clock_skew_seconds', { exporter });
  }
}

// A sink whose every attempt is watched: how long it took and how it ended. Inside the repeats, so that each of them counts.

import type { Telemetry } from '../telemetry/telemetry.ts';
import { type BlockSink, SinkError, type StoreBlock } from './sink.ts';

export type SinkName = 'clickhouse' | 'scylla' | 'kafka' | 'chdb';

export function watched(sink: BlockSink, name: SinkName, { stages, health, metrics }: Telemetry): BlockSink {
  const parts = new Set<string>();
  metrics.onScrape(() => {
    const longest = [...parts].reduce((most, part) => Math.max(most, health.failingSeconds(part)), 0);
    metrics.set('weir_sink_failing_seconds', longest, { sink: name });
  });
  const attempt = async ({ table }: StoreBlock, work: () => Promise<void>): Promise<void> => {
    const part = `${name}/${table}`;
    parts.add(part);
    if (health.failingSeconds(part) > 0) metrics.add('weir_sink_retries_total', 1, { sink: name });
    const began = performance.now();
    try {
      await stages.time('write', part, work);
      metrics.observe('weir_insert_duration_seconds', (performance.now() - began) / 1000, { sink: name, table });
      health.worked(part);
    } catch (error) {
      // Refused rows are no failure of the sink: they are isolated.
      if (error instanceof SinkError && error.kind !== 'poison') {
        const { kind, message } = error;
        const code = metrics.bounded('code', error.code);
        metrics.add('weir_sink_errors_total', 1, { sink: name, kind, code });
        health.failed(part, 'sink_failing', `${error.code}: ${message}`);
      }
      throw error;
    }
  };
  return {
    write: (block) => attempt(block, () => sink.write(block)),
    isolate: (block, isolation) => attempt(block, () => sink.isolate(block, isolation)),
    close: () => sink.close(),
  };
}

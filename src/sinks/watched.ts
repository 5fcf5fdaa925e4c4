// A sink whose every attempt is watched: how long it took and how it ended. Inside the repeats, so that each of them counts.

import type { Telemetry } from '../telemetry/telemetry.ts';
import { type BlockSink, SinkError, type StoreBlock } from './sink.ts';

export type SinkName = 'clickhouse' | 'scylla' | 'kafka' | 'chdb';

export function watched(sink: BlockSink, name: SinkName, { stages, health }: Telemetry): BlockSink {
  const attempt = async ({ table }: StoreBlock, work: () => Promise<void>): Promise<void> => {
    const part = `${name}/${table}`;
    try {
      await stages.time('write', part, work);
      health.worked(part);
    } catch (error) {
      // Refused rows are no failure of the sink: they are isolated.
      if (error instanceof SinkError && error.kind !== 'poison') health.failed(part, `${error.code}: ${error.message}`);
      throw error;
    }
  };
  return {
    write: (block) => attempt(block, () => sink.write(block)),
    isolate: (block, isolation) => attempt(block, () => sink.isolate(block, isolation)),
    close: () => sink.close(),
  };
}

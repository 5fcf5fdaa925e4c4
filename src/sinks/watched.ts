// A sink whose every attempt is watched: how long it took and how it ended. Inside the repeats, so that each of them counts.

import type { Telemetry } from '../telemetry/telemetry.ts';
import { type BlockSink, SinkError, type StoreBlock } from './sink.ts';

export type SinkName = 'clickhouse' | 'scylla' | 'kafka' | 'chdb';

export function watched(sink: BlockSink, name: SinkName, { stages, health }: Telemetry): BlockSink {
  const attempt = async (block: StoreBlock): Promise<void> => {
    const part = `${name}/${block.table}`;
    try {
      await stages.time('write', part, () => sink.write(block));
      health.worked(part);
    } catch (error) {
      if (error instanceof SinkError) health.failed(part, `${error.code}: ${error.message}`);
      throw error;
    }
  };
  return { write: attempt, close: () => sink.close() };
}

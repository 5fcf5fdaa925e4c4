// Several sinks as one: each output has its own.

import type { OutputName } from '../model/outputs.ts';
import type { BlockSink, Isolation, StoreBlock } from './sink.ts';

export class RoutedSink implements BlockSink {
  private readonly byOutput: ReadonlyMap<OutputName, BlockSink>;

  constructor(byOutput: ReadonlyMap<OutputName, BlockSink>) {
    this.byOutput = byOutput;
  }

  write(block: StoreBlock): Promise<void> {
    return this.sinkOf(block).write(block);
  }

  isolate(block: StoreBlock, isolation: Isolation): Promise<void> {
    return this.sinkOf(block).isolate(block, isolation);
  }

  async close(): Promise<void> {
    for (const sink of new Set(this.byOutput.values())) await sink.close();
  }

  private sinkOf({ table }: StoreBlock): BlockSink {
    const sink = this.byOutput.get(table);
    if (sink === undefined) throw new Error(`no sink takes ${table}`);
    return sink;
  }
}

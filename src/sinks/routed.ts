// Several sinks as one: each output has its own.

import type { OutputName } from '../model/outputs.ts';
import type { BlockSink, StoreBlock } from './sink.ts';

export class RoutedSink implements BlockSink {
  private readonly byOutput: ReadonlyMap<OutputName, BlockSink>;

  constructor(byOutput: ReadonlyMap<OutputName, BlockSink>) {
    this.byOutput = byOutput;
  }

  async write(block: StoreBlock): Promise<void> {
    const sink = this.byOutput.get(block.table);
    if (sink === undefined) throw new Error(`no sink takes ${block.table}`);
    await sink.write(block);
  }

  async close(): Promise<void> {
    for (const sink of new Set(this.byOutput.values())) await sink.close();
  }
}

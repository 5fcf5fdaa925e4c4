// A store that keeps nothing but counts: measures the pipeline without a database.

import type { OutputName } from '../model/outputs.ts';
import type { BlockStore, StoreBlock } from './sink.ts';

export class NullStore implements BlockStore {
  /** Rows acknowledged, by table. */
  readonly rows = new Map<OutputName, number>();
  blocks = 0;

  async write({ table, rows }: StoreBlock): Promise<void> {
    this.blocks++;
    this.rows.set(table, (this.rows.get(table) ?? 0) + rows);
  }

  async isolate(): Promise<void> {}

  async query(): Promise<string> {
    return '';
  }

  async close(): Promise<void> {}
}

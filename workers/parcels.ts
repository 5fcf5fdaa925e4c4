// Rows that this worker keeps until their block is journaled, and then writes itself: those of a store whose encoding is too
// costly to send through the main thread.

import type { OutputName } from '../src/model/outputs.ts';
import type { TableRows } from '../src/model/tables.ts';
import type { DeliveryOutcome } from '../src/model/work.ts';

/** Rows of one output and batch, encoded. */
export interface Encoded {
  readonly rows: number;
  /** Memory that they take. */
  readonly bytes: number;
}

/** Writes what an encoder of the same store made. */
export interface ParcelWriter<E extends Encoded = Encoded> {
  /** Resolves null when the store has acknowledged all of them. Writing again what was written before changes nothing. */
  write(parcels: readonly E[]): Promise<DeliveryOutcome>;
  close(): Promise<void>;
}

export class Parcels {
  /** Whose rows are being encoded. */
  lane = '';
  private readonly writer: ParcelWriter | null;
  private readonly kept = new Map<number, { readonly lane: string; readonly encoded: Encoded }>();
  private last = 0;

  constructor(writer: ParcelWriter | null) {
    this.writer = writer;
  }

  /** Keeps encoded rows. The worker's own number is left to the router. */
  keep(table: OutputName, encoded: Encoded): TableRows {
    const id = ++this.last;
    this.kept.set(id, { lane: this.lane, encoded });
    const { rows, bytes } = encoded;
    return { table, rows, bytes: new Uint8Array(0), parcel: { worker: -1, id, bytes } };
  }

  /** Writes parcels and forgets them once they are written. */
  async deliver(ids: readonly number[]): Promise<DeliveryOutcome> {
    if (this.writer === null) throw new Error('this worker writes to no store');
    const found = ids.flatMap((id) => this.kept.get(id)?.encoded ?? []);
    if (found.length < ids.length)
      return { kind: 'fatal', code: 'parcel_missing', message: 'rows of a lane that was closed cannot be written.' };
    const outcome = await this.writer.write(found);
    if (outcome === null) for (const id of ids) this.kept.delete(id);
    return outcome;
  }

  /** Forgets what is kept for a lane. */
  drop(lane: string): void {
    for (const [id, parcel] of this.kept) if (parcel.lane === lane) this.kept.delete(id);
  }

  async close(): Promise<void> {
    await this.writer?.close();
  }
}

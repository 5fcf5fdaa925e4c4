// Rows that this worker keeps until their block is journaled: written by itself, to a store or a file, or dropped. So the
// many bytes of flows never cross threads, and their memory is used again instead of being mapped and unmapped each time.

import { closeSync, openSync, writeSync } from 'node:fs';
import type { ByteWriter } from '../src/model/bytes.ts';
import type { OutputName } from '../src/model/outputs.ts';
import type { TableRows } from '../src/model/tables.ts';
import type { DeliveryOutcome, SpoolOutcome } from '../src/model/work.ts';

/** Rows of one output and batch, encoded. */
export interface Encoded {
  readonly rows: number;
  /** Memory that they take. */
  readonly bytes: number;
  /** A Native block, for stores that read those. */
  readonly native?: Uint8Array;
}

/** Writes what an encoder of the same store made. */
export interface ParcelWriter<E extends Encoded = Encoded> {
  /** Resolves null when the store has acknowledged all of them. Writing again what was written before changes nothing. */
  write(parcels: readonly E[]): Promise<DeliveryOutcome>;
  close(): Promise<void>;
}

/** Most buffers that wait for their next use. */
const IDLE_BUFFERS = 32;

export class Parcels {
  /** Whose rows are being encoded. */
  lane = '';
  private readonly writer: ParcelWriter | null;
  private readonly kept = new Map<number, { readonly lane: string; readonly encoded: Encoded }>();
  private readonly idle: Uint8Array[] = [];
  private last = 0;

  constructor(writer: ParcelWriter | null) {
    this.writer = writer;
  }

  /** Keeps encoded rows. Which worker this is, the router knows. */
  keep(table: OutputName, encoded: Encoded): TableRows {
    const id = ++this.last;
    this.kept.set(id, { lane: this.lane, encoded });
    const { rows, bytes } = encoded;
    return { table, rows, bytes: NOTHING, parcel: { worker: -1, id, rows, bytes } };
  }

  /** Keeps the Native block in `out`, which goes on in another buffer. */
  keepWritten(table: OutputName, rows: number, out: ByteWriter): TableRows {
    const native = out.swap(this.idle.pop() ?? new Uint8Array(out.bytes.length));
    return this.keep(table, { rows, bytes: native.length, native });
  }

  /** Writes parcels to the store. They are kept until they are forgotten: a failed write is tried again. */
  async deliver(ids: readonly number[]): Promise<DeliveryOutcome> {
    if (this.writer === null) throw new Error('this worker writes to no store');
    return this.writer.write(this.found(ids));
  }

  /** Writes Native blocks to a new file. */
  spool(ids: readonly number[], path: string): SpoolOutcome {
    const blocks = this.natives(ids);
    try {
      const file = openSync(path, 'w', 0o600);
      try {
        for (const block of blocks) writeWhole(file, block);
      } finally {
        closeSync(file);
      }
      return null;
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException;
      return { code, message };
    }
  }

  /** Copies of Native blocks. */
  collect(ids: readonly number[]): Uint8Array[] {
    return this.natives(ids).map((block) => block.slice());
  }

  forget(ids: readonly number[]): void {
    for (const id of ids) {
      const native = this.kept.get(id)?.encoded.native;
      if (native !== undefined && this.idle.length < IDLE_BUFFERS) this.idle.push(new Uint8Array(native.buffer));
      this.kept.delete(id);
    }
  }

  /** Forgets what is kept for a lane. */
  drop(lane: string): void {
    this.forget([...this.kept].flatMap(([id, parcel]) => (parcel.lane === lane ? [id] : [])));
  }

  async close(): Promise<void> {
    await this.writer?.close();
  }

  private natives(ids: readonly number[]): Uint8Array[] {
    return this.found(ids).flatMap(({ native }) => native ?? []);
  }

  private found(ids: readonly number[]): Encoded[] {
    return ids.map((id) => {
      const parcel = this.kept.get(id);
      if (parcel === undefined) throw new Error('rows of a lane that was closed are asked for');
      return parcel.encoded;
    });
  }
}

const NOTHING = new Uint8Array(0);

/** A write that stops early, as on a disk that fills up, is followed by one that says why. */
function writeWhole(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at);
}

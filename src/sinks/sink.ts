// The port that every store implements. A block is acknowledged as a whole, and its token makes a repeat of it harmless.

import type { OutputName } from '../model/outputs.ts';
import type { Parcel } from '../model/tables.ts';

/** Values of `{name:Type}` placeholders. They are bound by the store, never put into the SQL text. */
export type QueryParameters = Readonly<Record<string, string | number | bigint | boolean | readonly string[]>>;

/** What one block of a lane puts into one table. */
export interface StoreBlock {
  readonly table: OutputName;
  /** Made from the block's journaled input: the same block has the same token after any crash. */
  readonly token: string;
  readonly rows: number;
  /** Native blocks or packed messages, in order. */
  readonly chunks: readonly Uint8Array[];
  /** Rows that workers keep and write. */
  readonly parcels?: readonly Parcel[];
}

/** Has workers do something with rows that they keep. */
export interface ParcelCarrier {
  /** To the store that workers write to. Rejects with SinkError; writing again what was written changes nothing. */
  deliver(parcels: readonly Parcel[]): Promise<void>;
  /** To new files, one a worker, whose names begin with `path`. Rejects with Node's error (code, message). */
  spool(parcels: readonly Parcel[], path: string): Promise<readonly string[]>;
  /** As Native blocks. */
  collect(parcels: readonly Parcel[]): Promise<readonly Uint8Array[]>;
  /** Delivers parcels one after the other, and notes each row that can never be stored, counted over all of them. */
  isolate(parcels: readonly Parcel[], isolation: Isolation): Promise<void>;
  /** They are stored, or will never be. */
  forget(parcels: readonly Parcel[]): Promise<void>;
}

/** For a process without workers. */
export const NO_CARRIER: ParcelCarrier = {
  deliver: () => Promise.reject(new Error('there are no workers')),
  spool: async (parcels) => (parcels.length === 0 ? [] : Promise.reject(new Error('there are no workers'))),
  collect: async (parcels) => (parcels.length === 0 ? [] : Promise.reject(new Error('there are no workers'))),
  isolate: () => Promise.reject(new Error('there are no workers')),
  forget: async () => {},
};

/** Rows [from, to) of a block, in stream order from 0, that a store refused to take together; one row can never be stored. */
export interface RefusedPiece {
  readonly from: number;
  readonly to: number;
  /** The store's answer. */
  readonly code: string;
  readonly message: string;
}

/** What is journaled of pieces that were refused, so that a repeat stores the same pieces whatever the store says by then. */
export interface Isolation {
  readonly known: readonly RefusedPiece[];
  /** Resolves when the piece is journaled: only then may parts of it be stored. */
  note(piece: RefusedPiece): Promise<void>;
}

/** A block with more rows than this that are refused says that the store is not what Weir takes it for. */
export const MOST_REFUSED = 1000;

/** Takes the blocks of some outputs. */
export interface BlockSink {
  /** Resolves when the store has acknowledged the block (also when it had it already); rejects with SinkError. */
  write(block: StoreBlock): Promise<void>;
  /**
   * For a block that was rejected as poison: stores all rows but those that can never be stored, which it notes each. Repeatable,
   * with the same pieces under the same tokens. Rejects with SinkError as `write` does; as fatal when too much is refused.
   */
  isolate(block: StoreBlock, isolation: Isolation): Promise<void>;
  close(): Promise<void>;
}

export interface BlockStore extends BlockSink {
  /** Runs a query of Weir's own (trusted SQL) and returns its output in the given ClickHouse format. */
  query(sql: string, format: string, parameters?: QueryParameters): Promise<string>;
}

/** Reads what is stored, and can do nothing else. */
export interface Reader {
  /** Runs one reading statement and returns its output in a ClickHouse format. Throws UsageError or OperationalError. */
  query(sql: string, format: string, parameters?: QueryParameters): Promise<string>;
  close(): Promise<void>;
}

/**
 * - `retryable`: passes by itself (memory, disk, merges behind); try again, for ever.
 * - `poison`: this block can never be stored.
 * - `fatal`: nothing can be stored until somebody acts (permission, schema, configuration).
 */
export type SinkErrorKind = 'retryable' | 'poison' | 'fatal';

export class SinkError extends Error {
  override readonly name = 'SinkError';
  readonly kind: SinkErrorKind;
  /** Stable, e.g. 'MEMORY_LIMIT_EXCEEDED', 'ENOSPC'. */
  readonly code: string;
  constructor(kind: SinkErrorKind, code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
    this.code = code;
  }
}

/** So many refused rows are no rows' fault. */
export function tooMany({ code, message }: { readonly code: string; readonly message: string }): SinkError {
  const what = `the store refuses more than ${MOST_REFUSED} rows of one block, the last one with ${code}: ${message}`;
  return new SinkError('fatal', 'store_refused', what);
}

// What crosses between the main thread and a worker: packed bytes and a few counts, never events.

import type { Alert } from './alert.ts';
import type { RejectCode } from './reject.ts';
import type { Runs } from './sequence-runs.ts';
import type { TableRows } from './tables.ts';

export interface BatchCounts {
  readonly read: number;
  readonly accepted: number;
  readonly skipped: number;
  readonly rejected: number;
  readonly rejects: Partial<Record<RejectCode, number>>;
  readonly unknownKeys: number;
}

/** What a batch tells of one exporter. */
export interface ExporterSight {
  readonly exporter: string;
  readonly flows: number;
  /** Records that name it and were rejected. */
  readonly failures: number;
  /** Highest event time (end of a flow) of its flows, ms since 1970; -Infinity when all were rejected. */
  readonly newestMs: number;
}

/** Sequence numbers of one exporter in a batch. */
export interface SequenceSight {
  readonly exporter: string;
  /** Slug, or `other`: then all tenants that are not told apart. */
  readonly tenant: string;
  /** UUID: the same address may be another device at another tenant. */
  readonly owner: string;
  /** One of EXPORTS. */
  readonly type: number;
  readonly domain: number;
  readonly runs: Runs;
}

/** How far the events of a tenant have come in a lane; `other` stands for all tenants that are not told apart. */
export interface TenantProgress {
  readonly tenant: string;
  readonly newestMs: number;
  readonly watermarkMs: number;
}

/** Records of a tenant with a quota, as they came in; those of the overflow topic do not count again. */
export interface QuotaUse {
  /** UUID. */
  readonly tenant: string;
  readonly records: number;
}

/** Result of `match`. */
export interface Matched {
  readonly rows: readonly TableRows[];
  /** Packed by HitsWriter. */
  readonly hits: Uint8Array;
  /** Packed by rollUp. */
  readonly rollup: Uint8Array;
  readonly counts: BatchCounts;
  readonly exporters: readonly ExporterSight[];
  readonly sequences: readonly SequenceSight[];
  readonly quotas: readonly QuotaUse[];
}

/** How writing parcels went: null for well. Errors cross threads as plain data. */
export type DeliveryOutcome = {
  readonly kind: 'retryable' | 'poison' | 'fatal';
  readonly code: string;
  readonly message: string;
  /** Of poison: which rows of its parcel can never be written, in order; the others are. */
  readonly rows?: readonly number[];
} | null;

/** How writing parcels to a file went: null for well, else Node's error code and message. */
export type SpoolOutcome = { readonly code: string; readonly message: string } | null;

/** How a block ends. */
export interface BlockEnd {
  /** The input has ended with it. */
  readonly end: boolean;
  /** Rollups since the last commit and the lane's state are wanted. */
  readonly commit: boolean;
  /** Everything appended before this moment (ms since 1970) is in; 0 for no tick. */
  readonly tickMs: number;
}

/** What closing a block of a lane gives: rows of rollups and alerts, and the lane's state if asked for. */
export interface BlockEffects {
  readonly rows: readonly TableRows[];
  /** Alerts that fired for the first time in the block, for display. */
  readonly fired: readonly Alert[];
  readonly late: number;
  readonly evicted: number;
  readonly progress: readonly TenantProgress[];
  readonly snapshot: Uint8Array | null;
  /** Something is open that a tick may close. */
  readonly waiting: boolean;
}

/** A row of the batch, from 0, and what the store said. */
export interface RefusedOfBatch {
  readonly row: number;
  readonly code: string;
  readonly message: string;
}

/** Records of a batch whose rows a store refused, as what is made of refused records; `seen` rows of the table are in the batch. */
export interface RefusedRecords {
  readonly rows: readonly TableRows[];
  readonly seen: number;
}

/** Where each record of a batch lies and its event time (ms since 1970; NaN for what has none), in stream order. */
export interface RecordTimes {
  readonly starts: Uint32Array;
  readonly lengths: Uint32Array;
  readonly timesMs: Float64Array;
}

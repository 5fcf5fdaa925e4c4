// What leaves a worker: rows of tables and messages of topics, and in which form each output is wanted.

import type { TableName } from './tables.ts';

/** Messages that are sent when their block is written. */
export const SENT_OUTPUTS = ['alert_messages', 'dead_letters'] as const;
export type SentOutput = (typeof SENT_OUTPUTS)[number];

/** Messages that go out with the journal entry of their block, and only with it. */
export const DIVERTED_OUTPUTS = ['misplaced', 'overflow'] as const;
export type DivertedOutput = (typeof DIVERTED_OUTPUTS)[number];

/** Outputs that are Kafka messages, packed as src/model/messages.ts has them. */
export const MESSAGE_OUTPUTS = [...SENT_OUTPUTS, ...DIVERTED_OUTPUTS] as const;
export type MessageOutput = (typeof MESSAGE_OUTPUTS)[number];

export type OutputName = TableName | MessageOutput;

/**
 * - `native`: bytes in ClickHouse's Native format, handed to the main thread.
 * - `cql`: batches for ScyllaDB, kept by the worker that encoded them until it is told to write them.
 * - `messages`: packed messages, handed to the main thread.
 */
export type OutputForm = 'native' | 'cql' | 'messages';

/** Outputs that are missing are not wanted. */
export type OutputForms = Partial<Readonly<Record<OutputName, OutputForm>>>;

/** ClickHouse's engine in this process, or a server, for everything; refused records as rows. */
export const ROWS_ONLY: OutputForms = {
  flows: 'native',
  session_events: 'native',
  tunnel_stats: 'native',
  logs: 'native',
  traffic_analytics: 'native',
  threat_analytics: 'native',
  alerts: 'native',
  rejects: 'native',
};

/** How workers reach ScyllaDB or Cassandra. Plain data: it is sent to them when they start. */
export interface ScyllaSettings {
  readonly contactPoints: readonly string[];
  readonly localDataCenter: string;
  readonly keyspace: string;
  readonly username: string;
  readonly password: string;
  /** PEM texts; null for no TLS. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string } | null;
  readonly consistency: 'one' | 'local_one' | 'quorum' | 'local_quorum' | 'all' | 'each_quorum';
  /** Most bytes of rows in one batch statement. */
  readonly batchBytes: number;
  /** Most batch statements under way at once, of each worker. */
  readonly inFlight: number;
  /** Time bucket in the partition key of flows, ms; 0 for the seed's plain key. */
  readonly flowBucketMs: number;
  readonly requestTimeoutMs: number;
}

/** What a worker thread is told once, when it starts. */
export interface WorkerSetup {
  readonly outputs: OutputForms;
  /** False where only rows are wanted: rules are then not run. */
  readonly detect: boolean;
  readonly scylla: ScyllaSettings | null;
  /** Tenants and exporters of a batch that metrics tell apart. */
  readonly told: { readonly tenants: number; readonly exporters: number };
}

export const EMBEDDED_SETUP: WorkerSetup = {
  outputs: ROWS_ONLY,
  detect: true,
  scylla: null,
  told: { tenants: 0, exporters: 0 },
};

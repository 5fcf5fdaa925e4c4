// Log events, sessions, tunnel statistics and rejects of a batch. Lower volume than flows: arrays of plain objects.

import type { RejectCode } from './reject.ts';

/** Time as in flows: whole ms since 1970 and the remaining ns (0–999,999). */
export interface Instant {
  ms: number;
  ns: number;
}

/** Where a record stands: byte range in the batch, and its segment (file, base). */
export interface Place {
  segment: number;
  rawStart: number;
  rawLength: number;
}

/** Sigma's log source: what kind of log an event is. Derived from the event, or set by the source. */
export interface LogSource {
  product: string;
  category: string;
  service: string;
}

export const LOG_SEVERITIES = [
  'emergency',
  'alert',
  'critical',
  'error',
  'warning',
  'notice',
  'info',
  'debug',
] as const;

export interface LogEvent extends Instant, Place {
  tenant: number;
  pop: string;
  /** Canonical UUID text. */
  id: string;
  logsource: LogSource;
  /** '' when the event has none. Canonical address text. */
  sourceIp: string;
  destinationIp: string;
  host: string;
  user: string;
  /** '' or one of LOG_SEVERITIES. */
  severity: string;
  message: string;
  /**
   * The event's own fields, names kept (Zeek's `id.orig_h` is a key with dots, Suricata's `alert` an object).
   * Values are JSON values; own keys only (never inherit from it: read with Object.hasOwn).
   */
  fields: Record<string, unknown>;
  /** JSON text of `fields` as stored; decoders of JSON input give the record's own bytes as text. */
  fieldsJson: string;
  clockSkew: boolean;
  /** What enrichment adds to `fields` for rules; it is not stored. */
  derived?: Readonly<Record<string, unknown>> | null;
  /** A field by its own key, undefined when it is absent: where `fields` is made only when somebody asks for all of it. */
  own?(key: string): unknown;
  /** Name of the threat-intelligence entry that an address or domain of the event matched; '' for none. */
  threat: string;
}

export const SESSION_STATUSES = ['starting', 'active', 'idle', 'closed'] as const;

/** One observation of a session; the sessions view folds them by (status rank, time), see docs/decisions. */
export interface SessionEvent extends Instant, Place {
  tenant: number;
  sessionId: string;
  userId: string;
  deviceId: string;
  sourceIp: string;
  /** ms since 1970; 0 when the record does not say. */
  startedAtMs: number;
  status: string;
  metadata: Record<string, string>;
  id: string;
}

export interface TunnelStat extends Instant, Place {
  tenant: number;
  pop: string;
  tunnelId: string;
  latencyMs: number;
  jitterMs: number;
  packetLossPercent: number;
  rxBytes: bigint;
  txBytes: bigint;
  uptimeSeconds: bigint;
  id: string;
}

export interface RejectedRecord extends Place {
  code: RejectCode;
  detail: string;
  /** Index into snapshot tenants, or -1 when it is not known whose it is. */
  tenant: number;
  /** Bytes of the record in the input (rawLength may be a kept head of it). */
  length: number;
}

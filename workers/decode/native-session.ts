// Native session observations and tunnel statistics (the seed's `sessions` and `tunnel_stats`).

import { isPopName } from '../../src/model/pop.ts';
import { SESSION_STATUSES } from '../../src/model/records.ts';
import type { RejectCode } from '../../src/model/reject.ts';
import { addressText, fractional, MAX_U64, readTime, unsigned, uuidValue } from './fields.ts';
import type { NativeRecord } from './native-general.ts';
import { K, type NativeKey } from './native-keys.ts';
import { instant } from './time.ts';

/** Requires `session_id` (a UUID) and a time; `status` defaults to active. */
export function acceptSession(record: NativeRecord): void {
  const { context, out } = record;
  const sessionId = uuidOf(record, 'session_id');
  if (sessionId === null) return;
  const startedAtMs = record.has(K.started_at) ? timeOf(record, 'started_at') : 0;
  if (Number.isNaN(startedAtMs)) return;
  const moment = (['last_activity', 'timestamp', 'started_at'] as const).find((key) => record.has(K[key]));
  if (moment === undefined) {
    record.reject('missing_field', 'last_activity is missing');
    return;
  }
  const ms = timeOf(record, moment);
  if (Number.isNaN(ms)) return;
  const ns = instant[1];
  const status = record.has(K.status) ? record.text('status').toLowerCase() : 'active';
  if (!(SESSION_STATUSES as readonly string[]).includes(status)) {
    record.reject('wrong_type', `status is none of ${SESSION_STATUSES.join(', ')}`);
    return;
  }
  const address = record.at(K.source_ip);
  const sourceIp = addressText(address);
  if (sourceIp === '' && address !== undefined && address !== '') {
    record.rejectKey('bad_address', 'source_ip');
    return;
  }
  if (!context.inRange(out, ms, record.segmentIndex, record.start, record.length, record.tenant)) return;
  if (
    startedAtMs !== 0 &&
    !context.inRange(out, startedAtMs, record.segmentIndex, record.start, record.length, record.tenant)
  ) {
    return;
  }
  out.unknownKeys += record.unknown;
  out.sessions.push({
    ms,
    ns,
    segment: record.segmentIndex,
    rawStart: record.start,
    rawLength: record.length,
    tenant: record.tenant,
    sessionId,
    userId: record.text('user_id'),
    deviceId: record.text('device_id'),
    sourceIp,
    startedAtMs,
    status,
    metadata: record.metadata(),
    id: context.ids.ofPlace(record.batch, record.segmentIndex, record.start, record.length),
  });
}

const MAX_INT32 = 2_147_483_647;

/** Requires `tunnel_id` (a UUID) and `timestamp`; what is not measured is 0. */
export function acceptTunnel(record: NativeRecord): void {
  const { context, out } = record;
  const tunnelId = uuidOf(record, 'tunnel_id');
  if (tunnelId === null) return;
  const moment = (['timestamp', '@timestamp', 'ts', 'time'] as const).find((key) => record.has(K[key])) ?? 'timestamp';
  const ms = timeOf(record, moment);
  if (Number.isNaN(ms)) return;
  const ns = instant[1];
  const latencyMs = measure(record, 'latency_ms', MAX_INT32);
  const jitterMs = measure(record, 'jitter_ms', MAX_INT32);
  const packetLossPercent = measure(record, 'packet_loss_percent', 100);
  const rxBytes = count(record, 'rx_bytes');
  const txBytes = count(record, 'tx_bytes');
  const uptimeSeconds = count(record, 'uptime_seconds');
  for (const [key, value] of Object.entries({
    latency_ms: latencyMs,
    jitter_ms: jitterMs,
    packet_loss_percent: packetLossPercent,
    rx_bytes: rxBytes,
    tx_bytes: txBytes,
    uptime_seconds: uptimeSeconds,
  })) {
    if (typeof value === 'string') {
      record.rejectKey(value, key as NativeKey);
      return;
    }
  }
  if (!context.inRange(out, ms, record.segmentIndex, record.start, record.length, record.tenant)) return;
  const pop = record.text('pop_id');
  if (!isPopName(pop)) {
    record.rejectKey('out_of_range', 'pop_id');
    return;
  }
  out.unknownKeys += record.unknown;
  out.tunnels.push({
    ms,
    ns,
    segment: record.segmentIndex,
    rawStart: record.start,
    rawLength: record.length,
    tenant: record.tenant,
    pop: pop || context.sourceOf(record.sourceIndex).pop,
    tunnelId,
    // The seed's columns are whole milliseconds; sensors measure fractions.
    latencyMs: Math.round(latencyMs as number),
    jitterMs: Math.round(jitterMs as number),
    packetLossPercent: packetLossPercent as number,
    rxBytes: rxBytes as bigint,
    txBytes: txBytes as bigint,
    uptimeSeconds: uptimeSeconds as bigint,
    id: context.ids.ofPlace(record.batch, record.segmentIndex, record.start, record.length),
  });
}

function measure(record: NativeRecord, key: NativeKey, max: number): number | RejectCode {
  const value = record.at(K[key]);
  if (value === undefined) return 0;
  const number = fractional(value);
  return typeof number === 'number' && number > max ? 'out_of_range' : number;
}

function count(record: NativeRecord, key: NativeKey): bigint | RejectCode {
  const value = record.at(K[key]);
  return value === undefined ? 0n : unsigned(value, MAX_U64);
}

function uuidOf(record: NativeRecord, key: NativeKey): string | null {
  const value = record.at(K[key]);
  const uuid = value === undefined ? null : uuidValue(value);
  if (uuid === null) record.rejectKey('wrong_type', key);
  return uuid;
}

/** Milliseconds (nanoseconds in `instant[1]`), or NaN after the record was rejected. */
function timeOf(record: NativeRecord, key: NativeKey): number {
  const value = record.at(K[key]);
  const outcome = value === undefined ? 'missing_field' : readTime(value);
  if (outcome === '') return instant[0];
  record.rejectKey(outcome, key);
  return Number.NaN;
}

// Encode: a decoded, enriched and decided batch becomes Native blocks, one a table that has rows.
// Column names and types are those of src/model/tables.ts; times are exact to the nanosecond.

import type { RawBatch } from '../../src/model/batch.ts';
import type { ControlSnapshot } from '../../src/model/control.ts';
import type { Decoded } from '../../src/model/decoded.ts';
import type { Dictionary } from '../../src/model/dictionary.ts';
import { FLOW_FLAG } from '../../src/model/flow.ts';
import { uuidFrom } from '../../src/model/hash.ts';
import type { LogEvent, RejectedRecord, SessionEvent, TunnelStat } from '../../src/model/records.ts';
import { SESSION_STATUSES } from '../../src/model/records.ts';
import type { TableRows } from '../../src/model/tables.ts';
import { createFlowEncoder } from './flows.ts';
import { NativeWriter } from './native.ts';
import { encodeItems, type Getters } from './rows.ts';

export { encodeRows } from './rows.ts';

/** Bytes of a refused record that its dead letter keeps. */
export const REJECT_BYTES = 64 * 1024;

const NO_TENANT = '00000000-0000-0000-0000-000000000000';

export function createEncoder(
  snapshot: ControlSnapshot,
  dictionary: Dictionary,
): (batch: RawBatch, decoded: Decoded) => TableRows[] {
  const flows = createFlowEncoder(snapshot, dictionary, new NativeWriter());
  const tenant = (index: number): string => snapshot.tenants[index]?.id ?? NO_TENANT;
  const logs = logColumns(tenant);
  const sessions = sessionColumns(tenant);
  const tunnels = tunnelColumns(tenant);
  return (batch, decoded) => {
    const rows: TableRows[] = [];
    if (decoded.flows.length > 0) rows.push(flows(decoded.flows));
    if (decoded.logs.length > 0) rows.push(encodeItems('logs', decoded.logs, logs));
    if (decoded.sessions.length > 0) rows.push(encodeItems('session_events', decoded.sessions, sessions));
    if (decoded.tunnels.length > 0) rows.push(encodeItems('tunnel_stats', decoded.tunnels, tunnels));
    if (decoded.rejects.length > 0)
      rows.push(encodeItems('rejects', decoded.rejects, rejectColumns(tenant, snapshot, batch)));
    return rows;
  };
}

type TenantText = (index: number) => string;

function logColumns(tenant: TenantText): Getters<LogEvent> {
  return {
    tenant_id: (e) => tenant(e.tenant),
    pop_id: (e) => e.pop,
    timestamp: (e) => e,
    log_id: (e) => e.id,
    product: (e) => e.logsource.product,
    category: (e) => e.logsource.category,
    service: (e) => e.logsource.service,
    source_ip: (e) => e.sourceIp,
    destination_ip: (e) => e.destinationIp,
    host: (e) => e.host,
    user: (e) => e.user,
    severity: (e) => e.severity,
    message: (e) => e.message,
    fields: (e) => e.fieldsJson,
    threat: (e) => e.threat,
    flags: (e) => (e.clockSkew ? FLOW_FLAG.clockSkew : 0),
  };
}

function sessionColumns(tenant: TenantText): Getters<SessionEvent> {
  return {
    tenant_id: (e) => tenant(e.tenant),
    session_id: (e) => e.sessionId,
    event_id: (e) => e.id,
    timestamp: (e) => e,
    version: sessionVersion,
    user_id: (e) => e.userId,
    device_id: (e) => e.deviceId,
    source_ip: (e) => e.sourceIp,
    started_at: (e) => e.startedAtMs,
    status: (e) => e.status,
    metadata: (e) => e.metadata,
  };
}

/** Orders the observations of a session: by time, then by how far the status has come. Any order of arrival folds alike. */
export function sessionVersion(event: SessionEvent): bigint {
  const rank = (SESSION_STATUSES as readonly string[]).indexOf(event.status) + 1;
  return BigInt(event.ms) * 1000n + BigInt(rank);
}

function tunnelColumns(tenant: TenantText): Getters<TunnelStat> {
  return {
    tunnel_id: (e) => e.tunnelId,
    timestamp: (e) => e,
    latency_ms: (e) => e.latencyMs,
    jitter_ms: (e) => e.jitterMs,
    packet_loss_percent: (e) => e.packetLossPercent,
    rx_bytes: (e) => e.rxBytes,
    tx_bytes: (e) => e.txBytes,
    uptime_seconds: (e) => e.uptimeSeconds,
    tenant_id: (e) => tenant(e.tenant),
    pop_id: (e) => e.pop,
    event_id: (e) => e.id,
  };
}

function rejectColumns(tenant: TenantText, snapshot: ControlSnapshot, batch: RawBatch): Getters<RejectedRecord> {
  const segment = (r: RejectedRecord) => batch.segments[r.segment];
  const position = (r: RejectedRecord): number => segment(r).base + r.rawStart - segment(r).start;
  return {
    reject_id: (r) => uuidFrom('reject', segment(r).file, String(position(r)), r.code),
    tenant_id: (r) => tenant(r.tenant),
    source: (r) => snapshot.sources[segment(r).source]?.name ?? '',
    file: (r) => segment(r).file,
    position,
    length: (r) => r.length,
    code: (r) => r.code,
    detail: (r) => r.detail,
    format: (r) => segment(r).format,
    raw: (r) => batch.bytes.subarray(r.rawStart, r.rawStart + Math.min(r.rawLength, REJECT_BYTES)),
  };
}

// Encode: a decoded, enriched and decided batch becomes what its outputs want: Native blocks, one a table that has rows;
// parcels of ScyllaDB rows, which stay here; messages. Column names and types are those of src/model/tables.ts; times are exact to the nanosecond.

import { positionOf, type RawBatch } from '../../src/model/batch.ts';
import type { ControlSnapshot } from '../../src/model/control.ts';
import type { Decoded } from '../../src/model/decoded.ts';
import type { Dictionary } from '../../src/model/dictionary.ts';
import { FLOW_FLAG } from '../../src/model/flow.ts';
import { EMBEDDED_SETUP, type WorkerSetup } from '../../src/model/outputs.ts';
import type { LogEvent, RejectedRecord, SessionEvent, TunnelStat } from '../../src/model/records.ts';
import { SESSION_STATUSES } from '../../src/model/records.ts';
import type { TableRows } from '../../src/model/tables.ts';
import type { Parcels } from '../parcels.ts';
import { createDeadLetters, NO_TENANT, REJECT_BYTES, rejectId } from './dead-letters.ts';
import { createFlowEncoder } from './flows.ts';
import { NativeWriter } from './native.ts';
import { encodeItems, type Getters } from './rows.ts';
import type { ScyllaEncoder } from './scylla.ts';

export { encodeRows } from './rows.ts';

export function createEncoder(
  snapshot: ControlSnapshot,
  dictionary: Dictionary,
  { outputs }: WorkerSetup = EMBEDDED_SETUP,
  parcels: Parcels | null = null,
  scylla: ScyllaEncoder | null = null,
): (batch: RawBatch, decoded: Decoded) => TableRows[] {
  const writer = new NativeWriter();
  const flows = createFlowEncoder(snapshot, dictionary, writer, (rows) =>
    parcels ? parcels.keepWritten('flows', rows, writer.out) : { table: 'flows', rows, bytes: writer.take() },
  );
  const kept = (rows: TableRows): TableRows =>
    parcels ? parcels.keep(rows.table, { rows: rows.rows, bytes: rows.bytes.length, native: rows.bytes }) : rows;
  const tenant = (index: number): string => snapshot.tenants[index]?.id ?? NO_TENANT;
  const logs = logColumns(tenant);
  const sessions = sessionColumns(tenant);
  const tunnels = tunnelColumns(tenant);
  const deadLetters = createDeadLetters(snapshot);
  return (batch, decoded) => {
    const rows: TableRows[] = [];
    if (decoded.flows.length > 0) {
      if (outputs.flows === 'native') rows.push(flows(decoded.flows));
      else if (outputs.flows === 'cql') rows.push(parcels!.keep('flows', scylla!.flows(decoded.flows)));
    }
    if (decoded.sessions.length > 0) {
      if (outputs.session_events === 'native')
        rows.push(kept(encodeItems('session_events', decoded.sessions, sessions)));
      else if (outputs.session_events === 'cql')
        rows.push(parcels!.keep('session_events', scylla!.sessions(decoded.sessions, batch)));
    }
    if (decoded.tunnels.length > 0) {
      if (outputs.tunnel_stats === 'native') rows.push(kept(encodeItems('tunnel_stats', decoded.tunnels, tunnels)));
      else if (outputs.tunnel_stats === 'cql')
        rows.push(parcels!.keep('tunnel_stats', scylla!.tunnels(decoded.tunnels, batch)));
    }
    if (decoded.logs.length > 0 && outputs.logs) rows.push(kept(encodeItems('logs', decoded.logs, logs)));
    if (decoded.rejects.length > 0) {
      if (outputs.rejects)
        rows.push(kept(encodeItems('rejects', decoded.rejects, rejectColumns(tenant, snapshot, batch))));
      if (outputs.dead_letters) rows.push(deadLetters(decoded.rejects, batch));
    }
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
  return {
    reject_id: (r) => rejectId(batch, r),
    tenant_id: (r) => tenant(r.tenant),
    source: (r) => snapshot.sources[segment(r).source]?.name ?? '',
    file: (r) => segment(r).file,
    position: (r) => positionOf(segment(r), r.rawStart),
    length: (r) => r.length,
    code: (r) => r.code,
    detail: (r) => r.detail,
    format: (r) => segment(r).format,
    raw: (r) => batch.bytes.subarray(r.rawStart, r.rawStart + Math.min(r.rawLength, REJECT_BYTES)),
  };
}

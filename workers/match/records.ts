// Sessions and tunnel statistics as log events, so that rules read them like any log: product weir, service session or
// tunnel, fields named as in the native records.

import type { LogEvent, LogSource, SessionEvent, TunnelStat } from '../../src/model/records.ts';

export const SESSION_SOURCE: LogSource = { product: 'weir', category: '', service: 'session' };
export const TUNNEL_SOURCE: LogSource = { product: 'weir', category: '', service: 'tunnel' };

const EMPTY = {
  pop: '',
  sourceIp: '',
  destinationIp: '',
  host: '',
  user: '',
  severity: '',
  message: '',
  fieldsJson: '',
  threat: '',
} as const;

export function sessionEvent(session: SessionEvent, clockSkew: boolean): LogEvent {
  const { ms, ns, segment, rawStart, rawLength, tenant, id, sourceIp, userId, startedAtMs } = session;
  const fields: Record<string, unknown> = {
    session_id: session.sessionId,
    user_id: userId,
    device_id: session.deviceId,
    source_ip: sourceIp,
    status: session.status,
    metadata: session.metadata,
  };
  if (startedAtMs > 0) fields.duration_ms = Math.max(0, ms - startedAtMs);
  const place = { ms, ns, segment, rawStart, rawLength, tenant, id };
  return { ...EMPTY, ...place, logsource: SESSION_SOURCE, sourceIp, user: userId, fields, clockSkew };
}

export function tunnelEvent(stat: TunnelStat, clockSkew: boolean): LogEvent {
  const { ms, ns, segment, rawStart, rawLength, tenant, id, pop } = stat;
  const fields = {
    tunnel_id: stat.tunnelId,
    pop_id: pop,
    latency_ms: stat.latencyMs,
    jitter_ms: stat.jitterMs,
    packet_loss_percent: stat.packetLossPercent,
    rx_bytes: Number(stat.rxBytes),
    tx_bytes: Number(stat.txBytes),
    uptime_seconds: Number(stat.uptimeSeconds),
  };
  const place = { ms, ns, segment, rawStart, rawLength, tenant, id };
  return { ...EMPTY, ...place, pop, logsource: TUNNEL_SOURCE, fields, clockSkew };
}

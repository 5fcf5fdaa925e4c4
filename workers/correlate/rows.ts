// Alerts as rows of `threat_analytics` (one, when it first fires) and `alerts` (one a revision).

import type { Alert } from '../../src/model/alert.ts';
import type { OpenAlert } from './open-alert.ts';

export type Row = Record<string, unknown>;

/** RFC 3339, UTC, whole ms. */
export function timeText(ms: number): string {
  return new Date(Math.floor(ms)).toISOString();
}

export function nanoseconds(ms: number): bigint {
  const whole = Math.floor(ms);
  return BigInt(whole) * 1_000_000n + BigInt(Math.floor((ms - whole) * 1e6));
}

export function threatRow(open: OpenAlert): Row {
  const { alert } = open;
  const { source_ip: source, destination_ip: destination } = alert.entities;
  return {
    tenant_id: alert.tenant_id,
    timestamp: Math.max(0, Math.floor(open.openedMs / 1000)),
    threat_category: alert.category,
    severity: alert.severity,
    source_ip: v4(source),
    destination_ip: v4(destination),
    mitre_technique: alert.attack.techniques[0]?.id ?? '',
    alert_id: alert.alert_id,
    details: JSON.stringify(revisionOf(open)),
    source_ip6: v6(source),
    destination_ip6: v6(destination),
    rule_id: alert.rule.id,
    title: alert.title,
    first_seen: nanoseconds(open.firstMs),
  };
}

/** The alert as it is now. */
export function revisionOf(open: OpenAlert): Alert {
  return {
    ...open.alert,
    first_seen: timeText(open.firstMs),
    last_seen: timeText(open.lastMs),
    revision: open.count,
    count: open.count,
    evidence: [...open.evidence],
  };
}

export function revisionRow(open: OpenAlert): Row {
  const alert = revisionOf(open);
  const { entities } = alert;
  return {
    tenant_id: alert.tenant_id,
    alert_id: alert.alert_id,
    revision: BigInt(alert.revision),
    first_seen: nanoseconds(open.firstMs),
    last_seen: nanoseconds(open.lastMs),
    rule_id: alert.rule.id,
    rule_version: alert.rule.version,
    rule_hash: alert.rule.hash,
    title: alert.title,
    reason: alert.reason,
    severity: alert.severity,
    confidence: alert.confidence,
    tactics: alert.attack.tactics.map((tactic) => tactic.name),
    techniques: alert.attack.techniques.map((technique) => technique.id),
    source_ip: entities.source_ip,
    destination_ip: entities.destination_ip,
    user_id: entities.user,
    device_id: entities.device,
    site_id: entities.site,
    pop_id: entities.pop,
    count: BigInt(alert.count),
    details: JSON.stringify(alert),
  };
}

/** The IPv4 column holds 0.0.0.0 for IPv6 and absent addresses; the IPv6 column then has it, or '::'. */
function v4(address: string): string {
  return address === '' || address.includes(':') ? '0.0.0.0' : address;
}

function v6(address: string): string {
  return address.includes(':') ? address : '::';
}

// Alerts for the tests of the verbs that show them: hostile text in places that come from the input.

import type { Alert, Level } from '../model/alert.ts';
import { uuidFrom } from '../model/hash.ts';

export const TENANTS = { acme: uuidFrom('acme'), umbrella: uuidFrom('umbrella') };

export function alert(
  tenant: keyof typeof TENANTS,
  severity: Level,
  technique: string,
  hour: number,
  revision: number,
): Alert {
  const time = `2024-05-01T${String(hour).padStart(2, '0')}:00:00Z`;
  return {
    schema: 1,
    alert_id: uuidFrom('alert', tenant, technique),
    tenant_id: TENANTS[tenant],
    tenant,
    first_seen: time,
    last_seen: time,
    rule: { id: 'r-scan', version: '1', hash: 'abcdef0123456789' },
    revision,
    title: 'Horizontal scan',
    reason: `10.0.0.7 touched ${revision} hosts \u001b[31m`,
    severity,
    confidence: 'high',
    category: 'Discovery',
    attack: {
      version: '19.1',
      tactics: [{ id: 'TA0007', name: 'Discovery' }],
      techniques: [{ id: technique, name: 'Network Service Discovery' }],
    },
    entities: {
      source_ip: '10.0.0.7',
      destination_ip: '2001:db8::1',
      source_port: 0,
      destination_port: 22,
      protocol: 6,
      user: 'ann',
      device: '',
      site: '',
      pop: 'fra1',
      host: '',
      application: 'ssh',
      direction: 'internal',
      source_country: '',
      destination_country: 'DE',
      threat: '',
      community_id: '',
    },
    group: { source_ip: '10.0.0.7' },
    count: revision,
    evidence: [
      {
        event_id: uuidFrom('event'),
        timestamp: time,
        stream: 'f'.repeat(32),
        position: 12,
        raw: '{"a":"\u001b]0;x\u0007"}',
      },
    ],
    policy: { id: '', action: '' },
    suppression: { window_ms: 3_600_000, until: '' },
    runbook: 'Ask the owner.\nIsolate it.',
    references: [],
    false_positives: ['scanners'],
  };
}

export function alertRow(a: Alert): Record<string, unknown> {
  const time = BigInt(Date.parse(a.first_seen)) * 1_000_000n;
  return {
    tenant_id: a.tenant_id,
    alert_id: a.alert_id,
    revision: a.revision,
    first_seen: time,
    last_seen: time,
    rule_id: a.rule.id,
    rule_version: '1',
    rule_hash: '',
    title: a.title,
    reason: a.reason,
    severity: a.severity,
    confidence: a.confidence,
    tactics: ['TA0007'],
    techniques: a.attack.techniques.map(({ id }) => id),
    source_ip: '',
    destination_ip: '',
    user_id: '',
    device_id: '',
    site_id: '',
    pop_id: '',
    count: a.count,
    details: JSON.stringify(a),
  };
}

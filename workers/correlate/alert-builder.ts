// Makes the alert of a first firing, and evidence of events.

import type { Alert, AlertEvidence } from '../../src/model/alert.ts';
import { bufferOf } from '../../src/model/bytes.ts';
import type { Tenant } from '../../src/model/control.ts';
import { uuidFrom, uuidText } from '../../src/model/hash.ts';
import { type HitEvent, readKey } from '../../src/model/hits.ts';
import { attackOf, type CompiledRule } from './compiled-rule.ts';
import { entitiesOf, valueText } from './entities.ts';
import type { EvidenceReference } from './evidence-pool.ts';
import { reasonOf } from './reason.ts';
import { timeText } from './rows.ts';

/** Bytes of a record that evidence keeps. */
const RAW_BYTES = 2048;

/** What `match` groups a single event by (its ENTITY_KEY); an event has some of them. */
export const EVENT_GROUP = ['source_ip', 'destination_ip', 'user', 'host'] as const;

export interface FirstFiring {
  readonly compiled: CompiledRule;
  readonly tenant: Tenant;
  readonly event: HitEvent;
  readonly key: Uint8Array;
  readonly groupNames: readonly string[];
  readonly count: number;
  readonly value: number;
  readonly firstMs: number;
  readonly untilMs: number;
  readonly evidence: readonly AlertEvidence[];
}

export function buildAlert(firing: FirstFiring): Alert {
  const { compiled, tenant, event, key, count } = firing;
  const { rule } = compiled;
  const values = readKey(key);
  const group = Object.fromEntries(
    values.flatMap((value, i) =>
      value === null ? [] : [[firing.groupNames[i] ?? `group_${i + 1}`, valueText(value)]],
    ),
  );
  return {
    schema: 1,
    alert_id: uuidFrom(tenant.id, rule.id, bufferOf(key).toString('hex'), uuidText(event.id, 0)),
    tenant_id: tenant.id,
    tenant: tenant.slug,
    first_seen: timeText(Math.min(firing.firstMs, event.timeMs)),
    last_seen: timeText(event.timeMs),
    rule: { id: rule.id, version: rule.version, hash: rule.hash },
    revision: count,
    title: rule.title,
    reason: reasonOf(rule, event, { group, count, value: firing.value }),
    severity: rule.level,
    confidence: rule.confidence,
    ...attackOf(compiled),
    entities: entitiesOf(event),
    group,
    count,
    evidence: firing.evidence,
    policy: { id: event.texts.policyId, action: event.texts.action },
    suppression: { window_ms: compiled.suppressionMs, until: timeText(firing.untilMs) },
    runbook: rule.runbook,
    references: rule.references,
    false_positives: rule.falsePositives,
  };
}

/** `withRaw`: the record's bytes too, their head as text. */
export function evidenceOf(event: HitEvent, withRaw: boolean): AlertEvidence {
  const reference = {
    event_id: uuidText(event.id, 0),
    timestamp: timeText(event.timeMs),
    stream: event.file,
    position: event.position,
  };
  return withRaw ? { ...reference, raw: headText(event.raw) } : reference;
}

export function referenceEvidence({ event_id, timeMs, stream, position }: EvidenceReference): AlertEvidence {
  return { event_id, timestamp: timeText(timeMs), stream, position };
}

/** The head of a record as text, cut between characters. */
function headText(raw: Uint8Array): string {
  let end = Math.min(raw.length, RAW_BYTES);
  if (end < raw.length) for (let i = 0; i < 3 && (raw[end] & 0xc0) === 0x80; i++) end--;
  return bufferOf(raw).toString('utf8', 0, end);
}

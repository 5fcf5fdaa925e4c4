// Flows as JSON → what the policies decide about them, through the stages that a run uses: decode, enrich, decide.

import { createDecoder } from '../../workers/decode/index.ts';
import { createEnricher } from '../../workers/enrich/index.ts';
import { createDecider, explainPolicies, type PolicyExplanation } from '../../workers/policy/index.ts';
import { utf8 } from '../model/bytes.ts';
import type { ControlSnapshot } from '../model/control.ts';
import { Decoded } from '../model/decoded.ts';
import { Dictionary } from '../model/dictionary.ts';
import { DIRECTIONS } from '../model/flow.ts';
import { ipText } from '../model/ip.ts';
import type { RejectCode } from '../model/reject.ts';

export interface TestedFlow {
  readonly kind: 'flow';
  /** Counts from 1. */
  readonly record: number;
  readonly tenant: string;
  readonly flow: Readonly<Record<string, string | number>>;
  /** The policy that decides, or null: then the producer's action stays. */
  readonly policy: { readonly id: string; readonly name: string; readonly version: number } | null;
  /** '' when neither a policy nor the producer named one. */
  readonly action: string;
  readonly policies: readonly PolicyExplanation[];
}

export interface RefusedRecord {
  readonly kind: 'refused';
  readonly record: number;
  readonly code: RejectCode | 'not_a_flow';
  readonly detail: string;
}

/** One JSON object, an array of them, or one a line → one a line. */
export function recordLines(text: string): readonly string[] {
  try {
    const value: unknown = JSON.parse(text);
    return (Array.isArray(value) ? value : [value]).map((record) => JSON.stringify(record));
  } catch {
    return text.split('\n').filter((line) => line.trim() !== '');
  }
}

/** Decides records under a snapshot whose only source is the test's. Pure but for `nowMs`, the time at which they arrive. */
export function testPolicies(
  snapshot: ControlSnapshot,
  lines: readonly string[],
  nowMs: number,
): readonly (TestedFlow | RefusedRecord)[] {
  const dictionary = new Dictionary();
  const decode = createDecoder(snapshot, dictionary);
  const enrich = createEnricher(snapshot, dictionary);
  const decide = createDecider(snapshot, dictionary);
  return lines.map((line, i) => {
    const decoded = new Decoded(dictionary);
    const bytes = utf8(`${line}\n`);
    const segment = {
      format: 'native-json' as const,
      start: 0,
      end: bytes.length,
      base: 0,
      file: '0'.repeat(32),
      source: 0,
      context: null,
      referenceMs: nowMs,
      fault: null,
    };
    decode({ bytes, segments: [segment], appendedAtMs: nowMs }, decoded);
    const reject = decoded.rejects[0];
    if (reject) return { kind: 'refused', record: i + 1, code: reject.code, detail: reject.detail };
    if (decoded.flows.length === 0) {
      return {
        kind: 'refused',
        record: i + 1,
        code: 'not_a_flow',
        detail: 'the record is no flow; policies decide flows',
      };
    }
    enrich.flows(decoded.flows);
    decide(decoded.flows);
    return tested(snapshot, decoded, i + 1);
  });
}

function tested(snapshot: ControlSnapshot, { flows, dictionary }: Decoded, record: number): TestedFlow {
  const tenant = flows.tenant[0];
  const index = flows.policy[0] - 1;
  const policies = explainPolicies(snapshot, tenant, { flows, row: 0, dictionary });
  const explained = policies.find(({ decides }) => decides)?.index ?? -1;
  if (explained !== index) throw new Error(`policy ${index} decided, but policy ${explained} is explained`);
  const { id, name, version } = snapshot.policies[index] ?? {};
  const text = (column: Uint32Array): string => dictionary.text(column[0]);
  return {
    kind: 'flow',
    record,
    tenant: snapshot.tenants[tenant].slug,
    flow: {
      timestamp: new Date(flows.timeMs[0]).toISOString(),
      source_ip: ipText(flows.source),
      source_port: flows.sourcePort[0],
      destination_ip: ipText(flows.destination),
      destination_port: flows.destinationPort[0],
      protocol: flows.protocol[0],
      direction: DIRECTIONS[flows.direction[0]],
      application: text(flows.application),
      category: text(flows.category),
      host: text(flows.host),
      user_id: text(flows.user),
      device_id: text(flows.device),
      site_id: text(flows.site),
      source_country: text(flows.sourceCountry),
      destination_country: text(flows.destinationCountry),
      threat: text(flows.threat),
    },
    policy: index < 0 ? null : { id, name, version },
    action: text(flows.action),
    policies,
  };
}

// Runs the cases inside rule files through the real worker path: decode, enrich, decide, match, correlate.

import type { RawBatch } from '../src/model/batch.ts';
import { utf8 } from '../src/model/bytes.ts';
import type { ControlSnapshot, ListDocument, RuleFile } from '../src/model/control.ts';
import { hashHex, uuidFrom } from '../src/model/hash.ts';
import { createKit } from './kit.ts';
import { closeBlock, correlate, createLaneState, match } from './shard.ts';

export interface CaseResult {
  readonly rule: string;
  readonly title: string;
  readonly file: string;
  readonly name: string;
  readonly expected: number;
  /** Alerts of this rule. */
  readonly alerts: number;
  /** Why records of the case were refused; a case with refused records never passes. */
  readonly refused: readonly string[];
}

export const casePassed = (result: CaseResult): boolean =>
  result.alerts === result.expected && result.refused.length === 0;

/** Every case of every rule, each with fresh state. */
export function runRuleCases(rules: readonly RuleFile[], lists: readonly ListDocument[] = []): CaseResult[] {
  const kit = createKit(caseSnapshot(rules, lists));
  const results: CaseResult[] = [];
  for (const rule of kit.rules.rules) {
    for (const test of rule.tests) {
      const bytes = utf8(test.events.map((event) => `${JSON.stringify(event)}\n`).join(''));
      const lane = createLaneState('case');
      lane.correlator.apply(kit.snapshot, kit.rules);
      const { hits, rollup } = match(kit, batchOf(bytes));
      correlate(lane, hits, rollup);
      const { fired } = closeBlock(lane, true, false);
      results.push({
        rule: rule.id,
        title: rule.title,
        file: rule.file,
        name: test.name,
        expected: test.alerts,
        alerts: fired.filter((alert) => alert.rule.id === rule.id).length,
        refused: kit.decoded.rejects.map((reject) => `${reject.code}: ${reject.detail}`),
      });
    }
  }
  return results;
}

function batchOf(bytes: Uint8Array): RawBatch {
  const segment = {
    format: 'native-json' as const,
    start: 0,
    end: bytes.length,
    base: 0,
    file: '0'.repeat(32),
    source: 0,
    context: null,
    referenceMs: 0,
    fault: null,
  };
  return { bytes, segments: [segment], appendedAtMs: Date.UTC(2100, 0, 1) };
}

/** One tenant inside 10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16, one source. */
function caseSnapshot(rules: readonly RuleFile[], lists: readonly ListDocument[]): ControlSnapshot {
  const body = {
    tenants: [
      {
        id: uuidFrom('tenant', 'case'),
        slug: 'case',
        name: 'case',
        status: 'active' as const,
        timezone: 'UTC',
        internal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'],
        sites: [],
        devices: [],
        users: [],
        categories: {},
        lists,
      },
    ],
    sources: [
      {
        name: 'case',
        tenant: 'case',
        pop: 'case',
        format: 'native-json',
        logsource: { product: '', category: '', service: '' },
        timezone: 'UTC',
        year: 0,
        latenessMs: 300_000,
      },
    ],
    policies: [],
    rules,
    lists: [],
    categories: {},
    limits: { recordBytes: 1 << 20, depth: 32, keys: 512 },
    enrich: { geo: [], communityId: false },
    correlate: { groupsPerRule: 100_000, valuesPerGroup: 10_000, suppressionMs: 3_600_000, evidence: 5 },
  };
  return { hash: hashHex(utf8(JSON.stringify(body))), ...body };
}

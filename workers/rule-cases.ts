// Runs the cases inside rule files through the real worker path: decode, enrich, decide, match, correlate.

import type { Rule, RuleTest, RuleTestGiven } from '../rules/model.ts';
import type { RawBatch } from '../src/model/batch.ts';
import { utf8 } from '../src/model/bytes.ts';
import {
  type ControlSnapshot,
  type ListDocument,
  type PolicyAction,
  plainTenant,
  type RuleFile,
} from '../src/model/control.ts';
import { hashHex, uuidFrom } from '../src/model/hash.ts';
import { parsePrefix } from '../src/model/ip.ts';
import { EMBEDDED_SETUP } from '../src/model/outputs.ts';
import { createKit, type WorkerKit } from './kit.ts';
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

/** Every case of every rule, each with fresh state, under the lists and policies that the case gives. */
export function runRuleCases(rules: readonly RuleFile[]): CaseResult[] {
  const kits = new Map<string, WorkerKit>();
  const kitFor = (given: RuleTestGiven): WorkerKit => {
    const key = JSON.stringify(given);
    const kit = kits.get(key) ?? createKit(caseSnapshot(rules, given));
    kits.set(key, kit);
    return kit;
  };
  const set = kitFor(NOTHING_GIVEN).rules;
  return set.rules.flatMap((rule) =>
    rule.tests.map((test) => runCase(kitFor(test.given ?? NOTHING_GIVEN), rule, test)),
  );
}

function runCase(kit: WorkerKit, rule: Rule, test: RuleTest): CaseResult {
  const bytes = utf8(test.events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  const lane = createLaneState('case');
  lane.correlator.apply(kit.snapshot, kit.rules);
  const { hits, rollup } = match(kit, batchOf(bytes));
  correlate(lane, hits, rollup);
  const { fired } = closeBlock(lane, EMBEDDED_SETUP, { end: true, commit: false, tickMs: 0 });
  return {
    rule: rule.id,
    title: rule.title,
    file: rule.file,
    name: test.name,
    expected: test.alerts,
    alerts: fired.filter((alert) => alert.rule.id === rule.id).length,
    refused: kit.decoded.rejects.map((reject) => `${reject.code}: ${reject.detail}`),
  };
}

const NOTHING_GIVEN: RuleTestGiven = { lists: {}, threats: {}, policies: [] };

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
function caseSnapshot(rules: readonly RuleFile[], given: RuleTestGiven): ControlSnapshot {
  const id = uuidFrom('tenant', 'case');
  const body = {
    tenants: [
      {
        ...plainTenant(id, 'case'),
        internal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'],
        lists: [...listsOf(given.lists, false), ...listsOf(given.threats, true)],
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
    policies: given.policies.map((policy, i) => ({
      id: `case-${i}`,
      tenant: id,
      name: policy.name,
      enabled: true,
      priority: i,
      action: policy.action as PolicyAction,
      version: 1,
      conditions: policy.conditions,
    })),
    rules,
    lists: [],
    categories: {},
    limits: { recordBytes: 1 << 20, depth: 32, keys: 512 },
    enrich: { geo: [], communityId: false },
    correlate: { groupsPerRule: 100_000, valuesPerGroup: 10_000, suppressionMs: 3_600_000, evidence: 5 },
  };
  return { hash: hashHex(utf8(JSON.stringify(body))), ...body };
}

function listsOf(lists: Readonly<Record<string, readonly string[]>>, threat: boolean): ListDocument[] {
  const prefix = (values: readonly string[]): boolean => values.every((value) => parsePrefix(value) !== null);
  return Object.entries(lists).map(([name, values]) => ({
    name,
    kind: prefix(values) ? 'prefix' : 'domain',
    threat,
    values,
    file: '',
  }));
}

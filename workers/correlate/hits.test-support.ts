// For tests and the bench: rules, control snapshots and packed hits without the rest of the pipeline.

import type { Correlation, Rule, RuleSet } from '../../rules/model.ts';
import type { Alert } from '../../src/model/alert.ts';
import { utf8 } from '../../src/model/bytes.ts';
import { type ControlSnapshot, plainTenant, type Tenant } from '../../src/model/control.ts';
import { uuidFrom } from '../../src/model/hash.ts';
import { ENTITY_TEXTS, type EntityText, HitsWriter, KeyWriter } from '../../src/model/hits.ts';
import { parseIp } from '../../src/model/ip.ts';
import { type Correlated, Correlator } from './index.ts';

export function ruleOf(index: number, over: Partial<Rule> = {}): Rule {
  const id = over.id ?? `rule-${index}`;
  return {
    index,
    id,
    name: id,
    title: `Rule ${index}`,
    version: '1',
    hash: `hash-${id}`,
    file: 'rules.yml',
    line: 1,
    status: 'stable',
    level: 'high',
    description: '',
    author: '',
    references: [],
    falsePositives: [],
    runbook: '',
    confidence: 'medium',
    techniques: [],
    tags: [],
    logsource: { product: '', category: 'network', service: 'connection' },
    detection: { kind: 'constant', value: true },
    correlation: null,
    alerting: true,
    suppressionMs: null,
    reason: '',
    tests: [],
    ...over,
  };
}

export function correlationOf(index: number, of: Partial<Correlation>, over: Partial<Rule> = {}): Rule {
  const correlation: Correlation = {
    type: 'event_count',
    rules: [0],
    groupBy: ['source_ip'],
    timespanMs: 60_000,
    condition: { op: 'gte', value: 3 },
    field: '',
    parameters: {},
    ...of,
  };
  return ruleOf(index, { detection: null, correlation, ...over });
}

export function rulesOf(...rules: readonly Rule[]): RuleSet {
  return { rules, problems: [] };
}

export function tenantOf(slug: string): Tenant {
  return plainTenant(uuidFrom('tenant', slug), slug);
}

export function snapshotOf(
  correlate: Partial<ControlSnapshot['correlate']> = {},
  tenants: readonly string[] = ['acme'],
  latenessMs = 300_000,
): ControlSnapshot {
  const source = {
    name: 'test',
    tenant: '',
    pop: '',
    format: 'auto',
    logsource: { product: '', category: '', service: '' },
    timezone: 'UTC',
    year: 0,
    latenessMs,
  };
  return {
    hash: '0'.repeat(32),
    tenants: tenants.map(tenantOf),
    sources: [source],
    policies: [],
    rules: [],
    lists: [],
    categories: {},
    limits: { recordBytes: 65_536, depth: 16, keys: 256 },
    enrich: { geo: [], communityId: false },
    correlate: { groupsPerRule: 100_000, valuesPerGroup: 1000, suppressionMs: 3_600_000, evidence: 5, ...correlate },
  };
}

/** A record as the matcher would report it. `hits`: the rules that it advances; none for a record that matches nothing. */
export interface TestEvent {
  readonly timeMs: number;
  readonly tenant?: number;
  readonly dataset?: string;
  readonly skewed?: boolean;
  readonly source?: string;
  readonly destination?: string;
  readonly destinationPort?: number;
  readonly protocol?: number;
  readonly texts?: Partial<Record<EntityText, string>>;
  readonly raw?: string;
  /** Tells records apart; the event id is made from it. */
  readonly serial: number;
  readonly hits: readonly TestHit[];
}

export interface TestHit {
  readonly target: number;
  readonly base?: number;
  /** Default: the source address; null: the empty key. */
  readonly key?: Uint8Array | null;
  readonly value?: number;
  readonly distinct?: string;
}

const keys = new KeyWriter();

export function ipKey(address: string): Uint8Array {
  keys.reset();
  keys.ip(wordsOf(address), 0);
  return keys.out.take();
}

function wordsOf(address: string): Uint32Array {
  const words = new Uint32Array(4);
  if (address !== '' && !parseIp(address, words)) throw new Error(`${address} is no address`);
  return words;
}

/** Packed hits of one batch. */
export function packHits(events: readonly TestEvent[]): Uint8Array {
  const writer = new HitsWriter();
  for (const event of events) {
    const { timeMs, tenant = 0, skewed = false, serial, source = '10.0.0.1', destination = '192.0.2.1' } = event;
    const clock = writer.clockOf(tenant, event.dataset ?? 'flow');
    const before = writer.see(clock, timeMs, skewed);
    if (event.hits.length === 0) continue;
    const addresses = {
      id: Uint32Array.of(1, 0x8000, 0x80000000, serial),
      source: wordsOf(source),
      destination: wordsOf(destination),
      at: 0,
    };
    writer.event(
      timeMs,
      before,
      timeMs,
      tenant,
      clock,
      skewed,
      addresses,
      40_000,
      event.destinationPort ?? 22,
      event.protocol ?? 6,
      'f'.repeat(32),
      serial * 100,
      ENTITY_TEXTS.map((name) => utf8(event.texts?.[name] ?? '')),
      utf8(event.raw ?? `{"serial":${serial}}`),
    );
    for (const { target, base = 0, key, value = 0, distinct } of event.hits) {
      const bytes = key === null ? new Uint8Array(0) : (key ?? ipKey(source));
      writer.hit(target, base, bytes, value, distinct === undefined ? null : utf8(distinct));
    }
  }
  return writer.take();
}

/** Number of the last event that `event` made. */
export let serial = 0;
/** An event of its own at a time. */
export const event = (timeMs: number, hits: readonly TestHit[], over: Partial<TestEvent> = {}): TestEvent => ({
  timeMs,
  serial: ++serial,
  hits,
  ...over,
});

export function started(rules: readonly Rule[], snapshot: ControlSnapshot = snapshotOf()): Correlator {
  const correlator = new Correlator('lane');
  correlator.apply(snapshot, rulesOf(...rules));
  return correlator;
}

/** What events bring about, in one batch. */
export function run(
  rules: readonly Rule[],
  events: readonly TestEvent[],
  snapshot?: ControlSnapshot,
  end = true,
): Correlated {
  const correlator = started(rules, snapshot);
  correlator.add(packHits(events));
  return correlator.take(end);
}

export const revisions = ({ alerts }: Correlated): number[] => alerts.map((row) => Number(row.revision));
export const detail = (row: Record<string, unknown>): Alert => JSON.parse(row.details as string);

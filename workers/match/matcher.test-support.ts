// A batch built record by record, matched under given rules, and its hits read back.

import type { Correlation, Rule, RuleSet } from '../../rules/model.ts';
import type { FieldTest } from '../../rules/predicate.ts';
import type { RawBatch, Segment } from '../../src/model/batch.ts';
import { utf8 } from '../../src/model/bytes.ts';
import { Decoded } from '../../src/model/decoded.ts';
import { Dictionary } from '../../src/model/dictionary.ts';
import { HitsReader, HitsWriter, readKey } from '../../src/model/hits.ts';
import { ipText } from '../../src/model/ip.ts';
import type { LogEvent, SessionEvent, TunnelStat } from '../../src/model/records.ts';
import { segment } from '../decode/fixture.test-support.ts';
import { snapshotOf, type TestFlow, writeFlow } from './flows.test-support.ts';
import { createMatcher } from './index.ts';

export const T0 = Date.UTC(2024, 0, 1);
const NETWORK = { product: '', category: 'network', service: 'connection' };

export function rule(index: number, over: Partial<Rule>): Rule {
  return {
    index,
    id: `rule-${index}`,
    name: '',
    title: '',
    version: '1',
    hash: '',
    file: '',
    line: 0,
    status: '',
    level: 'low',
    description: '',
    author: '',
    references: [],
    falsePositives: [],
    runbook: '',
    confidence: 'low',
    techniques: [],
    tags: [],
    logsource: NETWORK,
    detection: null,
    correlation: null,
    alerting: true,
    suppressionMs: null,
    reason: '',
    tests: [],
    ...over,
  };
}

export const equals = (field: string, ...values: string[]): FieldTest => ({
  kind: 'field',
  field,
  test: 'equals',
  values,
  cased: false,
});

export function correlation(over: Partial<Correlation>): Correlation {
  return {
    type: 'event_count',
    rules: [],
    groupBy: ['source_ip'],
    timespanMs: 60_000,
    condition: { op: 'gte', value: 3 },
    field: '',
    parameters: {},
    ...over,
  };
}

const FLOW: TestFlow = {
  tenant: 0,
  timeMs: T0,
  source_ip: '10.0.0.1',
  destination_ip: '8.8.8.8',
  source_port: 50000,
  destination_port: 22,
  protocol: 6,
  bytes_sent: 1,
  bytes_received: 1,
  packets_sent: 1,
  duration_ms: 1000,
  application: 'ssh',
  action: 'Allow',
  user_id: '',
  host: '',
  threat: '',
  direction: 2,
  destination_asn: 0,
  counter_fault: false,
  unidirectional: false,
};

/** A batch whose records are ten bytes each. */
export class Bench {
  readonly dictionary = new Dictionary();
  readonly decoded = new Decoded(this.dictionary);
  private at = 0;
  readonly batch: RawBatch;
  private readonly bytes = new Uint8Array(8000).fill(46);

  constructor(segments: readonly Segment[] = [segment({ base: 5000 })]) {
    this.batch = { appendedAtMs: T0 + 3_600_000, bytes: this.bytes, segments };
  }

  private place(raw: string): { segment: number; rawStart: number; rawLength: number } {
    const bytes = utf8(raw);
    this.bytes.set(bytes, this.at);
    const rawStart = this.at;
    this.at += Math.max(10, bytes.length);
    return { segment: 0, rawStart, rawLength: bytes.length };
  }

  flow(over: Partial<TestFlow>, flags = 0, raw = 'flow\n'): this {
    const { flows } = this.decoded;
    writeFlow(flows, this.dictionary, { ...FLOW, ...over });
    const row = flows.length - 1;
    const { rawStart, rawLength } = this.place(raw);
    flows.segment[row] = 0;
    flows.rawStart[row] = rawStart;
    flows.rawLength[row] = rawLength;
    flows.flags[row] |= flags;
    flows.id.set([1, 2, 3, row], row * 4);
    return this;
  }

  log(over: Partial<LogEvent>): this {
    this.decoded.logs.push({
      ...this.place('log'),
      ms: T0,
      ns: 0,
      tenant: 0,
      pop: 'fra1',
      id: '33333333-3333-4333-8333-333333333333',
      logsource: { product: 'linux', category: '', service: 'sshd' },
      sourceIp: '10.0.0.9',
      destinationIp: '',
      host: 'gate',
      user: 'root',
      severity: '',
      message: 'Failed password',
      fields: {},
      fieldsJson: '{}',
      clockSkew: false,
      threat: '',
      ...over,
    });
    return this;
  }

  session(over: Partial<SessionEvent>): this {
    this.decoded.sessions.push({
      ...this.place('session'),
      ms: T0,
      ns: 0,
      tenant: 0,
      id: '44444444-4444-4444-8444-444444444444',
      sessionId: 's',
      userId: 'anna',
      deviceId: 'd1',
      sourceIp: '10.0.0.7',
      startedAtMs: 0,
      status: 'closed',
      metadata: { client: 'old' },
      ...over,
    });
    return this;
  }

  tunnel(over: Partial<TunnelStat>): this {
    this.decoded.tunnels.push({
      ...this.place('tunnel'),
      ms: T0,
      ns: 0,
      tenant: 0,
      pop: 'fra1',
      id: '55555555-5555-4555-8555-555555555555',
      tunnelId: 'tun-1',
      latencyMs: 300,
      jitterMs: 2,
      packetLossPercent: 4.5,
      rxBytes: 10n,
      txBytes: 2n ** 60n,
      uptimeSeconds: 5n,
      ...over,
    });
    return this;
  }

  match(rules: readonly Rule[]): HitsReader {
    const set: RuleSet = { rules, problems: [] };
    const hits = new HitsWriter();
    createMatcher(snapshotOf(), set, this.dictionary)(this.batch, this.decoded, hits);
    return new HitsReader(hits.take());
  }
}

interface Read {
  target: number;
  base: number;
  event: number;
  value: number;
  key: unknown[];
  distinct: unknown[] | null;
}

const shown = (bytes: Uint8Array): unknown[] =>
  readKey(bytes).map((value) => (value instanceof Uint32Array ? `ip ${ipText(value)}` : value));

export function read(reader: HitsReader): Read[] {
  const out: Read[] = [];
  // The reader yields one object over and over.
  for (const { target, base, event, value, key, distinct } of reader.hits()) {
    out.push({ target, base, event, value, key: shown(key), distinct: distinct === null ? null : shown(distinct) });
  }
  return out;
}

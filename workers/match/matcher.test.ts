import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Packr } from 'msgpackr';
import type { Correlation, Rule, RuleSet } from '../../rules/model.ts';
import type { FieldTest, Predicate } from '../../rules/predicate.ts';
import type { RawBatch, Segment } from '../../src/model/batch.ts';
import { utf8 } from '../../src/model/bytes.ts';
import { Decoded } from '../../src/model/decoded.ts';
import { Dictionary } from '../../src/model/dictionary.ts';
import { FLOW_FLAG } from '../../src/model/flow.ts';
import { HitsReader, HitsWriter, readKey } from '../../src/model/hits.ts';
import { ipText } from '../../src/model/ip.ts';
import type { LogEvent, SessionEvent, TunnelStat } from '../../src/model/records.ts';
import { snapshotOf, type TestFlow, writeFlow } from './flows.test-support.ts';
import { createMatcher } from './index.ts';

const T0 = Date.UTC(2024, 0, 1);
const NETWORK = { product: '', category: 'network', service: 'connection' };

function rule(index: number, over: Partial<Rule>): Rule {
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

const equals = (field: string, ...values: string[]): FieldTest => ({
  kind: 'field',
  field,
  test: 'equals',
  values,
  cased: false,
});

function correlation(over: Partial<Correlation>): Correlation {
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

function segment(over: Partial<Segment>): Segment {
  return {
    format: 'native-json',
    start: 0,
    end: 1000,
    base: 0,
    file: 'f'.repeat(32),
    source: 0,
    context: null,
    referenceMs: 0,
    fault: null,
    ...over,
  };
}

/** A batch whose records are ten bytes each. */
class Bench {
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

function read(reader: HitsReader): Read[] {
  const out: Read[] = [];
  // The reader yields one object over and over.
  for (const { target, base, event, value, key, distinct } of reader.hits()) {
    out.push({ target, base, event, value, key: shown(key), distinct: distinct === null ? null : shown(distinct) });
  }
  return out;
}

const ssh: Predicate = equals('application', 'ssh');

test('a single-event rule hits once a record, keyed by the entities that the record has', () => {
  const reader = new Bench()
    .flow({ application: 'dns' })
    .flow({ user_id: 'anna' })
    .match([rule(0, { detection: ssh })]);
  assert.deepEqual(read(reader), [
    { target: 0, base: 0, event: 0, value: 0, key: ['ip 10.0.0.1', 'ip 8.8.8.8', 'anna', null], distinct: null },
  ]);
  const event = reader.event(0);
  assert.equal(event.timeMs, T0 + 1000, 'event time is the end of the flow');
  assert.equal(event.startMs, T0);
  assert.equal(event.position, 5010);
  assert.equal(event.texts.user, 'anna');
  assert.equal(event.texts.application, 'ssh');
  assert.equal(event.texts.direction, 'outbound');
  assert.equal(ipText(event.source), '10.0.0.1');
  assert.deepEqual([event.sourcePort, event.destinationPort, event.protocol], [50000, 22, 6]);
  assert.deepEqual([...event.id], [1, 2, 3, 1]);
  assert.equal(Buffer.from(event.raw).toString(), 'flow', 'without the newline');
});

test('several rules share one event, in the order of the rules; one that feeds correlations alone stays silent', () => {
  const rules = [
    rule(0, { detection: equals('destination_port', '22'), alerting: false }),
    rule(1, { detection: ssh }),
    rule(2, { correlation: correlation({ rules: [0, 1], type: 'value_count', field: 'destination_port' }) }),
    rule(3, { correlation: correlation({ rules: [2], groupBy: ['source_ip'] }) }),
    rule(4, {
      correlation: correlation({
        rules: [1],
        type: 'value_sum',
        field: 'bytes_sent',
        groupBy: ['protocol', 'application'],
      }),
    }),
    rule(5, { detection: equals('destination_port', '22'), alerting: false }),
  ];
  const reader = new Bench().flow({ bytes_sent: 5_000_000_000 }).match(rules);
  assert.equal(reader.eventCount, 1);
  assert.deepEqual(read(reader), [
    { target: 2, base: 0, event: 0, value: 0, key: ['ip 10.0.0.1'], distinct: [22] },
    { target: 1, base: 1, event: 0, value: 0, key: ['ip 10.0.0.1', 'ip 8.8.8.8', null, null], distinct: null },
    { target: 2, base: 1, event: 0, value: 0, key: ['ip 10.0.0.1'], distinct: [22] },
    { target: 4, base: 1, event: 0, value: 5_000_000_000, key: [6, 'ssh'], distinct: null },
  ]);
});

test('an event without a group-by field, or without the field that is counted or summed, joins no group', () => {
  const rules = [
    rule(0, { detection: ssh, alerting: false }),
    rule(1, { correlation: correlation({ rules: [0], groupBy: ['user_id'] }) }),
    rule(2, { correlation: correlation({ rules: [0], type: 'value_count', field: 'host' }) }),
    rule(3, { correlation: correlation({ rules: [0], type: 'value_sum', field: 'bytes_sent' }) }),
  ];
  const reader = new Bench().flow({}, FLOW_FLAG.counterFault).match(rules);
  assert.equal(reader.eventCount, 0, 'no hit, no event');
  assert.equal(reader.times.length, 1, 'but its time was seen');
  const other = new Bench().flow({ user_id: 'anna', host: 'h' }).match(rules);
  assert.deepEqual(
    read(other).map(({ target }) => target),
    [1, 2, 3],
  );
});

test('records of all kinds are seen in stream order, each with the clock of its tenant and dataset before it', () => {
  const any: Predicate = { kind: 'constant', value: true };
  const everything = { product: '', category: '', service: '' };
  const reader = new Bench()
    .flow({ timeMs: T0 + 5000 })
    .log({ ms: T0 + 1 })
    .session({ ms: T0 + 2 })
    .flow({ timeMs: T0 })
    .tunnel({ ms: T0 + 3 })
    .log({ ms: T0, tenant: 1 })
    .log({ ms: T0 })
    .flow({ timeMs: T0 + 9_000_000 }, FLOW_FLAG.clockSkew)
    .flow({ timeMs: T0 + 6000 })
    .session({ ms: T0 + 3_600_000 + 300_001 })
    .match([rule(0, { detection: any, logsource: everything })]);
  const clocks = reader.clocks.map(({ tenant, dataset }) => `${tenant} ${dataset}`);
  const rows = Array.from({ length: reader.eventCount }, (_, i) => [
    reader.position(i) - 5000,
    clocks[reader.clock(i)],
    reader.timeMs(i) - T0,
    reader.clockMs(i) - T0,
    reader.skewed(i),
    reader.seenUpTo(i),
  ]);
  assert.deepEqual(rows, [
    [0, '0 flow', 6000, -Infinity, false, 1],
    [10, '0 linux//sshd', 1, -Infinity, false, 2],
    [20, '0 weir//session', 2, -Infinity, false, 3],
    [30, '0 flow', 1000, 6000, false, 4],
    [40, '0 weir//tunnel', 3, -Infinity, false, 5],
    [50, '1 linux//sshd', 0, -Infinity, false, 6],
    [60, '0 linux//sshd', 0, 1, false, 7],
    [70, '0 flow', 9_001_000, 6000, true, 7],
    [80, '0 flow', 7000, 6000, false, 8],
    [90, '0 weir//session', 3_900_001, 2, true, 8],
  ]);
});

test('logs, sessions and tunnels are matched by their log source and speak of the same entities as flows', () => {
  const rules = [
    rule(0, {
      detection: equals('message', 'failed password'),
      logsource: { product: 'linux', category: '', service: 'sshd' },
    }),
    rule(1, {
      detection: { kind: 'field', field: 'packet_loss_percent', test: 'number', op: 'gt', value: 3 },
      logsource: { product: 'weir', category: '', service: 'tunnel' },
    }),
    rule(2, {
      detection: equals('metadata.client', 'old'),
      logsource: { product: 'weir', category: '', service: 'session' },
    }),
    rule(3, { correlation: correlation({ rules: [0], groupBy: ['src_ip', 'destination_port'] }) }),
    rule(4, {
      detection: { kind: 'constant', value: true },
      logsource: { product: 'windows', category: '', service: '' },
    }),
  ];
  const reader = new Bench()
    .log({ fields: { 'id.resp_p': '22' } })
    .tunnel({})
    .session({})
    .flow({})
    .match(rules);
  assert.deepEqual(
    read(reader).map(({ target, event, key }) => ({ target, event, key })),
    [
      { target: 0, event: 0, key: ['ip 10.0.0.9', null, 'root', 'gate'] },
      { target: 3, event: 0, key: ['ip 10.0.0.9', 22] },
      { target: 1, event: 1, key: [null, null, null, null] },
      { target: 2, event: 2, key: ['ip 10.0.0.7', null, 'anna', null] },
    ],
  );
  assert.equal(reader.event(0).texts.message, 'Failed password');
  assert.equal(reader.event(0).destinationPort, 22);
  assert.equal(reader.event(1).texts.tunnel, 'tun-1');
  assert.equal(reader.event(2).texts.device, 'd1');
});

test('rules read keys that no column holds from the raw record, and only where there are any', () => {
  const vlan = { kind: 'field', field: 'net.vlan', test: 'numbers', values: [7] } as const;
  const raw = '{"net":{"vlan":7}}';
  const reader = new Bench()
    .flow({}, 0, raw)
    .flow({}, FLOW_FLAG.extras, raw)
    .flow({}, FLOW_FLAG.extras, '{"net":{"vlan":8}}')
    .flow({}, FLOW_FLAG.extras, 'not json')
    .match([rule(0, { detection: { kind: 'and', of: [ssh, vlan] } })]);
  assert.equal(reader.eventCount, 1);
  assert.deepEqual([...reader.event(0).id], [1, 2, 3, 1]);
});

test('keys of MessagePack records are read with the structures that came before them', () => {
  const packr = new Packr({ useRecords: true, sequential: true });
  const records = [
    { net: { vlan: 8 }, n: 1 },
    { net: { vlan: 7 }, n: 2 },
    { net: { vlan: 7 }, n: 3 },
  ].map((record) => Uint8Array.from(packr.pack(record)));
  const bytes = new Uint8Array(Buffer.concat(records));
  const bench = new Bench([segment({ format: 'native-msgpack', end: bytes.length })]);
  let at = 0;
  for (const [row, record] of records.entries()) {
    bench.flow({}, FLOW_FLAG.extras);
    bench.decoded.flows.rawStart[row] = at;
    bench.decoded.flows.rawLength[row] = record.length;
    at += record.length;
  }
  bench.batch.bytes.set(bytes);
  const vlan = (value: number): Predicate => ({ kind: 'field', field: 'net.vlan', test: 'numbers', values: [value] });
  // Two rules, so that the rows are gone through twice.
  const reader = bench.match([
    rule(0, { detection: vlan(7) }),
    rule(1, { detection: { kind: 'and', of: [ssh, vlan(8)] } }),
  ]);
  assert.deepEqual(
    read(reader).map(({ target, event }) => [target, reader.idWord(event, 3)]),
    [
      [1, 0],
      [0, 1],
      [0, 2],
    ],
  );
});

test('where a batch is cut changes neither events nor hits', () => {
  const rules = [
    rule(0, { detection: ssh }),
    rule(1, { correlation: correlation({ rules: [0], type: 'value_count', field: 'destination_ip' }) }),
  ];
  const flows: Partial<TestFlow>[] = Array.from({ length: 40 }, (_, i) => ({
    timeMs: T0 + ((i * 37) % 11) * 1000,
    application: i % 3 === 0 ? 'ssh' : 'dns',
    destination_ip: `10.0.1.${i}`,
  }));
  const whole = new Bench();
  for (const flow of flows) whole.flow(flow);
  const together = read(whole.match(rules)).map(({ target, key, distinct }) => ({ target, key, distinct }));
  const apart = flows.flatMap((flow) =>
    read(new Bench().flow(flow).match(rules)).map(({ target, key, distinct }) => ({ target, key, distinct })),
  );
  assert.deepEqual(together, apart);
});

test('a long record is kept as its head, cut between characters', () => {
  const reader = new Bench().flow({}, 0, `x${'ä'.repeat(3000)}`).match([rule(0, { detection: ssh })]);
  assert.equal(Buffer.from(reader.event(0).raw).toString(), `x${'ä'.repeat(2047)}`);
});

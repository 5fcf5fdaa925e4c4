import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Packr } from 'msgpackr';
import type { Predicate } from '../../rules/predicate.ts';
import { FLOW_FLAG } from '../../src/model/flow.ts';
import { ipText } from '../../src/model/ip.ts';
import { segment } from '../decode/fixture.test-support.ts';
import type { TestFlow } from './flows.test-support.ts';
import { Bench, correlation, equals, read, rule, T0 } from './matcher.test-support.ts';

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

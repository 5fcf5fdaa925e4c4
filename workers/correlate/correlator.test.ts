import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Rule } from '../../rules/model.ts';
import { TABLES } from '../../src/model/tables.ts';
import { encodeRows } from '../encode/index.ts';
import {
  correlationOf,
  detail,
  event,
  packHits,
  revisions,
  ruleOf,
  rulesOf,
  run,
  serial,
  snapshotOf,
  started,
  type TestEvent,
} from './hits.test-support.ts';
import { Correlator } from './index.ts';

const T0 = Date.UTC(2024, 4, 1);
const SECOND = 1000;
const MINUTE = 60_000;
const HOUR = 3_600_000;

test('a single event fires at once; its rows have every column of their tables and can be encoded', () => {
  const rule = ruleOf(0, {
    tags: ['attack.credential-access', 'attack.t1110.001'],
    reason: '{source_ip} asked {destination_ip}',
  });
  const out = run(
    [rule],
    [event(T0 + 1.5, [{ target: 0, key: null }], { source: '2001:db8::7', texts: { user: 'eve' } })],
  );
  assert.equal(out.threat.length, 1);
  assert.deepEqual(
    Object.keys(out.threat[0]),
    TABLES.threat_analytics.map(({ name }) => name),
  );
  assert.deepEqual(
    Object.keys(out.alerts[0]),
    TABLES.alerts.map(({ name }) => name),
  );
  encodeRows('threat_analytics', out.threat);
  encodeRows('alerts', out.alerts);
  const [row] = out.threat;
  assert.equal(row.source_ip, '0.0.0.0');
  assert.equal(row.source_ip6, '2001:db8::7');
  assert.equal(row.destination_ip, '192.0.2.1');
  assert.equal(row.destination_ip6, '::');
  assert.equal(row.threat_category, 'Credential Access');
  assert.equal(row.mitre_technique, 'T1110.001');
  assert.equal(row.timestamp, T0 / 1000);
  assert.equal(row.first_seen, BigInt(T0) * 1_000_000n + 1_500_000n);
  const alert = detail(row);
  assert.equal(alert.reason, '2001:db8::7 asked 192.0.2.1');
  assert.deepEqual(alert.group, { source_ip: '2001:db8::7' });
  assert.equal(alert.entities.user, 'eve');
  assert.match(alert.entities.community_id, /^(1:.{28}|)$/);
  assert.equal(alert.evidence.length, 1);
  assert.equal(alert.evidence[0].raw, `{"serial":${serial}}`);
  assert.equal(alert.alert_id, row.alert_id);
  assert.deepEqual(out.fired[0].alert, alert);
});

test('a rule without ATT&CK tags is about policy or operations', () => {
  const out = run(
    [ruleOf(0, { tags: ['weir.policy'] }), ruleOf(1)],
    [event(T0, [{ target: 0 }, { target: 1, base: 1 }])],
  );
  assert.deepEqual(
    out.threat.map((row) => row.threat_category),
    ['policy', 'operations'],
  );
  assert.equal(out.threat[0].mitre_technique, '');
});

test('one alert a group and suppression window; revisions at 10, 100 and when the window closes', () => {
  const rule = ruleOf(0, { suppressionMs: HOUR });
  const correlator = started([rule], snapshotOf({}, ['acme'], 0));
  const events = Array.from({ length: 150 }, (_, i) => event(T0 + i * SECOND, [{ target: 0 }]));
  correlator.add(packHits(events));
  const first = correlator.take(false);
  assert.deepEqual(revisions(first), [1, 10, 100]);
  assert.equal(first.threat.length, 1);
  assert.equal(first.fired.length, 1);
  correlator.add(packHits([event(T0 + HOUR, [])])); // the clock passes, with a record that matches nothing
  const closed = correlator.take(false);
  assert.deepEqual(revisions(closed), [150]);
  assert.equal(closed.alerts[0].alert_id, first.alerts[0].alert_id);
  assert.equal(detail(closed.alerts[0]).last_seen, new Date(T0 + 149 * SECOND).toISOString());
  correlator.add(packHits([event(T0 + HOUR + 1, [{ target: 0 }])]));
  const second = correlator.take(true);
  assert.deepEqual(revisions(second), [1]);
  assert.notEqual(second.threat[0].alert_id, first.threat[0].alert_id);
});

test('silence closes a window too: by ticks, in event time as far behind as the last event was, and nothing becomes late', () => {
  const rule = ruleOf(0, { suppressionMs: HOUR });
  const correlator = started([rule], snapshotOf({}, ['acme'], 0));
  assert.equal(correlator.waiting, false);
  correlator.add(packHits([0, 1, 2].map((i) => event(T0 + i, [{ target: 0 }]))));
  assert.equal(correlator.waiting, true);
  const now = T0 + 1000 * HOUR; // a backlog: append times say nothing of event times but how far apart they are
  correlator.tick(now);
  correlator.tick(now + HOUR - 10);
  assert.deepEqual(revisions(correlator.take(false)), [1]);
  const moved = started([rule], snapshotOf({}, ['acme'], 0));
  moved.restore(correlator.snapshot());
  for (const one of [correlator, moved]) {
    one.tick(now + HOUR);
    assert.deepEqual(revisions(one.take(false)), [3]);
    assert.equal(one.waiting, false);
    one.add(packHits([event(T0 + 5, [{ target: 0 }])]));
    assert.equal(one.take(false).late, 0);
  }
});

test('an event begins a tenant’s silence anew; ticks before any event say nothing', () => {
  const correlator = started([ruleOf(0, { suppressionMs: HOUR })], snapshotOf({}, ['acme', 'beta'], 0));
  correlator.tick(T0);
  correlator.add(packHits([event(T0, [{ target: 0 }]), event(T0 + 1, [{ target: 0 }])]));
  for (let i = 1; i < 8; i++) {
    correlator.tick(T0 + i * HOUR);
    correlator.add(packHits([event(T0 + 1 + i, [])]));
  }
  assert.deepEqual(revisions(correlator.take(false)), [1], 'slow events, but events');
});

test('a window that closes without news writes nothing, and the end of the input writes each count once', () => {
  const correlator = started([ruleOf(0)]);
  correlator.add(packHits([1, 2, 3].map((i) => event(T0 + i, [{ target: 0 }]))));
  assert.deepEqual(revisions(correlator.take(true)), [1, 3]);
  assert.deepEqual(revisions(correlator.take(true)), []);
  correlator.add(packHits([event(T0 + 3 * HOUR, [])]));
  assert.deepEqual(revisions(correlator.take(true)), []);
});

test('event_count: fires at the count, with the events before as evidence, and counts on', () => {
  const rules = [
    ruleOf(0, { alerting: false }),
    correlationOf(1, {}, { reason: '{count} from {source_ip} in {timespan}' }),
  ];
  const out = run(
    rules,
    [0, 20, 40, 50].map((s) => event(T0 + s * SECOND, [{ target: 0 }, { target: 1 }])),
  );
  assert.equal(out.threat.length, 1);
  const alert = detail(out.threat[0]);
  assert.equal(alert.count, 3);
  assert.equal(alert.reason, '3 from 10.0.0.1 in 1m');
  assert.equal(alert.first_seen, new Date(T0).toISOString());
  assert.deepEqual(
    alert.evidence.map(({ raw }) => raw !== undefined),
    [false, false, true],
  );
  assert.deepEqual(revisions(out), [3, 4]);
  assert.deepEqual(
    detail(out.alerts[1]).evidence.map(({ raw }) => raw !== undefined),
    [false, false, true, true],
  );
});

test('an event that several feeding rules match counts once', () => {
  const rules = [ruleOf(0, { alerting: false }), ruleOf(1, { alerting: false }), correlationOf(2, { rules: [0, 1] })];
  const twice = [
    { target: 2, base: 0 },
    { target: 2, base: 1 },
  ];
  assert.equal(run(rules, [event(T0, twice), event(T0, twice)]).threat.length, 0);
  assert.equal(run(rules, [event(T0, twice), event(T0, twice), event(T0, twice)]).threat.length, 1);
});

test('value_count, value_sum, value_avg, regular_interval and first_seen fire through the correlator', () => {
  const base = ruleOf(0, { alerting: false });
  const play = (rule: Rule, hits: readonly [number, number, string][]): string[] =>
    run(
      [base, rule],
      hits.map(([s, value, distinct]) => event(T0 + s * SECOND, [{ target: 1, value, distinct }])),
    ).threat.map((row) => detail(row).reason);
  const count = correlationOf(1, { type: 'value_count', field: 'destination_port' });
  assert.deepEqual(
    play(count, [
      [0, 0, 'a'],
      [1, 0, 'b'],
      [2, 0, 'a'],
      [3, 0, 'c'],
    ]),
    ['Rule 1: 3 different values of destination_port within 1m for source_ip 10.0.0.1.'],
  );
  const sum = correlationOf(1, { type: 'value_sum', field: 'bytes', condition: { op: 'gt', value: 1000 } });
  assert.deepEqual(
    play(sum, [
      [0, 600, ''],
      [1, 400, ''],
      [2, 1, ''],
    ]),
    ['Rule 1: bytes adds up to 1,001 within 1m for source_ip 10.0.0.1.'],
  );
  const average = correlationOf(1, { type: 'value_avg', field: 'latency', condition: { op: 'gte', value: 50 } });
  assert.deepEqual(
    play(average, [
      [0, 10, ''],
      [1, 90, ''],
    ]),
    ['Rule 1: latency is 50 on average within 1m for source_ip 10.0.0.1.'],
  );
  const beacon = correlationOf(1, {
    type: 'regular_interval',
    timespanMs: HOUR,
    condition: { op: 'gte', value: 6 },
    parameters: { jitter: 0.1, min_interval_ms: 5000 },
  });
  assert.deepEqual(
    play(
      beacon,
      [0, 30, 60, 91, 120, 150].map((s) => [s, 0, '']),
    ),
    ['Rule 1: 6 events at regular intervals of 30s for source_ip 10.0.0.1.'],
  );
  const fresh = correlationOf(1, {
    type: 'first_seen',
    field: 'country',
    timespanMs: 0,
    parameters: { learning_ms: MINUTE },
  });
  assert.deepEqual(
    play(fresh, [
      [0, 0, 'DE'],
      [70, 0, 'DE'],
      [80, 0, 'KP'],
    ]),
    ['Rule 1: country has a value never seen before for source_ip 10.0.0.1 (10.0.0.1 to 192.0.2.1 port 22).'],
  );
});

test('a chain: success after brute force', () => {
  const rules = [
    ruleOf(0, { alerting: false }),
    ruleOf(1, { alerting: false }),
    correlationOf(2, { condition: { op: 'gte', value: 5 } }, { id: 'brute-force' }),
    correlationOf(
      3,
      { type: 'temporal_ordered', rules: [2, 1], groupBy: ['src_ip'], timespanMs: 30 * MINUTE },
      { id: 'success' },
    ),
  ];
  const failure = (s: number, source: string): TestEvent =>
    event(T0 + s * SECOND, [{ target: 2, base: 0 }], { source });
  const success = (s: number, source: string): TestEvent =>
    event(T0 + s * SECOND, [{ target: 3, base: 1 }], { source });
  const attack = Array.from({ length: 6 }, (_, i) => failure(i, '198.51.100.9'));
  const out = run(rules, [
    success(0, '198.51.100.8'),
    ...attack,
    failure(7, '198.51.100.8'),
    success(8, '198.51.100.8'),
    success(20, '198.51.100.9'),
  ]);
  assert.deepEqual(
    out.threat.map((row) => row.rule_id),
    ['brute-force', 'success'],
  );
  assert.deepEqual(detail(out.threat[1]).group, { src_ip: '198.51.100.9' });
  assert.equal(run(rules, [...attack, success(31 * 60, '198.51.100.9')]).threat.length, 1);
});

test('a parent that groups by what its child does not takes it from the event', () => {
  const rules = [
    ruleOf(0, { alerting: false }),
    correlationOf(1, {}, { alerting: false }),
    correlationOf(2, {
      rules: [1],
      groupBy: ['host'],
      type: 'value_count',
      field: 'source_ip',
      condition: { op: 'gte', value: 2 },
    }),
  ];
  const events = ['10.0.0.1', '10.0.0.2'].flatMap((source) =>
    [0, 1, 2].map((i) => event(T0 + i, [{ target: 1 }], { source, texts: { host: 'web-1' } })),
  );
  const out = run(rules, events);
  assert.equal(out.threat.length, 1);
  assert.deepEqual(detail(out.threat[0]).group, { host: 'web-1' });
});

test('late events fire single-event rules, feed no correlation, and are counted with all late records', () => {
  const rules = [ruleOf(0), correlationOf(1, {})];
  const snapshot = snapshotOf({}, ['acme'], MINUTE);
  const late = Array.from({ length: 5 }, (_, i) => event(T0 - MINUTE - 1 - i, [{ target: 0 }, { target: 1 }]));
  const out = run(rules, [event(T0, []), event(T0 - MINUTE, []), ...late, event(T0 - HOUR, [])], snapshot);
  assert.equal(out.late, 6);
  assert.deepEqual(
    out.threat.map((row) => row.rule_id),
    ['rule-0'],
  );
  assert.deepEqual(revisions(out), [1, 5]);
});

test('a wholly late input still gives at most one alert a group and window', () => {
  const day = Array.from({ length: 240 }, (_, i) => event(T0 + i * 6 * MINUTE, [{ target: 0 }]));
  const out = run([ruleOf(0)], [event(T0 + 30 * 24 * HOUR, []), ...day]);
  assert.equal(out.threat.length, 24);
});

test('a late event joins the open alert of its time', () => {
  const snapshot = snapshotOf({}, ['acme'], 0);
  const out = run(
    [ruleOf(0)],
    [event(T0, [{ target: 0 }]), event(T0 + MINUTE, []), event(T0 + SECOND, [{ target: 0 }])],
    snapshot,
  );
  assert.deepEqual(revisions(out), [1, 2]);
});

test('a skewed event fires single-event rules only and moves no time', () => {
  const far = T0 + 1000 * HOUR;
  const both = [{ target: 0 }, { target: 1 }];
  const out = run(
    [ruleOf(0), correlationOf(1, {})],
    [
      event(T0, both),
      event(far, both, { skewed: true }),
      event(far + 1, both, { skewed: true }),
      event(T0 + 1, both),
      event(T0 + 2 * HOUR, both),
    ],
  );
  assert.deepEqual(
    out.threat.map((row) => row.rule_id),
    ['rule-0', 'rule-0', 'rule-0'],
  );
  assert.equal(out.late, 0);
});

test('tenants never meet, and keep their state when their order changes', () => {
  const rules = [ruleOf(0, { alerting: false }), correlationOf(1, {})];
  const correlator = started(rules, snapshotOf({}, ['acme', 'beta']));
  const hit = (timeMs: number, tenant: number): TestEvent => event(timeMs, [{ target: 1 }], { tenant });
  correlator.add(packHits([hit(T0, 0), hit(T0 + 1, 1), hit(T0 + 2, 0), hit(T0 + 1000 * HOUR, 1)]));
  assert.equal(correlator.take(false).threat.length, 0);
  correlator.apply(snapshotOf({}, ['beta', 'acme']), rulesOf(...rules));
  correlator.add(packHits([hit(T0 + 3, 1)]));
  const out = correlator.take(true);
  assert.deepEqual(
    out.threat.map((row) => detail(row).tenant),
    ['acme'],
  );
  assert.equal(out.late, 0);
});

test('new rules: state of an unchanged rule is kept wherever it now stands, that of a changed one starts anew', () => {
  const base = ruleOf(0, { alerting: false });
  const kept = correlationOf(1, {}, { id: 'kept' });
  const changed = correlationOf(2, {}, { id: 'changed' });
  const correlator = started([base, kept, changed]);
  correlator.add(packHits([0, 1].map((i) => event(T0 + i, [{ target: 1 }, { target: 2 }]))));
  correlator.apply(snapshotOf(), rulesOf(base, { ...changed, index: 1, hash: 'new' }, { ...kept, index: 2 }));
  correlator.add(packHits([event(T0 + 2, [{ target: 1 }, { target: 2 }])]));
  assert.deepEqual(
    correlator.take(true).threat.map((row) => row.rule_id),
    ['kept'],
  );
});

test('a rule that goes away takes its open alerts along, with a last revision', () => {
  const correlator = started([ruleOf(0)]);
  correlator.add(packHits([0, 1, 2].map((i) => event(T0 + i, [{ target: 0 }]))));
  correlator.take(false);
  correlator.apply(snapshotOf(), rulesOf());
  assert.deepEqual(revisions(correlator.take(false)), [3]);
});

test('temporal: one event may be several signs, and the order does not matter', () => {
  const rules = [
    ruleOf(0, { alerting: false }),
    ruleOf(1, { alerting: false }),
    correlationOf(2, { type: 'temporal', rules: [0, 1] }),
  ];
  const sign = (timeMs: number, ...bases: number[]): TestEvent =>
    event(
      timeMs,
      bases.map((base) => ({ target: 2, base })),
    );
  assert.equal(run(rules, [sign(T0, 0, 1)]).threat.length, 1);
  assert.equal(run(rules, [sign(T0, 1), sign(T0 + 1, 0)]).threat.length, 1);
  assert.equal(run(rules, [sign(T0, 1), sign(T0 + 1, 1), sign(T0 + MINUTE, 0)]).threat.length, 1);
  assert.equal(run(rules, [sign(T0, 1), sign(T0 + MINUTE, 0)]).threat.length, 0);
});

test('values of the input are values only: no placeholder, no control character, no endless text', () => {
  const rule = ruleOf(0, { reason: '{user} did {host} ({unknown})' });
  const texts = { user: '{host}\u0007\n', host: 'h'.repeat(5000) };
  const alert = detail(run([rule], [event(T0, [{ target: 0 }], { texts })]).threat[0]);
  assert.equal(alert.reason, `{host}   did ${'h'.repeat(200)}… ((no unknown))`);
});

test('hits before a control snapshot, and bytes that are no snapshot, are refused', () => {
  assert.throws(() => new Correlator('lane').add(packHits([])), /before a control snapshot/);
  const correlator = started([ruleOf(0)]);
  correlator.add(packHits([event(T0, [{ target: 0 }])]));
  const bytes = correlator.snapshot();
  const other = bytes.slice();
  other[4] = 9;
  assert.throws(() => correlator.restore(other), /format version 9/);
  assert.throws(() => correlator.restore(bytes.subarray(0, 20)), /ends early/);
  assert.throws(() => correlator.restore(new Uint8Array(64)), /no correlation snapshot/);
  assert.throws(() => new Correlator('elsewhere').restore(bytes), /of lane lane/);
});

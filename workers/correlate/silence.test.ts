import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CorrelationCondition } from '../../rules/model.ts';
import {
  correlationOf,
  detail,
  event,
  packHits,
  ruleOf,
  rulesOf,
  run,
  snapshotOf,
  started,
  type TestEvent,
} from './hits.test-support.ts';
import { type Correlated, Correlator } from './index.ts';

const T0 = Date.UTC(2024, 4, 1);
const SECOND = 1000;
const MINUTE = 60_000;
const LATENESS = 15 * SECOND;

const snapshot = snapshotOf({ suppressionMs: 1 }, ['acme', 'beta'], LATENESS);
const silent = { op: 'eq', value: 0 } as const;
const heartbeat = (condition: CorrelationCondition = silent) => [
  ruleOf(0, { alerting: false }),
  correlationOf(1, { timespanMs: MINUTE, condition }, { reason: 'nothing of {source_ip} for {timespan}, {value}' }),
];
const beat = (seconds: number, over: Partial<TestEvent> = {}): TestEvent =>
  event(T0 + seconds * SECOND, [{ target: 1 }], over);
const other = (seconds: number): TestEvent => event(T0 + seconds * SECOND, []);
const moments = ({ threat }: Correlated): number[] =>
  threat.map((row) => (Date.parse(detail(row).last_seen) - T0) / SECOND).sort((a, b) => a - b);

test('a group that falls silent is found when the watermark passes its window, by the traffic of others', () => {
  const events = [beat(0), beat(50), other(100), other(125)];
  assert.deepEqual(moments(run(heartbeat(), events, snapshot)), []);
  const out = run(heartbeat(), [...events, other(126)], snapshot);
  assert.deepEqual(moments(out), [110]);
  const alert = detail(out.threat[0]);
  assert.equal(alert.reason, 'nothing of 10.0.0.1 for 1m, 0');
  assert.equal(alert.entities.source_ip, '10.0.0.1');
  assert.deepEqual(alert.group, { source_ip: '10.0.0.1' });
  assert.equal(alert.count, 1);
  assert.equal(alert.evidence.length, 2); // the last signs of life
});

test('a silence is told once, and again when the group has come back and falls silent anew', () => {
  const out = run(heartbeat(), [beat(0), other(500), beat(1000), other(2000)], snapshot);
  assert.deepEqual(moments(out), [60, 1060]);
});

test('without group-by it is the stream of the tenant, and nothing is said of a tenant that never had an event', () => {
  const rules = [ruleOf(0), correlationOf(1, { groupBy: [], timespanMs: MINUTE, condition: silent })];
  const events = [
    event(T0, [{ target: 1, key: null }]),
    other(100),
    event(T0 + 200 * SECOND, [], { tenant: 1 }),
    event(T0 + 900 * SECOND, [], { tenant: 1 }),
  ];
  const out = run(rules, events, snapshot);
  assert.deepEqual(moments(out), [60]);
});

test('fewer than: a group is judged once it has been observed for a whole timespan', () => {
  const out = run(heartbeat({ op: 'lt', value: 3 }), [beat(0), beat(10), beat(20), beat(30), other(500)], snapshot);
  assert.deepEqual(moments(out), [70]); // the events at 20 and 30 are left
});

test('in silence a tick tells it; the journal has the tick, so a replay with batches cut otherwise tells the same', () => {
  const play = (restart: boolean): Correlated => {
    let correlator = started(heartbeat(), snapshot);
    correlator.add(packHits([beat(0, { serial: 1 }), beat(10, { serial: 2 })]));
    assert.ok(correlator.waiting);
    correlator.tick(1_000_000); // first finds the last event
    if (restart) {
      const bytes = correlator.snapshot();
      correlator = new Correlator('lane');
      correlator.restore(bytes);
      correlator.apply(snapshot, rulesOf(...heartbeat()));
      assert.ok(correlator.waiting);
    }
    correlator.tick(1_000_000 + MINUTE + LATENESS);
    assert.equal(correlator.take(false).threat.length, 0);
    correlator.tick(1_000_001 + MINUTE + LATENESS);
    const out = correlator.take(false);
    correlator.tick(9e9);
    assert.equal(correlator.take(false).threat.length, 0);
    assert.equal(correlator.waiting, false);
    return out;
  };
  const [once, again] = [play(false), play(true)];
  assert.deepEqual(moments(once), [70]);
  assert.deepEqual(again.threat, once.threat);
});

test('a rule that is fed by two datasets waits for the slower one', () => {
  const events = [beat(0), beat(5, { dataset: 'linux//sshd' }), other(1000)];
  assert.deepEqual(moments(run(heartbeat(), events, snapshot)), []);
  const late = { ...other(90), dataset: 'linux//sshd' };
  assert.deepEqual(moments(run(heartbeat(), [...events, late], snapshot)), [65]);
});

test('chained: a sign that is not followed by another, told by a silence of the inner rule', () => {
  const rules = [
    ruleOf(0, { alerting: false }),
    ruleOf(1, { alerting: false }),
    correlationOf(2, { rules: [0], timespanMs: MINUTE, condition: silent }, { alerting: false }),
    correlationOf(3, { type: 'temporal_ordered', rules: [1, 2], timespanMs: 5 * MINUTE }),
    correlationOf(4, { rules: [3], timespanMs: 5 * MINUTE, condition: silent }),
  ];
  const out = run(
    rules,
    [event(T0, [{ target: 2 }]), event(T0 + 30 * SECOND, [{ target: 3, base: 1 }]), other(100), other(5000)],
    snapshot,
  );
  assert.deepEqual(out.threat.map((row) => row.rule_id).sort(), ['rule-3', 'rule-4']);
  assert.deepEqual(moments(out), [60, 360]);
});

test('over budget the groups whose last event is oldest are forgotten and counted', () => {
  const events = Array.from({ length: 100 }, (_, i) => beat(i / 100, { source: `10.0.1.${i}` }));
  const out = run(
    heartbeat(),
    [...events, other(500)],
    snapshotOf({ groupsPerRule: 40, suppressionMs: 1 }, ['acme'], LATENESS),
  );
  assert.equal(out.threat.length + out.evicted, 100);
  assert.ok(out.evicted >= 60 && out.threat.every((row) => Number(String(row.source_ip).split('.')[3]) >= 60));
});

/** Sequences of beats, ticks and other traffic; within the lateness, sorted by arrival. */
const steps = fc.array(
  fc.record({
    step: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 9000 }), fc.integer({ min: 0, max: 90_000 })),
    back: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 15_000 })),
    source: fc.nat(4),
    beats: fc.boolean(),
    distinct: fc.nat(3),
  }),
  { maxLength: 60, size: 'max' },
);

test('whatever the cuts and restarts, the moments are those of the sorted events, and every row is the same', () => {
  const rules = rulesOf(
    ruleOf(0, { alerting: false }),
    correlationOf(1, { timespanMs: MINUTE, condition: silent }),
    correlationOf(2, { timespanMs: MINUTE, condition: { op: 'lte', value: 2 } }),
    correlationOf(3, { type: 'value_count', field: 'x', timespanMs: MINUTE, condition: { op: 'lt', value: 2 } }),
    correlationOf(4, { type: 'value_sum', field: 'x', timespanMs: MINUTE, condition: { op: 'eq', value: 2 } }),
    correlationOf(5, { rules: [1], timespanMs: 2 * MINUTE, condition: silent }),
  );
  let fired = 0;
  fc.assert(
    fc.property(steps, fc.array(fc.nat(60), { maxLength: 6 }), fc.boolean(), (list, cuts, tight) => {
      const limits = { suppressionMs: 1, groupsPerRule: tight ? 3 : 1000, valuesPerGroup: tight ? 3 : 1000 };
      const control = snapshotOf(limits, ['acme'], LATENESS);
      let newest = T0;
      const events = list.map(({ step, back, source, beats, distinct }, i): TestEvent => {
        newest += step;
        const hits = [1, 2, 3, 4].map((target) => ({ target, value: distinct, distinct: String(distinct) }));
        return { timeMs: newest - back, serial: i, source: `10.0.0.${source}`, hits: beats ? hits : [] };
      });
      const begin = (): Correlator => {
        const correlator = new Correlator('lane');
        correlator.apply(control, rules);
        return correlator;
      };
      const whole = begin();
      whole.add(packHits(events));
      whole.add(packHits([{ timeMs: newest + 1e7, serial: 99, hits: [] }]));
      const once = whole.take(true);
      let correlator = begin();
      const outputs: Correlated[] = [];
      const bounds = [...cuts].sort((a, b) => a - b);
      [0, ...bounds].forEach((from, i) => {
        correlator.add(packHits(events.slice(from, bounds[i] ?? events.length)));
        outputs.push(correlator.take(false));
        const bytes = correlator.snapshot();
        correlator = begin();
        correlator.restore(bytes);
        assert.deepEqual(correlator.snapshot(), bytes);
      });
      correlator.add(packHits([{ timeMs: newest + 1e7, serial: 99, hits: [] }]));
      outputs.push(correlator.take(true));
      const text = (outs: readonly Correlated[]): string[] =>
        outs.flatMap(({ threat }) => threat.map((row) => String(row.details))).sort();
      assert.deepEqual(text(outputs), text([once]));
      assert.equal(
        outputs.reduce((sum, { evicted }) => sum + evicted, 0),
        once.evicted,
      );
      fired += once.threat.length;
      if (tight) return;
      const found = once.threat
        .filter((row) => row.rule_id === 'rule-1')
        .map((row) => `${row.source_ip} ${Date.parse(detail(row).last_seen)}`);
      const expected = new Set<string>();
      for (const { timeMs, source, hits } of events) {
        if (hits.length === 0) continue;
        const end = timeMs + MINUTE;
        const more = events.some(
          (e) => e.source === source && e.hits.length > 0 && e.timeMs > timeMs && e.timeMs <= end,
        );
        if (!more) expected.add(`${source} ${end}`);
      }
      assert.deepEqual(found.sort(), [...expected].sort());
    }),
    { numRuns: 150 },
  );
  assert.ok(fired > 300, `${fired}`);
});

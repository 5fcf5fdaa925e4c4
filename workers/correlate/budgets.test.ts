import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  correlationOf,
  detail,
  event,
  packHits,
  revisions,
  ruleOf,
  run,
  snapshotOf,
  started,
  type TestEvent,
} from './hits.test-support.ts';

const T0 = Date.UTC(2024, 4, 1);
const SECOND = 1000;
const HOUR = 3_600_000;

test('over budget the groups with the oldest events leave, and are counted', () => {
  const rules = [
    ruleOf(0, { alerting: false }),
    correlationOf(1, { timespanMs: HOUR, condition: { op: 'gte', value: 2 } }),
  ];
  const once = Array.from({ length: 100 }, (_, i) => event(T0 + i, [{ target: 1 }], { source: `10.0.1.${i}` }));
  const again = once.map((before) => event(T0 + 1000 + before.timeMs - T0, [{ target: 1 }], { source: before.source }));
  const out = run(rules, [...once, ...again.slice(90)], snapshotOf({ groupsPerRule: 40 }));
  assert.ok(out.evicted >= 60 && out.evicted <= 64, `${out.evicted}`);
  assert.equal(out.threat.length, 10);
  const all = run(rules, [...once, ...again], snapshotOf({ groupsPerRule: 100 }));
  assert.equal(all.evicted, 0);
  assert.equal(all.threat.length, 100);
});

test('groups that no event can reach any more make room without being counted', () => {
  const rules = [ruleOf(0, { alerting: false }), correlationOf(1, { timespanMs: SECOND })];
  const events = Array.from({ length: 1000 }, (_, i) =>
    event(T0 + i * 10 * SECOND, [{ target: 1 }], { source: `10.0.${i >> 8}.${i & 255}` }),
  );
  assert.equal(run(rules, events, snapshotOf({ groupsPerRule: 40 }, ['acme'], 60 * SECOND)).evicted, 0);
});

test('over budget the open alerts with the oldest events are closed with their counts, and are counted', () => {
  const hit = (i: number, source: number): TestEvent => event(T0 + i, [{ target: 0 }], { source: `10.0.2.${source}` });
  const events = Array.from({ length: 60 }, (_, i) => [hit(i * 2, i), hit(i * 2 + 1, i)]).flat();
  const correlator = started([ruleOf(0)], snapshotOf({ groupsPerRule: 32 }));
  correlator.add(packHits([...events, hit(1000, 0), hit(1001, 59)]));
  const out = correlator.take(false);
  assert.equal(out.threat.length, 61); // the first group had been forgotten, the last had not
  assert.ok(out.evicted >= 28 && out.evicted <= 32, `${out.evicted}`);
  assert.deepEqual(revisions(out).filter((count) => count === 2).length, out.evicted);
});

test('bytes of evidence are bounded over all alerts of a tenant and rule; the first row has them still', () => {
  const raw = 'x'.repeat(2048);
  const many = Array.from({ length: 5000 }, (_, i) =>
    event(T0 + i, [{ target: 0 }], { raw, source: `10.1.${i >> 8}.${i & 255}` }),
  );
  const out = run([ruleOf(0)], [...many, event(T0 + 6000, [{ target: 0 }], { raw, source: '10.1.19.130' })]);
  assert.equal(out.threat.length, 5000);
  assert.ok(out.threat.every((row) => detail(row).evidence[0].raw === raw));
  assert.deepEqual(
    detail(out.alerts.at(-1)!).evidence.map((evidence) => evidence.raw),
    [undefined, undefined],
  );
});

test('evidence is bounded: number of events, bytes of a record cut between characters', () => {
  const snapshot = snapshotOf({ evidence: 3 });
  const raw = `${'x'.repeat(2047)}é${'y'.repeat(5000)}`;
  const out = run(
    [ruleOf(0)],
    Array.from({ length: 10 }, (_, i) => event(T0 + i, [{ target: 0 }], { raw })),
    snapshot,
  );
  const { evidence } = detail(out.alerts.at(-1)!);
  assert.equal(evidence.length, 3);
  assert.equal(evidence[0].raw, 'x'.repeat(2047));
});

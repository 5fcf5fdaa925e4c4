import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { correlationOf, packHits, ruleOf, rulesOf, snapshotOf, type TestEvent } from './hits.test-support.ts';
import { type Correlated, Correlator } from './index.ts';

// The guarantee: output depends on the stream alone. Every window type, a chain, late and skewed events, two tenants, two
// datasets, tight budgets; cut into batches anywhere, with a snapshot and restore in between.

const T0 = Date.UTC(2024, 4, 1);
const SECOND = 1000;

const rules = rulesOf(
  ruleOf(0, { suppressionMs: 30 * SECOND }),
  ruleOf(1, { alerting: false }),
  correlationOf(2, { rules: [0, 1], timespanMs: 20 * SECOND, condition: { op: 'gte', value: 3 } }),
  correlationOf(3, { type: 'value_count', field: 'x', timespanMs: 20 * SECOND, condition: { op: 'gte', value: 3 } }),
  correlationOf(4, { type: 'value_sum', field: 'x', timespanMs: 20 * SECOND, condition: { op: 'gt', value: 12.5 } }),
  correlationOf(5, { type: 'value_avg', field: 'x', timespanMs: 20 * SECOND, condition: { op: 'gt', value: 6 } }),
  correlationOf(6, { type: 'temporal', rules: [0, 1], timespanMs: 20 * SECOND }),
  correlationOf(
    7,
    { type: 'temporal_ordered', rules: [2, 1], timespanMs: 40 * SECOND },
    { suppressionMs: 10 * SECOND },
  ),
  correlationOf(8, {
    type: 'regular_interval',
    timespanMs: 60 * SECOND,
    condition: { op: 'gte', value: 4 },
    parameters: { jitter: 0.5 },
  }),
  correlationOf(9, { type: 'first_seen', field: 'x', timespanMs: 0, parameters: { learning_ms: 30 * SECOND } }),
  correlationOf(10, { rules: [2], groupBy: ['destination_ip'], timespanMs: 60 * SECOND }),
  correlationOf(11, {
    type: 'value_percentile',
    field: 'x',
    percentile: 80,
    timespanMs: 20 * SECOND,
    condition: { op: 'gte', value: 7 },
  }),
  correlationOf(12, {
    type: 'value_percentile',
    field: 'x',
    timespanMs: 20 * SECOND,
    condition: { op: 'lt', value: 30 },
  }),
  correlationOf(13, { type: 'value_median', field: 'x', timespanMs: 20 * SECOND, condition: { op: 'lte', value: 2 } }),
  correlationOf(14, { timespanMs: 20 * SECOND, condition: { op: 'lt', value: 2 } }),
  correlationOf(15, { type: 'temporal', rules: [0, 14], timespanMs: 60 * SECOND }),
);
const targets = [0, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15];

const snapshot = snapshotOf(
  { groupsPerRule: 6, valuesPerGroup: 4, suppressionMs: 60 * SECOND, evidence: 3 },
  ['acme', 'beta'],
  15 * SECOND,
);

const streams = fc
  .array(
    fc.record({
      step: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 6000 })),
      back: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 30_000 })),
      tenant: fc.nat(1),
      dataset: fc.constantFrom('flow', 'flow', 'linux//sshd'),
      skewed: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.constant(true)),
      source: fc.nat(7),
      value: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant(0.1)),
      distinct: fc.nat(5),
      base: fc.nat(1),
      hits: fc.subarray(targets),
    }),
    { maxLength: 120, size: 'max' },
  )
  .map((steps) => {
    let newest = T0;
    return steps.map(({ step, back, value, distinct, base, hits, source, skewed, ...rest }, serial): TestEvent => {
      newest += step;
      return {
        ...rest,
        timeMs: skewed ? newest + 3_600_000 : newest - back,
        skewed,
        serial,
        source: `10.0.0.${source}`,
        hits: hits.map((target) => ({ target, base: target === 7 ? 1 : base, value, distinct: String(distinct) })),
      };
    });
  });

function fresh(): Correlator {
  const correlator = new Correlator('lane');
  correlator.apply(snapshot, rules);
  return correlator;
}

/** Everything that came out; bigint columns as text. Rows of one moment have no order among each other. */
function comparable(outputs: readonly Correlated[]): unknown {
  const text = (row: unknown): string =>
    JSON.stringify(row, (_key, value) => (typeof value === 'bigint' ? `${value}n` : value));
  return {
    threat: outputs.flatMap(({ threat }) => threat.map(text)).sort(),
    alerts: outputs.flatMap(({ alerts }) => alerts.map(text)).sort(),
    fired: outputs.flatMap(({ fired }) => fired.map(text)).sort(),
    late: outputs.reduce((sum, { late }) => sum + late, 0),
    evicted: outputs.reduce((sum, { evicted }) => sum + evicted, 0),
  };
}

test('batch boundaries and restarts never show in the output', () => {
  let fired = 0;
  let evicted = 0;
  let late = 0;
  fc.assert(
    fc.property(
      streams,
      fc.array(fc.nat(120), { maxLength: 8 }),
      fc.array(fc.nat(2), { minLength: 9, maxLength: 9 }),
      (events, cuts, what) => {
        const whole = fresh();
        whole.add(packHits(events));
        const once = whole.take(true);

        let correlator = fresh();
        const outputs: Correlated[] = [];
        const bounds = [...cuts].sort((a, b) => a - b);
        [0, ...bounds].forEach((from, i) => {
          correlator.add(packHits(events.slice(from, bounds[i] ?? events.length)));
          if (what[i] > 0) outputs.push(correlator.take(false));
          if (what[i] !== 2) return;
          const bytes = correlator.snapshot();
          correlator = new Correlator('lane');
          if (i % 2 === 0) {
            correlator.restore(bytes);
            correlator.apply(snapshot, rules);
          } else {
            correlator.apply(snapshot, rules);
            correlator.restore(bytes);
          }
          assert.deepEqual(correlator.snapshot(), bytes);
        });
        outputs.push(correlator.take(true));
        assert.deepEqual(comparable(outputs), comparable([once]));
        fired += once.threat.length;
        evicted += once.evicted;
        late += once.late;
      },
    ),
    { numRuns: 150 },
  );
  assert.ok(fired > 0 && evicted > 0 && late > 0, `${fired} fired, ${evicted} evicted, ${late} late`);
});

test('a counting rule fires for exactly those groups whose sorted events meet the condition', () => {
  const counting = rulesOf(
    ruleOf(0, { alerting: false }),
    correlationOf(1, { timespanMs: 20 * SECOND, condition: { op: 'gte', value: 4 } }),
    correlationOf(2, { type: 'value_count', field: 'x', timespanMs: 20 * SECOND, condition: { op: 'gte', value: 4 } }),
    correlationOf(3, { type: 'value_sum', field: 'x', timespanMs: 20 * SECOND, condition: { op: 'gte', value: 20 } }),
  );
  fc.assert(
    fc.property(streams, (stream) => {
      // Within the lateness and one tenant, so that the oracle can sort everything.
      let newest = T0;
      const events = stream.map((event): TestEvent => {
        newest = Math.max(newest, event.skewed ? newest : event.timeMs);
        const { value = 0, distinct = '' } = event.hits[0] ?? {};
        const hits = [1, 2, 3].map((target) => ({ target, value, distinct }));
        const timeMs = Math.max(event.skewed ? newest : event.timeMs, newest - 15 * SECOND);
        return { ...event, timeMs, hits, tenant: 0, dataset: 'flow', skewed: false };
      });
      const correlator = new Correlator('lane');
      correlator.apply(snapshotOf({ suppressionMs: 1e12 }, ['acme'], 15 * SECOND), counting);
      correlator.add(packHits(events));
      const found = correlator
        .take(true)
        .threat.map((row) => `${row.rule_id} ${row.source_ip}`)
        .sort();

      const expected = new Set<string>();
      for (const { timeMs: end, source } of events) {
        const inside = events.filter((e) => e.source === source && e.timeMs > end - 20 * SECOND && e.timeMs <= end);
        if (inside.length >= 4) expected.add(`rule-1 ${source}`);
        if (new Set(inside.map((e) => e.hits[1].distinct)).size >= 4) expected.add(`rule-2 ${source}`);
        // In tenths, so that the oracle itself does not round.
        const tenths = inside.reduce((sum, e) => sum + Math.round((e.hits[2].value ?? 0) * 10), 0);
        if (tenths >= 200) expected.add(`rule-3 ${source}`);
      }
      assert.deepEqual(found, [...expected].sort());
    }),
    { numRuns: 100 },
  );
});

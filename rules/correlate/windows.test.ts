import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CountWindow } from './count-window.ts';
import { DistinctWindow } from './distinct-window.ts';
import { FirstSeenWindow } from './first-seen-window.ts';
import { IntervalWindow, regularInterval } from './interval-window.ts';
import { OrderedWindow } from './ordered-window.ts';
import { LATENESS, shapeOf } from './shape.test-support.ts';
import { SumWindow } from './sum-window.ts';
import { holds, type Window, type WindowResult, type WindowShape } from './window.ts';

interface Event {
  readonly time: number;
  readonly value: number;
  readonly item: number;
}

/** Streams whose events are at most LATENESS behind the newest before them. */
const streams = fc
  .array(
    fc.record({
      step: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 4 })),
      back: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: LATENESS })),
      value: fc.integer({ min: 0, max: 9 }),
      item: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 20 })),
    }),
    { maxLength: 90, size: 'max' },
  )
  .map((steps) => {
    let newest = 1000;
    return steps.map(({ step, back, value, item }): Event => {
      newest += step;
      return { time: newest - back, value, item };
    });
  });

type Measure = (events: readonly Event[], shape: WindowShape) => number;

/** The promise in its plainest form: some window that contains the event and ends at an event meets the condition. */
function expected(seen: readonly Event[], event: Event, shape: WindowShape, measure: Measure): boolean {
  const span = shape.timespanMs;
  return seen.some(({ time: end }) => {
    if (end < event.time || end >= event.time + span) return false;
    const inside = seen.filter(({ time }) => time > end - span && time <= end);
    return holds(shape.condition, measure(inside, shape));
  });
}

const result: WindowResult = { value: 0, events: 0, firstMs: 0 };

function reload<W extends Window>(window: W, load: (numbers: readonly number[]) => W): W {
  const numbers: number[] = [];
  window.save(numbers);
  return load(numbers);
}

const cases: [string, (numbers: ArrayLike<number>) => Window, () => Window, Partial<WindowShape>, Measure][] = [
  ['event_count', CountWindow.load, () => new CountWindow(), {}, (events) => events.length],
  [
    'value_sum',
    SumWindow.load,
    () => new SumWindow(),
    { condition: { op: 'gte', value: 20 } },
    (events) => events.reduce((sum, { value }) => sum + value, 0),
  ],
  [
    'value_avg',
    SumWindow.load,
    () => new SumWindow(),
    { condition: { op: 'lt', value: 4 }, average: true },
    (events) => events.reduce((sum, { value }) => sum + value, 0) / events.length,
  ],
  [
    'value_count',
    DistinctWindow.load,
    () => new DistinctWindow(),
    { condition: { op: 'gte', value: 9 } },
    (events) => new Set(events.map(({ item }) => item)).size,
  ],
];

for (const [name, load, make, over, measure] of cases) {
  test(`${name}: an event fires exactly when a sorted window with it meets the condition, in any order of arrival`, () => {
    fc.assert(
      fc.property(streams, fc.nat(80), fc.integer({ min: 1, max: 60 }), (events, cut, timespanMs) => {
        const shape = shapeOf({ ...over, timespanMs });
        let window = make();
        const seen: Event[] = [];
        events.forEach((event, i) => {
          if (i === cut) window = reload(window, load);
          seen.push(event);
          const fired = window.add(event.time, event.value, event.item, shape, result);
          assert.equal(fired, expected(seen, event, shape, measure), `event ${i}`);
          if (fired) assert.ok(holds(shape.condition, result.value));
        });
      }),
      { numRuns: 300 },
    );
  });
}

test('value_count: many values, hot ones among them, cost two entries each at most and are counted exactly', () => {
  const shape = shapeOf({ timespanMs: 1000, retentionMs: 1000, condition: { op: 'gte', value: 50 } });
  const window = new DistinctWindow();
  let fired = 0;
  for (let i = 0; i < 20_000; i++) if (window.add(i / 50, 0, i % 3 === 0 ? (i / 3) % 49 : 100, shape, result)) fired++;
  assert.equal(result.value, 50);
  assert.ok(fired > 19_000);
  assert.ok(window.size <= 100, `${window.size} entries`);
});

test('value_count: over capacity the oldest go, and the condition can still be met', () => {
  const shape = shapeOf({ timespanMs: 1e6, retentionMs: 1e6, capacity: 20, condition: { op: 'gte', value: 10 } });
  const window = new DistinctWindow();
  let fired = 0;
  for (let i = 0; i < 1000; i++) if (window.add(i, 0, i, shape, result)) fired++;
  assert.equal(fired, 991);
  assert.equal(window.size, 20);
});

test('value_sum: over capacity nothing is lost, edges get coarser', () => {
  const shape = shapeOf({ timespanMs: 1e6, retentionMs: 1e6, capacity: 8, condition: { op: 'gte', value: 1000 } });
  const window = new SumWindow();
  const fired: number[] = [];
  for (let i = 1; i <= 1000; i++) if (window.add(i, 1, 0, shape, result)) fired.push(i);
  assert.deepEqual(fired, [1000]);
  assert.equal(result.events, 1000);
  assert.ok(window.size <= 8);
});

test('value_sum: what is no number feeds nothing', () => {
  const window = new SumWindow();
  assert.equal(window.add(1, NaN, 0, shapeOf({ condition: { op: 'gte', value: 0 } }), result), false);
  assert.equal(window.size, 0);
});

test('temporal_ordered: fires on the last of a sequence within the timespan, in order only', () => {
  const shape = shapeOf({ timespanMs: 100, slots: 3 });
  const play = (...events: [number, number][]): boolean[] => {
    const window = new OrderedWindow();
    return events.map(([time, slot]) => window.add(time, 0, slot, shape, result));
  };
  assert.deepEqual(play([1, 0], [2, 1], [3, 2]), [false, false, true]);
  assert.deepEqual(play([1, 2], [2, 1], [3, 0]), [false, false, false]);
  assert.deepEqual(play([1, 0], [2, 1], [101, 2]), [false, false, false]);
  assert.deepEqual(play([1, 0], [2, 1], [100, 2]), [false, false, true]);
  assert.deepEqual(play([5, 1], [5, 0], [5, 2]), [false, false, true]); // one second of a log without fractions
});

test('value_sum: a fraction that slid out leaves no rounding error at the threshold', () => {
  const shape = shapeOf({ timespanMs: 100, retentionMs: 200, condition: { op: 'gte', value: 20 } });
  const window = new SumWindow();
  const fired = [
    [0, 0.1],
    [0, 0.1],
    [10, 8],
    [20, 3],
    [105, 9],
  ].map(([time, value]) => window.add(time, value, 0, shape, result));
  assert.deepEqual(fired, [false, false, false, false, true]);
  assert.equal(result.value, 20);
});

test('temporal_ordered: the order of arrival within the lateness does not matter', () => {
  const shape = shapeOf({ timespanMs: 100, retentionMs: 200, slots: 3 });
  const event = fc.tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 2 }));
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 12, size: 'max' }),
      fc.array(fc.nat(), { minLength: 12, maxLength: 12 }),
      (events, keys) => {
        const run = (list: readonly (readonly [number, number])[]): boolean => {
          let window = new OrderedWindow();
          return list
            .map(([time, slot], i) => {
              if (i === 5) window = reload(window, OrderedWindow.load);
              return window.add(time, 0, slot, shape, result);
            })
            .includes(true);
        };
        const sorted = [...events].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
        const shuffled = events.map((item, i) => ({ item, key: keys[i] })).sort((a, b) => a.key - b.key);
        assert.equal(run(shuffled.map(({ item }) => item)), run(sorted));
      },
    ),
    {
      examples: [
        [
          [
            [0, 1],
            [2, 1],
            [1, 1],
            [1, 0],
            [1, 2],
          ],
          Array(12).fill(0),
        ],
      ],
    },
  );
});

test('temporal_ordered: a flood of one sign does not hide the sequence', () => {
  const shape = shapeOf({ timespanMs: 1e6, retentionMs: 2e6, slots: 3 });
  const window = new OrderedWindow();
  window.add(1, 0, 0, shape, result);
  window.add(2, 0, 1, shape, result);
  for (let i = 0; i < 5000; i++) window.add(10 + i, 0, 0, shape, result);
  assert.equal(window.add(6000, 0, 2, shape, result), true);
});

/** A fixed sequence of numbers in [0, 1). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}

test('regular_interval: beats with jitter, a few missed or extra ones, late ones in place', () => {
  const shape = shapeOf({
    timespanMs: 3_600_000,
    retentionMs: 3_900_000,
    condition: { op: 'gte', value: 12 },
    minIntervalMs: 10_000,
  });
  const next = random(7);
  const beats = Array.from({ length: 20 }, (_, i) => i * 60_000 + Math.floor((next() - 0.5) * 12_000));
  const play = (times: readonly number[]): boolean => {
    const window = new IntervalWindow();
    return times.map((time) => window.add(time, 0, 0, shape, result)).includes(true);
  };
  assert.ok(play(beats));
  assert.ok(Math.abs(result.value - 60_000) < 3000);
  assert.ok(play(beats.filter((_, i) => i !== 9 && i !== 14)), 'two missed');
  assert.ok(play([...beats, 300_000 + 20_000].sort((a, b) => a - b)), 'one extra');
  assert.ok(play(beats.map((_, i) => beats[i ^ 1] ?? beats[i])), 'out of order');
  assert.ok(!play(beats.slice(0, 11)), 'too few');
  assert.ok(!play(beats.map((time) => time / 60)), 'too fast');
});

test('regular_interval: random arrivals are not regular', () => {
  let regular = 0;
  for (let seed = 1; seed <= 500; seed++) {
    const next = random(seed * 7919);
    let time = 0;
    const times = Array.from({ length: 12 }, () => (time += -Math.log(1 - next()) * 60_000));
    if (regularInterval(times, 0.2, 10_000) > 0) regular++;
  }
  assert.equal(regular, 0);
});

test('first_seen: learns, fires once a value, forgets after the timespan', () => {
  const shape = shapeOf({ timespanMs: 100 });
  let window = new FirstSeenWindow();
  const add = (time: number, item: number): boolean => window.add(time, 50, item, shape, result);
  assert.deepEqual([add(1, 1), add(49, 2), add(50, 1), add(60, 3), add(61, 3)], [false, false, false, true, false]);
  window = reload(window, FirstSeenWindow.load);
  assert.deepEqual([add(160, 3), add(161, 1), add(162, 1)], [false, true, false]);
});

test('first_seen: over capacity those not seen for longest are forgotten', () => {
  const shape = shapeOf({ timespanMs: 0, capacity: 32 });
  const window = new FirstSeenWindow();
  for (let i = 0; i < 1000; i++) window.add(i, 0, i, shape, result);
  assert.ok(window.size <= 32);
  assert.equal(window.add(1000, 0, 999, shape, result), false);
  assert.equal(window.add(1001, 0, 0, shape, result), true);
});

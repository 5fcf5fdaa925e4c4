import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CorrelationCondition } from '../model.ts';
import { type JudgedKind, SlidingJudgedWindow } from './judged-window.ts';
import { CountMeasure, DistinctMeasure, SumMeasure } from './measure.ts';
import { LATENESS, shapeOf } from './shape.test-support.ts';
import { holds, type WindowResult, type WindowShape } from './window.ts';

const result: WindowResult = { value: 0, events: 0, firstMs: 0 };

interface Event {
  readonly time: number;
  readonly value: number;
  readonly item: number;
}

const KINDS: Readonly<Record<string, JudgedKind>> = {
  count: { measure: () => new CountMeasure(), folds: false, adds: false },
  distinct: { measure: () => new DistinctMeasure(), folds: true, adds: false },
  sum: { measure: () => new SumMeasure(false), folds: false, adds: true },
};

const MEASURES: Readonly<Record<string, (events: readonly Event[]) => number>> = {
  count: (events) => events.length,
  distinct: (events) => new Set(events.map(({ item }) => item)).size,
  sum: (events) => events.reduce((sum, { value }) => sum + value, 0),
};

/** Streams whose events are at most LATENESS behind the newest before them. */
const streams = fc
  .array(
    fc.record({
      step: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 60 })),
      back: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: LATENESS })),
      value: fc.integer({ min: 0, max: 5 }),
      item: fc.integer({ min: 0, max: 4 }),
    }),
    { maxLength: 60, size: 'max' },
  )
  .map((steps) => {
    let newest = 1000;
    return steps.map(({ step, back, value, item }): Event => {
      newest += step;
      return { time: newest - back, value, item };
    });
  });

const conditions: fc.Arbitrary<CorrelationCondition> = fc.oneof(
  fc.record({ op: fc.constantFrom('lt', 'lte', 'eq', 'neq'), value: fc.integer({ min: 0, max: 5 }) }),
  fc
    .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }))
    .map(([from, more]) => ({ op: 'gte', value: from, and: { op: 'lte', value: from + more } }) as const),
);

/** The promise in its plainest form: every ms is looked at, over the sorted events. */
function expected(
  events: readonly Event[],
  { condition, timespanMs }: WindowShape,
  of: (e: readonly Event[]) => number,
) {
  const moments: number[] = [];
  const times = events.map(({ time }) => time);
  let held = false;
  let alive = false;
  let born = 0;
  for (let t = Math.min(...times); t <= Math.max(...times) + timespanMs; t++) {
    const inside = events.filter(({ time }) => time > t - timespanMs && time <= t);
    if (inside.length > 0 && !alive) born = t;
    const was = alive;
    alive = inside.length > 0;
    if (!alive && !was) continue;
    const judged = !holds(condition, 0) || t >= born + timespanMs;
    const now = judged && holds(condition, of(inside));
    if (now && !held) moments.push(t);
    held = now && alive;
  }
  return moments;
}

const reload = (window: SlidingJudgedWindow, kind: JudgedKind): SlidingJudgedWindow => {
  const numbers: number[] = [];
  window.save(numbers);
  const copy = SlidingJudgedWindow.load(kind, numbers);
  const again: number[] = [];
  copy.save(again);
  assert.deepEqual(again, numbers);
  return copy;
};

for (const name of Object.keys(KINDS)) {
  test(`${name}: fires when the condition begins to hold, judged as the watermark passes, in any order of arrival`, () => {
    let fired = 0;
    fc.assert(
      fc.property(streams, conditions, fc.integer({ min: 1, max: 40 }), fc.nat(50), (events, condition, span, cut) => {
        fc.pre(events.length > 0);
        const shape = shapeOf({ condition, timespanMs: span });
        let window = new SlidingJudgedWindow(KINDS[name]);
        window.key = Uint8Array.of(1, 2, 3, 250, 5);
        const found: number[] = [];
        const note = (timeMs: number, value: number): void => {
          assert.ok(holds(condition, value));
          found.push(timeMs);
        };
        let newest = -Infinity;
        events.forEach((event, i) => {
          if (i === cut) window = reload(window, KINDS[name]);
          window.add(event.time, event.value, event.item, shape, result);
          newest = Math.max(newest, event.time);
          window.judge(newest - LATENESS, shape, note);
        });
        window.judge(Infinity, shape, note);
        assert.equal(window.dueMs, Infinity);
        assert.equal(window.size, 0);
        assert.deepEqual([...window.key], [1, 2, 3, 250, 5]);
        assert.deepEqual(found, expected(events, shape, MEASURES[name]));
        fired += found.length;
      }),
      { numRuns: 400 },
    );
    assert.ok(fired > 100);
  });
}

test('a busy group costs its capacity, and its silence is still found to the ms', () => {
  for (const name of ['count', 'distinct']) {
    const shape = shapeOf({ condition: { op: 'lt', value: 3 }, timespanMs: 1000, capacity: 16 });
    const window = new SlidingJudgedWindow(KINDS[name]);
    const found: number[] = [];
    for (let i = 0; i < 5000; i++) {
      window.add(i, 0, i % 7, shape, result);
      window.judge(i - LATENESS, shape, (timeMs) => found.push(timeMs));
      assert.ok(window.size <= 16);
    }
    window.judge(Infinity, shape, (timeMs) => found.push(timeMs));
    assert.deepEqual(found, [4997 + 1000], name);
  }
});

test('a sum over capacity keeps every value', () => {
  const shape = shapeOf({ condition: { op: 'lt', value: 100 }, timespanMs: 1000, capacity: 16 });
  const window = new SlidingJudgedWindow(KINDS.sum);
  const found: [number, number][] = [];
  for (let i = 0; i < 5000; i++) {
    window.add(i, 1, 0, shape, result);
    window.judge(i - LATENESS, shape, (timeMs, value) => found.push([timeMs, value]));
  }
  window.judge(Infinity, shape, (timeMs, value) => found.push([timeMs, value]));
  assert.equal(found.length, 1);
  assert.ok(found[0][0] >= 4900 + 1000 && found[0][0] < 6000, `${found[0]}`);
});

test('what a tick judged stays so; an event that comes after it counts from there on', () => {
  const shape = shapeOf({ condition: { op: 'eq', value: 0 }, timespanMs: 100 });
  const window = new SlidingJudgedWindow(KINDS.count);
  const found: number[] = [];
  const judge = (before: number): void => window.judge(before, shape, (timeMs) => found.push(timeMs));
  window.add(1000, 0, 0, shape, result);
  judge(1101);
  assert.deepEqual(found, [1100]);
  window.add(1090, 0, 0, shape, result);
  judge(1190);
  assert.deepEqual(found, [1100]);
  judge(1191);
  assert.deepEqual(found, [1100, 1190]);
});

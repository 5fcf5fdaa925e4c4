import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CorrelationCondition } from '../model.ts';
import { RankTree } from './rank-tree.ts';
import { type RankKind, RankWindow } from './rank-window.ts';
import { MedianRanks, PercentileRanks, RarityRanks } from './ranks.ts';
import { LATENESS, shapeOf } from './shape.test-support.ts';
import { holds, type WindowResult } from './window.ts';

const result: WindowResult = { value: 0, events: 0, firstMs: 0 };
const KINDS: Readonly<Record<string, RankKind>> = {
  percentile: { ranks: ({ percentile }) => new PercentileRanks(percentile ?? 50), names: false },
  median: { ranks: () => new MedianRanks(), names: false },
  rarity: { ranks: () => new RarityRanks(), names: true },
};

type Measure = (values: readonly number[], own: number, percentile: number) => number;
const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);
const MEASURES: Readonly<Record<string, Measure>> = {
  percentile: (values, _own, p) => sorted(values)[Math.max(1, Math.ceil((p * values.length) / 100)) - 1],
  median: (values) => {
    const list = sorted(values);
    return (list[(list.length - 1) >> 1] + list[list.length >> 1]) / 2;
  },
  rarity: (values, own) => {
    const often = (value: number): number => values.filter((other) => other === value).length;
    return (100 * values.filter((value) => often(value) <= often(own)).length) / values.length;
  },
};

const streams = fc
  .array(
    fc.record({
      step: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 4 })),
      back: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: LATENESS })),
      value: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 20 })),
    }),
    { maxLength: 60, size: 'max' },
  )
  .map((steps) => {
    let newest = 1000;
    return steps.map(({ step, back, value }) => {
      newest += step;
      return { time: newest - back, value };
    });
  });

for (const name of Object.keys(KINDS)) {
  test(`${name}: an event fires exactly when a sorted window with it meets the condition, in any order of arrival`, () => {
    const condition: fc.Arbitrary<CorrelationCondition> = fc.record({
      op: fc.constantFrom('gt', 'gte', 'lt', 'lte', 'eq', 'neq'),
      value: fc.integer({ min: 0, max: name === 'rarity' ? 60 : 15 }),
    });
    const numbers = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.constantFrom(0, 5, 50, 95, 100), fc.nat(60));
    let fired = 0;
    fc.assert(
      fc.property(streams, condition, numbers, (events, of, [timespanMs, percentile, cut]) => {
        const shape = shapeOf({ condition: of, timespanMs, percentile });
        let window = new RankWindow(KINDS[name]);
        const seen: { time: number; value: number }[] = [];
        events.forEach((event, i) => {
          if (i === cut) {
            const saved: number[] = [];
            window.save(saved);
            window = RankWindow.load(KINDS[name], saved);
          }
          seen.push(event);
          const found = window.add(event.time, event.value, event.value, shape, result);
          const expected = seen.some(({ time: end }) => {
            if (end < event.time || end >= event.time + timespanMs) return false;
            const inside = seen.filter(({ time }) => time > end - timespanMs && time <= end);
            const values = inside.map(({ value }) => value);
            return holds(of, MEASURES[name](values, event.value, percentile));
          });
          assert.equal(found, expected, `event ${i}`);
          if (found) fired++;
        });
      }),
      { numRuns: 300 },
    );
    assert.ok(fired > 100);
  });
}

test('over capacity a quantile is off by little in rank, and memory stays bounded', () => {
  const capacity = 1024;
  for (const percentile of [5, 50, 95]) {
    const window = new RankWindow(KINDS.percentile);
    const shape = shapeOf({ condition: { op: 'gte', value: -1 }, timespanMs: 1e9, percentile, capacity });
    let state = 7;
    const values: number[] = [];
    for (let i = 0; i < 50_000; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const value = state / 2 ** 32 + i / 50_000; // it drifts, so that old and new are not alike
      values.push(value);
      assert.ok(window.add(i, value, 0, shape, result));
    }
    assert.ok(window.size <= capacity);
    assert.equal(result.events, 50_000);
    const rank = values.filter((value) => value <= result.value).length / 500;
    assert.ok(Math.abs(rank - percentile) < 2, `percentile ${percentile} is at ${rank}`);
  }
});

test('a busy group does not stop: names over capacity forget the oldest', () => {
  const window = new RankWindow(KINDS.rarity);
  const shape = shapeOf({ condition: { op: 'lt', value: 5 }, timespanMs: 1e9, percentile: 50, capacity: 64 });
  for (let i = 0; i < 1000; i++) assert.equal(window.add(i, 0, i % 2, shape, result), false);
  assert.equal(window.size, 64);
  assert.ok(window.add(1000, 0, 9, shape, result)); // one of 64 events
});

test('a tree of ranks is what sorting says, and does not depend on how it came about', () => {
  const changes = fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.boolean()), { maxLength: 80, size: 'max' });
  fc.assert(
    fc.property(changes, (list) => {
      const tree = new RankTree();
      const held: number[] = [];
      for (const [value, leave] of list) {
        const at = held.indexOf(value);
        if (leave && at < 0) continue;
        if (leave) held.splice(at, 1);
        else held.push(value);
        tree.add(value, leave ? -1 : 1);
      }
      const order = sorted(held);
      const anew = new RankTree();
      for (const value of order) anew.add(value, 1);
      assert.deepEqual(tree, anew);
      assert.equal(tree.total, order.length);
      order.forEach((value, i) => {
        assert.equal(tree.at(i + 1), value);
        assert.equal(tree.upTo(value), order.lastIndexOf(value) + 1);
      });
    }),
  );
});

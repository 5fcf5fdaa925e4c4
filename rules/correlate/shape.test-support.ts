// What windows are told of their rule, for tests: the parts that a test does not care about are the same everywhere.

import type { WindowShape } from './window.ts';

/** How far streams of the tests are out of order at most, ms. */
export const LATENESS = 15;

export function shapeOf(over: Partial<WindowShape>): WindowShape {
  const timespanMs = over.timespanMs ?? 10;
  return {
    timespanMs,
    retentionMs: timespanMs + LATENESS,
    capacity: 1000,
    condition: { op: 'gte', value: 3 },
    slots: 0,
    average: false,
    jitter: 0.2,
    minIntervalMs: 0,
    ...over,
  };
}

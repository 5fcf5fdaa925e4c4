// Guarantee 1 against real servers: whatever dies and whenever, the stores and the alerts topic hold what the input topics say,
// once. WEIR_CHAOS_SCHEDULES (default 10) is how many schedules are run; `npm run chaos` is the long run.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CRASH_POINTS, type CrashPoint } from '../../src/delivery/crashpoints.ts';
import { orSkip } from '../services/index.ts';
import { describe, planOf } from './plan.ts';
import { type Outcome, summaryOf, World } from './world.ts';

const SCHEDULES = Number(process.env.WEIR_CHAOS_SCHEDULES ?? 10);

test('a schedule is decided by its seed, and has five faults at least', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const plan = planOf(seed);
    assert.deepEqual(plan, planOf(seed));
    assert.ok(plan.faults.length + plan.deaths.length >= 5);
  }
  const kinds = new Set(Array.from({ length: 200 }, (_, seed) => planOf(seed).faults.map(({ kind }) => kind)).flat());
  assert.equal(kinds.size, 11);
  assert.notEqual(planOf(1).faults.map(describe).join(), planOf(2).faults.map(describe).join());
});

test('after any faults everything is where it must be, once', async (t) => {
  const world = await orSkip(t, () => World.open());
  if (!world) return;
  try {
    const died = new Map<CrashPoint, number>(CRASH_POINTS.map((point) => [point, 0]));
    for (let seed = 1; seed <= SCHEDULES; seed++) {
      const least = Math.min(...died.values());
      const points = CRASH_POINTS.filter((point) => died.get(point) === least);
      const outcome: Outcome = await world.run(seed, { points });
      t.diagnostic(summaryOf(outcome));
      assert.equal(outcome.wrong, '', summaryOf(outcome));
      for (const point of outcome.died) died.set(point, (died.get(point) ?? 0) + 1);
    }
    t.diagnostic(`deaths by point: ${JSON.stringify(Object.fromEntries(died))}`);
  } finally {
    await world.close();
  }
});

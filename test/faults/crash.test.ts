// Guarantee 1: kill -9 at named points, again and again, and the stores hold what the input says, exactly once.
// WEIR_CRASH_HITS (default 5) is how often each point is hit; the long run uses 20.

import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Random } from '../../bench/generate/random.ts';
import type { Values } from '../../src/cli/verb.ts';
import { CRASH_POINTS, type CrashPoint } from '../../src/delivery/crashpoints.ts';
import { PACKAGE_ROOT } from '../../src/root.ts';
import { dumpOf, runVictim, weir } from '../support/run.ts';
import { assertHolds, expectedOf } from '../support/truth.ts';
import type { Orders } from '../support/victim.ts';

const HITS = Number(process.env.WEIR_CRASH_HITS ?? 5);
const RECORDS = 12_000;
const folder = mkdtempSync(join(tmpdir(), 'weir-crash-'));
const input = join(folder, 'input.ndjson');

/** Small blocks and frequent commits: many places to die in a short run. */
function values(data: string): Values {
  return {
    input: [input],
    data,
    config: join(PACKAGE_ROOT, 'examples', 'demo.yaml'),
    workers: '2',
    set: ['block.rows=700', 'block.seconds=300', 'snapshot.blocks=3', 'snapshot.seconds=3600', 'batch.records=150'],
  };
}

/** Kills one data directory at each of `kills`, then lets it finish. Returns which points were really hit. */
async function killAndFinish(
  data: string,
  kills: readonly Orders['crash'][],
  sabotage?: Orders['sabotage'],
): Promise<CrashPoint[]> {
  const hit: CrashPoint[] = [];
  for (const crash of kills) {
    const summary = await runVictim({ values: values(data), crash, sabotage });
    if (summary !== null) return hit; // it ended before the point came up again
    if (crash) hit.push(crash.point);
  }
  const summary = await runVictim({ values: values(data), sabotage });
  assert.ok(summary, 'the last run ends by itself');
  return hit;
}

describe('after any number of kills', { concurrency: 1 }, () => {
  let reference: Awaited<ReturnType<typeof dumpOf>>;
  before(async () => {
    const made = await weir([
      'generate',
      '--tenant',
      'acme',
      '--seed',
      '11',
      '--records',
      String(RECORDS),
      '--out',
      input,
    ]);
    assert.equal(made.code, 0, made.stderr);
    const data = join(folder, 'reference');
    assert.ok(await runVictim({ values: values(data) }));
    reference = await dumpOf(data);
    assertHolds(reference, expectedOf(input));
    assert.ok(reference.threat_analytics.length > 0, 'there are alerts to lose');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('the stores equal the ground truth, whatever point was hit', async (t) => {
    const counts = new Map<CrashPoint, number>(CRASH_POINTS.map((point) => [point, 0]));
    const random = new Random(20260101, 'crash');
    for (let schedule = 0; [...counts.values()].some((n) => n < HITS); schedule++) {
      assert.ok(schedule < HITS * 6, `some points are never reached: ${JSON.stringify([...counts])}`);
      const wanted = [...CRASH_POINTS].filter((point) => (counts.get(point) ?? 0) < HITS);
      // The last flush comes up once a run, so it ends a schedule.
      const kills = Array.from({ length: 6 }, () => random.pick(wanted))
        .sort((a, b) => Number(a === 'final-flush') - Number(b === 'final-flush'))
        .map((point) => ({
          point,
          nth: point === 'final-flush' ? 1 : random.int(1, point === 'after-match' ? 40 : 6),
        }));
      const data = join(folder, `schedule-${schedule}`);
      for (const point of await killAndFinish(data, kills)) counts.set(point, (counts.get(point) ?? 0) + 1);
      const dump = await dumpOf(data);
      t.diagnostic(`schedule ${schedule}: ${JSON.stringify(kills)}`);
      const said = `schedule ${schedule}: ${JSON.stringify(kills)}`;
      assertHolds(dump, expectedOf(input));
      for (const table of Object.keys(reference) as (keyof typeof reference)[]) {
        assert.deepEqual(dump[table], reference[table], `${table} equals an uninterrupted run's; ${said}`);
      }
      rmSync(data, { recursive: true, force: true });
    }
    t.diagnostic(`kills by point: ${JSON.stringify(Object.fromEntries(counts))}`);
  });

  test('input that recovery needs and that is gone is named as such; put back, the run goes on', async () => {
    const data = join(folder, 'gone');
    const own = join(folder, 'gone.ndjson');
    const away = join(folder, 'elsewhere.ndjson');
    copyFileSync(input, own);
    const mine = { ...values(data), input: [own] };
    assert.equal(await runVictim({ values: mine, crash: { point: 'after-journal', nth: 2 } }), null);
    renameSync(own, away);
    const args = Object.entries(mine).flatMap(([key, value]) => [value].flat().flatMap((v) => [`--${key}`, String(v)]));
    const failed = await weir(['run', ...args]);
    assert.equal(failed.code, 1);
    assert.match(failed.stderr, /\[replay_input_missing\]/);
    assert.match(failed.stderr, /gone\.ndjson/);
    renameSync(away, own);
    assert.ok(await runVictim({ values: mine }));
    assertHolds(await dumpOf(data), expectedOf(input));
    rmSync(data, { recursive: true, force: true });
  });

  /** Points at which a broken promise shows. */
  const SABOTAGE = {
    'commit-before-acknowledgement': ['after-commit', 'after-commit'],
    'no-token': ['after-insert', 'after-insert'],
    'snapshot-skipped': ['after-commit', 'after-commit'],
  } as const;
  for (const [sabotage, points] of Object.entries(SABOTAGE) as [
    NonNullable<Orders['sabotage']>,
    readonly CrashPoint[],
  ][]) {
    test(`sabotage is noticed: ${sabotage}`, async (t) => {
      for (let attempt = 1; attempt <= 20; attempt++) {
        const data = join(folder, `${sabotage}-${attempt}`);
        await killAndFinish(
          data,
          points.map((point, i) => ({ point, nth: attempt + i })),
          sabotage,
        );
        const dump = await dumpOf(data);
        rmSync(data, { recursive: true, force: true });
        try {
          assertHolds(dump, expectedOf(input));
          assert.deepEqual(dump, reference);
        } catch {
          return t.diagnostic(`noticed at schedule ${attempt}`);
        }
      }
      assert.fail('20 schedules passed in spite of it');
    });
  }
});

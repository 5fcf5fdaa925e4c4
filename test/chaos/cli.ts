// npm run chaos -- --schedules 200 [--seed 1] [--sabotage NAME] [--json]: many fault schedules, and which crash points they hit.

import { parseArgs } from 'node:util';
import { CRASH_POINTS, type CrashPoint } from '../../src/delivery/crashpoints.ts';
import { SABOTAGES, type Sabotage } from '../support/sabotage.ts';
import { type Outcome, summaryOf, World } from './world.ts';

const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    sabotage: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const schedules = Number(values.schedules);
const sabotage = SABOTAGES.find((name) => name === values.sabotage) as Sabotage | undefined;
if (!Number.isInteger(schedules) || schedules < 1 || (values.sabotage !== undefined && !sabotage)) {
  process.stderr.write(`--schedules takes a number; --sabotage one of ${SABOTAGES.join(', ')}\n`);
  process.exit(2);
}
const world = await World.open();
const hits = new Map<CrashPoint, number>(CRASH_POINTS.map((point) => [point, 0]));
const outcomes: Outcome[] = [];
try {
  for (let i = 0; i < schedules; i++) {
    const least = Math.min(...hits.values());
    const points = CRASH_POINTS.filter((point) => (hits.get(point) ?? 0) <= least + 1); // those that are behind
    const outcome = await world.run(Number(values.seed) + i, { points, sabotage });
    for (const point of outcome.died) hits.set(point, (hits.get(point) ?? 0) + 1);
    outcomes.push(outcome);
    process.stderr.write(`${summaryOf(outcome)}\n`);
    if (sabotage && outcome.wrong !== '') break;
  }
} finally {
  await world.close();
}
const wrong = outcomes.filter((outcome) => outcome.wrong !== '');
const report = {
  schedules: outcomes.length,
  wrong: wrong.map(({ schedule }) => schedule.seed),
  faults: outcomes.reduce((sum, { schedule, died }) => sum + schedule.faults.length + died.length, 0),
  crash_points: Object.fromEntries(hits),
};
process.stdout.write(
  values.json
    ? `${JSON.stringify(report)}\n`
    : `${report.schedules} schedules, ${report.faults} faults, ${wrong.length} wrong${wrong.length > 0 ? ` (${report.wrong.join(', ')})` : ''}\n${[...hits].map(([point, n]) => `  died ${point}: ${n}\n`).join('')}`,
);
process.exitCode = wrong.length > 0 === (sabotage === undefined) ? 1 : 0;

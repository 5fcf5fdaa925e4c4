// weir rules bench: how fast rules match the records of an input, from raw bytes to hits, as a ratio to JSON.parse of the same
// lines, both in CPU time. Calibration and matching take turns in one process, since machines drift.

import { spread } from '../../bench/measure.ts';
import { RuleRun } from '../../workers/rule-run.ts';
import type { RawBatch } from '../model/batch.ts';
import { textOf } from '../model/bytes.ts';
import { wholeNumber } from './generate.ts';
import { inputForVerb } from './rules-input.ts';
import { rulesForVerb, tellErrors } from './rules-load.ts';
import type { Io, Values } from './verb.ts';

/** Held in memory for all rounds: what comes behind is left out. */
const MOST_BYTES = 256 << 20;

export interface RulesBench {
  readonly rules: number;
  readonly records: number;
  readonly bytes: number;
  readonly hits: number;
  /** Records matched a CPU-second as a multiple of JSON.parse: median, lowest and highest round. */
  readonly x: number;
  readonly low: number;
  readonly high: number;
  readonly records_per_s: number;
  readonly calibration_per_s: number;
  /** CPU time of reading and compiling the rules before the first record, and what the first plans took. */
  readonly load_cpu_s: number;
}

export async function benchRules(values: Values, io: Io): Promise<number> {
  const rounds = wholeNumber(values.rounds ?? '7', 'rounds', 1, 1000);
  const before = cpuMs();
  const loaded = await rulesForVerb(values);
  const loadMs = cpuMs() - before;
  tellErrors(loaded.problems, io);
  const input = await inputForVerb(values, loaded, io);
  const batches: RawBatch[] = [];
  const lines: string[] = [];
  let bytes = 0;
  for await (const batch of input.batches()) {
    if (bytes < MOST_BYTES) {
      const copy = batch.bytes.slice();
      batches.push({ bytes: copy, segments: batch.segments, appendedAtMs: batch.ranges[0]?.appendedAtMs ?? 0 });
      for (const { start, end } of batch.segments)
        for (const line of textOf(copy, start, end).split('\n')) if (line !== '') lines.push(line);
      bytes += batch.segments.reduce((sum, { start, end }) => sum + end - start, 0);
    }
    batch.release();
  }
  const run = new RuleRun(input.snapshot, loaded);
  let hits = 0;
  const round = (): { calibration: number; match: number } => {
    const start = cpuMs();
    for (const line of lines) sink = JSON.parse(line);
    const between = cpuMs();
    hits = 0;
    for (const batch of batches) hits += run.run(batch).length;
    return { calibration: between - start, match: cpuMs() - between };
  };
  round(); // warm-up: plans, compiled code
  const records = run.read;
  const taken = Array.from({ length: rounds }, (_, i) => {
    if (io.stderr.isTTY) io.stderr.write(`\rround ${i + 1} of ${rounds} `);
    return round();
  });
  if (io.stderr.isTTY) io.stderr.write('\r\x1b[K');
  const each = (of: (round: (typeof taken)[number]) => number) => spread(taken.map(of));
  const report: RulesBench = {
    rules: loaded.rules.length,
    records,
    bytes,
    hits,
    ...each(({ calibration, match }) => calibration / match),
    records_per_s: Math.round(each(({ match }) => (records * 1000) / match).x),
    calibration_per_s: Math.round(each(({ calibration }) => (lines.length * 1000) / calibration).x),
    load_cpu_s: Math.round(loadMs) / 1000,
  };
  io.stdout.write(values.json ? `${JSON.stringify(report)}\n` : text(report));
  return 0;
}

/** Of this process with its collector's threads: what else the machine does does not count. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Results go here, so that no work can be optimised away. */
export let sink: unknown;

function text(report: RulesBench): string {
  const { rules, records, bytes, hits, x, low, high } = report;
  const count = (value: number): string => value.toLocaleString('en');
  return `${count(records)} records of ${Math.round(bytes / Math.max(1, records))} bytes, ${count(rules)} rules (${report.load_cpu_s.toFixed(1)} CPU-seconds to load), ${count(hits)} hits
JSON.parse ${count(report.calibration_per_s)}/s, matching ${count(report.records_per_s)}/s: ${x.toFixed(3)}x (${low.toFixed(3)}–${high.toFixed(3)})
`;
}

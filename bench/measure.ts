// What every bench measures alike: the calibration, and what the main thread of a process has used.

import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

/** JSON.parse of these, records per second of that clock: median of nine rounds. */
export function calibrate(lines: readonly string[], seconds = (): number => performance.now() / 1000): number {
  const rates = Array.from({ length: 9 }, () => {
    const start = seconds();
    for (const line of lines) JSON.parse(line);
    return lines.length / (seconds() - start);
  });
  return rates.sort((a, b) => a - b)[4];
}

/** CPU time of this process so far, s. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** CPU time of this process's main thread, s. The event loop counts as busy also while other threads have the core; the scheduler knows better. */
export function mainSeconds(): number {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e9;
  } catch {
    return performance.eventLoopUtilization().active / 1000;
  }
}

/** Median, lowest and highest, to three places. */
export function spread(values: readonly number[]): { x: number; low: number; high: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const round3 = (value: number): number => Math.round(value * 1000) / 1000;
  return { x: round3(sorted[sorted.length >> 1]), low: round3(sorted[0]), high: round3(sorted[sorted.length - 1]) };
}

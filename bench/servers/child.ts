// Weir under test: one instance in a process of its own, watched. Child of the bench; answers every message with its
// figures, and 'calibrate' after calibrating once more.

import { performance } from 'node:perf_hooks';
import { prepareRun } from '../../src/cli/prepare.ts';
import type { Values } from '../../src/cli/verb.ts';
import { RunCounts } from '../../src/delivery/summary.ts';
import { startRun } from '../../src/main.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { calibrate, cpuSeconds, mainSeconds } from '../measure.ts';
import { standardRecords } from '../standard.ts';

/** From the first batch to the last block that was stored. */
export interface InstanceFigures {
  /** Records accepted, and flows that every store has acknowledged. */
  readonly accepted: number;
  readonly stored: number;
  readonly seconds: number;
  /** CPU time of the process, and of its main thread, s. */
  readonly cpu_seconds: number;
  readonly main_seconds: number;
  readonly rss_bytes: number;
  /**
   * JSON.parse of the standard record in this process, records a CPU-second: before anything else ran, and each time it was asked
   * for since, on average. By CPU time, since other processes have the cores as well.
   */
  readonly calibration_per_s: number;
}

interface Moment {
  readonly at: number;
  readonly cpu: number;
  readonly main: number;
}

class Watched extends RunCounts {
  private first: Moment | null = null;
  private last: Moment | null = null;
  private flows = 0;

  override batch(...args: Parameters<RunCounts['batch']>): void {
    this.first ??= now();
    super.batch(...args);
  }

  override stored(...args: Parameters<RunCounts['stored']>): void {
    super.stored(...args);
    this.flows += args[1].get('flows') ?? 0;
    this.last = now();
  }

  figures(calibration: number): InstanceFigures {
    const first = this.first ?? now();
    const last = this.last ?? first;
    return {
      accepted: this.accepted,
      stored: this.flows,
      seconds: last.at - first.at,
      cpu_seconds: last.cpu - first.cpu,
      main_seconds: last.main - first.main,
      rss_bytes: process.memoryUsage.rss(),
      calibration_per_s: calibration,
    };
  }
}

function now(): Moment {
  return { at: performance.now() / 1000, cpu: cpuSeconds(), main: mainSeconds() };
}

const calibrations: number[] = [];
function calibrateHere(): void {
  calibrations.push(calibrate(standardRecords(40_000).lines, cpuSeconds));
}
function calibration(): number {
  return calibrations.reduce((sum, rate) => sum + rate, 0) / calibrations.length;
}

calibrateHere();
const { config, documents } = await prepareRun(JSON.parse(process.argv[2]) as Values);
const counts = new Watched(() => {});
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
process.on('message', (asked) => {
  if (asked === 'calibrate') calibrateHere();
  process.send?.(counts.figures(calibration()));
});
await startRun({
  config,
  documents,
  stdin: process.stdin,
  counts,
  log: createLog('warn'),
  signal: stop.signal,
  started: () => process.send?.('started'),
});
process.exit(0);

// One whole run, watched: child process of `weir bench --pipeline`. Prints one JSON document.

import { performance } from 'node:perf_hooks';
import { prepareRun } from '../src/cli/prepare.ts';
import type { Values } from '../src/cli/verb.ts';
import { RunCounts } from '../src/delivery/summary.ts';
import { startRun } from '../src/main.ts';
import { createLog } from '../src/telemetry/log.ts';
import { mainSeconds } from './measure.ts';

export interface PipelineFigures {
  readonly records: number;
  /** From the first batch to the last acknowledgement, s. */
  readonly seconds: number;
  /** CPU time of the whole process in that time, s. */
  readonly cpu_seconds: number;
  readonly batches: number;
  /** CPU time of the main thread in that time, s (where /proc cannot tell: time in which its event loop was busy). */
  readonly main_busy_seconds: number;
  readonly peak_rss_bytes: number;
  readonly alerts: number;
}

class Watched extends RunCounts {
  batches = 0;
  first = 0;
  private cpu = process.cpuUsage();
  private main = mainSeconds();

  override batch(...args: Parameters<RunCounts['batch']>): void {
    if (this.batches++ === 0) {
      this.first = performance.now();
      this.cpu = process.cpuUsage();
      this.main = mainSeconds();
    }
    super.batch(...args);
  }

  figures(): PipelineFigures {
    const { user, system } = process.cpuUsage(this.cpu);
    return {
      records: this.read,
      seconds: (performance.now() - this.first) / 1000,
      cpu_seconds: (user + system) / 1e6,
      batches: this.batches,
      main_busy_seconds: mainSeconds() - this.main,
      peak_rss_bytes: process.resourceUsage().maxRSS * 1024,
      alerts: this.alerts,
    };
  }
}

const { config, documents } = await prepareRun(JSON.parse(process.argv[2]) as Values);
const counts = new Watched(() => {});
const signal = new AbortController().signal;
await startRun({ config, documents, stdin: process.stdin, counts, log: createLog('warn'), signal });
process.stdout.write(`${JSON.stringify(counts.figures())}\n`);

// The worker threads: any worker matches any batch; a lane's state lives on its home worker.

import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { RawBatch } from '../model/batch.ts';
import type { ControlSnapshot } from '../model/control.ts';
import type { BlockEffects, Matched, RecordTimes } from '../model/work.ts';

// Nothing but the router imports a worker, and it does so by file name.
const ENTRY = fileURLToPath(new URL('../../workers/main.js', import.meta.url));

/** One pool of one thread each, so that a task can be sent to a chosen thread (see docs/decisions). */
function startWorker(): Piscina {
  return new Piscina({
    filename: ENTRY,
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: 4, // a waiting task hides the round trip; tasks are synchronous, so order holds
    idleTimeout: Number.POSITIVE_INFINITY,
    atomics: 'disabled',
    stricterFIFO: true,
  } as ConstructorParameters<typeof Piscina>[0]);
}

export class Router {
  private readonly pools: readonly Piscina[];
  private readonly load: number[];
  private readonly homes = new Map<string, number>();

  /** `workers` = 0 takes one a core. */
  constructor(workers: number) {
    this.pools = Array.from({ length: workers || availableParallelism() }, startWorker);
    this.load = this.pools.map(() => 0);
  }

  get workers(): number {
    return this.pools.length;
  }

  /** Compiles a control snapshot on every worker; batches may name it afterwards. */
  async install(snapshot: ControlSnapshot): Promise<void> {
    await Promise.all(this.pools.map((pool) => pool.run({ snapshot }, { name: 'install' })));
  }

  /** Matches a batch on the least loaded worker. */
  async match(control: string, batch: RawBatch): Promise<Matched> {
    return this.onLeastLoaded('matchBatch', { control, batch });
  }

  async recordTimes(control: string, batch: RawBatch): Promise<RecordTimes> {
    return this.onLeastLoaded('recordTimes', { control, batch });
  }

  /** Opens a lane on a home worker that it keeps. */
  async openLane(lane: string, control: string, state: Uint8Array | null): Promise<void> {
    this.homes.set(lane, this.homes.size % this.pools.length);
    await this.atHome(lane, 'openLane', { lane, control, state });
  }

  async applyControl(lane: string, control: string): Promise<void> {
    await this.atHome(lane, 'applyControl', { lane, control });
  }

  async correlate(lane: string, matched: Matched): Promise<void> {
    const { hits, rollup } = matched;
    await this.atHome(lane, 'correlateBatch', { lane, hits, rollup }, [hits, rollup]);
  }

  async closeBlock(lane: string, end: boolean, snapshot: boolean): Promise<BlockEffects> {
    return this.atHome(lane, 'closeLaneBlock', { lane, end, snapshot });
  }

  async stop(): Promise<void> {
    await Promise.all(this.pools.map((pool) => pool.destroy()));
  }

  private async onLeastLoaded<T>(name: string, task: object): Promise<T> {
    let chosen = 0;
    for (let i = 1; i < this.load.length; i++) if (this.load[i] < this.load[chosen]) chosen = i;
    this.load[chosen]++;
    try {
      return await this.pools[chosen].run(task, { name });
    } finally {
      this.load[chosen]--;
    }
  }

  private atHome<T>(lane: string, name: string, task: object, moved: readonly Uint8Array[] = []): Promise<T> {
    const home = this.homes.get(lane);
    if (home === undefined) throw new Error(`lane ${lane} has no home worker`);
    const transferList = [...new Set(moved.map((array) => array.buffer as ArrayBuffer))];
    return this.pools[home].run(task, { name, transferList });
  }
}

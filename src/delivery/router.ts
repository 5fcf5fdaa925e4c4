// The worker threads: any worker matches any batch; a lane's state lives on its home worker.

import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { RawBatch } from '../model/batch.ts';
import type { ControlSnapshot } from '../model/control.ts';
import { EMBEDDED_SETUP, type OutputName, type WorkerSetup } from '../model/outputs.ts';
import type { Parcel, TableRows } from '../model/tables.ts';
import type {
  BlockEffects,
  BlockEnd,
  DeliveryOutcome,
  Matched,
  RecordTimes,
  RefusedOfBatch,
  RefusedRecords,
  SpoolOutcome,
} from '../model/work.ts';
import { type Isolation, MOST_REFUSED, type ParcelCarrier, SinkError, tooMany } from '../sinks/sink.ts';
import { Stages } from '../telemetry/stages.ts';

// Nothing but the router imports a worker, and it does so by file name.
const ENTRY = fileURLToPath(new URL('../../workers/main.js', import.meta.url));

/** Tasks that a worker may have at once: a waiting one hides the round trip, those that write parcels only wait. */
const TASKS_PER_WORKER = 64;

/** One pool of one thread each, so that a task can be sent to a chosen thread (see docs/decisions). */
function startWorker(setup: WorkerSetup): Piscina {
  return new Piscina({
    filename: ENTRY,
    workerData: setup,
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: TASKS_PER_WORKER, // all but writing are synchronous, so order holds
    idleTimeout: Number.POSITIVE_INFINITY,
    atomics: 'disabled',
    stricterFIFO: true,
  } as ConstructorParameters<typeof Piscina>[0]);
}

const placed = (rows: TableRows, worker: number): TableRows =>
  rows.parcel ? { ...rows, parcel: { ...rows.parcel, worker } } : rows;

export class Router implements ParcelCarrier {
  private readonly pools: readonly Piscina[];
  private readonly load: number[];
  private readonly homes = new Map<string, number>();
  private readonly stages: Stages;

  /** `workers` = 0 takes one a core. */
  constructor(workers: number, setup: WorkerSetup = EMBEDDED_SETUP, stages = new Stages()) {
    this.stages = stages;
    this.pools = Array.from({ length: workers || availableParallelism() }, () => startWorker(setup));
    this.load = this.pools.map(() => 0);
  }

  get workers(): number {
    return this.pools.length;
  }

  /** Compiles a control snapshot on every worker; batches may name it afterwards. */
  async install(snapshot: ControlSnapshot): Promise<void> {
    await Promise.all(this.pools.map((pool) => pool.run({ snapshot }, { name: 'install' })));
  }

  /** Matches a batch on the least loaded worker, which keeps what it will write itself under the lane's name. */
  async match(lane: string, control: string, batch: RawBatch): Promise<Matched> {
    const worker = this.leastLoaded();
    const matched = await this.stages.time('match', lane, () =>
      this.on<Matched>(worker, 'matchBatch', { lane, control, batch }),
    );
    return { ...matched, rows: matched.rows.map((rows) => placed(rows, worker)) };
  }

  async recordTimes(control: string, batch: RawBatch): Promise<RecordTimes> {
    return this.on(this.leastLoaded(), 'recordTimes', { control, batch });
  }

  async deliver(parcels: readonly Parcel[]): Promise<void> {
    await this.keepers(parcels, async (pool, ids) => {
      const outcome: DeliveryOutcome = await pool.run({ ids }, { name: 'deliver' });
      if (outcome !== null) throw new SinkError(outcome.kind, outcome.code, outcome.message);
    });
  }

  async isolate(parcels: readonly Parcel[], { known, note }: Isolation): Promise<void> {
    let refused = known.filter(({ from, to }) => to - from === 1).length;
    let before = 0;
    for (const { worker, id, rows } of parcels) {
      const outcome: DeliveryOutcome = await this.pools[worker].run({ ids: [id] }, { name: 'deliver' });
      if (outcome !== null) {
        const { kind, code, message } = outcome;
        if (kind !== 'poison' || outcome.rows === undefined) throw new SinkError(kind, code, message);
        refused += outcome.rows.length;
        if (refused > MOST_REFUSED) throw tooMany(outcome);
        for (const row of outcome.rows) await note({ from: before + row, to: before + row + 1, code, message });
      }
      before += rows;
    }
  }

  /** Makes of records whose rows of `table` were refused what is made of refused records. */
  async refuse(
    lane: string,
    control: string,
    batch: RawBatch,
    table: OutputName,
    refused: readonly RefusedOfBatch[],
  ): Promise<RefusedRecords> {
    const worker = this.leastLoaded();
    const found: RefusedRecords = await this.on(worker, 'refuseRows', { lane, control, batch, table, refused });
    return { ...found, rows: found.rows.map((rows) => placed(rows, worker)) };
  }

  async spool(parcels: readonly Parcel[], path: string): Promise<readonly string[]> {
    return this.keepers(parcels, async (pool, ids, worker) => {
      const file = `${path}-${worker}.native`;
      const outcome: SpoolOutcome = await pool.run({ ids, path: file }, { name: 'spool' });
      if (outcome !== null) throw Object.assign(new Error(outcome.message), { code: outcome.code });
      return file;
    });
  }

  async collect(parcels: readonly Parcel[]): Promise<readonly Uint8Array[]> {
    const blocks = await this.keepers(parcels, (pool, ids) => pool.run({ ids }, { name: 'collect' }));
    return (blocks as Uint8Array[][]).flat();
  }

  async forget(parcels: readonly Parcel[]): Promise<void> {
    await this.keepers(parcels, (pool, ids) => pool.run({ ids }, { name: 'forget' }));
  }

  /** Opens a lane on a home worker that it keeps. */
  async openLane(lane: string, control: string, state: Uint8Array | null): Promise<void> {
    this.homes.set(lane, this.leastOwned());
    await this.atHome(lane, 'openLane', { lane, control, state });
  }

  async applyControl(lane: string, control: string): Promise<void> {
    await this.atHome(lane, 'applyControl', { lane, control });
  }

  /** Resolves to the number of rollup rows that wait for the next commit. */
  async correlate(lane: string, matched: Matched): Promise<number> {
    const { hits, rollup } = matched;
    const task = { lane, hits, rollup };
    return this.stages.time('correlate', lane, () => this.atHome(lane, 'correlateBatch', task, [hits, rollup]));
  }

  async closeBlock(lane: string, how: BlockEnd): Promise<BlockEffects> {
    return this.stages.time('close', lane, () => this.atHome(lane, 'closeLaneBlock', { lane, ...how }));
  }

  /** The lane is no longer this process's: its state, and rows of it that nobody may write any more, are forgotten. */
  async closeLane(lane: string): Promise<void> {
    this.homes.delete(lane);
    await Promise.all(this.pools.map((pool) => pool.run({ lane }, { name: 'closeLane' })));
  }

  async stop(): Promise<void> {
    // Answered by workers that have loaded: one that is ended while it loads may take the process with it (Node 20).
    await Promise.all(this.pools.map((pool) => pool.run({}, { name: 'disconnect' })));
    await Promise.all(this.pools.map((pool) => pool.destroy()));
  }

  /** Worker that is home to the fewest lanes. */
  private leastOwned(): number {
    const owned = this.pools.map(() => 0);
    for (const home of this.homes.values()) owned[home]++;
    return owned.indexOf(Math.min(...owned));
  }

  private leastLoaded(): number {
    let chosen = 0;
    for (let i = 1; i < this.load.length; i++) if (this.load[i] < this.load[chosen]) chosen = i;
    return chosen;
  }

  private async on<T>(worker: number, name: string, task: object, transferList: ArrayBuffer[] = []): Promise<T> {
    this.load[worker]++;
    try {
      return await this.pools[worker].run(task, { name, transferList });
    } finally {
      this.load[worker]--;
    }
  }

  /** Asks every worker that keeps some of the parcels; all have answered, whatever one of them said. */
  private async keepers<T>(
    parcels: readonly Parcel[],
    ask: (pool: Piscina, ids: readonly number[], worker: number) => Promise<T>,
  ): Promise<T[]> {
    const workers = [...new Set(parcels.map(({ worker }) => worker))];
    const answers = await Promise.allSettled(
      workers.map((worker) => {
        const own = parcels.filter((parcel) => parcel.worker === worker);
        return ask(
          this.pools[worker],
          own.map(({ id }) => id),
          worker,
        );
      }),
    );
    return answers.map((answer) => {
      if (answer.status === 'rejected') throw answer.reason;
      return answer.value;
    });
  }

  private atHome<T>(lane: string, name: string, task: object, moved: readonly Uint8Array[] = []): Promise<T> {
    const home = this.homes.get(lane);
    if (home === undefined) throw new Error(`lane ${lane} has no home worker`);
    const transferList = [...new Set(moved.map((array) => array.buffer as ArrayBuffer))];
    return this.on(home, name, task, transferList);
  }
}

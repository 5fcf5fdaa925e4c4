// A lane: the unit of order, state and recovery. It takes matched batches in stream order, closes blocks, journals them,
// has them written, and commits.
//
// Exactly-once effect (guarantee 1) rests on this order: journal entry → inserts with tokens → acknowledgement by every
// store → ledger commit (offsets and state in one file) → journal forgets. A kill between any two leaves a block that
// recovery repeats under the same tokens from the same ranges.

import type { ControlSnapshot } from '../model/control.ts';
import type { BlockEffects, Matched } from '../model/work.ts';
import type { BlockSink } from '../sinks/sink.ts';
import type { Overflow, Source, SourceBatch } from '../sources/source.ts';
import { OpenBlock, type Regime, sameRegime } from './block.ts';
import { BlockQueue } from './block-queue.ts';
import { BlockWriter } from './block-writer.ts';
import type { Reach } from './crashpoints.ts';
import type { JournalEntry } from './journal.ts';
import { LaneInput, type LaneItem } from './lane-input.ts';
import type { LaneLog } from './lane-log.ts';
import { Parking } from './parking.ts';
import { Positions } from './positions.ts';
import type { Router } from './router.ts';
import type { Traffic } from './traffic.ts';

export interface LaneSettings {
  /** A block closes at this many rows, or when it has been open for so long. */
  readonly blockRows: number;
  readonly blockMs: number;
  /** Alerts are written as soon as their block is journaled, not behind the rows of earlier blocks; a store must bear it. */
  readonly alertsAhead: boolean;
  /** A commit (rollups written, state saved) is made after so many blocks or so long. */
  readonly snapshotBlocks: number;
  readonly snapshotMs: number;
}

/** What a lane tells about itself, for progress, summary and metrics. */
export interface LaneObserver {
  batch(matched: Matched, batch: SourceBatch, source: string): void;
  /** Every store has acknowledged the block. */
  stored(effects: BlockEffects, rows: ReadonlyMap<string, number>, lane: string): void;
  /** Accepted records whose rows a store refused: they are dead letters now. */
  refused(count: number): void;
}

export interface LaneParts {
  readonly name: string;
  readonly sources: readonly Source[];
  /** One of the sources: what was parked. Without it nobody is. */
  readonly overflow?: Overflow;
  /** Of all lanes of this process. */
  readonly traffic: Traffic;
  /** Told the UUIDs of all tenants whose records wait apart from now on. */
  readonly parked?: (tenants: readonly string[]) => void;
  readonly router: Router;
  readonly store: BlockSink;
  readonly log: LaneLog;
  readonly settings: LaneSettings;
  readonly observer: LaneObserver;
  readonly reach: Reach;
  /** Control snapshot that journaled blocks name, by hash. */
  readonly snapshotOf: (hash: string) => Promise<ControlSnapshot>;
}

/** Batches that may be on their way to the home worker. */
const MAX_CORRELATING = 8;

/** Rollup rows that may wait for a commit (guarantee 4). */
const MOST_ROLLUP_ROWS = 200_000;

/**
 * How often an idle lane says how far time has come (DESIGN: ticks). A record that was appended within the slack may not have been
 * heard of yet.
 */
const TICK_MS = 10_000;
const TICK_SLACK_MS = 2000;

export class Lane {
  readonly name: string;
  private readonly parts: LaneParts;
  private readonly queue: BlockQueue;
  private control: string;
  private block: OpenBlock | null = null;
  private seq: number;
  private readonly positions: Positions;
  private readonly parking: Parking;
  private readonly source: LaneInput;
  private inForce: Regime;
  private journaling: Promise<unknown> = Promise.resolve();
  private readonly correlating: Promise<void>[] = [];
  private blocksSinceCommit = 0;
  /** Rollup rows that wait for the next commit, as last heard: too many bring it forward (guarantee 4). */
  private rollupRows = 0;
  private lastCommitAt = Date.now();
  private lastTickAt = Date.now();
  /** Something is open that a tick may close. */
  private waiting = false;
  private chain: Promise<unknown> = Promise.resolve();

  constructor(parts: LaneParts, control: string) {
    this.parts = parts;
    this.name = parts.name;
    this.control = control;
    const writer = new BlockWriter({
      ...parts,
      lane: parts.name,
      sourceOf: (name) => this.positions.sourceOf(name),
      install: (hash) => this.install(hash),
    });
    this.queue = new BlockQueue(parts, writer);
    const { commit, pending } = parts.log;
    this.seq = commit.seq;
    this.waiting = commit.state !== null;
    this.positions = new Positions(parts.name, parts.sources, commit.files);
    const first = commit.control || (pending[0]?.control ?? control);
    this.inForce = { control: first, parked: commit.parked ?? [] };
    this.parking = new Parking((pending.at(-1) ?? commit).parked ?? []);
    this.source = new LaneInput({
      sources: parts.sources,
      overflow: parts.overflow ?? null,
      pending,
      positions: this.positions,
      parking: this.parking,
      control: () => this.control,
      install: (hash) => this.install(hash),
      traffic: parts.traffic,
      flush: () => this.flush(),
      released: () => this.tellParked(),
    });
  }

  /** An earlier run left blocks in the journal: they come before anything new. */
  get recovering(): boolean {
    return this.parts.log.pending.length > 0;
  }

  get blocks(): { readonly open: number; readonly unwritten: number } {
    return { open: this.block ? 1 : 0, unwritten: this.queue.unwritten };
  }

  /** Tenants that are over their quota. */
  get parked(): readonly string[] {
    return this.parking.parked;
  }

  /** Restores the lane's state on its home worker. */
  async open(): Promise<void> {
    const { router, log } = this.parts;
    const { control } = this.inForce;
    this.parking.apply(await this.install(this.control));
    await this.install(control);
    await router.openLane(this.name, control, log.commit.state);
    if (this.parking.parked.length > 0) this.tellParked();
  }

  /** Unfinished blocks of the journal first, exactly as journaled; then what is new. */
  input(signal: AbortSignal): AsyncGenerator<LaneItem> {
    return this.source.items(signal);
  }

  /** Takes a matched batch, or closes the block that recovery is repeating. One at a time, in order. */
  async take(item: LaneItem, matched: Matched | null): Promise<void> {
    return this.exclusively(async () => {
      this.source.took(item, matched);
      if (item.kind === 'boundary') return this.close(item.entry, item.entry.end);
      const { source, batch } = item;
      if (!matched) throw new Error('a batch without its match');
      if (this.block && !sameRegime(this.block, item)) await this.close(null, false);
      await this.apply(item);
      this.block ??= new OpenBlock(item, Date.now());
      await this.correlate(matched);
      this.block.add(source.name, batch.ranges, matched.rows);
      this.parts.observer.batch(matched, batch, source.name);
      if (!this.replaying && this.mayPark(source) && this.parking.came(matched.quotas, appendedOf(batch)))
        this.tellParked();
      if (!this.replaying && this.isDue()) await this.close(null, false);
    });
  }

  /**
   * Sends hits to the home worker, which takes its tasks in the order in which they were sent; closing a block is one of
   * them, so its answer says that all before it are done. A few may be under way: waiting for each would idle the others.
   */
  private async correlate(matched: Matched): Promise<void> {
    if (matched.rollup.length === 0) return; // an instance that only stores
    const done = this.parts.router.correlate(this.name, matched).then(
      (rollupRows) => {
        this.rollupRows = rollupRows;
      },
      (error: unknown) => {
        this.queue.failed ??= error;
      },
    );
    this.correlating.push(done);
    if (this.correlating.length > MAX_CORRELATING) await this.correlating.shift();
    this.queue.throwIfFailed();
  }

  /**
   * Closes the open block if it is due by time, and commits what is stored; called by a timer, for input that has fallen
   * silent. Throws once failed.
   */
  async closeIfDue(): Promise<void> {
    return this.exclusively(async () => {
      if (this.replaying) return;
      if (this.block ? this.isDue() : this.isCommitDue() || this.tickDue() > 0) await this.close(null, false);
    });
  }

  /** New tenants, policies, rules or lists: in force from the next batch on, journaled with its block. */
  async changeControl(snapshot: ControlSnapshot): Promise<void> {
    await this.parts.router.install(snapshot);
    this.parking.apply(snapshot);
    this.control = snapshot.hash;
  }

  /** The input has ended (or the run was asked to stop: `ended` false): everything taken is stored and committed. */
  async finish(ended: boolean): Promise<void> {
    await this.exclusively(async () => {
      if (this.replaying)
        this.block = null; // recovery was interrupted: the journal still has the block
      else if (this.block || this.seq > this.parts.log.commit.seq) {
        this.parts.reach('final-flush');
        this.block ??= new OpenBlock(this.inForce, Date.now());
        await this.close(null, ended, true);
      }
    });
    await this.queue.written();
    const { log } = this.parts;
    if (this.seq === log.commit.seq)
      await this.queue.persist(this.seq, this.inForce, this.positions.snapshot(), log.commit.state);
    await log.close();
    for (const source of this.parts.sources) await source.committed?.();
  }

  /** What came by the overflow was counted when it came in; without an overflow nobody can be parked. */
  private mayPark(source: Source): boolean {
    return this.parts.overflow !== undefined && source !== this.parts.overflow;
  }

  private tellParked(): void {
    this.parts.parked?.(this.parking.parked);
  }

  /** Closes the open block; resolves when all that it sends elsewhere is sent. */
  private async flush(): Promise<void> {
    await this.exclusively(async () => {
      if (this.block) await this.close(null, false);
    });
    await this.journaling;
    this.queue.throwIfFailed();
  }

  /** True while journaled blocks are still to be repeated: their bounds are the journal's, not the clock's. */
  private get replaying(): boolean {
    return this.seq < (this.parts.log.pending.at(-1)?.seq ?? 0);
  }

  private isDue(): boolean {
    const { blockRows, blockMs } = this.parts.settings;
    return this.block !== null && (this.block.rows >= blockRows || Date.now() - this.block.openedAt >= blockMs);
  }

  /** Whether blocks that no commit covers have waited long enough for one. */
  private isCommitDue(): boolean {
    const { snapshotBlocks, snapshotMs } = this.parts.settings;
    if (this.blocksSinceCommit === 0) return false;
    if (this.rollupRows >= MOST_ROLLUP_ROWS) return true;
    if (this.queue.committing) return false;
    return Date.now() - this.lastCommitAt >= snapshotMs || this.blocksSinceCommit >= snapshotBlocks;
  }

  /** The moment up to which silence may be told now; 0 for none. */
  private tickDue(): number {
    const now = Date.now();
    if (!this.waiting || now - this.lastTickAt < TICK_MS || !this.source.caughtUp) return 0;
    return now - TICK_SLACK_MS;
  }

  private async close(replayed: JournalEntry | null, end: boolean, commit = end): Promise<void> {
    const { router, reach } = this.parts;
    const block = this.block ?? new OpenBlock(this.inForce, Date.now());
    this.block = null;
    reach('block-closed');
    this.blocksSinceCommit++;
    const commitDue = replayed ? replayed.commit : commit || this.isCommitDue();
    // Not awaited here: the next block's batches may follow the request, since the home worker takes tasks in order.
    const tickMs = replayed ? (replayed.tick ?? 0) : this.tickDue();
    const effects = router.closeBlock(this.name, { end, commit: commitDue, tickMs });
    if (tickMs > 0) this.lastTickAt = Date.now();
    this.correlating.length = 0;
    this.positions.close(block.parts, replayed?.files ?? []);
    const { control, parked, parts } = block;
    const files = replayed ? [] : this.positions.newFiles(block.parts);
    const regime = { control, ...(parked.length > 0 ? { parked } : {}), ...(tickMs > 0 ? { tick: tickMs } : {}) };
    const entry = replayed ?? { seq: this.seq + 1, ...regime, parts, files, end, commit: commitDue };
    this.seq = entry.seq;
    if (commitDue) {
      this.blocksSinceCommit = 0;
      this.rollupRows = 0;
      this.lastCommitAt = Date.now();
    }
    const journaled = this.journal(entry, effects, replayed ? null : block);
    await this.queue.add(block, entry, this.positions.snapshot(), journaled);
  }

  /** Journals a new block before any effect of it leaves the process (guarantee 2). */
  private journal(entry: JournalEntry, closing: Promise<BlockEffects>, fresh: OpenBlock | null): Promise<BlockEffects> {
    const journaled = this.journaling.then(async () => {
      const effects = await closing;
      this.waiting = effects.waiting;
      this.queue.throwIfFailed(); // a batch of the block may have failed: then nothing of it may be written
      if (!fresh) return effects;
      await this.parts.log.append(entry, fresh.outgoing()); // what other lanes get, they get once
      this.parts.reach('after-journal');
      return effects;
    });
    this.journaling = journaled.catch(() => {}); // told where the block is written
    return journaled;
  }

  private async apply({ control, parked }: Regime): Promise<void> {
    if (control !== this.inForce.control) await this.parts.router.applyControl(this.name, control);
    this.inForce = { control, parked };
  }

  private async install(hash: string): Promise<ControlSnapshot> {
    const snapshot = await this.parts.snapshotOf(hash);
    await this.parts.router.install(snapshot);
    return snapshot;
  }

  /** One after the other. After a failure nothing more is taken: a block may be half closed, and only recovery can finish it. */
  private exclusively<T>(work: () => Promise<T>): Promise<T> {
    const done = this.chain.then(() => {
      this.queue.throwIfFailed();
      return work();
    });
    this.chain = done.catch((error: unknown) => {
      this.queue.failed ??= error;
    });
    return done;
  }
}

/** A producer's clock may run ahead; nothing was appended after now. */
function appendedOf({ appendedMs }: SourceBatch): number {
  const now = Date.now();
  return appendedMs === undefined ? now : Math.min(appendedMs, now);
}

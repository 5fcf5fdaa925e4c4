// What a lane does next, in order: blocks that the journal has and no commit covers, exactly as they were; then what is new. What was
// parked in the overflow is read as fast as its tenants' quotas allow, and at full speed once nothing else comes in.
//
// A tenant is no longer parked once all that was parked is handed on. Between the last of it and the next record of the tenant that
// comes in directly nothing may pass, so for that moment the other streams are held.

import { setImmediate } from 'node:timers/promises';
import type { ControlSnapshot } from '../model/control.ts';
import { Pulse } from '../model/pulse.ts';
import type { Matched } from '../model/work.ts';
import type { Overflow, Source, SourceBatch } from '../sources/source.ts';
import type { Regime } from './block.ts';
import { merged } from './in-order.ts';
import type { JournalEntry } from './journal.ts';
import type { Parking } from './parking.ts';
import type { Positions } from './positions.ts';
import { Pull } from './pull.ts';
import type { Traffic } from './traffic.ts';
import { underSnapshot } from './under-snapshot.ts';

/** Next thing for the lane to do, in order. */
export type LaneItem =
  | ({ readonly kind: 'batch'; readonly source: Source; readonly batch: SourceBatch } & Regime)
  | { readonly kind: 'boundary'; readonly entry: JournalEntry };

export interface LaneInputParts {
  readonly sources: readonly Source[];
  /** One of the sources; null where nothing is parked. */
  readonly overflow: Overflow | null;
  readonly pending: readonly JournalEntry[];
  readonly positions: Positions;
  readonly parking: Parking;
  /** Hash of the control snapshot for new batches. */
  readonly control: () => string;
  readonly install: (hash: string) => Promise<ControlSnapshot>;
  /** Of all lanes of this process; told of everything that comes in directly. */
  readonly traffic: Pick<Traffic, 'lastMs' | 'came'>;
  /** Closes the open block; resolves when its journal entry, and so all that it parked, is written. */
  readonly flush: () => Promise<void>;
  /** Tenants are no longer parked. */
  readonly released: () => void;
}

/** Nobody will match it: its memory is free. */
const dropped = ({ batch }: Fresh): void => batch.release();

type Fresh = { readonly source: Source; readonly batch: SourceBatch };

/** How often it is asked whether parked records may come, ms. */
const LOOK_MS = 25;
/** With so few records left to drain the other streams may be held, and not again within so many ms. */
const LAST_RECORDS = 2000;
const HOLD_EVERY_MS = 2000;
/** Without input for so long, append time is the clock's. */
const SILENCE_MS = 1000;

export class LaneInput {
  private readonly parts: LaneInputParts;
  private readonly wake = new Pulse();
  /** Items handed on and not taken yet. */
  private outstanding = 0;
  /** One parked batch at a time is on its way. */
  private drainingNow = false;
  /** Parked records that may come although others wait. */
  private allowance = 0;
  private allowedAt = Date.now();
  private lastHold = 0;
  private lastFresh = Date.now();

  constructor(parts: LaneInputParts) {
    this.parts = parts;
  }

  async *items(signal: AbortSignal): AsyncGenerator<LaneItem> {
    for await (const item of this.all(signal)) {
      this.outstanding++;
      yield item;
    }
  }

  /** Whether all that there was a moment ago is taken. A source that cannot tell has nothing more when it has been silent. */
  get caughtUp(): boolean {
    const silent = Date.now() - this.lastFresh > SILENCE_MS;
    const { sources, overflow, parking } = this.parts;
    const has = ({ lag, bounded }: Source): boolean => bounded || (lag === undefined ? !silent : lag !== 0);
    if (this.outstanding > 0 || parking.parked.length > 0) return false;
    return !sources.some((source) => source !== overflow && has(source));
  }

  /** The lane has taken an item. */
  took(item: LaneItem, matched: Matched | null): void {
    this.outstanding--;
    if (item.kind === 'batch' && item.source === this.parts.overflow) {
      this.drainingNow = false;
      this.allowance -= matched?.counts.read ?? 0;
    }
    this.wake.fire();
  }

  private async *all(signal: AbortSignal): AsyncGenerator<LaneItem> {
    const { sources, overflow, pending, control, install } = this.parts;
    for (const entry of pending) {
      yield* this.again(entry, signal);
      if (signal.aborted) return; // the block stays journaled; the next run finishes it
      yield { kind: 'boundary', entry };
    }
    await install(control());
    const bounded = sources.filter((source) => source.bounded);
    const followed = sources.filter((source) => !source.bounded && source !== overflow);
    for (const source of bounded) for await (const fresh of this.fresh(source, signal)) yield this.stamped(fresh);
    const direct = merged(
      followed.map((source) => this.fresh(source, signal)),
      dropped,
    );
    if (overflow !== null) yield* this.besidesOverflow(direct, overflow, signal);
    else for await (const fresh of direct) yield this.stamped(fresh);
  }

  /** The batches of a journaled block. */
  private async *again(entry: JournalEntry, signal: AbortSignal): AsyncGenerator<LaneItem> {
    const { positions, install } = this.parts;
    const { control, parked = [] } = entry;
    const snapshot = await install(control);
    positions.foresee(entry.files);
    for (const part of entry.parts) {
      const source = positions.sourceOf(part.source);
      const index = snapshot.sources.findIndex(({ name }) => name === source.name);
      for await (const batch of source.replay(part.ranges, positions.ahead(source), signal))
        yield { kind: 'batch', source, batch: underSnapshot(batch, index), control, parked };
      positions.moveAhead(part);
    }
  }

  private async *fresh(source: Source, signal: AbortSignal): AsyncGenerator<Fresh> {
    for await (const batch of source.batches(this.parts.positions.ahead(source), signal)) yield { source, batch };
  }

  /** What is decided of a batch is decided now, when it is handed on. */
  private stamped(fresh: Fresh): LaneItem {
    if (fresh.source !== this.parts.overflow) {
      this.lastFresh = Date.now();
      this.parts.traffic.came();
    }
    return { kind: 'batch', ...fresh, control: this.parts.control(), parked: this.parts.parking.parked };
  }

  private async *besidesOverflow(
    direct: AsyncGenerator<Fresh>,
    overflow: Overflow,
    signal: AbortSignal,
  ): AsyncGenerator<LaneItem> {
    const { parking } = this.parts;
    const others = new Pull(direct, this.wake);
    const parked = new Pull(this.fresh(overflow, signal), this.wake);
    const stop = (): void => this.wake.fire();
    signal.addEventListener('abort', stop);
    try {
      for (;;) {
        const waiting = parking.parked.length > 0 && !signal.aborted;
        if (waiting && this.mayRelease(overflow)) yield* this.release(parked, overflow, signal);
        if (!others.ask()) return; // so it is once `signal` aborts: what was fetched comes first
        if (waiting && this.mayDrain(others)) parked.ask();
        const next = others.take() ?? parked.take();
        if (next === null) {
          await (waiting ? this.wake.within(LOOK_MS) : this.wake.wait());
          continue;
        }
        if (next.source === overflow) this.drainingNow = true;
        yield this.stamped(next);
      }
    } finally {
      signal.removeEventListener('abort', stop);
      await Promise.all([others.end(dropped), parked.end(dropped)]);
    }
  }

  private mayDrain(others: Pull<Fresh>): boolean {
    const now = Date.now();
    const { rate, burst } = this.parts.parking.share;
    this.allowance = Math.min(burst, this.allowance + ((now - this.allowedAt) / 1000) * rate);
    this.allowedAt = now;
    if (this.drainingNow) return false;
    // A worker that is idle says nothing of the stores, where others would wait behind what is drained.
    return this.allowance > 0 || (!others.ready && now - this.parts.traffic.lastMs > SILENCE_MS);
  }

  private mayRelease({ lag }: Overflow): boolean {
    if (lag === null || lag > LAST_RECORDS || Date.now() - this.lastHold < HOLD_EVERY_MS) return false;
    return this.still().length < this.parts.parking.parked.length;
  }

  private still(): readonly string[] {
    const silent = Date.now() - this.lastFresh > SILENCE_MS;
    return this.parts.parking.still(silent ? Date.now() : undefined);
  }

  /** Hands on the last of what is parked, while nothing else is. */
  private async *release(parked: Pull<Fresh>, overflow: Overflow, signal: AbortSignal): AsyncGenerator<LaneItem> {
    while (this.outstanding > 0 && !signal.aborted) await this.wake.wait();
    if (signal.aborted) return;
    await this.parts.flush();
    const end = await overflow.end();
    for (;;) {
      if (signal.aborted || !parked.ask()) return;
      const next = parked.take();
      if (next !== null) {
        yield this.stamped(next);
        continue;
      }
      if (overflow.position >= end) {
        await setImmediate(); // what moved the position may be about to arrive
        if (!parked.ready) break;
        continue;
      }
      await this.wake.within(LOOK_MS);
    }
    this.parts.parking.parked = this.still();
    this.lastHold = Date.now();
    this.drainingNow = false;
    this.parts.released();
  }
}

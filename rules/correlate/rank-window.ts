// value_percentile and value_median over a sliding window: exact up to the capacity, O(log n) an event. Above it numbers are
// thinned, see `thin`; of names, whose rarity is asked for, the oldest leave.

import type { Ranks } from './ranks.ts';
import { holds, type Window, type WindowResult, type WindowShape } from './window.ts';

/** An entry: time, value (or the hash of a name), number of events. */
const STRIDE = 3;
/** Neighbours in time among which thinning pairs values: of 64 pairs one can straddle a value, and by that much a halving errs. */
const RUN = 128;

export interface RankKind {
  ranks(shape: WindowShape): Ranks;
  /** Values are hashes of names: they are counted, and have no order. */
  readonly names: boolean;
}

export class RankWindow implements Window {
  private readonly kind: RankKind;
  /** By time; entries before `head` are gone, [low, length) are the window that ends at the newest event (all × STRIDE). */
  private entries: number[] = [];
  private head = 0;
  private low = 0;
  private events = 0;
  private ranks: Ranks | null = null;

  constructor(kind: RankKind) {
    this.kind = kind;
  }

  get size(): number {
    return (this.entries.length - this.head) / STRIDE;
  }

  add(time: number, number: number, item: number, shape: WindowShape, result: WindowResult): boolean {
    const value = this.kind.names ? item : number;
    if (!Number.isFinite(value)) return false;
    if (this.ranks === null) this.recount(shape);
    const newest = this.size > 0 ? this.entries[this.entries.length - STRIDE] : -Infinity;
    if (time <= newest - shape.retentionMs) return false;
    if (this.size >= shape.capacity) this.shrink(shape);
    if (time > newest) this.slide(time - shape.timespanMs, time - shape.retentionMs);
    const { entries, head } = this;
    let at = entries.length;
    while (at > head && entries[at - STRIDE] > time) at -= STRIDE;
    entries.splice(at, 0, time, value, 1);
    if (time <= newest - shape.timespanMs) this.low += STRIDE;
    else {
      this.ranks!.enter(value, 1);
      this.events++;
      if (this.report(this.ranks!, value, this.events, this.low, shape, result)) return true;
    }
    return time < newest && this.search(time, value, shape, result);
  }

  save(out: number[]): void {
    out.push(this.low - this.head);
    for (let i = this.head; i < this.entries.length; i++) out.push(this.entries[i]);
  }

  static load(kind: RankKind, numbers: ArrayLike<number>): RankWindow {
    const window = new RankWindow(kind);
    window.low = numbers[0];
    for (let i = 1; i < numbers.length; i++) window.entries.push(numbers[i]);
    return window;
  }

  private slide(windowEnd: number, retentionEnd: number): void {
    const { entries } = this;
    for (; entries[this.low] <= windowEnd; this.low += STRIDE) this.leave(this.low);
    while (entries[this.head] <= retentionEnd) this.head += STRIDE;
    if (this.head <= 64 * STRIDE || this.head * 2 <= entries.length) return;
    entries.splice(0, this.head);
    this.low -= this.head;
    this.head = 0;
  }

  private leave(at: number): void {
    this.ranks!.leave(this.entries[at + 1], this.entries[at + 2]);
    this.events -= this.entries[at + 2];
  }

  /** Looks at the windows that contain `time` and end before the newest event. */
  private search(time: number, value: number, shape: WindowShape, result: WindowResult): boolean {
    const { entries } = this;
    const span = shape.timespanMs;
    const ranks = this.kind.ranks(shape);
    let low = entries.length;
    while (low > this.head && entries[low - STRIDE] > time - span) low -= STRIDE;
    let events = 0;
    for (let j = low; j < entries.length && entries[j] < time + span; j += STRIDE) {
      ranks.enter(entries[j + 1], entries[j + 2]);
      events += entries[j + 2];
      for (; entries[low] <= entries[j] - span; low += STRIDE) {
        ranks.leave(entries[low + 1], entries[low + 2]);
        events -= entries[low + 2];
      }
      const whole = j + STRIDE === entries.length || entries[j + STRIDE] > entries[j]; // events of one ms count together
      if (entries[j] >= time && whole && this.report(ranks, value, events, low, shape, result)) return true;
    }
    return false;
  }

  private report(
    ranks: Ranks,
    own: number,
    events: number,
    low: number,
    shape: WindowShape,
    result: WindowResult,
  ): boolean {
    const value = ranks.measure(own);
    if (!holds(shape.condition, value)) return false;
    result.value = value;
    result.events = events;
    result.firstMs = this.entries[low];
    return true;
  }

  private shrink(shape: WindowShape): void {
    if (!this.kind.names) {
      this.thin(shape.capacity);
      this.recount(shape);
      return;
    }
    if (this.low === this.head) {
      this.leave(this.low);
      this.low += STRIDE;
    }
    this.head += STRIDE;
  }

  /**
   * Halves the lightest quarter or more: among neighbours in time, ordered by value, one of every two stays with the weight of both, by
   * turns the lesser and the greater. Weights stay nearly alike, so that no part of the window is coarser than another.
   */
  private thin(capacity: number): void {
    const { entries } = this;
    const light = this.lightest();
    const run = Math.min(RUN, Math.max(2, Math.floor(capacity / 16) * 2));
    const weights = entries.filter((_, i) => i % STRIDE === 2);
    const values = (at: number): number => entries[at * STRIDE + 1];
    for (let from = 0; from < light.length; from += run) {
      const order = light.slice(from, from + run).sort((a, b) => values(a) - values(b) || a - b);
      for (let i = 0; i + 1 < order.length; i += 2) {
        const [stays, goes] = i % 4 === 0 ? [order[i], order[i + 1]] : [order[i + 1], order[i]];
        weights[stays] += weights[goes];
        weights[goes] = 0;
      }
    }
    const windowStart = entries[this.low];
    let to = 0;
    for (let at = this.head / STRIDE; at < weights.length; at++) {
      if (weights[at] === 0) continue;
      const [time, value] = [entries[at * STRIDE], entries[at * STRIDE + 1]];
      entries[to++] = time;
      entries[to++] = value;
      entries[to++] = weights[at];
    }
    entries.length = to;
    this.head = this.low = 0;
    while (entries[this.low] < windowStart) this.low += STRIDE;
  }

  /** Positions of the entries up to the least power of two in weight that takes in a quarter of them; the newest is left alone. */
  private lightest(): number[] {
    const { entries, head } = this;
    for (let most = 1; ; most *= 2) {
      const light: number[] = [];
      for (let i = head; i < entries.length - STRIDE; i += STRIDE) if (entries[i + 2] <= most) light.push(i / STRIDE);
      if (light.length * 4 >= this.size && light.length > 1) return light;
    }
  }

  /** Counts the window anew from its entries. */
  private recount(shape: WindowShape): void {
    this.ranks = this.kind.ranks(shape);
    this.events = 0;
    for (let i = this.low; i < this.entries.length; i += STRIDE) {
      this.ranks.enter(this.entries[i + 1], this.entries[i + 2]);
      this.events += this.entries[i + 2];
    }
  }
}

// value_sum and value_avg: the sum of a number over a sliding window. Sums of integers below 2^53 are exact, others as good
// as exact: what slid out of the window leaves no rounding error behind.

import { CompensatedSum } from './compensated-sum.ts';
import { holds, type Window, type WindowResult, type WindowShape } from './window.ts';

/** An entry is three numbers: time, sum of the values, number of events. */
const STRIDE = 3;

export class SumWindow implements Window {
  /** By time; entries before `head` are gone, [low, length) are the window that ends at the newest event (all × STRIDE). */
  private entries: number[] = [];
  private head = 0;
  private low = 0;
  private readonly sum = new CompensatedSum();
  private events = 0;

  get size(): number {
    return (this.entries.length - this.head) / STRIDE;
  }

  add(time: number, value: number, _item: number, shape: WindowShape, result: WindowResult): boolean {
    if (!Number.isFinite(value)) return false;
    if (this.size >= shape.capacity) this.coarsen(shape.timespanMs);
    const { entries } = this;
    const span = shape.timespanMs;
    let at = entries.length;
    const newest = at > this.head ? entries[at - STRIDE] : -Infinity;
    if (time >= newest) {
      entries.push(time, value, 1);
      this.sum.add(value);
      this.events++;
      this.slide(time - span, time - shape.retentionMs);
      at -= this.compact();
    } else {
      if (time <= newest - shape.retentionMs) return false;
      while (at > this.head && entries[at - STRIDE] > time) at -= STRIDE;
      entries.splice(at, 0, time, value, 1);
      if (time <= newest - span) this.low += STRIDE;
      else {
        this.sum.add(value);
        this.events++;
      }
    }
    const last = entries.length - STRIDE;
    if (entries[at] > entries[last] - span && report(this.sum.value, this.events, entries[this.low], shape, result))
      return true;
    return time < newest && this.search(at, shape, result);
  }

  save(out: number[]): void {
    out.push(this.low - this.head, this.sum.sum, this.sum.error, this.events);
    for (let i = this.head; i < this.entries.length; i++) out.push(this.entries[i]);
  }

  static load(numbers: ArrayLike<number>): SumWindow {
    const window = new SumWindow();
    window.low = numbers[0];
    window.sum.sum = numbers[1];
    window.sum.error = numbers[2];
    window.events = numbers[3];
    for (let i = 4; i < numbers.length; i++) window.entries.push(numbers[i]);
    return window;
  }

  private slide(windowEnd: number, retentionEnd: number): void {
    const { entries } = this;
    while (entries[this.low] <= windowEnd) {
      this.sum.add(-entries[this.low + 1]);
      this.events -= entries[this.low + 2];
      this.low += STRIDE;
    }
    if (this.low === entries.length - STRIDE) this.sum.set(entries[this.low + 1]); // no error at all outlives its window
    while (entries[this.head] <= retentionEnd) this.head += STRIDE;
  }

  /** Looks at the windows that contain entry `at` and end before the newest event. */
  private search(at: number, shape: WindowShape, result: WindowResult): boolean {
    const { entries } = this;
    const span = shape.timespanMs;
    const end = entries[at] + span;
    let low = at;
    const sum = new CompensatedSum();
    let events = 0;
    while (low > this.head && entries[low - STRIDE] > entries[at] - span) low -= STRIDE;
    for (let i = low; i < at; i += STRIDE) {
      sum.add(entries[i + 1]);
      events += entries[i + 2];
    }
    for (let j = at; j < entries.length && entries[j] < end; j += STRIDE) {
      sum.add(entries[j + 1]);
      events += entries[j + 2];
      for (; entries[low] <= entries[j] - span; low += STRIDE) {
        sum.add(-entries[low + 1]);
        events -= entries[low + 2];
      }
      const whole = j + STRIDE === entries.length || entries[j + STRIDE] > entries[j]; // events of one ms count together
      if (whole && report(sum.value, events, entries[low], shape, result)) return true;
    }
    return false;
  }

  /** Over budget: neighbours in the older half become one entry at the later time. No value is lost, edges get coarser. */
  private coarsen(span: number): void {
    const { entries, head } = this;
    const merged: number[] = [];
    const half = head + Math.floor(this.size / 4) * 2 * STRIDE;
    for (let i = head; i < half; i += 2 * STRIDE) {
      const j = i + STRIDE;
      merged.push(entries[j], entries[i + 1] + entries[j + 1], entries[i + 2] + entries[j + 2]);
    }
    for (let i = half; i < entries.length; i++) merged.push(entries[i]);
    const windowEnd = merged[merged.length - STRIDE] - span;
    this.entries = merged;
    this.head = this.low = this.events = 0;
    this.sum.set(0);
    while (merged[this.low] <= windowEnd) this.low += STRIDE;
    for (let i = this.low; i < merged.length; i += STRIDE) {
      this.sum.add(merged[i + 1]);
      this.events += merged[i + 2];
    }
  }

  private compact(): number {
    if (this.head <= 32 * STRIDE || this.head * 2 <= this.entries.length) return 0;
    const gone = this.head;
    this.entries.copyWithin(0, gone);
    this.entries.length -= gone;
    this.low -= gone;
    this.head = 0;
    return gone;
  }
}

function report(sum: number, events: number, firstMs: number, shape: WindowShape, result: WindowResult): boolean {
  const value = shape.average ? sum / events : sum;
  if (!holds(shape.condition, value)) return false;
  result.value = value;
  result.events = events;
  result.firstMs = firstMs;
  return true;
}

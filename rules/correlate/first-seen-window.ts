// first_seen: a value that the group did not have before (or, with a timespan, not within it), after a time of learning.

import type { Window, WindowResult, WindowShape } from './window.ts';

export class FirstSeenWindow implements Window {
  /** Item → the latest time at which it was seen. */
  private readonly seen = new Map<number, number>();

  get size(): number {
    return this.seen.size;
  }

  /** `learnedMs` is when learning ends: what comes before it is remembered, and does not fire. */
  add(time: number, learnedMs: number, item: number, shape: WindowShape, result: WindowResult): boolean {
    const before = this.seen.get(item);
    const known = before !== undefined && (shape.timespanMs <= 0 || before > time - shape.timespanMs);
    if (before === undefined || time > before) this.seen.set(item, time);
    if (this.seen.size > shape.capacity) this.forget(Math.ceil(shape.capacity / 16));
    if (known || time < learnedMs) return false;
    result.value = this.seen.size;
    result.events = 1;
    result.firstMs = time;
    return true;
  }

  save(out: number[]): void {
    for (const [item, time] of this.seen) out.push(item, time);
  }

  static load(numbers: ArrayLike<number>): FirstSeenWindow {
    const window = new FirstSeenWindow();
    for (let i = 0; i < numbers.length; i += 2) window.seen.set(numbers[i], numbers[i + 1]);
    return window;
  }

  /** Over budget: those not seen for longest leave; of equal times the smaller item. */
  private forget(count: number): void {
    const oldest = [...this.seen].sort((a, b) => a[1] - b[1] || a[0] - b[0]).slice(0, count);
    for (const [item] of oldest) this.seen.delete(item);
  }
}

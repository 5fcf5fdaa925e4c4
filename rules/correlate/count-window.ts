// event_count: the number of events in a sliding window. In order: O(1) amortised; out of order: by the displacement.

import { holds, type Window, type WindowResult, type WindowShape } from './window.ts';

export class CountWindow implements Window {
  /** Ascending; entries before `head` are gone, [low, length) are the window that ends at the newest event. */
  private readonly times: number[] = [];
  private head = 0;
  private low = 0;

  get size(): number {
    return this.times.length - this.head;
  }

  add(time: number, _value: number, _item: number, shape: WindowShape, result: WindowResult): boolean {
    const { times } = this;
    const span = shape.timespanMs;
    let at = times.length;
    const newest = at > this.head ? times[at - 1] : -Infinity;
    if (time >= newest) {
      times.push(time);
      while (times[this.low] <= time - span) this.low++;
      while (times[this.head] <= time - shape.retentionMs) this.head++;
    } else {
      if (time <= newest - shape.retentionMs) return false;
      while (at > this.head && times[at - 1] > time) at--;
      times.splice(at, 0, time);
      if (time <= newest - span) this.low++;
    }
    if (times.length - this.head > shape.capacity) {
      const itself = at === this.head;
      this.dropOldest();
      if (itself) return false;
    }
    if (this.head > 32 && this.head * 2 > times.length) at -= this.compact();
    if (times[at] > times[times.length - 1] - span && this.report(this.low, times.length - 1, shape, result))
      return true;
    return time < newest && this.search(at, shape, result);
  }

  save(out: number[]): void {
    const newest = this.times.length - 1;
    out.push(this.low - this.head);
    for (let i = this.head; i <= newest; i++) out.push(this.times[i]);
  }

  static load(numbers: ArrayLike<number>): CountWindow {
    const window = new CountWindow();
    window.low = numbers[0];
    for (let i = 1; i < numbers.length; i++) window.times.push(numbers[i]);
    return window;
  }

  /** Looks at the windows that contain entry `at` and end before the newest event. */
  private search(at: number, shape: WindowShape, result: WindowResult): boolean {
    const { times } = this;
    const end = times[at] + shape.timespanMs;
    let low = at;
    while (low > this.head && times[low - 1] > times[at] - shape.timespanMs) low--;
    for (let j = at; j < times.length && times[j] < end; j++) {
      while (times[low] <= times[j] - shape.timespanMs) low++;
      if (this.report(low, j, shape, result)) return true;
    }
    return false;
  }

  private report(low: number, last: number, shape: WindowShape, result: WindowResult): boolean {
    const count = last - low + 1;
    if (!holds(shape.condition, count)) return false;
    result.value = result.events = count;
    result.firstMs = this.times[low];
    return true;
  }

  private dropOldest(): void {
    this.head++;
    if (this.low < this.head) this.low = this.head;
  }

  private compact(): number {
    const gone = this.head;
    this.times.copyWithin(0, gone);
    this.times.length -= gone;
    this.low -= gone;
    this.head = 0;
    return gone;
  }
}

// temporal_ordered: the rules fired one after the other, first to last, within one timespan. Equal times count as in
// order: many logs have whole seconds only.

import type { Window, WindowResult, WindowShape } from './window.ts';

/** Entries kept to put events in their place that arrive out of order. */
const HISTORY = 128;
const STRIDE = 2;

export class OrderedWindow implements Window {
  /** By time, then slot: time, slot. At most HISTORY of them; see `thin`. */
  private readonly entries: number[] = [];
  /** By slot: the latest time at which a sequence of slots 0..slot may have begun; -Infinity for none. Exact in order. */
  private starts: number[] = [];

  get size(): number {
    return this.entries.length / STRIDE;
  }

  add(time: number, _value: number, slot: number, shape: WindowShape, result: WindowResult): boolean {
    const { entries, starts } = this;
    while (starts.length < shape.slots) starts.push(-Infinity);
    const newest = entries.length > 0 ? entries[entries.length - STRIDE] : -Infinity;
    if (time <= newest - shape.retentionMs) return false;
    this.insert(time, slot, shape.retentionMs);
    if (time > newest) {
      this.advance(starts, time, slot, shape.timespanMs);
      return slot === shape.slots - 1 && this.report(time, shape, result);
    }
    return this.replay(time, shape, result);
  }

  save(out: number[]): void {
    out.push(this.starts.length, ...this.starts, ...this.entries);
  }

  static load(numbers: ArrayLike<number>): OrderedWindow {
    const window = new OrderedWindow();
    for (let i = 1; i < numbers.length; i++) (i <= numbers[0] ? window.starts : window.entries).push(numbers[i]);
    return window;
  }

  private advance(starts: number[], time: number, slot: number, span: number): void {
    if (slot === 0) starts[0] = time;
    else if (starts[slot - 1] > time - span) starts[slot] = Math.max(starts[slot], starts[slot - 1]);
  }

  /** Goes through the kept entries again, now in order; true when a window with `time` holds the whole sequence. */
  private replay(time: number, shape: WindowShape, result: WindowResult): boolean {
    const { entries } = this;
    const starts = this.starts.map(() => -Infinity);
    const last = shape.slots - 1;
    let found = false;
    for (let i = 0; i < entries.length; i += STRIDE) {
      const end = entries[i];
      this.advance(starts, end, entries[i + 1], shape.timespanMs);
      if (found || entries[i + 1] !== last || end < time || end >= time + shape.timespanMs) continue;
      if (starts[last] > end - shape.timespanMs && starts[last] <= time) {
        found = true;
        result.firstMs = starts[last];
        result.events = result.value = shape.slots;
      }
    }
    for (let i = 0; i <= last; i++) this.starts[i] = Math.max(this.starts[i], starts[i]);
    return found;
  }

  private report(time: number, shape: WindowShape, result: WindowResult): boolean {
    const start = this.starts[shape.slots - 1];
    if (start <= time - shape.timespanMs) return false;
    result.firstMs = start;
    result.events = result.value = shape.slots;
    return true;
  }

  private insert(time: number, slot: number, retention: number): void {
    const { entries } = this;
    let at = entries.length;
    while (at > 0 && (entries[at - STRIDE] > time || (entries[at - STRIDE] === time && entries[at - 1] > slot))) {
      at -= STRIDE;
    }
    entries.splice(at, 0, time, slot);
    if (entries.length > HISTORY * STRIDE) this.thin();
    const oldest = entries[entries.length - STRIDE] - retention;
    let gone = 0;
    while (entries[gone] <= oldest || entries.length - gone > HISTORY * STRIDE) gone += STRIDE;
    if (gone > 0) entries.splice(0, gone);
  }
  /**
   * Keeps the first and the last of each run of one slot. Only when there are too many: an event that arrives late may
   * still break a run, and what stood in its middle decides then.
   */
  private thin(): void {
    const { entries } = this;
    let kept = 0;
    for (let i = 0; i < entries.length; i += STRIDE) {
      const slot = entries[i + 1];
      if (kept > 0 && entries[kept - 1] === slot && i + STRIDE < entries.length && entries[i + STRIDE + 1] === slot)
        continue;
      entries[kept] = entries[i];
      entries[kept + 1] = slot;
      kept += STRIDE;
    }
    entries.length = kept;
  }
}

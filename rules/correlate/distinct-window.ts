// value_count and temporal: the number of distinct items in a sliding window.
//
// Of one item only those occurrences are kept that a window could need: of three within one timespan the middle one is
// in no window without one of the others, so it is folded into the later one. A scan that repeats its ports a million
// times costs two entries a port.

import { holds, type Window, type WindowResult, type WindowShape } from './window.ts';

/** An entry is three numbers: time, item, number of events (0: folded into another). */
const STRIDE = 3;
/** Above this many entries in the window a map finds an item; below, looking at each is faster and smaller. */
const MAPPED = 16;

/** Of one item inside the window: number of entries, and the time of the latest. */
interface Occurrences {
  count: number;
  last: number;
}

export class DistinctWindow implements Window {
  /** By time, then item. Entries before `head` are gone, [low, length) are the window that ends at the newest event. */
  private entries: number[] = [];
  private head = 0;
  private low = 0;
  private folded = 0;
  private distinct = 0;
  private events = 0;
  private items: Map<number, Occurrences> | null = null;

  get size(): number {
    return (this.entries.length - this.head) / STRIDE - this.folded;
  }

  add(time: number, _value: number, item: number, shape: WindowShape, result: WindowResult): boolean {
    const { entries } = this;
    const newest = entries.length > this.head ? entries[entries.length - STRIDE] : -Infinity;
    if (time <= newest - shape.retentionMs) return false;
    if (time > newest) this.slide(time - shape.timespanMs, time - shape.retentionMs);
    const inWindow = time > newest - shape.timespanMs;
    this.insert(time, item, inWindow);
    if (this.size > shape.capacity) this.dropOldest();
    const wasted = this.folded + this.head / STRIDE;
    if (wasted > 8 && wasted * 2 * STRIDE > entries.length) this.compact();
    const end = Math.max(time, newest);
    if (inWindow && this.report(this.distinct, this.events, this.low, end, shape, result)) return true;
    return time < newest && this.search(time, item, shape, result);
  }

  save(out: number[]): void {
    const { entries } = this;
    let low = 0;
    const at = out.push(0) - 1;
    for (let i = this.head; i < entries.length; i += STRIDE) {
      if (entries[i + 2] === 0) continue;
      if (i < this.low) low += STRIDE;
      out.push(entries[i], entries[i + 1], entries[i + 2]);
    }
    out[at] = low;
  }

  static load(numbers: ArrayLike<number>): DistinctWindow {
    const window = new DistinctWindow();
    for (let i = 1; i < numbers.length; i++) window.entries.push(numbers[i]);
    window.low = numbers[0];
    window.recount();
    return window;
  }

  /** Lets the window end at a newer event: what is older leaves it, what no window can need is forgotten. */
  private slide(windowEnd: number, retentionEnd: number): void {
    const { entries } = this;
    for (; entries[this.low] <= windowEnd; this.low += STRIDE) {
      const weight = entries[this.low + 2];
      if (weight === 0) continue;
      this.events -= weight;
      this.leave(entries[this.low + 1], this.low + STRIDE);
    }
    for (; entries[this.head] <= retentionEnd; this.head += STRIDE) if (entries[this.head + 2] === 0) this.folded--;
    if (this.items !== null && this.items.size === 0) this.items = null;
  }

  /** An entry of `item` left the window; `from` is where the window starts now. */
  private leave(item: number, from: number): void {
    if (this.items === null) {
      for (let i = from; i < this.entries.length; i += STRIDE) {
        if (this.entries[i + 1] === item && this.entries[i + 2] > 0) return;
      }
      this.distinct--;
      return;
    }
    const known = this.items.get(item)!;
    if (--known.count > 0) return;
    this.items.delete(item);
    this.distinct--;
  }

  private insert(time: number, item: number, inWindow: boolean): void {
    const { entries } = this;
    let at = entries.length;
    while (
      at > this.head &&
      (entries[at - STRIDE] > time || (entries[at - STRIDE] === time && entries[at - 2] > item))
    ) {
      at -= STRIDE;
    }
    if (at === entries.length) entries.push(time, item, 1);
    else entries.splice(at, 0, time, item, 1);
    if (!inWindow) {
      this.low += STRIDE;
      return;
    }
    this.events++;
    if (this.items === null && (entries.length - this.low) / STRIDE > MAPPED) {
      this.recount();
      const known = this.items!.get(item)!;
      if (known.count > 2) this.fold(item, known);
      return;
    }
    if (this.items === null) {
      this.enterSmall(item);
      return;
    }
    const known = this.items.get(item);
    if (known === undefined) {
      this.items.set(item, { count: 1, last: time });
      this.distinct++;
      return;
    }
    known.count++;
    const before = known.last;
    known.last = Math.max(before, time);
    if (known.count <= 2) return;
    if (time < before) this.fold(item, known);
    else {
      this.foldInto(this.latest(before, item, at - STRIDE), at);
      known.count--;
    }
  }

  /** As for a mapped window, by looking at each entry. */
  private enterSmall(item: number): void {
    const { entries } = this;
    let first = -1;
    let middle = -1;
    for (let i = this.low; i < entries.length; i += STRIDE) {
      if (entries[i + 1] !== item || entries[i + 2] === 0) continue;
      if (first < 0) first = i;
      else if (middle < 0) middle = i;
      else {
        this.foldInto(middle, i);
        return;
      }
    }
    if (middle < 0) this.distinct++;
  }

  /** Folds every occurrence of the item but the first and the last of the window. */
  private fold(item: number, known: Occurrences): void {
    const { entries } = this;
    let first = -1;
    for (let i = this.low; i < entries.length && known.count > 2; i += STRIDE) {
      if (entries[i + 1] !== item || entries[i + 2] === 0) continue;
      if (first < 0) first = i;
      else this.foldAt(i, item, known);
    }
  }

  private foldAt(at: number, item: number, known: Occurrences): void {
    const { entries } = this;
    let later = at + STRIDE;
    while (entries[later + 1] !== item || entries[later + 2] === 0) later += STRIDE;
    this.foldInto(at, later);
    known.count--;
  }

  private foldInto(at: number, later: number): void {
    this.entries[later + 2] += this.entries[at + 2];
    this.entries[at + 2] = 0;
    this.folded++;
  }

  /** The last live entry of an item at a time, at or before `end`; it exists. Entries are sorted by (time, item). */
  private latest(time: number, item: number, end: number): number {
    const { entries } = this;
    let from = this.low / STRIDE;
    let to = end / STRIDE + 1;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const t = entries[middle * STRIDE];
      if (t < time || (t === time && entries[middle * STRIDE + 1] <= item)) from = middle + 1;
      else to = middle;
    }
    let at = (from - 1) * STRIDE;
    while (entries[at + 2] === 0) at -= STRIDE;
    return at;
  }

  /**
   * Looks at the windows that contain `time` and end before the newest event: the one that ends at `time`, and those that
   * end at a later entry. Rare: only when the newest window fails.
   */
  private search(time: number, item: number, shape: WindowShape, result: WindowResult): boolean {
    const { entries } = this;
    const span = shape.timespanMs;
    const counts = new Map<number, number>([[item, 1]]);
    let low = entries.length;
    while (low > this.head && entries[low - STRIDE] > time - span) low -= STRIDE;
    let events = 0;
    let j = low;
    const enter = (): void => {
      if (entries[j + 2] > 0) counts.set(entries[j + 1], (counts.get(entries[j + 1]) ?? 0) + 1);
      events += entries[j + 2];
    };
    for (; entries[j] <= time; j += STRIDE) enter();
    if (this.report(counts.size, events, low, time, shape, result)) return true;
    for (; entries[j] < time + span; j += STRIDE) {
      if (entries[j + 2] === 0) continue;
      enter();
      for (; entries[low] <= entries[j] - span; low += STRIDE) {
        if (entries[low + 2] === 0) continue;
        events -= entries[low + 2];
        const left = counts.get(entries[low + 1])! - 1;
        if (left === 0) counts.delete(entries[low + 1]);
        else counts.set(entries[low + 1], left);
      }
      if (this.report(counts.size, events, low, entries[j], shape, result)) return true;
    }
    return false;
  }

  private report(
    distinct: number,
    events: number,
    low: number,
    end: number,
    shape: WindowShape,
    result: WindowResult,
  ): boolean {
    if (!holds(shape.condition, distinct)) return false;
    result.value = distinct;
    result.events = Math.max(events, distinct);
    let first = low;
    while (this.entries[first + 2] === 0) first += STRIDE;
    result.firstMs = first < this.entries.length ? Math.min(this.entries[first], end) : end;
    return true;
  }

  private dropOldest(): void {
    const { entries } = this;
    while (entries[this.head + 2] === 0) {
      this.folded--;
      this.head += STRIDE;
    }
    const item = entries[this.head + 1];
    const weight = entries[this.head + 2];
    this.head += STRIDE;
    if (this.low >= this.head) return;
    this.low = this.head;
    this.events -= weight;
    this.leave(item, this.low);
  }

  private compact(): void {
    const { entries } = this;
    let to = 0;
    let low = 0;
    for (let i = this.head; i < entries.length; i += STRIDE) {
      if (entries[i + 2] === 0) continue;
      if (i < this.low) low += STRIDE;
      entries[to++] = entries[i];
      entries[to++] = entries[i + 1];
      entries[to++] = entries[i + 2];
    }
    entries.length = to;
    this.low = low;
    this.head = this.folded = 0;
  }

  /** Counts the window anew from its entries; makes the map when there are many. */
  private recount(): void {
    const items = new Map<number, Occurrences>();
    this.events = 0;
    for (let i = this.low; i < this.entries.length; i += STRIDE) {
      if (this.entries[i + 2] === 0) continue;
      this.events += this.entries[i + 2];
      const known = items.get(this.entries[i + 1]);
      if (known === undefined) items.set(this.entries[i + 1], { count: 1, last: this.entries[i] });
      else {
        known.count++;
        known.last = this.entries[i];
      }
    }
    this.distinct = items.size;
    this.items = (this.entries.length - this.low) / STRIDE > MAPPED ? items : null;
  }
}

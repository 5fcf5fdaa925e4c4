// Conditions that more events can undo (fewer than, exactly, other than, none) are judged when the watermark has passed:
// then no event can come any more that would change the answer, so the order of arrival never decides it.
//
// The window (t − timespan, t] changes only when an event enters (t is its time) or leaves (t is its time + timespan). At each of
// these moments the measure is compared; the correlation fires when its condition begins to hold. A group lives from its
// first event until its window is empty. While a condition that also holds for nothing at all has been observed for less than a
// whole timespan it is not judged: every group begins with few events.

import type { Measure } from './measure.ts';
import { holds, type Window, type WindowResult, type WindowShape } from './window.ts';

/** Called when the condition begins to hold: the moment, what was measured, events inside and the time of the first. */
export type Found = (timeMs: number, value: number, events: number, firstMs: number) => void;

/** A window that time decides, not the arrival of an event. `add` only takes note. */
export interface JudgedWindow extends Window {
  /** Bytes of the group's key: when a silence is found, no event is there to tell whose it is. */
  key: Uint8Array;
  /** The next moment that may change the answer; Infinity when nothing is left to be judged: the group may go. */
  readonly dueMs: number;
  /** Judges all moments before `beforeMs`. */
  judge(beforeMs: number, shape: WindowShape, found: Found): void;
}

export interface JudgedKind {
  measure(): Measure;
  /** Of one item two entries a timespan are enough. */
  readonly folds: boolean;
  /** Over capacity neighbours are added up; else the oldest leave and what they would decide is not judged. */
  readonly adds: boolean;
}

/** An entry: time, value, item, number of events (0: folded into others). */
const STRIDE = 4;

export class SlidingJudgedWindow implements JudgedWindow {
  key: Uint8Array = new Uint8Array(0);
  private readonly kind: JudgedKind;
  private readonly measure: Measure;
  /** By time. [head, cursor) are the window that ends at `judgedMs`, from the cursor on nothing is judged yet. */
  private entries: number[] = [];
  private head = 0;
  private cursor = 0;
  private events = 0;
  private folded = 0;
  private judgedMs = -Infinity;
  /** Time of the first event of the group's present life. */
  private bornMs = -Infinity;
  /** Before this moment entries are missing for want of budget, and nothing is judged. */
  private blindMs = -Infinity;
  private held = false;
  /** The span of the rule, learned with the first event. */
  private span = 0;
  /** item → times of its last two entries, where entries are folded. */
  private readonly latest = new Map<number, [number, number]>();

  constructor(kind: JudgedKind) {
    this.kind = kind;
    this.measure = kind.measure();
  }

  get size(): number {
    return (this.entries.length - this.head) / STRIDE - this.folded;
  }

  get dueMs(): number {
    const { entries, head, cursor } = this;
    const leaves = head < entries.length ? entries[head] + this.span : Infinity;
    return cursor < entries.length ? Math.min(leaves, entries[cursor]) : leaves;
  }

  add(time: number, value: number, item: number, shape: WindowShape, _result: WindowResult): boolean {
    if (!Number.isFinite(value)) return false;
    this.span = shape.timespanMs;
    if (time <= this.judgedMs - this.span) return false; // a silence was judged before; the event changes no later one
    const at = this.place(time);
    this.entries.splice(at, 0, time, value, item, 1);
    if (time <= this.judgedMs) this.addToJudged(time, value, item, shape);
    if (this.kind.folds) this.remember(time, item);
    if (this.size > shape.capacity) this.shrink(shape);
    if (this.folded > 8 && this.folded * 2 * STRIDE > this.entries.length - this.head) this.compact();
    return false;
  }

  judge(beforeMs: number, shape: WindowShape, found: Found): void {
    const { entries, measure } = this;
    this.span = shape.timespanMs;
    for (let moment = this.dueMs; moment < beforeMs; moment = this.dueMs) {
      this.judgedMs = moment;
      if (this.head === this.cursor) this.bornMs = moment;
      for (; entries[this.cursor] <= moment; this.cursor += STRIDE) this.enter(this.cursor);
      for (; this.head < this.cursor && entries[this.head] <= moment - this.span; this.head += STRIDE) {
        this.leave(this.head);
      }
      const now = this.seen(shape) && holds(shape.condition, measure.value);
      if (now && !this.held) found(moment, measure.value, this.events, this.firstMs(moment));
      this.held = now;
      if (this.head === this.cursor) this.held = false;
    }
    if (this.head > 64 * STRIDE && this.head * 2 > entries.length) this.compact();
  }

  save(out: number[]): void {
    this.compact();
    const { entries, key } = this;
    out.push(this.span, this.judgedMs, this.bornMs, this.blindMs, this.held ? 1 : 0, this.cursor, key.length);
    for (const byte of packed(key)) out.push(byte);
    const own = this.measure.save();
    out.push(own.length, ...own);
    for (const number of entries) out.push(number);
  }

  static load(kind: JudgedKind, numbers: ArrayLike<number>): SlidingJudgedWindow {
    const window = new SlidingJudgedWindow(kind);
    const [span, judgedMs, bornMs, blindMs, held, cursor, keyLength] = Array.from({ length: 7 }, (_, i) => numbers[i]);
    Object.assign(window, { span, judgedMs, bornMs, blindMs, held: held === 1 });
    let at = 7 + Math.ceil(keyLength / 4);
    window.key = unpacked(numbers, 7, keyLength);
    const own = Array.from({ length: numbers[at++] }, () => numbers[at++]);
    for (; at < numbers.length; at++) window.entries.push(numbers[at]);
    for (; window.cursor < cursor; window.cursor += STRIDE) window.enter(window.cursor);
    window.measure.restore(own);
    if (kind.folds) {
      for (let i = 0; i < window.entries.length; i += STRIDE) {
        const item = window.entries[i + 2];
        window.latest.set(item, [window.latest.get(item)?.[1] ?? -Infinity, window.entries[i]]);
      }
    }
    return window;
  }

  private enter(at: number): void {
    const weight = this.entries[at + 3];
    if (weight === 0) return;
    this.events += weight;
    this.measure.enter(this.entries[at + 1], this.entries[at + 2], weight);
  }

  private leave(at: number): void {
    const weight = this.entries[at + 3];
    if (weight > 0) {
      this.events -= weight;
      this.measure.leave(this.entries[at + 1], this.entries[at + 2], weight);
    }
    this.forget(at);
  }

  /** The entry at the head goes. */
  private forget(at: number): void {
    if (this.entries[at + 3] === 0) {
      this.folded--;
      return;
    }
    const item = this.entries[at + 2];
    const known = this.latest.get(item);
    if (known === undefined) return;
    if (known[0] === this.entries[at]) known[0] = -Infinity;
    else if (known[1] === this.entries[at]) this.latest.delete(item);
  }

  /** Whether the window may be judged: no entry is missing, and few events do not only mean that the group is new. */
  private seen(shape: WindowShape): boolean {
    if (this.judgedMs < this.blindMs) return false;
    return !holds(shape.condition, 0) || this.judgedMs >= this.bornMs + this.span;
  }

  private firstMs(moment: number): number {
    let first = this.head;
    while (first < this.cursor && this.entries[first + 3] === 0) first += STRIDE;
    return first < this.cursor ? this.entries[first] : moment;
  }

  private place(time: number): number {
    let at = this.entries.length;
    while (at > this.head && this.entries[at - STRIDE] > time) at -= STRIDE;
    return at;
  }

  /** Silence was judged up to later than this event, by a tick. What was judged stays so; from here on it counts. */
  private addToJudged(time: number, value: number, item: number, shape: WindowShape): void {
    this.bornMs = this.head === this.cursor ? time : Math.min(this.bornMs, time);
    this.cursor += STRIDE;
    this.events++;
    this.measure.enter(value, item, 1);
    this.held = this.seen(shape) && holds(shape.condition, this.measure.value);
  }

  /** The newest entry is the third of its item within a timespan: the middle one is in no window without another. */
  private fold(time: number, item: number, known: [number, number]): void {
    const [, middle] = known;
    let at = this.place(middle) - STRIDE;
    while (this.entries[at + 2] !== item || this.entries[at + 3] === 0) at -= STRIDE;
    if (at < this.cursor) {
      this.events -= this.entries[at + 3];
      this.measure.leave(this.entries[at + 1], item, this.entries[at + 3]);
    }
    this.entries[at + 3] = 0;
    this.folded++;
    known[1] = time;
  }

  /** Keeps `latest`: the times of an item's last two entries. Folds one when it can. */
  private remember(time: number, item: number): void {
    const known = this.latest.get(item);
    if (known === undefined) this.latest.set(item, [-Infinity, time]);
    else if (time < known[1]) known[0] = Math.max(known[0], time);
    else if (time - known[0] <= this.span) this.fold(time, item, known);
    else this.latest.set(item, [known[1], time]);
  }

  private shrink(shape: WindowShape): void {
    if (this.kind.adds) this.coarsen();
    else this.dropOldest(shape);
  }

  private dropOldest(shape: WindowShape): void {
    while (this.entries[this.head + 3] === 0) this.pass();
    this.blindMs = Math.max(this.blindMs, this.entries[this.head] + shape.timespanMs);
    this.pass();
  }

  private pass(): void {
    if (this.head < this.cursor) this.leave(this.head);
    else {
      this.forget(this.head);
      this.cursor += STRIDE;
    }
    this.head += STRIDE;
  }

  /** Neighbours in the older half become one entry at the later time. No value is lost, edges get coarser. */
  private coarsen(): void {
    const { entries } = this;
    const merged: number[] = [];
    const half = this.head + Math.floor((entries.length - this.head) / STRIDE / 4) * 2 * STRIDE;
    let cursor = 0;
    const put = (at: number): void => {
      for (let i = 0; i < STRIDE; i++) merged.push(entries[at + i]);
      if (at < this.cursor) cursor = merged.length;
    };
    for (let i = this.head; i < half; i += 2 * STRIDE) {
      const j = i + STRIDE;
      // What is judged and what is not stay apart.
      if (i < this.cursor !== j < this.cursor) {
        put(i);
        put(j);
        continue;
      }
      merged.push(entries[j], entries[i + 1] + entries[j + 1], 0, entries[i + 3] + entries[j + 3]);
      if (j < this.cursor) cursor = merged.length;
    }
    for (let i = half; i < entries.length; i += STRIDE) put(i);
    entries.length = 0;
    for (const number of merged) entries.push(number);
    this.head = 0;
    this.cursor = cursor;
  }

  /** Leaves out what is gone or folded. Entries stay the same array. */
  private compact(): void {
    const { entries } = this;
    let to = 0;
    let cursor = 0;
    for (let i = this.head; i < entries.length; i += STRIDE) {
      if (entries[i + 3] > 0) {
        for (let k = 0; k < STRIDE; k++) entries[to++] = entries[i + k];
      }
      if (i < this.cursor) cursor = to;
    }
    entries.length = to;
    this.head = this.folded = 0;
    this.cursor = cursor;
  }
}

/** Four bytes a number. */
export function* packed(bytes: Uint8Array): Generator<number> {
  for (let i = 0; i < bytes.length; i += 4) {
    yield ((bytes[i] << 24) | ((bytes[i + 1] ?? 0) << 16) | ((bytes[i + 2] ?? 0) << 8) | (bytes[i + 3] ?? 0)) >>> 0;
  }
}

export function unpacked(numbers: ArrayLike<number>, from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (numbers[from + (i >> 2)] >>> (24 - 8 * (i & 3))) & 255);
}

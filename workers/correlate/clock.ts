// The event clock of one tenant and dataset in a lane, and the alerts whose suppression windows it closes.

import type { OpenAlert } from './open-alert.ts';

export class Clock {
  readonly dataset: string;
  /** Highest event time so far; skewed events left out. */
  maxMs = -Infinity;
  /** Event time of the first record; learning starts here. */
  firstMs = Infinity;
  /** Highest event time as of the last tick, and the tick that first found it: since then nothing has moved the clock. */
  tickedMs = -Infinity;
  sinceMs = 0;
  /** No alert falls due before this. */
  nextCloseMs = Infinity;
  /** Nothing that waits for time to pass can be judged before the clock is past this. */
  nextJudgeMs = Infinity;
  /** Binary heap by closing time, then alert id. Closed alerts leave it when they come up or outnumber the open ones. */
  private heap: OpenAlert[] = [];
  private closed = 0;

  constructor(dataset: string) {
    this.dataset = dataset;
  }

  watch(alert: OpenAlert): void {
    this.heap.push(alert);
    this.up(this.heap.length - 1);
    this.nextCloseMs = this.heap[0].closeMs;
  }

  /**
   * A tick: everything that was appended before `atMs` has been seen. Returns the event time that silence has reached: as far behind
   * the time of appending as the last event was. It closes what is over, and makes no event late.
   */
  tick(atMs: number): number {
    if (this.maxMs !== this.tickedMs) {
      this.tickedMs = this.maxMs;
      this.sinceMs = atMs;
    }
    return this.maxMs + Math.max(0, atMs - this.sinceMs);
  }

  /** An alert was closed by something else than this clock. */
  forget(): void {
    if (++this.closed < 1024 || this.closed * 2 < this.heap.length) return;
    this.heap = this.heap.filter((alert) => alert.open).sort(compare); // a sorted array is a heap
    this.closed = 0;
    this.nextCloseMs = this.heap[0]?.closeMs ?? Infinity;
  }

  /** The next open alert that is due at `nowMs`, or undefined. It is no longer watched. */
  due(nowMs = this.maxMs): OpenAlert | undefined {
    while (this.heap.length > 0 && this.heap[0].closeMs <= nowMs) {
      const first = this.heap[0];
      const end = this.heap.pop()!;
      if (this.heap.length > 0) {
        this.heap[0] = end;
        this.down(0);
      }
      this.nextCloseMs = this.heap[0]?.closeMs ?? Infinity;
      if (first.open) return first;
      this.closed--;
    }
    return undefined;
  }

  private up(from: number): void {
    const { heap } = this;
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (compare(heap[parent], heap[at]) <= 0) return;
      [heap[parent], heap[at]] = [heap[at], heap[parent]];
      at = parent;
    }
  }

  private down(from: number): void {
    const { heap } = this;
    for (let at = from; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && compare(heap[child], heap[least]) < 0) least = child;
      }
      if (least === at) return;
      [heap[least], heap[at]] = [heap[at], heap[least]];
      at = least;
    }
  }
}

function compare(a: OpenAlert, b: OpenAlert): number {
  return a.closeMs - b.closeMs || (a.alert.alert_id < b.alert.alert_id ? -1 : 1);
}

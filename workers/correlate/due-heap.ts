// The groups of one rule by the next moment that may change their answer; of equal moments the lesser key comes first, so that
// the order in which silences are told follows from the groups alone.

import type { JudgedWindow } from '../../rules/correlate/judged-window.ts';
import { bufferOf } from '../../src/model/bytes.ts';

interface Appointment {
  readonly dueMs: number;
  readonly window: JudgedWindow;
}

export class DueHeap {
  private heap: Appointment[] = [];
  /** The moment for which a window stands in the heap; earlier appointments of it are void. */
  private readonly noted = new Map<JudgedWindow, number>();

  /** Not after the true next moment of any group. */
  get dueMs(): number {
    return this.heap[0]?.dueMs ?? Infinity;
  }

  /** The window's next moment may have changed. */
  note(window: JudgedWindow): void {
    const { dueMs } = window;
    const known = this.noted.get(window);
    if (known === dueMs || dueMs === Infinity) return;
    if (known !== undefined && known < dueMs) return; // it is looked at again when that moment comes up
    this.noted.set(window, dueMs);
    this.push({ dueMs, window });
  }

  forget(window: JudgedWindow): void {
    this.noted.delete(window);
    if (this.heap.length < 1024 || this.heap.length < this.noted.size * 2) return;
    // A sorted array is a heap. Void appointments would keep evicted groups in memory until their time.
    this.heap = this.heap.filter((item) => this.noted.get(item.window) === item.dueMs).sort(compare);
  }

  /** The next group that has a moment before `beforeMs`; it stands in the heap no more. */
  next(beforeMs: number): JudgedWindow | undefined {
    while (this.dueMs < beforeMs) {
      const { dueMs, window } = this.pop();
      if (this.noted.get(window) !== dueMs) continue;
      this.noted.delete(window);
      if (window.dueMs <= dueMs) return window;
      this.note(window);
    }
    return undefined;
  }

  private push(item: Appointment): void {
    const { heap } = this;
    let at = heap.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (compare(heap[parent], heap[at]) <= 0) return;
      [heap[parent], heap[at]] = [heap[at], heap[parent]];
      at = parent;
    }
  }

  private pop(): Appointment {
    const { heap } = this;
    const first = heap[0];
    const end = heap.pop()!;
    if (heap.length === 0) return first;
    heap[0] = end;
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && compare(heap[child], heap[least]) < 0) least = child;
      }
      if (least === at) return first;
      [heap[least], heap[at]] = [heap[at], heap[least]];
      at = least;
    }
  }
}

function compare(a: Appointment, b: Appointment): number {
  return a.dueMs - b.dueMs || bufferOf(a.window.key).compare(b.window.key);
}

// What all correlation windows share. A window belongs to one group of one rule; times are event times in ms.
//
// A window slides: it is (t − timespan, t]. An event that arrives out of order is put in its place, and the condition is
// looked at for every window that contains it, so the order of arrival (within the lateness) never decides what is found.

import type { Correlation } from '../model.ts';

/** What the windows of one rule have in common; never stored with a group. */
export interface WindowShape {
  readonly timespanMs: number;
  /** How far back of the group's newest event entries are kept: timespan and lateness. */
  readonly retentionMs: number;
  /** Entries that a group may hold; always enough for the condition to be met. */
  readonly capacity: number;
  readonly condition: Correlation['condition'];
  /** temporal(_ordered): number of rules. */
  readonly slots: number;
  /** value_avg divides the sum by the number of events. */
  readonly average: boolean;
  /** regular_interval: highest coefficient of variation and lowest mean interval. */
  readonly jitter: number;
  readonly minIntervalMs: number;
}

/** Filled by `add` when it returns true. One instance is reused. */
export interface WindowResult {
  /** Count, distinct values, sum, average; mean interval in ms of a regular_interval. */
  value: number;
  /** Events in the window, and the time of the first of them. */
  events: number;
  firstMs: number;
}

export interface Window {
  /** Entries held: what budgets count. */
  readonly size: number;
  /**
   * Takes an event. `value` is the number of value_sum and value_avg (the end of the learning time for first_seen); `item`
   * is the hash of the value (the rule's slot for temporal). Returns whether the condition holds in a window with the event.
   */
  add(time: number, value: number, item: number, shape: WindowShape, result: WindowResult): boolean;
  /** Appends the whole state as numbers; the window's `load` reads them back. */
  save(out: number[]): void;
}

export function holds(condition: Correlation['condition'], value: number): boolean {
  switch (condition.op) {
    case 'gt':
      return value > condition.value;
    case 'gte':
      return value >= condition.value;
    case 'lt':
      return value < condition.value;
    case 'lte':
      return value <= condition.value;
    case 'eq':
      return value === condition.value;
  }
}

/** The number of events (or values) that the condition asks for. */
export function needed(condition: Correlation['condition']): number {
  const above = condition.op === 'gt' ? Math.floor(condition.value) + 1 : Math.ceil(condition.value);
  return Number.isFinite(above) ? Math.max(1, above) : 1;
}

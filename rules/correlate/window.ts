// What all correlation windows share. A window belongs to one group of one rule; times are event times in ms.
//
// A window slides: it is (t − timespan, t]. An event that arrives out of order is put in its place, and the condition is
// looked at for every window that contains it, so the order of arrival (within the lateness) never decides what is found.

import type { CorrelationBound, CorrelationCondition } from '../model.ts';

/** What the windows of one rule have in common; never stored with a group. */
export interface WindowShape {
  readonly timespanMs: number;
  /** How far back of the group's newest event entries are kept: timespan and lateness. */
  readonly retentionMs: number;
  /** Entries that a group may hold; always enough for the condition to be met. */
  readonly capacity: number;
  readonly condition: CorrelationCondition;
  /** temporal(_ordered): number of rules. */
  readonly slots: number;
  /** value_avg divides the sum by the number of events. */
  readonly average: boolean;
  /** value_percentile of numbers. */
  readonly percentile?: number;
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

export function holds(condition: CorrelationCondition, value: number): boolean {
  return within(condition, value) && (condition.and === undefined || within(condition.and, value));
}

function within(bound: CorrelationBound, value: number): boolean {
  switch (bound.op) {
    case 'gt':
      return value > bound.value;
    case 'gte':
      return value >= bound.value;
    case 'lt':
      return value < bound.value;
    case 'lte':
      return value <= bound.value;
    case 'eq':
      return value === bound.value;
    case 'neq':
      return value !== bound.value;
  }
}

/** Whether more can only help: such a condition may be decided as soon as it holds, in whatever order events come. */
export function onlyGrows({ op, and }: CorrelationCondition): boolean {
  return [op, and?.op].every((one) => one === undefined || one === 'gt' || one === 'gte');
}

/** The number of events (or values) that must be told apart for the condition to be decided. */
export function needed(condition: CorrelationCondition): number {
  const most = Math.max(...[condition, condition.and ?? condition].map(bound));
  return Number.isFinite(most) ? Math.max(1, most) : 1;
}

function bound({ op, value }: CorrelationBound): number {
  return op === 'gte' || op === 'lt' ? Math.ceil(value) : Math.floor(value) + (op === 'gt' ? 1 : 0);
}

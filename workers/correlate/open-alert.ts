// An alert inside its suppression window: its first firing, and what came since.

import type { Alert, AlertEvidence } from '../../src/model/alert.ts';
import type { AlertBook } from './alert-book.ts';
import type { Clock } from './clock.ts';

/** Events apart from the normal flow of time keep suppression windows of their own. */
export const NORMAL = 0;
export const LATE = 1;
export const SKEWED = 2;
export type Timeliness = typeof NORMAL | typeof LATE | typeof SKEWED;

export interface OpenAlert {
  /** As it fired, without its evidence. Count, times and evidence of now are below. */
  readonly alert: Alert;
  readonly book: AlertBook;
  /** Closes it. */
  readonly clock: Clock;
  readonly timeliness: Timeliness;
  /** The suppression window, in event time: [openedMs, untilMs). */
  readonly openedMs: number;
  readonly untilMs: number;
  /** Clock value at which no event of the window can come any more. */
  readonly closeMs: number;
  /** Key in the book that holds the alert. */
  readonly key: readonly [number, number, number, number];
  count: number;
  /** Count of the last revision. */
  written: number;
  /** The count at which the next revision falls due. */
  nextRevision: number;
  firstMs: number;
  lastMs: number;
  readonly evidence: AlertEvidence[];
  /** Bytes of raw evidence held, for the budget; events with raw bytes or room for them. */
  rawBytes: number;
  samples: number;
  open: boolean;
}

/** The power of ten above a count: revisions are written at 10, 100, 1,000 … */
export function revisionAfter(count: number): number {
  let next = 10;
  while (next <= count) next *= 10;
  return next;
}

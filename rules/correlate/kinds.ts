// Which window a correlation has.

import type { Correlation, CorrelationType } from '../model.ts';
import { CountWindow } from './count-window.ts';
import { DistinctWindow } from './distinct-window.ts';
import { FirstSeenWindow } from './first-seen-window.ts';
import { IntervalWindow } from './interval-window.ts';
import { type JudgedKind, type JudgedWindow, SlidingJudgedWindow } from './judged-window.ts';
import { CountMeasure, DistinctMeasure, SumMeasure } from './measure.ts';
import { OrderedWindow } from './ordered-window.ts';
import { SumWindow } from './sum-window.ts';
import { onlyGrows, type Window } from './window.ts';

export interface WindowKind {
  make(): Window;
  load(numbers: ArrayLike<number>): Window;
}

const made = <W extends Window>(Type: { new (): W; load(numbers: ArrayLike<number>): W }): WindowKind => ({
  make: () => new Type(),
  load: (numbers) => Type.load(numbers),
});

const AS_EVENTS_COME: Readonly<Record<CorrelationType, WindowKind>> = {
  event_count: made(CountWindow),
  value_count: made(DistinctWindow),
  value_sum: made(SumWindow),
  value_avg: made(SumWindow),
  temporal: made(DistinctWindow),
  temporal_ordered: made(OrderedWindow),
  regular_interval: made(IntervalWindow),
  first_seen: made(FirstSeenWindow),
};

const MEASURED: Readonly<Partial<Record<CorrelationType, JudgedKind>>> = {
  event_count: { measure: () => new CountMeasure(), folds: false, adds: false },
  value_count: { measure: () => new DistinctMeasure(), folds: true, adds: false },
  value_sum: { measure: () => new SumMeasure(false), folds: false, adds: true },
};

/** Whether time decides: counts and sums that more events can take out of the condition again. */
export function isJudged({ type, condition }: Correlation): boolean {
  return MEASURED[type] !== undefined && !onlyGrows(condition);
}

export function kindOf(type: CorrelationType, judged: boolean): WindowKind {
  const measured = MEASURED[type];
  if (!judged || measured === undefined) return AS_EVENTS_COME[type];
  return {
    make: () => new SlidingJudgedWindow(measured),
    load: (numbers) => SlidingJudgedWindow.load(measured, numbers),
  };
}

export function isJudgedWindow(window: Window): window is JudgedWindow {
  return 'judge' in window;
}

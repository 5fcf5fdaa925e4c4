// Which window a correlation has.

import type { Correlation, CorrelationType } from '../model.ts';
import { CountWindow } from './count-window.ts';
import { DistinctWindow } from './distinct-window.ts';
import { FirstSeenWindow } from './first-seen-window.ts';
import { IntervalWindow } from './interval-window.ts';
import { type JudgedKind, type JudgedWindow, SlidingJudgedWindow } from './judged-window.ts';
import { CountMeasure, DistinctMeasure, SumMeasure } from './measure.ts';
import { OrderedWindow } from './ordered-window.ts';
import { type RankKind, RankWindow } from './rank-window.ts';
import { MedianRanks, PercentileRanks, RarityRanks } from './ranks.ts';
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

const ranked = (kind: RankKind): WindowKind => ({
  make: () => new RankWindow(kind),
  load: (numbers) => RankWindow.load(kind, numbers),
});

const RARITY = ranked({ ranks: () => new RarityRanks(), names: true });

const AS_EVENTS_COME: Readonly<Record<CorrelationType, WindowKind>> = {
  event_count: made(CountWindow),
  value_count: made(DistinctWindow),
  value_sum: made(SumWindow),
  value_avg: made(SumWindow),
  value_percentile: ranked({ ranks: ({ percentile }) => new PercentileRanks(percentile ?? 50), names: false }),
  value_median: ranked({ ranks: () => new MedianRanks(), names: false }),
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

/** Whether `field` stands for names that are told apart, not for numbers. */
export function countsNames({ type, percentile }: Correlation): boolean {
  return type === 'value_count' || type === 'first_seen' || (type === 'value_percentile' && percentile === undefined);
}

/** Whether `field` must be a number. */
export function needsNumber(correlation: Correlation): boolean {
  return correlation.type.startsWith('value_') && !countsNames(correlation);
}

export function kindOf(correlation: Correlation | null): WindowKind {
  if (correlation === null) return AS_EVENTS_COME.event_count;
  const { type } = correlation;
  if (type === 'value_percentile' && countsNames(correlation)) return RARITY;
  const measured = MEASURED[type];
  if (measured === undefined || !isJudged(correlation)) return AS_EVENTS_COME[type];
  return {
    make: () => new SlidingJudgedWindow(measured),
    load: (numbers) => SlidingJudgedWindow.load(measured, numbers),
  };
}

export function isJudgedWindow(window: Window): window is JudgedWindow {
  return 'judge' in window;
}

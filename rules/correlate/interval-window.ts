// regular_interval: beaconing. The last events of a group come at nearly the same distance from each other. A few missed
// or extra beats (up to one interval in five) are left out of the judgement.

import { needed, type Window, type WindowResult, type WindowShape } from './window.ts';

const EXCEPTIONS = 0.2;

export class IntervalWindow implements Window {
  /** The last `needed` event times, ascending. */
  private readonly times: number[] = [];

  get size(): number {
    return this.times.length;
  }

  add(time: number, _value: number, _item: number, shape: WindowShape, result: WindowResult): boolean {
    const { times } = this;
    const want = Math.max(3, needed(shape.condition));
    let at = times.length;
    while (at > 0 && times[at - 1] > time) at--;
    if (at === times.length) times.push(time);
    else times.splice(at, 0, time);
    const oldest = times[times.length - 1] - shape.timespanMs;
    let gone = Math.max(0, times.length - want);
    while (times[gone] <= oldest) gone++;
    if (gone > 0) times.splice(0, gone);
    if (times.length < want || at < gone) return false;
    const interval = regularInterval(times, shape.jitter, shape.minIntervalMs);
    if (interval === 0) return false;
    result.value = interval;
    result.events = times.length;
    result.firstMs = times[0];
    return true;
  }

  save(out: number[]): void {
    out.push(...this.times);
  }

  static load(numbers: ArrayLike<number>): IntervalWindow {
    const window = new IntervalWindow();
    for (let i = 0; i < numbers.length; i++) window.times.push(numbers[i]);
    return window;
  }
}

/**
 * The mean interval of ascending times when they are regular, else 0. Intervals outside half to one and a half of the
 * median are missed or extra beats; the coefficient of variation of the others must not exceed `jitter`.
 */
export function regularInterval(times: readonly number[], jitter: number, minIntervalMs: number): number {
  const count = times.length - 1;
  const span = times[count] - times[0];
  if (span <= 0 || span / count < minIntervalMs * (1 - EXCEPTIONS)) return 0;
  const intervals = new Float64Array(count);
  for (let i = 0; i < count; i++) intervals[i] = times[i + 1] - times[i];
  intervals.sort();
  const median = (intervals[(count - 1) >> 1] + intervals[count >> 1]) / 2;
  let kept = 0;
  let sum = 0;
  let squares = 0;
  for (const interval of intervals) {
    if (interval < median * 0.5 || interval > median * 1.5) continue;
    kept++;
    sum += interval;
    squares += (interval - median) ** 2;
  }
  if (kept === 0 || count - kept > Math.floor(count * EXCEPTIONS)) return 0;
  const mean = sum / kept;
  const variance = Math.max(0, squares / kept - (mean - median) ** 2);
  return mean >= minIntervalMs && Math.sqrt(variance) <= jitter * mean ? mean : 0;
}

// What a window that is judged as a whole counts: entries enter and leave, the value is asked for in between.

import { CompensatedSum } from './compensated-sum.ts';

export interface Measure {
  enter(value: number, item: number, weight: number): void;
  leave(value: number, item: number, weight: number): void;
  /** Of the entries inside; 0 (for a mean NaN) when there are none. */
  readonly value: number;
  /** Whatever does not follow from the entries inside: rounding errors that were kept apart. */
  save(): readonly number[];
  restore(numbers: readonly number[]): void;
}

export class CountMeasure implements Measure {
  value = 0;

  enter(_value: number, _item: number, weight: number): void {
    this.value += weight;
  }

  leave(_value: number, _item: number, weight: number): void {
    this.value -= weight;
  }

  save(): readonly number[] {
    return [];
  }

  restore(): void {}
}

/** The sum of the values, or with `average` their mean. */
export class SumMeasure implements Measure {
  private readonly sum = new CompensatedSum();
  private events = 0;
  private readonly average: boolean;

  constructor(average: boolean) {
    this.average = average;
  }

  get value(): number {
    return this.average ? this.sum.value / this.events : this.sum.value;
  }

  enter(value: number, _item: number, weight: number): void {
    this.sum.add(value);
    this.events += weight;
  }

  leave(value: number, _item: number, weight: number): void {
    this.events -= weight;
    if (this.events > 0) this.sum.add(-value);
    else this.sum.set(0); // no rounding error outlives the window it was made in
  }

  save(): readonly number[] {
    return [this.sum.sum, this.sum.error];
  }

  restore(numbers: readonly number[]): void {
    [this.sum.sum, this.sum.error] = numbers;
  }
}

export class DistinctMeasure implements Measure {
  private readonly counts = new Map<number, number>();

  get value(): number {
    return this.counts.size;
  }

  enter(_value: number, item: number): void {
    this.counts.set(item, (this.counts.get(item) ?? 0) + 1);
  }

  leave(_value: number, item: number): void {
    const left = (this.counts.get(item) ?? 0) - 1;
    if (left > 0) this.counts.set(item, left);
    else this.counts.delete(item);
  }

  save(): readonly number[] {
    return [];
  }

  restore(): void {}
}

// What value_percentile and value_median measure.

import { RankTree } from './rank-tree.ts';

export interface Ranks {
  enter(value: number, weight: number): void;
  leave(value: number, weight: number): void;
  /** `value` is the event's own. */
  measure(value: number): number;
}

/** The value at a percentile, by nearest rank: the least one that at least p percent of the events do not exceed. */
export class PercentileRanks implements Ranks {
  private readonly tree = new RankTree();
  private readonly percentile: number;

  constructor(percentile: number) {
    this.percentile = percentile;
  }

  enter(value: number, weight: number): void {
    this.tree.add(value, weight);
  }

  leave(value: number, weight: number): void {
    this.tree.add(value, -weight);
  }

  measure(): number {
    return this.tree.at(Math.ceil((this.percentile * this.tree.total) / 100));
  }
}

/** The middle value; of an even number the mean of the two in the middle. */
export class MedianRanks implements Ranks {
  private readonly tree = new RankTree();

  enter(value: number, weight: number): void {
    this.tree.add(value, weight);
  }

  leave(value: number, weight: number): void {
    this.tree.add(value, -weight);
  }

  measure(): number {
    const { total } = this.tree;
    return (this.tree.at(Math.floor((total + 1) / 2)) + this.tree.at(Math.floor(total / 2) + 1)) / 2;
  }
}

/** How rare the event's own value is: the percentage of events whose value occurs no more often than this one. */
export class RarityRanks implements Ranks {
  private readonly counts = new Map<number, number>();
  /** Number of occurrences → events with a value that occurs that often. */
  private readonly tree = new RankTree();

  enter(item: number, weight: number): void {
    this.shift(item, weight);
  }

  leave(item: number, weight: number): void {
    this.shift(item, -weight);
  }

  measure(item: number): number {
    return (100 * this.tree.upTo(this.counts.get(item) ?? 0)) / this.tree.total;
  }

  private shift(item: number, by: number): void {
    const before = this.counts.get(item) ?? 0;
    const after = before + by;
    if (before > 0) this.tree.add(before, -before);
    if (after > 0) {
      this.tree.add(after, after);
      this.counts.set(item, after);
    } else this.counts.delete(item);
  }
}

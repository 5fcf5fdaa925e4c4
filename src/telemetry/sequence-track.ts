// What is missing from one numbering of packets, whatever order its parts come in. Nothing is counted as lost before the numbering
// has come far enough beyond it, since a counter cannot take back what a late packet brings after all.

import { distance, endOf, mergeRuns, type Runs } from '../model/sequence-runs.ts';

/** Most runs (between which something is missing) of a numbering; beyond, the oldest gaps are settled early. */
const MOST_RUNS = 512;

export class SequenceTrack {
  /** Numbers since the track began; what came before is settled. */
  private runs: Runs;
  private readonly flows: boolean;
  /** What is missing for good, and not taken yet. */
  private settled = 0;
  /** Everything before is settled. */
  private base = -Infinity;
  /** First number after the highest. */
  head: number;
  /** Where the head was when another numbering of the exporter was last heard; then everything since came without it. */
  aloneFrom: number;
  /** Lowest number, as far as it was not settled with others. */
  start: number;
  /** Batches in which another numbering was heard since this one began. */
  together = 0;
  /** False while it may be no more than a straggler. */
  confirmed = false;

  constructor(runs: Runs, flows: boolean) {
    this.flows = flows;
    this.runs = runs;
    this.start = runs[0];
    this.head = endOf(runs, runs.length - 3, flows);
    this.aloneFrom = this.start;
  }

  /** How far a number is from the highest, either way. */
  away(number: number): number {
    return Math.abs(distance(number, this.head >>> 0));
  }

  /** Takes one run; its number is placed next to the head, so that numbers go on through a wrap. */
  add(run: Runs): void {
    const start = this.head + distance(run[0], this.head >>> 0);
    if (start < this.base) return; // too late: it was given up, or is there already
    this.start = Math.min(this.start, start);
    this.runs = mergeRuns(this.runs, [start, start + run[1] - run[0], run[2]], this.flows);
    this.head = Math.max(this.head, endOf(this.runs, this.runs.length - 3, this.flows));
  }

  /** Counts the gaps that end more than `reach` behind the head: what has not come for so long does not come any more. */
  settle(reach: number): void {
    const { runs, flows } = this;
    const limit = this.head - reach;
    let at = 0;
    while (at + 3 < runs.length && (runs[at + 3] <= limit || (runs.length - at) / 3 > MOST_RUNS)) {
      this.settled += runs[at + 3] - endOf(runs, at, flows);
      at += 3;
    }
    if (at === 0) return;
    this.runs = runs.slice(at);
    this.base = this.runs[0];
  }

  /** What is missing and may come yet. */
  get open(): number {
    const { runs, flows } = this;
    let open = 0;
    for (let at = 0; at + 3 < runs.length; at += 3) open += runs[at + 3] - endOf(runs, at, flows);
    return open;
  }

  /** What is missing for good since the last time. */
  take(): number {
    const { settled } = this;
    this.settled = 0;
    return settled;
  }
}

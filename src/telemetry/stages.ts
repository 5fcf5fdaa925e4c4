// What is under way in the stages of the pipeline, and since when. The first thing to begin is the first in the set, so the oldest
// is found without looking at the others.

export const STAGES = ['match', 'correlate', 'close', 'journal', 'write', 'commit'] as const;
export type Stage = (typeof STAGES)[number];

export interface UnderWay {
  readonly stage: Stage;
  /** Lane, or sink of a write. */
  readonly of: string;
  /** As `performance.now()` tells it. */
  readonly since: number;
}

/** Told what one task of a stage took. */
export type StageListener = (stage: Stage, seconds: number) => void;

export class Stages {
  private readonly running = new Set<UnderWay>();
  private readonly listener: StageListener;

  constructor(listener: StageListener = () => {}) {
    this.listener = listener;
  }

  /** Runs a task of a stage, once a batch or block. */
  async time<T>(stage: Stage, of: string, task: () => Promise<T>): Promise<T> {
    const entry: UnderWay = { stage, of, since: performance.now() };
    this.running.add(entry);
    try {
      return await task();
    } finally {
      this.running.delete(entry);
      this.listener(stage, (performance.now() - entry.since) / 1000);
    }
  }

  /** What began first of all that has not ended. */
  get oldest(): UnderWay | null {
    for (const entry of this.running) return entry;
    return null;
  }
}

// One lane's share of the pipeline: a lane, for as long as this process has it.

import type { Lane } from './lane.ts';

export interface LaneRun {
  readonly lane: Lane;
  /** Aborts when the lane is taken away: what was taken is still stored and committed, if it is not fenced before that. */
  readonly revoked: AbortSignal;
  /** Called once the lane has ended in good order, or was fenced. */
  ended(): void;
}

/** Lanes that are there from the start and stay: those of files. */
export async function* lanesAtOnce(lanes: readonly Lane[]): AsyncGenerator<LaneRun> {
  const revoked = new AbortController().signal;
  for (const lane of lanes) yield { lane, revoked, ended: () => {} };
}

// The whole way of a batch, from source to committed offset.

import type { Reach } from './delivery/crashpoints.ts';
import { inOrder } from './delivery/in-order.ts';
import type { Lane } from './delivery/lane.ts';
import type { LaneItem } from './delivery/lane-input.ts';
import { Fenced } from './delivery/lane-log.ts';
import type { LaneRun } from './delivery/lane-run.ts';
import type { Router } from './delivery/router.ts';
import type { Matched } from './model/work.ts';

export interface PipelineParts {
  /** Lanes as they come: all at once for files, whenever one is assigned for Kafka. Must end when `signal` aborts. */
  readonly lanes: (signal: AbortSignal) => AsyncIterable<LaneRun>;
  readonly router: Router;
  readonly reach: Reach;
}

/** How often blocks of a silent input are looked at, ms. */
const TICK_MS = 250;

/** Runs every lane to the end of its input, or until `signal` asks to stop; returns when all is stored and committed. */
export async function runPipeline(parts: PipelineParts, signal: AbortSignal): Promise<void> {
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const fail = (error: unknown): void => failed.abort(error); // one lane's broken world stops the others in good order
  const runs: Promise<void>[] = [];
  for await (const { lane, revoked, ended } of parts.lanes(stop)) {
    const run = runLane(lane, parts, AbortSignal.any([stop, revoked]))
      .catch((error: unknown) => {
        if (!(error instanceof Fenced)) fail(error); // a fenced lane goes on elsewhere: nothing is lost
      })
      .then(() => parts.router.closeLane(lane.name))
      .then(ended, fail);
    runs.push(run);
  }
  await Promise.all(runs);
  if (failed.signal.aborted) throw failed.signal.reason;
}

async function runLane(lane: Lane, { router, reach }: PipelineParts, stop: AbortSignal): Promise<void> {
  const broken = new AbortController();
  const signal = AbortSignal.any([stop, broken.signal]);
  await lane.open(); // state as of the last commit
  const input = lane.input(signal); // unfinished blocks of the journal first; over budget the source waits (guarantee 4)
  const match = async (item: LaneItem): Promise<Matched | null> => {
    if (item.kind === 'boundary') return null;
    const { bytes, segments, ranges } = item.batch;
    const appendedAtMs = ranges[0]?.appendedAtMs ?? 0;
    const batch = { bytes, segments, appendedAtMs, parked: item.parked };
    return router.match(lane.name, item.control, batch).finally(() => item.batch.release());
  };
  const ticker = setInterval(() => lane.closeIfDue().catch(() => broken.abort()), TICK_MS); // finish() says why
  try {
    for await (const { item, result } of inOrder(input, match, router.workers * 2 + 1)) {
      reach('after-match');
      await lane.take(item, result); // correlate in stream order; journal and write blocks; commit what every store holds
    }
  } finally {
    clearInterval(ticker);
  }
  await lane.finish(!signal.aborted);
}

// The log of a lane, watched: how long its writes take, and whether another owner has the lane by now.

import type { Telemetry } from '../telemetry/telemetry.ts';
import { Fenced, type LaneLog } from './lane-log.ts';

export function watchedLog(log: LaneLog, lane: string, { metrics, stages }: Telemetry): LaneLog {
  let fenced = false;
  const noted = (error: unknown): never => {
    if (error instanceof Fenced && !fenced) {
      fenced = true; // every write after the first fails likewise
      metrics.add('weir_fencings_total', 1);
    }
    throw error;
  };
  return {
    commit: log.commit,
    pending: log.pending,
    append: (line, outgoing) => stages.time('journal', lane, () => log.append(line, outgoing)).catch(noted),
    save: (commit) => stages.time('commit', lane, () => log.save(commit)).catch(noted),
    close: () => log.close(),
  };
}

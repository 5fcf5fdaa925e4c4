// What a batch tells of the exporters of its flows, for metrics: flows columns → one line an exporter. One comparison a flow where
// neighbours come from the same exporter, as they mostly do, and nothing for batches whose flows name none.

import type { Dictionary } from '../src/model/dictionary.ts';
import type { FlowColumns } from '../src/model/flow.ts';
import type { ExporterSight } from '../src/model/work.ts';

const NONE: readonly ExporterSight[] = [];

interface Sight {
  flows: number;
  newestMs: number;
}

/** At most `most` exporters, the first of the batch. */
export function exportersOf(flows: FlowColumns, dictionary: Dictionary, most: number): readonly ExporterSight[] {
  const { length, exporter, timeMs, durationMs } = flows;
  if (length === 0 || most === 0 || (exporter[0] === 0 && exporter[length - 1] === 0)) return NONE;
  const sights = new Map<number, Sight>();
  let last = -1;
  let sight: Sight | undefined;
  for (let i = 0; i < length; i++) {
    const id = exporter[i];
    if (id !== last) {
      last = id;
      sight = sights.get(id);
      if (sight === undefined && id !== 0 && sights.size < most) {
        sight = { flows: 0, newestMs: -Infinity };
        sights.set(id, sight);
      }
    }
    if (sight === undefined) continue;
    sight.flows++;
    const endMs = timeMs[i] + Math.max(0, durationMs[i]);
    if (endMs > sight.newestMs) sight.newestMs = endMs;
  }
  return Array.from(sights, ([id, found]) => ({ exporter: dictionary.text(id), ...found }));
}

// What a batch tells of the exporters of its flows, for metrics: flows columns → one line an exporter. One comparison a flow where
// neighbours come from the same exporter, as they mostly do, and nothing for batches whose flows name none.

import type { Tenant } from '../src/model/control.ts';
import type { Decoded } from '../src/model/decoded.ts';
import { runsOf } from '../src/model/sequences.ts';
import type { ExporterSight, SequenceSight } from '../src/model/work.ts';

const NONE: readonly ExporterSight[] = [];

interface Sight {
  flows: number;
  failures: number;
  newestMs: number;
}

/** At most `most` exporters, the first of the batch. */
export function exportersOf({ flows, failures, dictionary }: Decoded, most: number): readonly ExporterSight[] {
  const { length, exporter, timeMs, durationMs } = flows;
  const named = length > 0 && (exporter[0] !== 0 || exporter[length - 1] !== 0);
  if (most === 0 || (!named && failures.size === 0)) return NONE;
  const sights = new Map<number, Sight>();
  let last = -1;
  let sight: Sight | undefined;
  for (let i = 0; named && i < length; i++) {
    const id = exporter[i];
    if (id !== last) {
      last = id;
      sight = sights.get(id);
      if (sight === undefined && id !== 0 && sights.size < most) {
        sight = { flows: 0, failures: 0, newestMs: -Infinity };
        sights.set(id, sight);
      }
    }
    if (sight === undefined) continue;
    sight.flows++;
    const endMs = timeMs[i] + Math.max(0, durationMs[i]);
    if (endMs > sight.newestMs) sight.newestMs = endMs;
  }
  for (const [id, count] of failures) {
    const known = sights.get(id);
    if (known !== undefined) known.failures = count;
    else if (sights.size < most) sights.set(id, { flows: 0, failures: count, newestMs: -Infinity });
  }
  return Array.from(sights, ([id, found]) => ({ exporter: dictionary.text(id), ...found }));
}

/** The sequence numbers of at most `most.exporters` exporters (tenant by tenant), as runs. */
export function sequencesOf(
  { sequences, dictionary }: Decoded,
  tenants: readonly Tenant[],
  most: { readonly tenants: number; readonly exporters: number },
): readonly SequenceSight[] {
  return sequences.all.slice(0, most.exporters).map((group) => {
    const { id, slug } = tenants[group.tenant];
    const tenant = group.tenant < most.tenants ? slug || id : 'other';
    const exporter = dictionary.text(group.exporter);
    return { exporter, tenant, owner: id, type: group.type, domain: group.domain, runs: runsOf(group) };
  });
}

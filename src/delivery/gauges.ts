// What lanes and memory are at, asked for when it is scraped.

import type { SlabPool } from '../model/slabs.ts';
import type { Metrics } from '../telemetry/registry.ts';
import type { Lane } from './lane.ts';
import type { RunCounts } from './summary.ts';

export interface LaneGauges {
  readonly counts: RunCounts;
  /** Lanes that are open now. */
  readonly lanes: () => readonly Lane[];
  readonly slabs: SlabPool;
}

export function reportLanes({ counts, lanes, slabs }: LaneGauges): void {
  const { metrics } = counts;
  metrics.onScrape(() => {
    const open = lanes();
    const sum = (count: (lane: Lane) => number): number => open.reduce((total, lane) => total + count(lane), 0);
    metrics.set('weir_lanes_owned', open.length);
    metrics.set(
      'weir_open_blocks',
      sum(({ blocks }) => blocks.open),
    );
    metrics.set(
      'weir_unwritten_blocks',
      sum(({ blocks }) => blocks.unwritten),
    );
    metrics.set(
      'weir_parked_tenants',
      sum(({ parked }) => parked.length),
    );
    metrics.set('weir_in_flight_bytes', slabs.used * slabs.size, { what: 'slabs' });
    metrics.set('weir_budget_bytes', slabs.count * slabs.size, { what: 'slabs' });
    metrics.set('weir_paused_sources', slabs.waiters, { what: 'slabs' });
    reportTenants(metrics, counts, new Set(open.map(({ name }) => name)));
  });
}

/** A tenant's records may come in several lanes: the one that is furthest counts. Lanes that went elsewhere do not. */
function reportTenants(metrics: Metrics, { progress }: RunCounts, open: ReadonlySet<string>): void {
  const newest = new Map<string, { newestMs: number; watermarkMs: number }>();
  for (const [lane, tenants] of progress) {
    if (!open.has(lane)) progress.delete(lane);
    else
      for (const { tenant, newestMs, watermarkMs } of tenants)
        if (newestMs > (newest.get(tenant)?.newestMs ?? -Infinity)) newest.set(tenant, { newestMs, watermarkMs });
  }
  metrics.clear('weir_newest_event_timestamp_seconds');
  metrics.clear('weir_watermark_timestamp_seconds');
  for (const [tenant, { newestMs, watermarkMs }] of newest) {
    metrics.set('weir_newest_event_timestamp_seconds', newestMs / 1000, { tenant });
    metrics.set('weir_watermark_timestamp_seconds', watermarkMs / 1000, { tenant });
  }
}

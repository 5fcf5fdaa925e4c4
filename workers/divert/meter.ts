// Counts the records of tenants that have a quota, batch by batch. Costs nothing where nobody has one.

import type { RawBatch } from '../../src/model/batch.ts';
import type { ControlSnapshot } from '../../src/model/control.ts';
import type { Decoded } from '../../src/model/decoded.ts';
import type { QuotaUse } from '../../src/model/work.ts';

export interface Meter {
  /** One record of a tenant (by index). */
  count(tenant: number): void;
  /** All records that a batch holds, but for those that come from the overflow: they were counted when they came in. */
  countAll(batch: RawBatch, decoded: Decoded): void;
  /** What was counted since the last take. */
  take(): QuotaUse[];
}

const FREE: Meter = { count: () => {}, countAll: () => {}, take: () => [] };

export function createMeter({ tenants }: ControlSnapshot): Meter {
  const limited = Uint8Array.from(tenants, ({ quota }) => (quota === undefined ? 0 : 1));
  if (!limited.includes(1)) return FREE;
  const counts = new Uint32Array(tenants.length);
  const count = (tenant: number): void => {
    counts[tenant]++;
  };
  return {
    count,
    countAll: ({ segments }, { flows, logs, sessions, tunnels }) => {
      const counted = Uint8Array.from(segments, ({ diverted }) => (diverted === 'overflow' ? 0 : 1));
      for (let i = 0; i < flows.length; i++) counts[flows.tenant[i]] += counted[flows.segment[i]];
      for (const events of [logs, sessions, tunnels])
        for (const { tenant, segment } of events) counts[tenant] += counted[segment];
    },
    take: () => {
      const uses = tenants.flatMap(({ id }, index) =>
        limited[index] === 1 && counts[index] > 0 ? [{ tenant: id, records: counts[index] }] : [],
      );
      counts.fill(0);
      return uses;
    },
  };
}

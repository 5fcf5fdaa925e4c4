// Which tenants are parked: over their quota, so that all their later records of the lane go to the overflow, and are read from
// there at low priority. A token bucket over append time, so that reading an old backlog fast parks nobody. What it decides is
// journaled with the blocks it holds for, so it need not be decided again.

import type { ControlSnapshot, Quota } from '../model/control.ts';
import type { QuotaUse } from '../model/work.ts';

interface Bucket {
  /**
   * Thousandths of records that may still come (whole, so that sums are exact); below 0 the tenant is over its quota. Never below
   * -burst, so that nobody pays for ever.
   */
  level: number;
  /** Append time up to which it has been filled, ms since 1970. */
  atMs: number;
}

const UNIT = 1000;

export class Parking {
  /** UUIDs, sorted: in force from the next batch on. */
  parked: readonly string[];
  private quotas: ReadonlyMap<string, Quota> = new Map();
  private readonly buckets = new Map<string, Bucket>();
  /** Append time of what came in last, ms since 1970. It never goes back. */
  private clockMs = 0;

  constructor(parked: readonly string[]) {
    this.parked = parked;
  }

  /** A control snapshot comes into force. */
  apply({ tenants }: ControlSnapshot): void {
    this.quotas = new Map(tenants.flatMap(({ id, quota }) => (quota === undefined ? [] : [[id, quota]])));
    for (const tenant of this.buckets.keys()) if (!this.quotas.has(tenant)) this.buckets.delete(tenant);
  }

  /** Records that the parked tenants may send, all together: per second, and at once. */
  get share(): Quota {
    let rate = 0;
    let burst = 0;
    for (const tenant of this.parked) {
      rate += this.quotas.get(tenant)?.rate ?? 0;
      burst += this.quotas.get(tenant)?.burst ?? 0;
    }
    return { rate, burst };
  }

  /** Records came in, appended up to `appendedMs`. True when a tenant is parked for it. */
  came(uses: readonly QuotaUse[], appendedMs: number): boolean {
    this.clockMs = Math.max(this.clockMs, appendedMs);
    const before = this.parked.length;
    for (const { tenant, records } of uses) {
      const quota = this.quotas.get(tenant);
      if (quota === undefined) continue;
      const bucket = this.filled(tenant, quota, this.clockMs);
      bucket.level = Math.max(-quota.burst * UNIT, bucket.level - records * UNIT);
      if (bucket.level < 0 && !this.parked.includes(tenant)) this.parked = [...this.parked, tenant].sort();
    }
    return this.parked.length > before;
  }

  /** Tenants that would still be over their quota; with half of the burst free again one is not. `nowMs`: append time that is reached. */
  still(nowMs = this.clockMs): readonly string[] {
    return this.parked.filter((tenant) => {
      const quota = this.quotas.get(tenant);
      return quota !== undefined && this.filled(tenant, quota, nowMs).level < (quota.burst * UNIT) / 2;
    });
  }

  private filled(tenant: string, quota: Quota, nowMs: number): Bucket {
    const bucket = this.buckets.get(tenant) ?? { level: quota.burst * UNIT, atMs: nowMs };
    this.buckets.set(tenant, bucket);
    const elapsedMs = Math.max(0, nowMs - bucket.atMs);
    bucket.level = Math.min(quota.burst * UNIT, bucket.level + elapsedMs * quota.rate);
    bucket.atMs = Math.max(bucket.atMs, nowMs);
    return bucket;
  }
}

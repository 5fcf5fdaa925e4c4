// Whether partitions of the flow table stay small enough at a rate of flows.

import type { Findings } from './check.ts';
import { bytes, duration } from './check.ts';

/** Of a flow in ScyllaDB, compressed: 100 MB after some 11 minutes at 1,000 flows/s. */
const FLOW_BYTES = 150;
/** What Cassandra's documentation advises as the most, and where both servers begin to suffer. */
const ADVISED = 100e6;
const HARMFUL = 1e9;

export interface FlowRate {
  /** Of the busiest tenant and PoP together, as they are the partition key. */
  readonly perSecond: number;
  readonly from: string;
}

export function checkFlowKey(
  findings: Findings,
  { bucketMs, retentionDays, rate }: { bucketMs: number; retentionDays: number; rate: FlowRate | null },
): void {
  const name = 'flow key';
  const key = bucketMs > 0 ? `the key with a bucket of ${duration(bucketMs)}` : 'the plain flow key (tenant, PoP)';
  if (rate === null) {
    if (bucketMs > 0) findings.ok(name, `${key}: partitions end with their bucket`);
    else
      findings.unchecked(
        name,
        `${key} lets a partition grow for as long as flows are kept, and no rate is known`,
        'give the flows a second of the busiest tenant and PoP with --rate.',
      );
    return;
  }
  // Kept for ever is at least a year for this purpose.
  const keptMs = (retentionDays > 0 ? retentionDays : 365) * 86_400_000;
  const spanMs = bucketMs > 0 ? Math.min(bucketMs, keptMs) : keptMs;
  const size = (rate.perSecond * spanMs * FLOW_BYTES) / 1000;
  const said = rate.perSecond >= 10 ? Math.round(rate.perSecond) : Number(rate.perSecond.toPrecision(2));
  const text = `${key} makes partitions of about ${bytes(size)} at ${said} flows/s of one tenant and PoP (${rate.from})`;
  if (size <= ADVISED) {
    findings.ok(name, text);
    return;
  }
  const fitting = Math.max(60, Math.floor(ADVISED / FLOW_BYTES / rate.perSecond / 60) * 60);
  const todo = `set scylla.flow_bucket: ${fitting}s or less and migrate a new keyspace (a key cannot be changed in place); below ${bytes(ADVISED)} is advised.`;
  if (size > HARMFUL) findings.problem(name, text, todo);
  else findings.warning(name, text, todo);
}

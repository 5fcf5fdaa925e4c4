// What the ScyllaDB side of a worker offers the encoder: rows of a batch, encoded for later writing.

import type { FlowColumns } from '../../src/model/flow.ts';
import type { SessionEvent, TunnelStat } from '../../src/model/records.ts';
import type { Encoded } from '../parcels.ts';

export interface ScyllaEncoder {
  flows(flows: FlowColumns): Encoded;
  sessions(events: readonly SessionEvent[]): Encoded;
  tunnels(stats: readonly TunnelStat[]): Encoded;
}

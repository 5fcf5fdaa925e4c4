// What the ScyllaDB side of a worker offers the encoder: rows of a batch, encoded for later writing.

import type { RawBatch } from '../../src/model/batch.ts';
import type { FlowColumns } from '../../src/model/flow.ts';
import type { SessionEvent, TunnelStat } from '../../src/model/records.ts';
import type { Encoded } from '../parcels.ts';

export interface ScyllaEncoder {
  flows(flows: FlowColumns): Encoded;
  sessions(events: readonly SessionEvent[], batch: RawBatch): Encoded;
  tunnels(stats: readonly TunnelStat[], batch: RawBatch): Encoded;
}

// ScyllaDB or Cassandra: the workers keep the rows and write them, each on a session of its own; here they are told to.

import type { BlockSink, Isolation, ParcelCarrier, StoreBlock } from '../sink.ts';

export class ScyllaSink implements BlockSink {
  private readonly carrier: ParcelCarrier;

  constructor(carrier: ParcelCarrier) {
    this.carrier = carrier;
  }

  async write({ parcels = [] }: StoreBlock): Promise<void> {
    await this.carrier.deliver(parcels);
  }

  isolate({ parcels = [] }: StoreBlock, isolation: Isolation): Promise<void> {
    return this.carrier.isolate(parcels, isolation);
  }

  async close(): Promise<void> {}
}

// A keyspace of its own on a real Cassandra, and rows as the decoders make them.

import { randomUUID } from 'node:crypto';
import { Client, types } from 'cassandra-driver';
import type { RawBatch } from '../../src/model/batch.ts';
import { Dictionary } from '../../src/model/dictionary.ts';
import type { FlowColumns } from '../../src/model/flow.ts';
import type { ScyllaSettings } from '../../src/model/outputs.ts';
import type { SessionEvent, TunnelStat } from '../../src/model/records.ts';
import { migrateScylla } from '../../src/sinks/scylla/schema.ts';
import { startServices } from '../../test/services/index.ts';
import { ACME, segment as segmentOf, snapshotOf } from '../decode/fixture.test-support.ts';
import { createScyllaEncoder, type ScyllaParcel } from './encoder.ts';

export const SNAPSHOT = snapshotOf({
  policies: [{ id: 'p-ü', version: 4_294_967_295 }] as never,
});
export const TENANT = ACME;
export const APPENDED_AT = Date.UTC(2026, 10, 1);

export const segment = segmentOf();
export const BATCH: RawBatch = { appendedAtMs: APPENDED_AT, bytes: new Uint8Array(1000), segments: [segment] };

export function settingsOf(more: Partial<ScyllaSettings> = {}): ScyllaSettings {
  return {
    contactPoints: ['127.0.0.1:1'],
    localDataCenter: 'datacenter1',
    keyspace: 'weir',
    username: '',
    password: '',
    tls: null,
    consistency: 'one',
    batchBytes: 4096,
    inFlight: 64,
    flowBucketMs: 0,
    requestTimeoutMs: 12_000,
    ...more,
  };
}

export interface Cassandra {
  readonly client: Client;
  readonly settings: ScyllaSettings;
  rows(query: string, parameters?: readonly unknown[]): Promise<types.Row[]>;
  close(): Promise<void>;
}

export async function openCassandra(flowBucketMs: number): Promise<Cassandra> {
  const services = await startServices(['cassandra']);
  const { contactPoint, localDataCenter } = services.cassandra;
  const keyspace = `test_${randomUUID().replaceAll('-', '')}`;
  const socketOptions = { readTimeout: 30_000 };
  const client = new Client({ contactPoints: [contactPoint], localDataCenter, socketOptions });
  await client.connect();
  const retention = { flows: 7, sessions: 1, tunnel_stats: 30 };
  await migrateScylla(client, { keyspace, localDataCenter, replication: 1, bucketed: flowBucketMs > 0, retention });
  return {
    client,
    settings: settingsOf({ contactPoints: [contactPoint], localDataCenter, keyspace, flowBucketMs }),
    rows: async (query, parameters = []) =>
      (await client.execute(query.replaceAll('{keyspace}', keyspace), parameters as never, { prepare: true })).rows,
    async close() {
      await client.execute(`DROP KEYSPACE ${keyspace}`).catch(() => {});
      await client.shutdown();
      await services.stop();
    },
  };
}

export function sessionEvent(more: Partial<SessionEvent> = {}): SessionEvent {
  return {
    tenant: 0,
    sessionId: '99999999-9999-4999-8999-999999999999',
    userId: '',
    deviceId: '',
    sourceIp: '',
    startedAtMs: 0,
    status: 'active',
    metadata: {},
    id: randomUUID(),
    ms: APPENDED_AT - 1000,
    ns: 0,
    segment: 0,
    rawStart: 0,
    rawLength: 1,
    ...more,
  };
}

export function tunnelStat(more: Partial<TunnelStat> = {}): TunnelStat {
  return {
    tenant: 0,
    pop: 'fra1',
    tunnelId: '88888888-8888-4888-8888-888888888888',
    latencyMs: 1,
    jitterMs: 2,
    packetLossPercent: 0.5,
    rxBytes: 3n,
    txBytes: 4n,
    uptimeSeconds: 5n,
    id: randomUUID(),
    ms: APPENDED_AT - 1000,
    ns: 7,
    segment: 0,
    rawStart: 0,
    rawLength: 1,
    ...more,
  };
}

/** What the encoder gives, as the writer takes it. */
export interface ParcelEncoder {
  flows(flows: FlowColumns): ScyllaParcel;
  sessions(events: readonly SessionEvent[], batch: RawBatch): ScyllaParcel;
  tunnels(stats: readonly TunnelStat[], batch: RawBatch): ScyllaParcel;
}

export function encoderOf(settings: ScyllaSettings, dictionary = new Dictionary()): ParcelEncoder {
  return createScyllaEncoder(SNAPSHOT, dictionary, settings) as ParcelEncoder;
}

/** A row as the driver reads it, in plain values: times in ms, numbers beyond doubles and addresses as text. */
export function shown(row: types.Row | undefined): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row ?? {}).map(([name, value]) => [name, plainOf(value)]));
}

function plainOf(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Date) return value.getTime();
  if (value instanceof types.InetAddress) return value.getBuffer().toString('hex'); // its text is not always right
  return Object.getPrototypeOf(value) === Object.prototype ? value : String(value);
}

// The bytes of a lane's state: written between batches, read after a restart or on another worker.
//
// u32 magic, u32 format version, lane, stream names; then a tenant: id, clocks (dataset, highest and first event time, what the last
// tick found: from format version 3 on),
// rules (identity, length, what RuleState.save wrote).

import { ByteWriter } from '../../src/model/bytes.ts';
import { ByteReader, DamagedSnapshot } from './byte-reader.ts';
import type { Clock } from './clock.ts';
import type { StreamNames } from './evidence-pool.ts';
import type { TenantState } from './tenant-state.ts';

const MAGIC = 0x524f4357; // 'WCOR'
export const FORMAT_VERSION = 4;
/** Those before can be read too, since instances of both versions share a group during an upgrade. */
const OLDEST_VERSION = 2;

export type SavedClock = Pick<Clock, 'dataset' | 'maxMs' | 'firstMs' | 'tickedMs' | 'sinceMs'>;

export interface SavedTenant {
  readonly id: string;
  readonly clocks: readonly SavedClock[];
  /** The bytes are read when it is known which rules are in force. */
  readonly rules: readonly { readonly identity: string; readonly bytes: Uint8Array }[];
}

export interface SavedLane {
  readonly version: number;
  readonly names: readonly string[];
  readonly tenants: readonly SavedTenant[];
}

export function writeLane(lane: string, tenants: readonly TenantState[], names: StreamNames): Uint8Array {
  const used = new Map<number, number>();
  const streamOf = (stream: number): number => {
    let position = used.get(stream);
    if (position === undefined) {
      position = used.size;
      used.set(stream, position);
    }
    return position;
  };
  const body = new ByteWriter();
  const state = new ByteWriter();
  body.varint(tenants.length);
  for (const tenant of tenants) {
    body.string(tenant.tenant.id);
    body.varint(tenant.clocks.size);
    for (const clock of tenant.clocks.values()) {
      body.string(clock.dataset);
      body.f64(clock.maxMs);
      body.f64(clock.firstMs);
      body.f64(clock.tickedMs);
      body.f64(clock.sinceMs);
    }
    const rules = [...tenant.states()];
    body.varint(rules.length);
    for (const rule of rules) {
      state.reset();
      rule.save(state, streamOf);
      body.string(rule.compiled.identity);
      body.varint(state.length);
      body.raw(state.bytes.subarray(0, state.length));
    }
  }
  const out = new ByteWriter(body.length + 1024);
  out.u32(MAGIC);
  out.u32(FORMAT_VERSION);
  out.string(lane);
  out.varint(used.size);
  for (const stream of used.keys()) out.string(names.name(stream));
  out.raw(body.bytes.subarray(0, body.length));
  return out.take();
}

export function readLane(lane: string, bytes: Uint8Array): SavedLane {
  const reader = new ByteReader(bytes);
  if (reader.u32() !== MAGIC) throw new DamagedSnapshot('these bytes are no correlation snapshot');
  const version = reader.u32();
  if (version < OLDEST_VERSION || version > FORMAT_VERSION)
    throw new DamagedSnapshot(
      `the correlation snapshot has format version ${version}; this version of Weir reads ${OLDEST_VERSION} to ${FORMAT_VERSION}`,
    );
  const owner = reader.string();
  if (owner !== lane) throw new DamagedSnapshot(`the correlation snapshot is of lane ${owner}, not of ${lane}`);
  const names = list(reader, () => reader.string());
  const tenants = list(reader, () => ({
    id: reader.string(),
    clocks: list(reader, () => ({
      dataset: reader.string(),
      maxMs: reader.f64(),
      firstMs: reader.f64(),
      tickedMs: version > 2 ? reader.f64() : -Infinity,
      sinceMs: version > 2 ? reader.f64() : 0,
    })),
    rules: list(reader, () => ({ identity: reader.string(), bytes: reader.raw(reader.varint()).slice() })),
  }));
  if (!reader.done) throw new DamagedSnapshot('the correlation snapshot has bytes too many');
  return { version, names, tenants };
}

function list<T>(reader: ByteReader, read: () => T): T[] {
  const items: T[] = [];
  for (let count = reader.varint(); count > 0; count--) items.push(read());
  return items;
}

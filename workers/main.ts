// Entry of a worker thread (piscina): the tasks by name. Control snapshots are installed once and named by hash after that.

import { Piscina } from 'piscina';
import type { RawBatch } from '../src/model/batch.ts';
import type { ControlSnapshot } from '../src/model/control.ts';
import type { OutputName, WorkerSetup } from '../src/model/outputs.ts';
import type {
  BlockEffects,
  BlockEnd,
  DeliveryOutcome,
  Matched,
  RecordTimes,
  RefusedOfBatch,
  RefusedRecords,
  SpoolOutcome,
} from '../src/model/work.ts';
import { createKit, type WorkerKit } from './kit.ts';
import { Parcels, type ParcelWriter } from './parcels.ts';
import { refuse } from './refuse.ts';
import { ScyllaWriter } from './scylla/writer.ts';
import { closeBlock, correlate, createLaneState, type LaneState, match } from './shard.ts';
import { timesOf } from './times.ts';

/** At most the snapshot in force, the one coming into force and one that recovery follows. */
const MAX_KITS = 3;

const setup = Piscina.workerData as WorkerSetup;
const parcels = new Parcels(setup.scylla ? (new ScyllaWriter(setup.scylla) as ParcelWriter) : null);
const kits = new Map<string, WorkerKit>();
const lanes = new Map<string, LaneState>();

function kitOf(hash: string): WorkerKit {
  const kit = kits.get(hash);
  if (!kit) throw new Error(`control snapshot ${hash} is not installed in this worker`);
  return kit;
}

function laneOf(lane: string): LaneState {
  const state = lanes.get(lane);
  if (!state) throw new Error(`lane ${lane} is not open in this worker`);
  return state;
}

/** Hands buffers over instead of copying them. */
function moved<T extends object>(value: T, arrays: readonly Uint8Array[]): T {
  const transfer = new Set(arrays.map((array) => array.buffer as ArrayBuffer));
  const movable = { [Piscina.transferableSymbol]: [...transfer], [Piscina.valueSymbol]: value };
  return Piscina.move(movable as never) as unknown as T;
}

export function install(task: { snapshot: ControlSnapshot }): void {
  const { snapshot } = task;
  const known = kits.get(snapshot.hash) ?? createKit(snapshot, setup, parcels);
  kits.delete(snapshot.hash);
  kits.set(snapshot.hash, known);
  if (kits.size > MAX_KITS) kits.delete(kits.keys().next().value as string);
}

export function matchBatch(task: { lane: string; control: string; batch: RawBatch }): Matched {
  parcels.lane = task.lane;
  const matched = match(kitOf(task.control), task.batch);
  const messages = matched.rows.flatMap(({ parcel, bytes }) => (parcel ? [] : [bytes]));
  return moved(matched, [...messages, matched.hits, matched.rollup]);
}

/** Decodes a batch again, for the records whose rows a store refused. */
export function refuseRows(task: {
  lane: string;
  control: string;
  batch: RawBatch;
  table: OutputName;
  refused: readonly RefusedOfBatch[];
}): RefusedRecords {
  parcels.lane = task.lane;
  return refuse(kitOf(task.control), task.batch, task.table, task.refused);
}

export function recordTimes(task: { control: string; batch: RawBatch }): RecordTimes {
  return timesOf(kitOf(task.control), task.batch);
}

/** Opens a lane, from a snapshot of its state if there is one. */
export function openLane(task: { lane: string; control: string; state: Uint8Array | null }): void {
  const state = createLaneState(task.lane);
  lanes.set(task.lane, state);
  applyControl(task);
  if (task.state) state.correlator.restore(task.state);
}

export function applyControl(task: { lane: string; control: string }): void {
  const kit = kitOf(task.control);
  laneOf(task.lane).correlator.apply(kit.snapshot, kit.rules);
}

/** Returns how many rollup rows wait for the next commit. */
export function correlateBatch(task: { lane: string; hits: Uint8Array; rollup: Uint8Array }): number {
  const lane = laneOf(task.lane);
  correlate(lane, task.hits, task.rollup);
  return lane.rollups.rows;
}

export function closeLane(task: { lane: string }): void {
  lanes.delete(task.lane);
  parcels.drop(task.lane);
}

/** Writes rows that this worker keeps to the store. */
export function deliver(task: { ids: readonly number[] }): Promise<DeliveryOutcome> {
  return parcels.deliver(task.ids);
}

/** Writes them to a file. */
export function spool(task: { ids: readonly number[]; path: string }): SpoolOutcome {
  return parcels.spool(task.ids, task.path);
}

/** Hands copies of them over. */
export function collect(task: { ids: readonly number[] }): Uint8Array[] {
  const blocks = parcels.collect(task.ids);
  return moved(blocks, blocks);
}

export function forget(task: { ids: readonly number[] }): void {
  parcels.forget(task.ids);
}

export function disconnect(): Promise<void> {
  return parcels.close();
}

export function closeLaneBlock(task: { lane: string } & BlockEnd): BlockEffects {
  const effects = closeBlock(laneOf(task.lane), setup, task);
  const arrays = effects.rows.map((rows) => rows.bytes);
  return moved(effects, effects.snapshot ? [...arrays, effects.snapshot] : arrays);
}

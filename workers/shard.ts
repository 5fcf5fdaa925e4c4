// The two things that a worker does: `match` turns a raw batch into rows and hits, `correlate` turns hits into alerts.

import type { RawBatch } from '../src/model/batch.ts';
import type { WorkerSetup } from '../src/model/outputs.ts';
import type { TableRows } from '../src/model/tables.ts';
import type { BlockEffects, BlockEnd, Matched } from '../src/model/work.ts';
import { Correlator } from './correlate/index.ts';
import { alertMessages } from './encode/alert-messages.ts';
import { encodeRows } from './encode/index.ts';
import { exportersOf, sequencesOf } from './exporters.ts';
import { countsOf, type WorkerKit } from './kit.ts';
import { RollupMerge, rollUp } from './rollup/index.ts';
import { decodeAnew, enrichAndDecide } from './stages.ts';

/** Pure: the same batch and control snapshot give the same bytes on any worker (guarantee 2). */
export function match(kit: WorkerKit, packed: RawBatch): Matched {
  const { decoded, dictionary, snapshot } = kit;
  const batch = decodeAnew(kit, packed); // bytes to columns; a bad record becomes a reject, never a throw
  const detours = kit.divert(batch, decoded); // records of tenants whose lane is another one, or who are over their quota
  enrichAndDecide(kit);
  if (kit.detect) kit.matchRules(batch, decoded, kit.hits);
  const rollup = kit.detect ? rollUp(decoded.flows, dictionary, snapshot) : NOTHING;
  const rows = kit.encode(batch, decoded);
  rows.push(...detours.rows);
  const exporters = exportersOf(decoded, kit.told.exporters);
  const sequences = sequencesOf(decoded, snapshot.tenants, kit.told);
  const { quotas } = detours;
  return { rows, rollup, hits: kit.hits.take(), counts: countsOf(decoded), exporters, sequences, quotas };
}

/** An instance that only stores rolls nothing up. */
const NOTHING = new Uint8Array(0);

/** All that a lane remembers. Lives on the lane's home worker; everything in it is in `snapshot()`. */
export interface LaneState {
  readonly correlator: Correlator;
  /** Rollups since the last commit; every commit writes them, so no snapshot holds them. */
  readonly rollups: RollupMerge;
}

export function createLaneState(lane: string): LaneState {
  return { correlator: new Correlator(lane), rollups: new RollupMerge() };
}

/** Stateful: the matched batches of one lane, in stream order. */
export function correlate(state: LaneState, hits: Uint8Array, rollup: Uint8Array): void {
  state.correlator.add(hits);
  state.rollups.add(rollup);
}

/**
 * Closes the lane's block: the alerts that fell due in it and, with a commit, the rollups since the last one and the state.
 * `end`: the input has ended. `tickMs`: everything appended before this moment is in; 0 for no tick.
 */
export function closeBlock(state: LaneState, setup: WorkerSetup, { end, commit, tickMs }: BlockEnd): BlockEffects {
  if (tickMs > 0) state.correlator.tick(tickMs);
  const { threat, alerts, fired, late, evicted } = state.correlator.take(end);
  const rows: TableRows[] = commit ? state.rollups.take() : [];
  if (threat.length > 0) rows.push(encodeRows('threat_analytics', threat));
  if (alerts.length > 0) rows.push(encodeRows('alerts', alerts));
  if (alerts.length > 0 && setup.outputs.alert_messages) rows.push(alertMessages(alerts));
  const snapshot = commit ? state.correlator.snapshot() : null;
  const progress = state.correlator.progress(setup.told.tenants);
  const { waiting } = state.correlator;
  return { rows, fired: fired.map((f) => f.alert), late, evicted, progress, snapshot, waiting };
}

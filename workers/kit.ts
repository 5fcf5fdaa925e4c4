// Everything a worker needs to match batches under one control snapshot, compiled once.

import { loadRules } from '../rules/index.ts';
import type { RuleSet } from '../rules/model.ts';
import type { RawBatch } from '../src/model/batch.ts';
import type { ControlSnapshot } from '../src/model/control.ts';
import type { Decoded } from '../src/model/decoded.ts';
import { HitsWriter } from '../src/model/hits.ts';
import { EMBEDDED_SETUP, type WorkerSetup } from '../src/model/outputs.ts';
import type { TableRows } from '../src/model/tables.ts';
import type { BatchCounts } from '../src/model/work.ts';
import { createDiverter } from './divert/index.ts';
import { createEncoder } from './encode/index.ts';
import { createMatcher } from './match/index.ts';
import type { Parcels } from './parcels.ts';
import { createScyllaEncoder } from './scylla/encoder.ts';
import { createStages, type Stages } from './stages.ts';

export interface WorkerKit extends Stages {
  readonly snapshot: ControlSnapshot;
  readonly rules: RuleSet;
  readonly hits: HitsWriter;
  /** Takes out what belongs to another lane, or is of a parked tenant. */
  readonly divert: ReturnType<typeof createDiverter>;
  /** False where only rows are wanted. */
  readonly detect: boolean;
  /** Most tenants and exporters of a batch that are told apart. */
  readonly told: WorkerSetup['told'];
  readonly matchRules: ReturnType<typeof createMatcher>;
  readonly encode: (batch: RawBatch, decoded: Decoded) => TableRows[];
}

export function createKit(
  snapshot: ControlSnapshot,
  setup: WorkerSetup = EMBEDDED_SETUP,
  parcels: Parcels | null = null,
): WorkerKit {
  const stages = createStages(snapshot);
  const { dictionary } = stages;
  const rules = loadRules(snapshot.rules);
  const scylla = setup.scylla ? createScyllaEncoder(snapshot, dictionary, setup.scylla) : null;
  return {
    snapshot,
    rules,
    ...stages,
    hits: new HitsWriter(),
    divert: createDiverter(snapshot),
    detect: setup.detect,
    told: setup.told,
    matchRules: createMatcher(snapshot, rules, dictionary),
    encode: createEncoder(snapshot, dictionary, setup, parcels, scylla),
  };
}

export function countsOf(decoded: Decoded): BatchCounts {
  const rejects: Record<string, number> = {};
  for (const { code } of decoded.rejects) rejects[code] = (rejects[code] ?? 0) + 1;
  return {
    read: decoded.read,
    accepted: decoded.accepted,
    skipped: decoded.skipped,
    rejected: decoded.rejects.length,
    rejects,
    unknownKeys: decoded.unknownKeys,
  };
}

// The worker path stage by stage, in one process, interleaved with the calibration: JSON.parse of the same records.
// Every figure is a ratio to the calibration of its own round ("x"), since machines drift; medians over the rounds.

import { builtinDatabase } from '../src/control/index.ts';
import type { RawBatch } from '../src/model/batch.ts';
import { utf8 } from '../src/model/bytes.ts';
import { type ControlSnapshot, plainTenant, type RuleFile } from '../src/model/control.ts';
import { Decoded } from '../src/model/decoded.ts';
import { hashHex, uuidFrom } from '../src/model/hash.ts';
import { HitsWriter } from '../src/model/hits.ts';
import { createKit, type WorkerKit } from '../workers/kit.ts';
import { rollUp } from '../workers/rollup/index.ts';
import { createLaneState } from '../workers/shard.ts';
import { spread } from './measure.ts';
import { correlationRules, syntheticRules } from './rules.ts';
import { type StandardRecords, standardRecords } from './standard.ts';

export interface StageFigure {
  /** Records per second of this stage alone, as a multiple of the calibration: median, lowest and highest round. */
  readonly x: number;
  readonly low: number;
  readonly high: number;
  /** The path up to and with this stage. */
  readonly cumulative_x: number;
}

export interface StageReport {
  readonly calibration_per_s: number;
  readonly stages: Readonly<Record<string, StageFigure>>;
  readonly full_path_x: number;
  readonly full_path_low: number;
  readonly full_path_high: number;
  readonly rules: number;
  readonly countries: boolean;
  readonly rounds: number;
  readonly records_per_round: number;
}

export interface BenchOptions {
  readonly records: number;
  readonly batchRecords: number;
  readonly rules: number;
  readonly rounds: number;
  /** With the built-in country database; every destination of the standard records is a new address, the worst case. */
  readonly countries: boolean;
  readonly onRound?: (round: number) => void;
}

const PATH = ['decode', 'enrich', 'policy', 'match', 'rollup', 'encode'] as const;
type Stage = (typeof PATH)[number] | 'correlate';

export function benchStages(options: BenchOptions): StageReport {
  const standard = standardRecords(options.records);
  const kit = createKit(snapshotOf(standard, syntheticRules(options.rules), options.countries));
  const batches = batchesOf(standard.lines, options.batchRecords);
  const counted = correlationHits(standard, batches);
  for (let i = 0; i < 2; i++) round(kit, standard.lines, batches, counted); // warm up: compiled code, full caches
  const rounds: Record<'calibration' | Stage, number>[] = [];
  for (let i = 0; i < options.rounds; i++) {
    rounds.push(round(kit, standard.lines, batches, counted));
    options.onRound?.(i + 1);
  }
  return report(rounds, options, standard.lines.length);
}

/** Seconds of the calibration and of every stage over all batches. */
function round(kit: WorkerKit, lines: readonly string[], batches: readonly RawBatch[], counted: readonly Uint8Array[]) {
  const spent = { calibration: 0, decode: 0, enrich: 0, policy: 0, match: 0, rollup: 0, encode: 0, correlate: 0 };
  const timed = (stage: keyof typeof spent, work: () => void): void => {
    const start = performance.now();
    work();
    spent[stage] += (performance.now() - start) / 1000;
  };
  const lane = createLaneState('bench');
  lane.correlator.apply(counted.length > 0 ? correlationKit.snapshot : kit.snapshot, correlationKit.rules);
  timed('calibration', () => {
    for (const line of lines) sink = JSON.parse(line);
  });
  batches.forEach((batch, b) => {
    const { decoded, dictionary, snapshot } = kit;
    dictionary.trim();
    decoded.reset();
    timed('decode', () => kit.decode(batch, decoded));
    timed('enrich', () => kit.enrich.flows(decoded.flows));
    timed('policy', () => kit.decide(decoded.flows));
    timed('match', () => {
      kit.matchRules(batch, decoded, kit.hits);
      sink = kit.hits.take();
    });
    timed('rollup', () => {
      sink = rollUp(decoded.flows, dictionary, snapshot);
    });
    timed('encode', () => {
      sink = kit.encode(batch, decoded);
    });
    timed('correlate', () => lane.correlator.add(counted[b]));
    if (decoded.flows.length === 0)
      throw new Error(`the bench's own records were refused: ${JSON.stringify(decoded.rejects[0])}`);
  });
  return spent;
}

/** Results go here, so that no work can be optimised away. */
export let sink: unknown;
let correlationKit: WorkerKit;

/** Packed hits of every batch under a rule that one flow in ten matches. */
function correlationHits(standard: StandardRecords, batches: readonly RawBatch[]): Uint8Array[] {
  correlationKit = createKit(snapshotOf(standard, correlationRules()));
  const kit = correlationKit;
  return batches.map((batch) => {
    const decoded = new Decoded(kit.dictionary);
    const hits = new HitsWriter();
    kit.decode(batch, decoded);
    kit.enrich.flows(decoded.flows);
    kit.matchRules(batch, decoded, hits);
    return hits.take().slice();
  });
}

function report(
  rounds: readonly Record<'calibration' | Stage, number>[],
  options: BenchOptions,
  records: number,
): StageReport {
  const ratio = (seconds: (r: (typeof rounds)[number]) => number) =>
    spread(rounds.map((r) => r.calibration / seconds(r)));
  const stages: Record<string, StageFigure> = {};
  PATH.forEach((stage, i) => {
    const cumulative = ratio((r) => PATH.slice(0, i + 1).reduce((sum, name) => sum + r[name], 0));
    stages[stage] = { ...ratio((r) => r[stage]), cumulative_x: cumulative.x };
  });
  const correlate = ratio((r) => r.correlate);
  stages.correlate = {
    ...correlate,
    cumulative_x: ratio((r) => r.correlate + PATH.reduce((sum, name) => sum + r[name], 0)).x,
  };
  const full = ratio((r) => PATH.reduce((sum, name) => sum + r[name], 0));
  return {
    calibration_per_s: Math.round(spread(rounds.map((r) => records / r.calibration)).x),
    stages,
    full_path_x: full.x,
    full_path_low: full.low,
    full_path_high: full.high,
    rules: options.rules,
    countries: options.countries,
    rounds: options.rounds,
    records_per_round: records,
  };
}

function batchesOf(lines: readonly string[], size: number): RawBatch[] {
  const batches: RawBatch[] = [];
  for (let i = 0; i < lines.length; i += size) {
    const text = utf8(`${lines.slice(i, i + size).join('\n')}\n`);
    const bytes = new Uint8Array(new SharedArrayBuffer(text.length));
    bytes.set(text);
    const segment = {
      format: 'native-json' as const,
      start: 0,
      end: bytes.length,
      base: i * 462,
      file: 'b'.repeat(32),
      source: 0,
      context: null,
      referenceMs: 0,
      fault: null,
    };
    batches.push({ bytes, segments: [segment], appendedAtMs: Date.UTC(2026, 11, 31) });
  }
  return batches;
}

export function snapshotOf(standard: StandardRecords, rules: readonly RuleFile[], countries = false): ControlSnapshot {
  const tenants = [...standard.tenants].sort().map((id, i) => plainTenant(id, `tenant-${i}`));
  // A few policies for every tenant, so that the policy stage has something to decide.
  const policies = tenants.flatMap((tenant) =>
    [
      {
        name: 'no remote desktop',
        action: 'Block' as const,
        conditions: [{ field: 'destination_port', op: 'eq', value: 3389 }],
      },
      {
        name: 'no streaming',
        action: 'Block' as const,
        conditions: [{ field: 'application', op: 'in', value: ['netflix', 'youtube'] }],
      },
      { name: 'rest', action: 'Log' as const, conditions: [{ field: 'destination_port', op: 'eq', value: 25 }] },
    ].map((policy, i) => ({
      ...policy,
      id: uuidFrom(tenant.id, policy.name),
      tenant: tenant.id,
      enabled: true,
      priority: i,
      version: 1,
    })),
  );
  const body = {
    tenants,
    sources: [
      {
        name: 'bench',
        tenant: '',
        pop: '',
        format: 'native-json',
        logsource: { product: '', category: '', service: '' },
        timezone: 'UTC',
        year: 0,
        latenessMs: 300_000,
      },
    ],
    policies,
    rules,
    lists: [],
    categories: {},
    limits: { recordBytes: 1 << 20, depth: 32, keys: 512 },
    enrich: { geo: countries ? [{ path: builtinDatabase(), hash: 'built-in' }] : [], communityId: false },
    correlate: { groupsPerRule: 100_000, valuesPerGroup: 10_000, suppressionMs: 3_600_000, evidence: 5 },
  };
  return { hash: hashHex(utf8(JSON.stringify(body))), ...body };
}

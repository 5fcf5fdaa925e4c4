// Decodes whole files as a source would cut them: batches of whole lines, the Zeek header lines in force as context.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type FormatName, framingOf, type RawBatch } from '../../src/model/batch.ts';
import { utf8 } from '../../src/model/bytes.ts';
import type { ControlSnapshot, Detour } from '../../src/model/control.ts';
import { Decoded } from '../../src/model/decoded.ts';
import { Dictionary } from '../../src/model/dictionary.ts';
import { counterOf, FLOW_COUNTERS, FLOW_STRINGS, type FlowCounter } from '../../src/model/flow.ts';
import { uuidText } from '../../src/model/hash.ts';
import { ipText } from '../../src/model/ip.ts';
import type { LogEvent } from '../../src/model/records.ts';
import type { Runs } from '../../src/model/sequence-runs.ts';
import { runsOf } from '../../src/model/sequences.ts';
import { PACKAGE_ROOT } from '../../src/root.ts';
import { createDecodeContext, type DecodeContext, type SegmentDecoder } from './context.ts';
import { counterBig } from './digits.ts';
import { plainLog, snapshotOf } from './fixture.test-support.ts';
import { timeText } from './time.ts';

export type Maker = (context: DecodeContext) => SegmentDecoder;

/** A flow row as a plain object. */
export type PlainFlow = Record<string, string | number>;

export interface Result {
  readonly flows: PlainFlow[];
  readonly logs: LogEvent[];
  readonly rejects: string[];
  readonly details: string[];
  /** Rejects by exporter, of the last batch. */
  failures: Record<string, number>;
  /** Sequence numbers of the last batch, by `exporter tenant type domain`. */
  sequences: Record<string, Runs>;
  read: number;
  skipped: number;
  readonly sums: Record<FlowCounter, bigint>;
}

/** Asserts what `expected` names and nothing else (Node 20 has no partialDeepStrictEqual). */
export function assertHas(actual: object | undefined, expected: Record<string, unknown>): void {
  const found = (actual ?? {}) as Record<string, unknown>;
  assert.deepEqual(Object.fromEntries(Object.keys(expected).map((key) => [key, found[key]])), expected);
}

export function dataFile(path: string): Buffer | null {
  const file = join(PACKAGE_ROOT, '..', 'shared', 'data', path);
  return existsSync(file) ? gunzipSync(readFileSync(file)) : null;
}

interface Piece {
  readonly start: number;
  readonly end: number;
  readonly context: Uint8Array | null;
}

function cut(bytes: Uint8Array, size: number): Piece[] {
  const pieces: Piece[] = [];
  let header: string[] = [];
  let start = 0;
  let context: Uint8Array | null = null;
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf(10, at);
    const end = newline < 0 ? bytes.length : newline + 1;
    if (bytes[at] === 35) {
      const line = Buffer.from(bytes.subarray(at, end)).toString('utf8');
      if (line.startsWith('#separator')) header = [];
      header.push(line);
    }
    at = end;
    if (at - start >= size || at === bytes.length) {
      pieces.push({ start, end: at, context });
      start = at;
      context = header.length > 0 ? utf8(header.join('')) : null;
    }
  }
  return pieces;
}

export interface Options {
  readonly snapshot?: ControlSnapshot;
  /** Bytes a batch; everything at once when left out. */
  readonly batch?: number;
  /** The records came by a detour. */
  readonly diverted?: Detour;
}

export function decodeWith(
  make: Maker,
  format: FormatName,
  input: string | Uint8Array,
  { snapshot = snapshotOf(), batch: size = Number.POSITIVE_INFINITY, diverted }: Options = {},
): Result {
  const bytes = typeof input === 'string' ? utf8(input) : input;
  const dictionary = new Dictionary();
  const out = new Decoded(dictionary);
  const context = createDecodeContext(snapshot, dictionary);
  const decode = make(context);
  const sums = Object.fromEntries(FLOW_COUNTERS.map((name) => [name, 0n])) as Record<FlowCounter, bigint>;
  const result: Result = {
    flows: [],
    logs: [],
    rejects: [],
    details: [],
    failures: {},
    sequences: {},
    read: 0,
    skipped: 0,
    sums,
  };
  const pieces =
    framingOf(format) === 'lines' ? cut(bytes, size) : [{ start: 0, end: bytes.length, context: null } as const];
  for (const piece of pieces) {
    // A batch's bytes are a slab that other batches were in before: records stand somewhere inside it.
    const slab = new Uint8Array(piece.end - piece.start + 24).fill(34);
    slab.set(bytes.subarray(piece.start, piece.end), 7);
    context.begin();
    const segment = {
      format,
      start: 7,
      end: 7 + piece.end - piece.start,
      base: piece.start,
      file: 'f'.repeat(32),
      source: 0,
      context: piece.context,
      referenceMs: 0,
      fault: null,
      ...(diverted && { diverted }),
    };
    const batch: RawBatch = { bytes: slab, segments: [segment], appendedAtMs: Date.UTC(2026, 10, 1) };
    dictionary.trim();
    out.reset();
    decode(batch, 0, out);
    assert.equal(out.read, out.accepted + out.rejects.length + out.skipped, 'every record has one outcome');
    collect(out, result);
    for (const [id, count] of out.failures) result.failures[dictionary.text(id)] = count;
    for (const group of out.sequences.all) {
      const { exporter, tenant, type, domain } = group;
      result.sequences[`${dictionary.text(exporter)} ${tenant} ${type} ${domain}`] = runsOf(group);
    }
  }
  return result;
}

function collect(out: Decoded, result: Result): void {
  const { flows, dictionary } = out;
  result.read += out.read;
  result.skipped += out.skipped;
  result.logs.push(...out.logs.map(plainLog));
  result.rejects.push(...out.rejects.map(({ code }) => code));
  result.details.push(...out.rejects.map(({ detail }) => detail));
  for (let i = 0; i < flows.length; i++) {
    for (const name of FLOW_COUNTERS) result.sums[name] += counterBig(flows[name], i);
    const texts = Object.fromEntries(FLOW_STRINGS.map((name) => [name, dictionary.text(flows[name][i])]));
    const counters = Object.fromEntries(FLOW_COUNTERS.map((name) => [name, counterOf(flows[name], i)]));
    result.flows.push({
      ...texts,
      ...counters,
      id: uuidText(flows.id, i * 4),
      time: timeText(flows.timeMs[i], flows.timeNs[i]),
      durationMs: flows.durationMs[i],
      tenant: flows.tenant[i],
      source: ipText(flows.source, i * 4),
      destination: ipText(flows.destination, i * 4),
      sourcePort: flows.sourcePort[i],
      destinationPort: flows.destinationPort[i],
      protocol: flows.protocol[i],
      tcpFlags: flows.tcpFlags[i],
      flags: flows.flags[i],
      samplingRate: flows.samplingRate[i],
      inputInterface: flows.inputInterface[i],
      outputInterface: flows.outputInterface[i],
      sourceAsn: flows.sourceAsn[i],
      destinationAsn: flows.destinationAsn[i],
    });
  }
}

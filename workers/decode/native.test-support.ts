// Runs one decoder over bytes and lists everything that it left in `Decoded`, as plain values that can be compared.

import type { FormatName, RawBatch } from '../../src/model/batch.ts';
import { utf8 } from '../../src/model/bytes.ts';
import type { ControlSnapshot } from '../../src/model/control.ts';
import { Decoded } from '../../src/model/decoded.ts';
import { Dictionary } from '../../src/model/dictionary.ts';
import { FLOW_COUNTERS, FLOW_STRINGS } from '../../src/model/flow.ts';
import { uuidText } from '../../src/model/hash.ts';
import { ipText } from '../../src/model/ip.ts';
import { createDecodeContext, type DecodeContext, type SegmentDecoder } from './context.ts';
import { counterBig } from './digits.ts';
import { plainLog, rawBatch, snapshotOf, source } from './fixture.test-support.ts';
import { timeText } from './time.ts';

export type Maker = (context: DecodeContext) => SegmentDecoder;

/** Records name their own tenant: acme, globex or the inactive `gone`. */
export function manyTenants(): ControlSnapshot {
  const base = snapshotOf({
    sources: [source({ tenant: '', pop: '' })],
    limits: { recordBytes: 2048, depth: 4, keys: 24 },
  });
  const gone = {
    ...base.tenants[0],
    id: '33333333-3333-4333-8333-333333333333',
    slug: 'gone',
    status: 'inactive' as const,
  };
  return { ...base, tenants: [...base.tenants, gone] };
}

/** A decoder that lives on from call to call, as in a worker. */
export function runner(
  make: Maker,
  format: FormatName,
  snapshot: ControlSnapshot = snapshotOf(),
): (input: string | Uint8Array) => Record<string, unknown> {
  const dictionary = new Dictionary();
  const out = new Decoded(dictionary);
  const context = createDecodeContext(snapshot, dictionary);
  const decode = make(context);
  return (input) => {
    out.reset();
    context.begin();
    const text = typeof input === 'string' ? utf8(input) : input;
    // Room behind the segment, as in a slab: a decoder that looks there must not be misled by what it finds.
    const bytes = new Uint8Array(new SharedArrayBuffer(text.length + 64)).fill(0x22);
    bytes.set(text);
    const batch: RawBatch = rawBatch(format, bytes);
    const segments = [{ ...batch.segments[0], end: text.length }];
    decode({ ...batch, segments }, 0, out);
    return contents(out);
  };
}

export function contents(out: Decoded): Record<string, unknown> {
  const { flows, dictionary } = out;
  const rows = Array.from({ length: flows.length }, (_, i) => {
    const row: Record<string, unknown> = {
      id: uuidText(flows.id, i * 4),
      time: timeText(flows.timeMs[i], flows.timeNs[i]),
      source: ipText(flows.source, i * 4),
      destination: ipText(flows.destination, i * 4),
    };
    for (const name of FLOW_STRINGS) row[name] = dictionary.text(flows[name][i]);
    for (const name of FLOW_COUNTERS) row[name] = String(counterBig(flows[name], i));
    for (const name of PLAIN) row[name] = flows[name][i];
    return row;
  });
  const { read, skipped, unknownKeys, sessions, tunnels, rejects } = out;
  const logs = out.logs.map(plainLog);
  return { read, skipped, unknownKeys, logs, sessions, tunnels, rejects, flows: rows };
}

const PLAIN = [
  'tenant',
  'durationMs',
  'sourcePort',
  'destinationPort',
  'protocol',
  'tcpFlags',
  'samplingRate',
  'inputInterface',
  'outputInterface',
  'flags',
  'rawStart',
  'rawLength',
  'segment',
  'policy',
  'direction',
  'sourceAsn',
  'destinationAsn',
] as const;

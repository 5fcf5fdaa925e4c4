// In: a decoded batch from Kafka. Out: the same without the records that take a detour, and these as messages under their original
// identity: records of tenants whose lane is another one go to it, so that all records of a tenant meet in one lane; records of
// parked tenants go to the overflow topic, so that nobody waits behind them.

import { positionOf, type RawBatch, recordAt, type Segment } from '../../src/model/batch.ts';
import { utf8 } from '../../src/model/bytes.ts';
import type { ControlSnapshot, KafkaRule } from '../../src/model/control.ts';
import type { Decoded } from '../../src/model/decoded.ts';
import { dropFlows } from '../../src/model/flow.ts';
import { partitionOf } from '../../src/model/kafka/partitioner.ts';
import { MessageWriter } from '../../src/model/messages.ts';
import type { DivertedOutput } from '../../src/model/outputs.ts';
import type { Place } from '../../src/model/records.ts';
import type { TableRows } from '../../src/model/tables.ts';
import type { QuotaUse } from '../../src/model/work.ts';
import { headersOf } from './headers.ts';
import { createMeter } from './meter.ts';

type Whose = Place & { readonly tenant: number };

export interface Detours {
  /** Messages, by output; nothing when every record stays. */
  readonly rows: TableRows[];
  /** What tenants with a quota sent into this lane. */
  readonly quotas: QuotaUse[];
}

export function createDiverter(snapshot: ControlSnapshot): (batch: RawBatch, decoded: Decoded) => Detours {
  const lanesBySource = snapshot.sources.map(({ kafka }) => (kafka === undefined ? null : lanesOf(snapshot, kafka)));
  const indexOf = new Map(snapshot.tenants.map(({ id }, index) => [id, index]));
  const writers: Record<DivertedOutput, MessageWriter> = {
    misplaced: new MessageWriter(),
    overflow: new MessageWriter(),
  };
  const meter = createMeter(snapshot);
  return (batch, decoded) => {
    const parked = new Set((batch.parked ?? []).flatMap((id) => indexOf.get(id) ?? []));
    const ways = batch.segments.map((segment) => wayOf(segment, lanesBySource, parked));
    if (ways.some((way) => way !== null)) {
      const divert = (record: Whose): boolean => {
        const way = ways[record.segment];
        const output = outputOf(way, record.tenant);
        if (way === null || output === null) return false;
        const lane = output === 'misplaced' ? (way.lanes?.[record.tenant] ?? null) : null;
        writers[output].add(messageOf(snapshot, batch, record, lane));
        if (output === 'overflow') meter.count(record.tenant);
        return true;
      };
      divertFlows(decoded, ways, divert);
      decoded.logs = decoded.logs.filter((event) => !divert(event));
      decoded.sessions = decoded.sessions.filter((event) => !divert(event));
      decoded.tunnels = decoded.tunnels.filter((stat) => !divert(stat));
    }
    meter.countAll(batch, decoded);
    const taken = (Object.entries(writers) as [DivertedOutput, MessageWriter][]).filter(([, { count }]) => count > 0);
    const rows = taken.map(([table, writer]) => {
      decoded.read -= writer.count; // they are read where they go
      return { table, rows: writer.count, bytes: writer.take() };
    });
    return { rows, quotas: meter.take() };
  };
}

/** Where records of a segment may have to go. */
interface Way {
  /** Lane by tenant index; null where every lane will do. */
  readonly lanes: Uint32Array | null;
  /** Lane that the segment is in. */
  readonly own: number;
  /** Tenants whose records go to the overflow. */
  readonly parked: ReadonlySet<number>;
}

/** Lanes by tenant; null where every lane will do. */
function lanesOf({ tenants }: ControlSnapshot, { partitioner, lanes }: KafkaRule): Uint32Array | null {
  if (partitioner === 'any' || lanes < 2) return null;
  return Uint32Array.from(tenants, ({ id }) => partitionOf(partitioner, utf8(id.toLowerCase()), lanes));
}

/** Null when all its records stay. What came from the overflow is not parked again, and neither is it in a wrong lane. */
function wayOf(
  segment: Segment,
  lanesBySource: readonly (Uint32Array | null)[],
  parked: ReadonlySet<number>,
): Way | null {
  const { diverted, records, source, file } = segment;
  if (records === undefined || diverted === 'overflow') return null;
  const lanes = diverted === undefined ? (lanesBySource[source] ?? null) : null;
  if (lanes === null && parked.size === 0) return null;
  return { lanes, own: Number(file.slice(file.lastIndexOf('/') + 1)), parked };
}

/** By which output a tenant's record of the segment leaves; null when it stays. */
function outputOf(way: Way | null, tenant: number): DivertedOutput | null {
  if (way === null) return null;
  if (way.lanes !== null && way.lanes[tenant] !== way.own) return 'misplaced';
  return way.parked.has(tenant) ? 'overflow' : null;
}

function divertFlows({ flows }: Decoded, ways: readonly (Way | null)[], divert: (record: Whose) => boolean): void {
  let drop: Uint8Array | null = null;
  for (let i = 0; i < flows.length; i++) {
    const { tenant, segment, rawStart, rawLength } = flows;
    if (outputOf(ways[segment[i]], tenant[i]) === null) continue;
    divert({ tenant: tenant[i], segment: segment[i], rawStart: rawStart[i], rawLength: rawLength[i] });
    drop ??= new Uint8Array(flows.length);
    drop[i] = 1;
  }
  if (drop) dropFlows(flows, drop);
}

function messageOf(snapshot: ControlSnapshot, batch: RawBatch, record: Whose, lane: number | null) {
  const { bytes, segments, appendedAtMs } = batch;
  const { segment: index, rawStart, rawLength, tenant } = record;
  const segment = segments[index];
  const { records } = segment;
  const at = records === undefined ? 0 : recordAt(records, rawStart);
  const { id } = snapshot.tenants[tenant];
  const origin = {
    source: snapshot.sources[segment.source].name,
    stream: segment.file,
    position: positionOf(segment, rawStart),
    inside: records === undefined ? 0 : records.insides[at] + rawStart - records.starts[at],
    appendedAtMs: records === undefined ? appendedAtMs : records.appendedAtMs[at],
    format: segment.format,
    tenant: id,
    pop: segment.pop,
  };
  return { key: utf8(id), headers: headersOf(origin, lane), value: bytes.subarray(rawStart, rawStart + rawLength) };
}

// In: a decoded batch from Kafka. Out: the same without the records of tenants whose lane is another one, and these as messages for
// that lane, under their original identity. So whoever produced them, all records of a tenant meet in one lane.

import { positionOf, type RawBatch, recordAt, type Segment } from '../../src/model/batch.ts';
import { utf8 } from '../../src/model/bytes.ts';
import type { ControlSnapshot, KafkaRule } from '../../src/model/control.ts';
import type { Decoded } from '../../src/model/decoded.ts';
import { dropFlows } from '../../src/model/flow.ts';
import { partitionOf } from '../../src/model/kafka/partitioner.ts';
import { MessageWriter } from '../../src/model/messages.ts';
import type { Place } from '../../src/model/records.ts';
import type { TableRows } from '../../src/model/tables.ts';
import { headersOf } from './headers.ts';

type Whose = Place & { readonly tenant: number };

/** Returns the messages, or null when every record is where it belongs. */
export function createDiverter(snapshot: ControlSnapshot): (batch: RawBatch, decoded: Decoded) => TableRows | null {
  const lanesBySource = snapshot.sources.map(({ kafka }) => (kafka === undefined ? null : lanesOf(snapshot, kafka)));
  if (lanesBySource.every((lanes) => lanes === null)) return () => null;
  const writer = new MessageWriter();
  return (batch, decoded) => {
    const strays = batch.segments.map((segment) => strayOf(segment, lanesBySource));
    if (strays.every((stray) => stray === null)) return null;
    const divert = (record: Whose): boolean => {
      const stray = strays[record.segment];
      if (stray === null || stray.lanes[record.tenant] === stray.own) return false;
      writer.add(messageOf(snapshot, batch, record, stray.lanes[record.tenant]));
      return true;
    };
    divertFlows(decoded, strays, divert);
    decoded.logs = decoded.logs.filter((event) => !divert(event));
    decoded.sessions = decoded.sessions.filter((event) => !divert(event));
    decoded.tunnels = decoded.tunnels.filter((stat) => !divert(stat));
    if (writer.count === 0) return null;
    const rows = writer.count;
    decoded.read -= rows; // they are read where they go
    return { table: 'misplaced', rows, bytes: writer.take() };
  };
}

interface Stray {
  /** Lane by tenant index. */
  readonly lanes: Uint32Array;
  /** Lane that the segment is in. */
  readonly own: number;
}

/** Lanes by tenant; null where every lane will do. */
function lanesOf({ tenants }: ControlSnapshot, { partitioner, lanes }: KafkaRule): Uint32Array | null {
  if (partitioner === 'any' || lanes < 2) return null;
  return Uint32Array.from(tenants, ({ id }) => partitionOf(partitioner, utf8(id.toLowerCase()), lanes));
}

function strayOf(segment: Segment, lanesBySource: readonly (Uint32Array | null)[]): Stray | null {
  const lanes = lanesBySource[segment.source] ?? null;
  if (lanes === null || segment.records === undefined || segment.diverted) return null;
  return { lanes, own: Number(segment.file.slice(segment.file.lastIndexOf('/') + 1)) };
}

function divertFlows({ flows }: Decoded, strays: readonly (Stray | null)[], divert: (record: Whose) => void): void {
  let drop: Uint8Array | null = null;
  for (let i = 0; i < flows.length; i++) {
    const { tenant, segment, rawStart, rawLength } = flows;
    const stray = strays[segment[i]];
    if (stray === null || stray.lanes[tenant[i]] === stray.own) continue;
    divert({ tenant: tenant[i], segment: segment[i], rawStart: rawStart[i], rawLength: rawLength[i] });
    drop ??= new Uint8Array(flows.length);
    drop[i] = 1;
  }
  if (drop) dropFlows(flows, drop);
}

function messageOf(snapshot: ControlSnapshot, batch: RawBatch, record: Whose, lane: number) {
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
    inside: records === undefined ? 0 : rawStart - records.starts[at],
    appendedAtMs: records === undefined ? appendedAtMs : records.appendedAtMs[at],
    format: segment.format,
    tenant: id,
    pop: segment.pop,
  };
  return { key: utf8(id), headers: headersOf(origin, lane), value: bytes.subarray(rawStart, rawStart + rawLength) };
}

// Batches as the Kafka source makes them, from record batches of the independent writer.

import type { RawBatch, Segment } from '../../../src/model/batch.ts';
import type { ControlSnapshot } from '../../../src/model/control.ts';
import { Decoded } from '../../../src/model/decoded.ts';
import { Dictionary } from '../../../src/model/dictionary.ts';
import { createDecodeContext } from '../context.ts';
import { createDecoder } from '../index.ts';
import { KafkaUnpacker } from './unpack.ts';

export const FETCHED_AT = Date.UTC(2026, 10, 1);

export interface Part {
  readonly bytes: Uint8Array;
  readonly from?: number;
  readonly to?: number;
  readonly source?: number;
}

export function kafkaBatch(parts: readonly Part[]): RawBatch {
  const segments: Segment[] = [];
  let at = 0;
  for (const { bytes, from = 0, to = Number.MAX_SAFE_INTEGER, source = 0 } of parts) {
    segments.push({
      format: 'native-json',
      start: at,
      end: at + bytes.length,
      base: 0,
      file: 'flows/3',
      source,
      context: null,
      referenceMs: FETCHED_AT,
      fault: null,
      kafka: { partition: 3, from, to },
    });
    at += bytes.length;
  }
  return { bytes: Buffer.concat(parts.map(({ bytes }) => bytes)), segments, appendedAtMs: FETCHED_AT };
}

export interface UnpackedRecord {
  readonly offset: number;
  readonly value: string;
  readonly appendedAtMs: number;
  /** The segment's tenant, else the record's own. */
  readonly tenant: number;
  readonly pop: string;
}

export interface Faulty {
  readonly detail: string;
  readonly code: string;
  readonly length: number;
  readonly kept: number;
}

export function unpackerOf(snapshot: ControlSnapshot): (batch: RawBatch) => {
  records: UnpackedRecord[];
  faults: Faulty[];
  empty: number;
  /** What lies between records. */
  gaps: string[];
} {
  const unpacker = new KafkaUnpacker(snapshot, createDecodeContext(snapshot, new Dictionary()));
  return (packed) => {
    const { batch, empty } = unpacker.unpack(packed);
    const records: UnpackedRecord[] = [];
    const faults: Faulty[] = [];
    const gaps: string[] = [];
    const hex = (start: number, end: number): string =>
      Buffer.from(batch.bytes.subarray(start, end)).toString('latin1');
    for (const { start, end, fault, records: table, tenant, pop = '', appendedAtMs } of batch.segments) {
      if (fault !== null) faults.push({ ...fault, kept: end - start });
      if (table === undefined) continue;
      let at = start;
      for (let i = 0; i < table.count; i++) {
        gaps.push(hex(at, table.starts[i]));
        at = table.ends[i];
        records.push({
          offset: table.offsets[i],
          value: hex(table.starts[i], at),
          appendedAtMs: table.appendedAtMs[i],
          tenant: tenant ?? table.tenants[i],
          pop,
        });
        if (table.appendedAtMs[i] < (appendedAtMs ?? 0)) throw new Error('the segment is later than its record');
      }
      gaps.push(hex(at, end));
    }
    return { records, faults, empty, gaps };
  };
}

/** All stages of decoding. */
export function decoderOf(snapshot: ControlSnapshot): (batch: RawBatch) => { out: Decoded; bytes: Uint8Array } {
  const dictionary = new Dictionary();
  const decode = createDecoder(snapshot, dictionary);
  return (batch) => {
    const out = new Decoded(dictionary);
    const { bytes } = decode(batch, out);
    return { out, bytes };
  };
}

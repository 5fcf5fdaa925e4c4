// The unit of work: raw records in one (shared) buffer, with where they came from.

import type { Detour } from './control.ts';
import type { RejectCode } from './reject.ts';

export const FORMATS = [
  'native-json',
  'native-msgpack',
  'zeek-tsv',
  'zeek-json',
  'suricata-eve',
  'goflow2-json',
  'goflow2-protobuf',
  'akvorado-json',
  'syslog',
  'cef',
  'httpd',
] as const;
export type FormatName = (typeof FORMATS)[number];

export function isFormat(text: string): text is FormatName {
  return (FORMATS as readonly string[]).includes(text);
}

/** How records are told apart in a byte stream: by newline, by walking MessagePack values, by a varint length. */
export type Framing = 'lines' | 'msgpack' | 'varint';

export function framingOf(format: FormatName): Framing {
  if (format === 'native-msgpack') return 'msgpack';
  return format === 'goflow2-protobuf' ? 'varint' : 'lines';
}

/**
 * A run of whole records of one file inside a batch. Usually a batch is one segment; a batch of an event-time ordered
 * source may hold one a record.
 */
export interface Segment {
  readonly format: FormatName;
  /** Bytes [start, end) of `RawBatch.bytes`. The last line of a file may lack its newline. */
  readonly start: number;
  readonly end: number;
  /** Position of `start` in the (decompressed) file, bytes. */
  readonly base: number;
  /** File identity (32 hex digits: source name and fingerprint of the first decompressed bytes), never a path; or topic/partition. */
  readonly file: string;
  /** Index into `ControlSnapshot.sources`: tenant and PoP rule, time zone, log source. */
  readonly source: number;
  /** What came earlier in the file and is needed to read on: the Zeek `#` header block in force, or MessagePack record structures. */
  readonly context: Uint8Array | null;
  /** For timestamps without a year (syslog RFC 3164): the latest moment they may mean, ms since 1970 (journaled). */
  readonly referenceMs: number;
  /**
   * Set when [start, end) is the kept head of something that is no record: an over-long record, a file of no known
   * format, a truncated end. The worker turns it into exactly one reject with this code.
   */
  readonly fault: { readonly code: RejectCode; readonly detail: string; readonly length: number } | null;
  /** [start, end) is one Kafka record batch as the broker keeps it: the worker unpacks it into segments with `records`. */
  readonly kafka?: KafkaPart;
  /** By which detour the records came to where they are; nobody sends them the same way again. */
  readonly diverted?: Detour;
  /** Set by that unpacking: which records the segment's bytes are. Positions are then offsets, not bytes. */
  readonly records?: RecordTable;
  /** The earliest that a record of the segment reached the broker, ms since 1970; absent: `RawBatch.appendedAtMs`. */
  readonly appendedAtMs?: number;
  /** Whose all records of the segment are, in place of the source's: tenant index, or a negative result. */
  readonly tenant?: number;
  /** PoP of records that name none, in place of the source's. */
  readonly pop?: string;
}

/** Of a Kafka record batch, the records that are meant: those with an offset in [from, to). */
export interface KafkaPart {
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

/** Records of a segment that came from Kafka, in order. Record i is the bytes [starts[i], ends[i]) of the batch. */
export interface RecordTable {
  readonly count: number;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  /** Offsets in the partition. */
  readonly offsets: Float64Array;
  /** Whose each record is by the source's rule: tenant index, or a negative result of the tenant resolution. */
  readonly tenants: Int32Array;
  /** When each record reached the broker, ms since 1970. */
  readonly appendedAtMs: Float64Array;
  /** Bytes that stood before each one in the Kafka record that it was first in; 0 but for records that were diverted. */
  readonly insides: Uint32Array;
}

/** Index of the record that holds the byte at `at`. */
export function recordAt({ starts, count }: RecordTable, at: number): number {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (starts[middle] <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Where the record at byte `rawStart` of the batch stands in its stream: byte position in the file, or Kafka offset. */
export function positionOf(segment: Segment, rawStart: number): number {
  if (segment.records !== undefined) return segment.records.offsets[recordAt(segment.records, rawStart)];
  return segment.base + rawStart - segment.start;
}

/** Whether an event time lies more than `toleranceMs` ahead of when the record at byte `rawStart` reached Weir or the broker. */
export function isAhead(
  batch: RawBatch,
  segmentIndex: number,
  rawStart: number,
  ms: number,
  toleranceMs: number,
): boolean {
  const { records, appendedAtMs } = batch.segments[segmentIndex];
  if (ms <= (appendedAtMs ?? batch.appendedAtMs) + toleranceMs) return false;
  return records === undefined || ms > records.appendedAtMs[recordAt(records, rawStart)] + toleranceMs;
}

export interface RawBatch {
  /** When the records reached Weir, ms since 1970 (journaled): decides clock_skew. */
  readonly appendedAtMs: number;
  /** Usually over a SharedArrayBuffer slab; must not be kept after the match returns. */
  readonly bytes: Uint8Array;
  readonly segments: readonly Segment[];
  /** UUIDs of tenants whose records go to the overflow topic for now (journaled), but for those that come from there. */
  readonly parked?: readonly string[];
}

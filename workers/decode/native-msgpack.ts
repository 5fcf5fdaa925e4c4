// Native records as concatenated MessagePack messages, msgpackr's record structures included. What earlier messages of the
// file defined comes as the segment's context.

import type { RawBatch, RecordTable, Segment } from '../../src/model/batch.ts';
import type { Decoded } from '../../src/model/decoded.ts';
import { INVALID, MsgpackWalker } from '../../src/model/msgpack-walk.ts';
import type { DecodeContext, SegmentDecoder } from './context.ts';
import { MsgpackFlowScanner } from './msgpack-flow-scanner.ts';
import { acceptRecord } from './native-general.ts';
import { MsgpackRecord } from './native-msgpack-record.ts';

/** The general path alone: every message through the tree and the field rules. The fast decoder is compared to it. */
export function createGeneralMsgpackDecoder(context: DecodeContext): SegmentDecoder {
  return (batch, segmentIndex, out) => {
    const segment = batch.segments[segmentIndex];
    const walker = walkerOf(segment);
    const record = new MsgpackRecord(context, walker);
    record.batch = batch;
    record.out = out;
    record.segmentIndex = segmentIndex;
    const { records } = segment;
    for (let r = 0; r < (records?.count ?? 1); r++) {
      if (records !== undefined) walker.clear();
      const end = records?.ends[r] ?? segment.end;
      for (let at = records?.starts[r] ?? segment.start; at >= 0 && at < end; ) {
        context.beginRecord(at);
        at = decodeGenerally(context, batch, segmentIndex, out, walker, record, at, end);
      }
    }
  };
}

export function createNativeMsgpackDecoder(context: DecodeContext): SegmentDecoder {
  const scanner = new MsgpackFlowScanner(context);
  const { recordBytes } = context.limits;
  return (batch, segmentIndex, out) => {
    const segment = batch.segments[segmentIndex];
    if (segment.records !== undefined) {
      decodeRecords(context, scanner, batch, segmentIndex, segment.records, out);
      return;
    }
    const { flows } = out;
    const walker = walkerOf(segment);
    const record = new MsgpackRecord(context, walker);
    record.batch = batch;
    record.out = out;
    record.segmentIndex = segmentIndex;
    scanner.open(batch, segmentIndex, walker);
    for (let at = segment.start; at >= 0 && at < segment.end; ) {
      context.beginRecord(at);
      const stop = scanner.scan(at, flows);
      if (stop < 0 || stop - at > recordBytes) {
        at = decodeGenerally(context, batch, segmentIndex, out, walker, record, at, segment.end);
        continue;
      }
      out.read++;
      const row = flows.length;
      if (context.finishFlow(out, row, segmentIndex, batch, at, stop - at)) out.unknownKeys += scanner.unknown;
      at = stop;
    }
  };
}

/**
 * Kafka records: each has messages of its own, that share neither structures nor faults with those of the next, which may be
 * another producer's or another tenant's. Where batches begin must not show either (guarantee 2).
 */
function decodeRecords(
  context: DecodeContext,
  scanner: MsgpackFlowScanner,
  batch: RawBatch,
  segmentIndex: number,
  { count, starts, ends }: RecordTable,
  out: Decoded,
): void {
  const { bytes } = batch;
  const { flows } = out;
  /** Of all records so far: the scanner takes a definition that it has seen before, which says the same here. */
  const seen = new MsgpackWalker();
  const own = new MsgpackWalker();
  const record = new MsgpackRecord(context, own);
  record.batch = batch;
  record.out = out;
  record.segmentIndex = segmentIndex;
  scanner.open(batch, segmentIndex, seen);
  for (let r = 0; r < count; r++) {
    const end = ends[r];
    let generally = false;
    scanner.enclose(end);
    for (let at = starts[r]; at >= 0 && at < end; ) {
      context.beginRecord(at);
      const stop = generally ? -1 : scanner.scan(at, flows);
      if (stop >= 0 && stop - at <= context.limits.recordBytes) {
        out.read++;
        const added = context.finishFlow(out, flows.length, segmentIndex, batch, at, stop - at);
        if (added) out.unknownKeys += scanner.unknown;
        at = stop;
        continue;
      }
      if (!generally) {
        own.clear();
        for (let before = starts[r]; before < at; ) before = own.walk(bytes, before, at);
        generally = true;
      }
      const next = decodeGenerally(context, batch, segmentIndex, out, own, record, at, end);
      if (next >= 0 && (bytes[at] === 0xd4 || bytes[at] === 0xd5)) seen.walk(bytes, at, next);
      at = next;
    }
  }
}

function walkerOf(segment: Segment): MsgpackWalker {
  const walker = new MsgpackWalker();
  if (segment.context !== null) walker.restore(segment.context);
  return walker;
}

/** Decodes the message at `at` and returns the offset behind it, or -1 when nothing behind it can be read. */
function decodeGenerally(
  context: DecodeContext,
  batch: RawBatch,
  segmentIndex: number,
  out: Decoded,
  walker: MsgpackWalker,
  record: MsgpackRecord,
  at: number,
  end: number,
): number {
  const { source } = batch.segments[segmentIndex];
  out.read++;
  // The reader must see the structures as they were before this message, so it goes first; its refusals wait for the walk.
  const rejects = out.rejects.length;
  const readable = record.read(at, end);
  const stop = walker.walk(batch.bytes, at, end);
  if (stop < 0) {
    out.rejects.length = rejects;
    const tenant = context.rejectTenantOf(source);
    if (stop === INVALID)
      out.reject('input_corrupt', 'not MessagePack from here on', segmentIndex, at, end - at, tenant);
    else out.reject('input_truncated', 'the input ends inside a message', segmentIndex, at, end - at, tenant);
    return -1;
  }
  record.length = stop - at;
  if (!readable) {
    const reject = out.rejects[rejects];
    reject.rawLength = stop - at;
    reject.length = stop - at;
    return stop;
  }
  if (stop - at > context.limits.recordBytes) {
    record.reject('record_too_large', `${stop - at} bytes, the limit is ${context.limits.recordBytes}`);
  } else acceptRecord(record);
  return stop;
}

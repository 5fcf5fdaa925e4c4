// Native records as concatenated MessagePack messages, msgpackr's record structures included. What earlier messages of the
// file defined comes as the segment's context.

import type { RawBatch, Segment } from '../../src/model/batch.ts';
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
    for (let at = segment.start; at >= 0 && at < segment.end; ) {
      context.beginRecord(at);
      at = decodeGenerally(context, batch, segmentIndex, out, walker, record, at);
    }
  };
}

export function createNativeMsgpackDecoder(context: DecodeContext): SegmentDecoder {
  const scanner = new MsgpackFlowScanner(context);
  const { recordBytes } = context.limits;
  return (batch, segmentIndex, out) => {
    const segment = batch.segments[segmentIndex];
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
        at = decodeGenerally(context, batch, segmentIndex, out, walker, record, at);
        continue;
      }
      out.read++;
      const row = flows.length;
      if (context.finishFlow(out, row, segmentIndex, batch, at, stop - at)) out.unknownKeys += scanner.unknown;
      at = stop;
    }
  };
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
): number {
  const { end, source } = batch.segments[segmentIndex];
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

// Native records as newline-delimited JSON: flows by the fast scanner, everything else (and every refusal) by the general
// path.

import type { DecodeContext, SegmentDecoder } from './context.ts';
import { FlowScanner } from './flow-scanner.ts';
import { checkLine, lineEnd, readLines, validUtf8 } from './lines.ts';
import { acceptRecord } from './native-general.ts';
import { JsonRecord } from './native-json-record.ts';

/** The general path alone: every record through the tape and the field rules. The fast decoder is compared to it. */
export function createGeneralJsonDecoder(context: DecodeContext): SegmentDecoder {
  const record = new JsonRecord(context);
  return (batch, segmentIndex, out) => {
    record.batch = batch;
    record.out = out;
    record.segmentIndex = segmentIndex;
    record.tape.open(context.batches);
    readLines(context, batch, segmentIndex, out, (start, end) => {
      context.beginRecord(start);
      if (record.read(start, end)) acceptRecord(record);
    });
  };
}

/** After this many records that are no flows, the scanner is tried on every eighth only: it would scan in vain. */
const PATIENCE = 4;

export function createNativeJsonDecoder(context: DecodeContext): SegmentDecoder {
  const record = new JsonRecord(context);
  const scanner = new FlowScanner(context);
  let misses = 0;
  return (batch, segmentIndex, out) => {
    const { bytes } = batch;
    const { start: first, end } = batch.segments[segmentIndex];
    const { flows } = out;
    const { recordBytes } = context.limits;
    record.batch = batch;
    record.out = out;
    record.segmentIndex = segmentIndex;
    record.tape.open(context.batches);
    scanner.open(batch, segmentIndex);
    const clean = validUtf8(bytes, first, end);
    for (let at = first; at < end; ) {
      context.beginRecord(at);
      if (clean && bytes[at] === 123 && (misses < PATIENCE || (misses & 7) === 0)) {
        const stop = scanner.scan(at, flows);
        const newline = stop < 0 ? -1 : newlineAt(bytes, stop, end);
        if (newline >= 0 && stop - at <= recordBytes) {
          out.read++;
          const row = flows.length;
          if (context.finishFlow(out, row, segmentIndex, batch, at, stop - at)) out.unknownKeys += scanner.unknown;
          misses = 0;
          at = newline + 1;
          continue;
        }
      }
      const newline = lineEnd(bytes, at, end);
      const stop = newline > at && bytes[newline - 1] === 13 ? newline - 1 : newline;
      const before = flows.length;
      if (checkLine(context, batch, segmentIndex, out, at, stop, clean) && record.read(at, stop)) acceptRecord(record);
      misses = flows.length > before ? 0 : misses + 1;
      at = newline + 1;
    }
  };
}

/** Where the newline behind `stop` stands (`end` when the input ends there), or -1 when more of the record follows. */
function newlineAt(bytes: Uint8Array, stop: number, end: number): number {
  if (stop === end) return end;
  const c = bytes[stop];
  if (c === 10) return stop;
  return c === 13 && (stop + 1 === end || bytes[stop + 1] === 10) ? stop + 1 : -1;
}

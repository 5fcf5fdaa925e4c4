// Records framed by newlines. A '\r' before the newline is no part of the record; the last line may lack its newline.

import { isUtf8 } from 'node:buffer';
import type { RawBatch } from '../../src/model/batch.ts';
import { bufferOf, indexOfByte } from '../../src/model/bytes.ts';
import type { Decoded } from '../../src/model/decoded.ts';
import type { DecodeContext } from './context.ts';

/** True when every byte of [start, end) belongs to valid UTF-8. */
export function validUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  return isUtf8(bufferOf(bytes).subarray(start, end));
}

/** End of the line that starts at `at`: index of its '\n', or `end`. */
export function lineEnd(bytes: Uint8Array, at: number, end: number): number {
  const newline = indexOfByte(bytes, 10, at);
  return newline < 0 || newline > end ? end : newline;
}

/**
 * Calls `onLine(start, end)` for every line of the segment that is not blank, not too long and valid UTF-8 (the others
 * are counted, and rejected or skipped, here). Counts `out.read`; `onLine` accepts, rejects or skips its record.
 */
export function readLines(
  context: DecodeContext,
  batch: RawBatch,
  segmentIndex: number,
  out: Decoded,
  onLine: (start: number, end: number) => void,
): void {
  const { bytes } = batch;
  const segment = batch.segments[segmentIndex];
  // One check of the whole run is nearly free; the lines are checked one by one only when it fails.
  const clean = validUtf8(bytes, segment.start, segment.end);
  for (let at = segment.start; at < segment.end; ) {
    const newline = lineEnd(bytes, at, segment.end);
    const start = at;
    const end = newline > start && bytes[newline - 1] === 13 ? newline - 1 : newline;
    at = newline + 1;
    if (checkLine(context, batch, segmentIndex, out, start, end, clean)) onLine(start, end);
  }
}

/** Counts the line; false when it was skipped (blank) or rejected (too long, not UTF-8). */
export function checkLine(
  context: DecodeContext,
  batch: RawBatch,
  segmentIndex: number,
  out: Decoded,
  start: number,
  end: number,
  clean: boolean,
): boolean {
  out.read++;
  const { bytes } = batch;
  if (isBlank(bytes, start, end)) {
    out.skipped++;
    return false;
  }
  const length = end - start;
  if (length > context.limits.recordBytes) {
    const detail = `${length} bytes, the limit is ${context.limits.recordBytes}`;
    const tenant = context.rejectTenantOf(batch.segments[segmentIndex].source);
    out.reject('record_too_large', detail, segmentIndex, start, length, tenant);
    return false;
  }
  if (!clean && !validUtf8(bytes, start, end)) {
    const tenant = context.rejectTenantOf(batch.segments[segmentIndex].source);
    out.reject('encoding', 'the record is not valid UTF-8', segmentIndex, start, length, tenant);
    return false;
  }
  return true;
}

function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 32 && bytes[i] !== 9) return false;
  return true;
}

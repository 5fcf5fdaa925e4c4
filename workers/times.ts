// Event times of a batch's records, for sources that ask for event-time order.

import type { RawBatch } from '../src/model/batch.ts';
import type { RecordTimes } from '../src/model/work.ts';
import type { WorkerKit } from './kit.ts';
import { decodeAnew } from './stages.ts';

interface Piece {
  readonly start: number;
  readonly length: number;
  readonly timeMs: number;
}

/**
 * Every byte of the batch belongs to exactly one piece: records with their event time (end of a flow), and what lies
 * between them (headers, blank lines, rejects) with NaN, so that sorting loses nothing.
 */
export function timesOf(kit: WorkerKit, batch: RawBatch): RecordTimes {
  const { decoded } = kit;
  decodeAnew(kit, batch);
  const found: Piece[] = [];
  const { flows } = decoded;
  for (let i = 0; i < flows.length; i++) {
    const timeMs = flows.timeMs[i] + Math.max(flows.durationMs[i], 0);
    found.push({ start: flows.rawStart[i], length: flows.rawLength[i], timeMs });
  }
  for (const record of [...decoded.logs, ...decoded.sessions, ...decoded.tunnels]) {
    found.push({ start: record.rawStart, length: record.rawLength, timeMs: record.ms });
  }
  found.sort((a, b) => a.start - b.start);
  return packed(cover(batch, found));
}

/** Stretches each record to the start of the next (its newline belongs to it) within its segment. */
function cover(batch: RawBatch, found: readonly Piece[]): Piece[] {
  const pieces: Piece[] = [];
  let next = 0;
  for (const segment of batch.segments) {
    let at = segment.start;
    while (next < found.length && found[next].start < segment.end) {
      const { start, timeMs } = found[next++];
      if (start > at) pieces.push({ start: at, length: start - at, timeMs: Number.NaN });
      const end = lineEnd(batch.bytes, start + found[next - 1].length, segment.end);
      pieces.push({ start, length: end - start, timeMs });
      at = end;
    }
    if (at < segment.end) pieces.push({ start: at, length: segment.end - at, timeMs: Number.NaN });
  }
  return pieces;
}

/** End of the record that ends at `end`, with its line ending if it has one. */
function lineEnd(bytes: Uint8Array, end: number, limit: number): number {
  let at = end;
  if (at < limit && bytes[at] === 13) at++;
  return at < limit && bytes[at] === 10 ? at + 1 : end;
}

function packed(pieces: readonly Piece[]): RecordTimes {
  return {
    starts: Uint32Array.from(pieces, (p) => p.start),
    lengths: Uint32Array.from(pieces, (p) => p.length),
    timesMs: Float64Array.from(pieces, (p) => p.timeMs),
  };
}

// Byte positions in a file → numbers of its records, counted from 1 as people do. Of text formats a record's number is its
// line's, comments and blank lines included; of the others it is its place among the records.

import { framingOf, type RawBatch, type Segment } from '../src/model/batch.ts';
import { bufferOf } from '../src/model/bytes.ts';
import type { Decoded } from '../src/model/decoded.ts';

const NEWLINE = 10;

/** Batches of a file must come in order, each once. */
export class RecordNumbers {
  /** Records of each file before the batch at hand. */
  private readonly before = new Map<string, number>();

  /** Calls `visit` once a segment with the numbering of its records, then counts the batch as passed. */
  pass(
    batch: RawBatch,
    decoded: Decoded,
    visit: (segment: number, numberAt: (rawStart: number) => number) => void,
  ): void {
    for (const [index, segment] of batch.segments.entries()) {
      const before = this.before.get(segment.file) ?? 0;
      if (segment.fault !== null) {
        visit(index, () => before + 1);
        this.before.set(segment.file, before + 1);
        continue;
      }
      const numbering = framingOf(segment.format) === 'lines' ? lines(batch, segment) : starts(decoded, index);
      visit(index, (rawStart) => before + numbering.at(rawStart));
      this.before.set(segment.file, before + numbering.count());
    }
  }
}

interface Numbering {
  /** From 1. */
  at(rawStart: number): number;
  count(): number;
}

/** Cheapest when asked in ascending order. */
function lines(batch: RawBatch, { start, end }: Segment): Numbering {
  const bytes = bufferOf(batch.bytes);
  let at = start;
  let line = 1;
  const walk = (to: number): void => {
    if (to < at) {
      at = start;
      line = 1;
    }
    for (let newline = bytes.indexOf(NEWLINE, at); newline >= 0 && newline < to; newline = bytes.indexOf(NEWLINE, at)) {
      at = newline + 1;
      line++;
    }
  };
  return {
    at: (rawStart) => {
      walk(rawStart);
      return line;
    },
    count: () => {
      walk(end);
      return at < end ? line : line - 1;
    },
  };
}

function starts(decoded: Decoded, segment: number): Numbering {
  const { flows, logs, sessions, tunnels, rejects } = decoded;
  const places: number[] = [];
  for (let row = 0; row < flows.length; row++) if (flows.segment[row] === segment) places.push(flows.rawStart[row]);
  for (const records of [logs, sessions, tunnels, rejects]) {
    for (const record of records) if (record.segment === segment) places.push(record.rawStart);
  }
  places.sort((a, b) => a - b);
  return {
    at: (rawStart) => {
      let low = 0;
      let high = places.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (places[middle] < rawStart) low = middle + 1;
        else high = middle;
      }
      return low + 1;
    },
    count: () => places.length,
  };
}

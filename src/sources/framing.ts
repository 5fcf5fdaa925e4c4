// Where records end in a byte stream. The main thread does as little as it can: for lines, one backward search a batch.

import { type FormatName, framingOf } from '../model/batch.ts';
import type { RejectCode } from '../model/reject.ts';
import { MsgpackFramer } from './framing-msgpack.ts';
import { VarintFramer } from './framing-varint.ts';
import { ZeekHeader } from './zeek-header.ts';

/** Something at a record's beginning that is no record of bounded size. `skipper` finds where reading can go on. */
export interface Trouble {
  readonly code: RejectCode;
  readonly detail: string;
  readonly skipper: Skipper;
}

/** Fed with what follows the beginning of the trouble, piece by piece. */
export interface Skipper {
  /** Offset in `buffer` where the next record begins, or -1: further on. */
  scan(buffer: Buffer, from: number, to: number): number;
  /** After -1: how many of the bytes need not be given again. */
  consumed: number;
  /** Trailing bytes of the skipped that are a separator, not content: 1 for a newline. */
  readonly separator: number;
  /** Nothing behind can be told apart any more: it ends where the input ends. */
  readonly rest: boolean;
}

export interface Framer {
  /** What a decoder must know of the file before the next record. Ask before `cut`. */
  context(): Uint8Array | null;
  /**
   * Offset in [at, end] behind the last whole record that fits, at most `maxRecords` of them; stops before trouble.
   * The framer is then behind these records; `cut` goes on from there.
   */
  cut(buffer: Buffer, at: number, end: number, maxRecords: number): number;
  /** When `cut` gave nothing: why, or null when the record merely goes on behind `end`. */
  trouble(buffer: Buffer, at: number, end: number): Trouble | null;
  /** Whether what is left at the end of the input counts as a record (a line without its newline does). */
  readonly endsRecord: boolean;
  /** Whether records behind a position can be read without having read what is before it. */
  readonly seekable: boolean;
}

export function createFramer(format: FormatName, recordBytes: number): Framer {
  switch (framingOf(format)) {
    case 'msgpack':
      return new MsgpackFramer(recordBytes);
    case 'varint':
      return new VarintFramer(recordBytes);
    default:
      return new LineFramer(recordBytes, format === 'zeek-tsv' ? new ZeekHeader() : null);
  }
}

export class RestSkipper implements Skipper {
  readonly separator = 0;
  readonly rest = true;
  consumed = 0;

  scan(_buffer: Buffer, from: number, to: number): number {
    this.consumed = to - from;
    return -1;
  }
}

const NEWLINE = 10;

class LineFramer implements Framer {
  readonly endsRecord = true;
  private readonly limit: number;
  private readonly header: ZeekHeader | null;

  constructor(recordBytes: number, header: ZeekHeader | null) {
    this.limit = recordBytes;
    this.header = header;
  }

  get seekable(): boolean {
    return this.header === null;
  }

  context(): Uint8Array | null {
    return this.header?.context() ?? null;
  }

  cut(buffer: Buffer, at: number, end: number, maxRecords: number): number {
    const to = maxRecords === 0 ? this.whole(buffer, at, end) : this.counted(buffer, at, end, maxRecords);
    this.header?.observe(buffer, at, to);
    return to;
  }

  trouble(buffer: Buffer, at: number, end: number): Trouble | null {
    if (end - at <= this.limit) return null;
    const newline = buffer.indexOf(NEWLINE, at);
    if (newline >= 0 && newline - at <= this.limit) return null;
    return {
      code: 'record_too_large',
      detail: `a line is longer than ${this.limit} bytes`,
      skipper: new LineSkipper(),
    };
  }

  /** All whole lines: hops by the longest allowed record, so that a longer one cannot hide between two others. */
  private whole(buffer: Buffer, start: number, end: number): number {
    let at = start;
    while (end - at > this.limit) {
      const newline = buffer.lastIndexOf(NEWLINE, at + this.limit);
      if (newline < at) return at;
      at = newline + 1;
    }
    if (at === end) return at;
    const newline = buffer.lastIndexOf(NEWLINE, end - 1);
    return newline < at ? at : newline + 1;
  }

  private counted(buffer: Buffer, start: number, end: number, maxRecords: number): number {
    let at = start;
    for (let records = 0; records < maxRecords && at < end; records++) {
      const newline = buffer.indexOf(NEWLINE, at);
      if (newline < 0 || newline >= end || newline - at > this.limit) break;
      at = newline + 1;
    }
    return at;
  }
}

class LineSkipper implements Skipper {
  readonly separator = 1;
  readonly rest = false;
  consumed = 0;

  scan(buffer: Buffer, from: number, to: number): number {
    this.consumed = to - from;
    const newline = buffer.indexOf(NEWLINE, from);
    return newline < 0 || newline >= to ? -1 : newline + 1;
  }
}

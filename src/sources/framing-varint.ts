// Records with their length before them, as a varint: goflow2's delimited protobuf.

import { type Framer, RestSkipper, type Skipper, type Trouble } from './framing.ts';

/** A length of more bytes than this cannot be meant: 2^35. */
const LENGTH_BYTES = 5;

export class VarintFramer implements Framer {
  readonly endsRecord = false;
  readonly seekable = true;
  private readonly limit: number;
  private length = 0;

  constructor(recordBytes: number) {
    this.limit = recordBytes;
  }

  context(): null {
    return null;
  }

  cut(buffer: Buffer, start: number, end: number, maxRecords: number): number {
    let at = start;
    for (let records = 0; (maxRecords === 0 || records < maxRecords) && at < end; records++) {
      const body = this.prefix(buffer, at, end);
      if (body < 0 || this.length > this.limit || body + this.length > end) break;
      at = body + this.length;
    }
    return at;
  }

  trouble(buffer: Buffer, at: number, end: number): Trouble | null {
    const body = this.prefix(buffer, at, end);
    if (body === -1) return null;
    if (body === -2) {
      return {
        code: 'syntax',
        detail:
          'a record begins with a length that cannot be read, so the rest of the input cannot be cut into records',
        skipper: new RestSkipper(),
      };
    }
    if (this.length <= this.limit) return null;
    return {
      code: 'record_too_large',
      detail: `a record of ${this.length} bytes is longer than ${this.limit} bytes`,
      skipper: new CountSkipper(body - at + this.length),
    };
  }

  /** Offset of the body and `length` set; -1 when the prefix goes on behind `end`, -2 when it is none. */
  private prefix(buffer: Buffer, at: number, end: number): number {
    let length = 0;
    for (let i = 0; i < LENGTH_BYTES; i++) {
      if (at + i >= end) return -1;
      const byte = buffer[at + i];
      length += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) {
        this.length = length;
        return at + i + 1;
      }
    }
    return -2;
  }
}

class CountSkipper implements Skipper {
  readonly separator = 0;
  readonly rest = false;
  consumed = 0;
  private left: number;

  constructor(count: number) {
    this.left = count;
  }

  scan(_buffer: Buffer, from: number, to: number): number {
    if (this.left <= to - from) return from + this.left;
    this.consumed = to - from;
    this.left -= this.consumed;
    return -1;
  }
}

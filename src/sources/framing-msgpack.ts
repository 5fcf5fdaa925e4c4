// Concatenated MessagePack messages; the walker remembers msgpackr's record structures, which are the context.

import { INVALID, MsgpackWalker } from '../model/msgpack-walk.ts';
import { type Framer, RestSkipper, type Skipper, type Trouble } from './framing.ts';

export class MsgpackFramer implements Framer {
  readonly endsRecord = false;
  readonly seekable = false;
  private readonly limit: number;
  private readonly walker = new MsgpackWalker();
  private current: Uint8Array | null = null;

  constructor(recordBytes: number) {
    this.limit = recordBytes;
  }

  context(): Uint8Array | null {
    this.current = this.walker.context();
    return this.current;
  }

  cut(buffer: Buffer, start: number, end: number, maxRecords: number): number {
    let at = start;
    for (let records = 0; (maxRecords === 0 || records < maxRecords) && at < end; records++) {
      const next = this.walker.walk(buffer, at, end);
      if (next < 0 || next - at > this.limit) break;
      at = next;
    }
    return at;
  }

  trouble(buffer: Buffer, at: number, end: number): Trouble | null {
    const next = this.walker.walk(buffer, at, end);
    if (next === INVALID) {
      return {
        code: 'syntax',
        detail: 'what begins here is no MessagePack, so the rest of the input cannot be cut into records',
        skipper: new RestSkipper(),
      };
    }
    if (next < 0 && end - at <= this.limit) return null;
    if (next >= 0 && next - at <= this.limit) return null;
    return {
      code: 'record_too_large',
      detail: `a message is longer than ${this.limit} bytes`,
      skipper: new MessageSkipper(this.walker),
    };
  }
}

class MessageSkipper implements Skipper {
  readonly separator = 0;
  readonly rest = false;
  consumed = 0;
  private readonly walker: MsgpackWalker;
  private begun = false;
  private lost = false;

  constructor(walker: MsgpackWalker) {
    this.walker = walker;
  }

  scan(buffer: Buffer, from: number, to: number): number {
    let next = -1;
    if (!this.lost) {
      next = this.begun ? this.walker.resume(buffer, from, to) : this.walker.walk(buffer, from, to);
      this.begun = true;
      this.lost = next === INVALID;
    }
    if (next >= 0) return next;
    this.consumed = this.lost ? to - from : this.walker.consumed;
    return -1;
  }
}

// The records of a segment, while they are being found. One object serves all segments: those of a record or two are many where
// producers' tenants alternate.

import type { RecordTable } from '../../../src/model/batch.ts';

export class Growing {
  count = 0;
  private starts = new Uint32Array(256);
  private ends = new Uint32Array(256);
  private offsets = new Float64Array(256);
  private tenants = new Int32Array(256);
  private appendedAtMs = new Float64Array(256);
  private insides = new Uint32Array(256);
  private least = Infinity;

  add(start: number, end: number, offset: number, tenant: number, inside = 0): void {
    if (this.count === this.starts.length) this.grow();
    const i = this.count++;
    this.starts[i] = start;
    this.ends[i] = end;
    this.offsets[i] = offset;
    this.tenants[i] = tenant;
    this.insides[i] = inside;
  }

  /** When the record that was added last reached the broker. */
  appended(ms: number): void {
    this.appendedAtMs[this.count - 1] = ms;
    if (ms < this.least) this.least = ms;
  }

  reset(): void {
    this.count = 0;
    this.least = Infinity;
  }

  /** The records so far, in memory of their own; empty afterwards. */
  take(): RecordTable & { readonly leastAppendedAtMs: number } {
    const { count, least } = this;
    const taken = {
      count,
      starts: this.starts.slice(0, count),
      ends: this.ends.slice(0, count),
      offsets: this.offsets.slice(0, count),
      tenants: this.tenants.slice(0, count),
      appendedAtMs: this.appendedAtMs.slice(0, count),
      insides: this.insides.slice(0, count),
      leastAppendedAtMs: least,
    };
    this.reset();
    return taken;
  }

  private grow(): void {
    const size = this.starts.length * 2;
    const bigger = <T extends Uint32Array | Float64Array | Int32Array>(old: T, fresh: T): T => {
      fresh.set(old as never);
      return fresh;
    };
    this.starts = bigger(this.starts, new Uint32Array(size));
    this.ends = bigger(this.ends, new Uint32Array(size));
    this.offsets = bigger(this.offsets, new Float64Array(size));
    this.tenants = bigger(this.tenants, new Int32Array(size));
    this.appendedAtMs = bigger(this.appendedAtMs, new Float64Array(size));
    this.insides = bigger(this.insides, new Uint32Array(size));
  }
}

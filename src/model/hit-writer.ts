// Packs the hits of a batch; see hits.ts.

import { ByteWriter } from './bytes.ts';
import type { Clock } from './hit-layout.ts';

/**
 * Collects the hits of a batch. Use: `clockOf` and `see` for every accepted record in stream order; `event` once for a
 * record with hits, then `hit` for each. `take` gives the bytes and empties the writer.
 */
export class HitsWriter {
  private clocks: Clock[] = [];
  private clockIndex = new Map<string, number>();
  private maximum: number[] = [];
  private times = new Float64Array(4096);
  private timeClocks = new Uint16Array(4096);
  private seen = 0;
  private events = new ByteWriter();
  private eventCount = 0;
  private hits = new ByteWriter();
  private hitCount = 0;
  private files: string[] = [];

  /** Index of a tenant's clock for a dataset. */
  clockOf(tenant: number, dataset: string): number {
    const key = `${tenant} ${dataset}`;
    let index = this.clockIndex.get(key);
    if (index === undefined) {
      index = this.clocks.length;
      this.clockIndex.set(key, index);
      this.clocks.push({ tenant, dataset });
      this.maximum.push(-Infinity);
    }
    return index;
  }

  /** Notes an accepted record. Returns the clock before it. A skewed record is noted without advancing the clock. */
  see(clock: number, timeMs: number, skewed: boolean): number {
    if (this.seen === this.times.length) {
      const times = new Float64Array(this.seen * 2);
      times.set(this.times);
      this.times = times;
      const clocks = new Uint16Array(this.seen * 2);
      clocks.set(this.timeClocks);
      this.timeClocks = clocks;
    }
    const before = this.maximum[clock];
    if (!skewed) {
      this.times[this.seen] = timeMs;
      this.timeClocks[this.seen++] = clock;
      if (timeMs > before) this.maximum[clock] = timeMs;
    }
    return before;
  }

  /** Adds the event that the following `hit` calls belong to. `texts` are UTF-8 bytes in ENTITY_TEXTS order. */
  event(
    timeMs: number,
    clockMs: number,
    startMs: number,
    tenant: number,
    clock: number,
    skewed: boolean,
    addresses: { id: Uint32Array; source: Uint32Array; destination: Uint32Array; at: number },
    sourcePort: number,
    destinationPort: number,
    protocol: number,
    file: string,
    position: number,
    texts: readonly Uint8Array[],
    raw: Uint8Array,
  ): void {
    const e = this.events;
    e.f64(timeMs);
    e.f64(clockMs);
    e.f64(startMs);
    e.f64(position);
    e.u32(tenant);
    e.u32(clock);
    e.u32(skewed ? 1 : 0);
    e.u32(this.fileIndex(file));
    for (let i = 0; i < 4; i++) e.u32(addresses.id[addresses.at + i]);
    for (let i = 0; i < 4; i++) e.u32(addresses.source[addresses.at + i]);
    for (let i = 0; i < 4; i++) e.u32(addresses.destination[addresses.at + i]);
    e.u32((sourcePort << 16) | destinationPort);
    e.u32(protocol);
    let length = raw.length;
    for (const text of texts) length += text.length + varintLength(text.length);
    e.u32(length);
    e.u32(raw.length);
    e.u32(this.seen);
    for (const text of texts) {
      e.varint(text.length);
      e.raw(text);
    }
    e.raw(raw);
    this.eventCount++;
  }

  /**
   * The last event advances rule `target` (an index into the rule set) because it matched rule `base`.
   * `key` is the group key ('' bytes for none). `value` is the number of a value_sum and the like; `distinct` the bytes of a
   * value_count value (null for none).
   */
  hit(target: number, base: number, key: Uint8Array, value: number, distinct: Uint8Array | null): void {
    const h = this.hits;
    h.u32(target);
    h.u32(base);
    h.u32(this.eventCount - 1);
    h.f64(value);
    h.u32(key.length);
    h.u32(distinct === null ? 0xffffffff : distinct.length);
    h.raw(key);
    if (distinct !== null) h.raw(distinct);
    this.hitCount++;
  }

  /** The packed bytes; the writer is empty afterwards. */
  take(): Uint8Array {
    const header = new TextEncoder().encode(
      JSON.stringify({
        clocks: this.clocks,
        files: this.files,
        seen: this.seen,
        events: this.eventCount,
        hits: this.hitCount,
      }),
    );
    const out = new ByteWriter(64 + header.length + this.seen * 10 + this.events.length + this.hits.length);
    out.u32(header.length);
    out.u32(this.events.length);
    out.raw(header);
    out.raw(new Uint8Array(this.times.buffer, 0, this.seen * 8));
    out.raw(new Uint8Array(this.timeClocks.buffer, 0, this.seen * 2));
    out.raw(this.events.bytes.subarray(0, this.events.length));
    out.raw(this.hits.bytes.subarray(0, this.hits.length));
    this.clocks = [];
    this.clockIndex = new Map();
    this.maximum = [];
    this.files = [];
    this.seen = this.eventCount = this.hitCount = 0;
    this.events.reset();
    this.hits.reset();
    return out.bytes.subarray(0, out.length);
  }

  private fileIndex(file: string): number {
    const last = this.files.length - 1;
    if (last >= 0 && this.files[last] === file) return last;
    const known = this.files.indexOf(file);
    return known >= 0 ? known : this.files.push(file) - 1;
  }
}

function varintLength(value: number): number {
  let n = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) n++;
  return n;
}

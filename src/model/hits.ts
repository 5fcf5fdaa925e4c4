// Hits: what `match` tells `correlate`. Self-contained bytes: nothing in them refers to the batch or a dictionary.
//
// An *event* is a record with at least one hit. A *hit* says that an event advances a rule. Every event carries the
// clock before it (highest event time of its tenant and dataset earlier in the batch), so that a decision never
// depends on where a batch ended. All times are ms since 1970; event time is the end of a flow.

import { ByteWriter, bufferOf } from './bytes.ts';

/** One value of a group key, tagged so that it can be read back. Equal values have equal bytes. */
export type KeyValue = null | string | number | Uint32Array;

const KEY = { absent: 0, ip: 1, number: 2, text: 3 } as const;

/** Entity texts of an event, in this order. */
export const ENTITY_TEXTS = [
  'pop',
  'user',
  'device',
  'site',
  'host',
  'application',
  'direction',
  'sourceCountry',
  'destinationCountry',
  'threat',
  'policyId',
  'action',
  'tunnel',
  'message',
] as const;
export type EntityText = (typeof ENTITY_TEXTS)[number];

export interface HitEvent {
  /** Event time (end), and the event clock of its tenant and dataset over the earlier events of this batch (-Infinity at first). */
  timeMs: number;
  clockMs: number;
  /** Producer's timestamp (start) for display. */
  startMs: number;
  tenant: number;
  /** Index into the clocks of the batch. */
  clock: number;
  /** True when the event must not advance time and is left out of windows (clock skew). */
  skewed: boolean;
  id: Uint32Array;
  source: Uint32Array;
  destination: Uint32Array;
  sourcePort: number;
  destinationPort: number;
  protocol: number;
  file: string;
  position: number;
  texts: Record<EntityText, string>;
  raw: Uint8Array;
}

export interface Clock {
  readonly tenant: number;
  /** 'flow', or 'product/category/service' of a log source. */
  readonly dataset: string;
}

/** Writes the group key of a hit; see `readKey`. */
export class KeyWriter {
  readonly out = new ByteWriter(256);

  reset(): void {
    this.out.length = 0;
  }

  absent(): void {
    this.out.u8(KEY.absent);
  }

  ip(words: Uint32Array, at: number): void {
    const start = this.out.reserve(17);
    const bytes = this.out.bytes;
    bytes[start] = KEY.ip;
    for (let i = 0; i < 4; i++) {
      const w = words[at + i];
      bytes[start + 1 + i * 4] = w >>> 24;
      bytes[start + 2 + i * 4] = w >>> 16;
      bytes[start + 3 + i * 4] = w >>> 8;
      bytes[start + 4 + i * 4] = w;
    }
    this.out.length += 17;
  }

  number(value: number): void {
    this.out.u8(KEY.number);
    this.out.f64(value);
  }

  text(bytes: Uint8Array): void {
    this.out.u8(KEY.text);
    this.out.varint(bytes.length);
    this.out.raw(bytes);
  }
}

/** Reads a group key back into its values. */
export function readKey(bytes: Uint8Array): KeyValue[] {
  const values: KeyValue[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at++];
    if (tag === KEY.absent) values.push(null);
    else if (tag === KEY.ip) {
      const words = new Uint32Array(4);
      for (let i = 0; i < 4; i++) words[i] = view.getUint32(at + i * 4, false);
      values.push(words);
      at += 16;
    } else if (tag === KEY.number) {
      values.push(view.getFloat64(at, true));
      at += 8;
    } else {
      let length = 0;
      let scale = 1;
      for (;;) {
        const b = bytes[at++];
        length += (b & 127) * scale;
        if (b < 128) break;
        scale *= 128;
      }
      values.push(bufferOf(bytes).toString('utf8', at, at + length));
      at += length;
    }
  }
  return values;
}

const EVENT_BYTES = 8 * 4 + 4 * 4 + 48 + 4 + 16;

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

export interface Hit {
  target: number;
  base: number;
  event: number;
  value: number;
  key: Uint8Array;
  distinct: Uint8Array | null;
}

/** Reads packed hits. `hits()` is in stream order; the yielded object is reused. Events are decoded on demand. */
export class HitsReader {
  readonly clocks: readonly Clock[];
  readonly eventCount: number;
  readonly hitCount: number;
  /** Event time and clock index of every record seen (skewed ones left out), in stream order. */
  readonly times: Float64Array;
  readonly timeClocks: Uint16Array;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly files: readonly string[];
  private readonly starts: Uint32Array;
  private readonly hitsAt: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const headerLength = this.view.getUint32(0, true);
    const eventsLength = this.view.getUint32(4, true);
    const header = JSON.parse(bufferOf(bytes).toString('utf8', 8, 8 + headerLength));
    this.clocks = header.clocks;
    this.files = header.files;
    this.eventCount = header.events;
    this.hitCount = header.hits;
    let at = 8 + headerLength;
    this.times = new Float64Array(bytes.slice(at, at + header.seen * 8).buffer);
    at += header.seen * 8;
    this.timeClocks = new Uint16Array(bytes.slice(at, at + header.seen * 2).buffer);
    at += header.seen * 2;
    this.starts = new Uint32Array(this.eventCount);
    this.hitsAt = at + eventsLength;
    for (let i = 0; i < this.eventCount; i++) {
      this.starts[i] = at;
      at += EVENT_BYTES + this.view.getUint32(at + EVENT_BYTES - 12, true);
    }
  }

  /** Event time, clock before it, tenant, clock index and skew, without decoding the rest. */
  timeMs(event: number): number {
    return this.view.getFloat64(this.starts[event], true);
  }
  clockMs(event: number): number {
    return this.view.getFloat64(this.starts[event] + 8, true);
  }
  tenant(event: number): number {
    return this.view.getUint32(this.starts[event] + 32, true);
  }
  clock(event: number): number {
    return this.view.getUint32(this.starts[event] + 36, true);
  }
  skewed(event: number): boolean {
    return this.view.getUint32(this.starts[event] + 40, true) === 1;
  }
  position(event: number): number {
    return this.view.getFloat64(this.starts[event] + 24, true);
  }
  file(event: number): string {
    return this.files[this.view.getUint32(this.starts[event] + 44, true)];
  }
  /** Number of records noted (by `see`) up to and including this event: its place in `times`. */
  seenUpTo(event: number): number {
    return this.view.getUint32(this.starts[event] + EVENT_BYTES - 4, true);
  }
  /** Word 0–3 of the event id. */
  idWord(event: number, word: number): number {
    return this.view.getUint32(this.starts[event] + 48 + word * 4, true);
  }

  event(event: number): HitEvent {
    const at = this.starts[event];
    const view = this.view;
    const words = (from: number): Uint32Array =>
      Uint32Array.from([0, 4, 8, 12], (offset) => view.getUint32(at + from + offset, true));
    const ports = view.getUint32(at + 96, true);
    const length = view.getUint32(at + 104, true);
    const rawLength = view.getUint32(at + 108, true);
    let cursor = at + EVENT_BYTES;
    const texts = {} as Record<EntityText, string>;
    for (const name of ENTITY_TEXTS) {
      let size = 0;
      let scale = 1;
      for (;;) {
        const b = this.bytes[cursor++];
        size += (b & 127) * scale;
        if (b < 128) break;
        scale *= 128;
      }
      texts[name] = bufferOf(this.bytes).toString('utf8', cursor, cursor + size);
      cursor += size;
    }
    const end = at + EVENT_BYTES + length;
    return {
      timeMs: this.timeMs(event),
      clockMs: this.clockMs(event),
      startMs: view.getFloat64(at + 16, true),
      tenant: this.tenant(event),
      clock: this.clock(event),
      skewed: this.skewed(event),
      id: words(48),
      source: words(64),
      destination: words(80),
      sourcePort: ports >>> 16,
      destinationPort: ports & 0xffff,
      protocol: view.getUint32(at + 100, true),
      file: this.file(event),
      position: this.position(event),
      texts,
      raw: this.bytes.subarray(end - rawLength, end),
    };
  }

  *hits(): Generator<Hit> {
    const hit: Hit = { target: 0, base: 0, event: 0, value: 0, key: this.bytes, distinct: null };
    let at = this.hitsAt;
    for (let i = 0; i < this.hitCount; i++) {
      hit.target = this.view.getUint32(at, true);
      hit.base = this.view.getUint32(at + 4, true);
      hit.event = this.view.getUint32(at + 8, true);
      hit.value = this.view.getFloat64(at + 12, true);
      const keyLength = this.view.getUint32(at + 20, true);
      const distinctLength = this.view.getUint32(at + 24, true);
      at += 28;
      hit.key = this.bytes.subarray(at, at + keyLength);
      at += keyLength;
      hit.distinct = distinctLength === 0xffffffff ? null : this.bytes.subarray(at, at + distinctLength);
      if (distinctLength !== 0xffffffff) at += distinctLength;
      yield hit;
    }
  }
}

// Reads packed hits; see hits.ts.

import { bufferOf } from './bytes.ts';
import { type Clock, ENTITY_TEXTS, type EntityText, EVENT_BYTES, type Hit, type HitEvent } from './hit-layout.ts';

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

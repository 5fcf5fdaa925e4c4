// References to the latest events of each group (id, time, stream, position), so that an alert can name what came before
// the event that fired it. Columns and linked rings instead of objects: 44 bytes a reference.

import { uuidText } from '../../src/model/hash.ts';
import type { HitsReader } from '../../src/model/hits.ts';

export interface EvidenceReference {
  readonly event_id: string;
  readonly timeMs: number;
  readonly stream: string;
  readonly position: number;
}

/** Stream names as small numbers, shared by the pools of a lane. */
export class StreamNames {
  private readonly ids = new Map<string, number>();
  private readonly names: string[] = [];

  idOf(name: string): number {
    let id = this.ids.get(name);
    if (id === undefined) {
      id = this.names.push(name) - 1;
      this.ids.set(name, id);
    }
    return id;
  }

  name(id: number): string {
    return this.names[id];
  }

  get size(): number {
    return this.names.length;
  }
}

export class EvidencePool {
  /** Of a ring: the following reference; the newest points at the oldest. Of a free row: the next free row. */
  private next = new Int32Array(16);
  private ids = new Uint32Array(64);
  private times = new Float64Array(16);
  private positions = new Float64Array(16);
  private streams = new Uint32Array(16);
  private used = 0;
  private free = -1;

  /** Adds an event to the ring whose newest is `tail` (-1: none yet). Full rings drop their oldest. Returns the new tail. */
  add(tail: number, full: boolean, reader: HitsReader, event: number, stream: number): number {
    const row = full ? this.next[tail] : this.allocate();
    for (let i = 0; i < 4; i++) this.ids[row * 4 + i] = reader.idWord(event, i);
    this.times[row] = reader.timeMs(event);
    this.positions[row] = reader.position(event);
    this.streams[row] = stream;
    if (!full) this.link(tail, row);
    return row;
  }

  /** References of a ring, oldest first. */
  list(tail: number, names: StreamNames): EvidenceReference[] {
    const references: EvidenceReference[] = [];
    if (tail < 0) return references;
    let row = tail;
    do {
      row = this.next[row];
      references.push({
        event_id: uuidText(this.ids, row * 4),
        timeMs: this.times[row],
        stream: names.name(this.streams[row]),
        position: this.positions[row],
      });
    } while (row !== tail);
    return references;
  }

  release(tail: number): void {
    if (tail < 0) return;
    const oldest = this.next[tail];
    this.next[tail] = this.free;
    this.free = oldest;
  }

  /** Appends a ring as numbers, oldest first: four id words, time, position, stream (as `streamOf` renames it). */
  save(tail: number, out: number[], streamOf: (stream: number) => number): void {
    if (tail < 0) return;
    let row = tail;
    do {
      row = this.next[row];
      for (let i = 0; i < 4; i++) out.push(this.ids[row * 4 + i]);
      out.push(this.times[row], this.positions[row], streamOf(this.streams[row]));
    } while (row !== tail);
  }

  /** Makes a ring of what `save` wrote. Returns its tail. */
  load(numbers: ArrayLike<number>, streams: readonly number[]): number {
    let tail = -1;
    for (let at = 0; at < numbers.length; at += 7) {
      const row = this.allocate();
      for (let i = 0; i < 4; i++) this.ids[row * 4 + i] = numbers[at + i];
      this.times[row] = numbers[at + 4];
      this.positions[row] = numbers[at + 5];
      this.streams[row] = streams[numbers[at + 6]];
      this.link(tail, row);
      tail = row;
    }
    return tail;
  }

  /** Replaces stream numbers, after names were dropped. */
  rename(tail: number, streamOf: (stream: number) => number): void {
    if (tail < 0) return;
    let row = tail;
    do {
      row = this.next[row];
      this.streams[row] = streamOf(this.streams[row]);
    } while (row !== tail);
  }

  private link(tail: number, row: number): void {
    if (tail < 0) this.next[row] = row;
    else {
      this.next[row] = this.next[tail];
      this.next[tail] = row;
    }
  }

  private allocate(): number {
    if (this.free >= 0) {
      const row = this.free;
      this.free = this.next[row];
      return row;
    }
    if (this.used === this.next.length) this.grow();
    return this.used++;
  }

  private grow(): void {
    const rows = this.next.length * 2;
    const next = new Int32Array(rows);
    next.set(this.next);
    this.next = next;
    const ids = new Uint32Array(rows * 4);
    ids.set(this.ids);
    this.ids = ids;
    const times = new Float64Array(rows);
    times.set(this.times);
    this.times = times;
    const positions = new Float64Array(rows);
    positions.set(this.positions);
    this.positions = positions;
    const streams = new Uint32Array(rows);
    streams.set(this.streams);
    this.streams = streams;
  }
}

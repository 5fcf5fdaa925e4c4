// Strings as integers. Every string column of a batch holds ids of one worker-wide dictionary; id 0 is "absent".

import { bufferOf, utf8 } from './bytes.ts';

const MAX_ENTRIES = 1 << 16;
const MAX_BYTES = 8 << 20;

/**
 * Interns byte strings. Ids hold until `trim()` finds the budget exceeded and starts anew (between batches only),
 * which raises `generation`: caches keyed by id must check it.
 */
export class Dictionary {
  generation = 0;
  /** Number of ids in use, 0 (absent) included. */
  size = 1;
  private table = new Int32Array(1 << 12).fill(0);
  private hashes = new Int32Array(1 << 12);
  private starts = new Uint32Array(1 << 12);
  private ends = new Uint32Array(1 << 12);
  private heap = new Uint8Array(1 << 18);
  private used = 0;
  private texts: (string | undefined)[] = [''];

  /** Id of `bytes[start, end)`; 0 for the empty string. */
  intern(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length === 0) return 0;
    let h = length;
    for (let i = start; i < end; i++) h = Math.imul(h ^ bytes[i], 0x01000193);
    h ^= h >>> 15;
    const mask = this.table.length - 1;
    let slot = h & mask;
    for (;;) {
      const id = this.table[slot];
      if (id === 0) return this.add(bytes, start, end, h, slot);
      if (this.hashes[id] === h && this.equals(id, bytes, start, length)) return id;
      slot = (slot + 1) & mask;
    }
  }

  internText(text: string): number {
    const bytes = utf8(text);
    return this.intern(bytes, 0, bytes.length);
  }

  /** Text of an id ('' for 0). Decoded once, then kept. */
  text(id: number): string {
    const known = this.texts[id];
    if (known !== undefined) return known;
    const text = bufferOf(this.heap).toString('utf8', this.starts[id], this.ends[id]);
    this.texts[id] = text;
    return text;
  }

  /** UTF-8 bytes of an id, as a view that holds until the next `intern`. */
  bytes(id: number): Uint8Array {
    return id === 0 ? this.heap.subarray(0, 0) : this.heap.subarray(this.starts[id], this.ends[id]);
  }

  byteLength(id: number): number {
    return id === 0 ? 0 : this.ends[id] - this.starts[id];
  }

  /** Copies the bytes of an id to `target` at `at` (room must be there); no view is made. */
  copyTo(id: number, target: Uint8Array, at: number): void {
    const from = this.starts[id];
    const length = this.byteLength(id);
    if (length > 48) {
      target.set(this.heap.subarray(from, from + length), at);
      return;
    }
    const heap = this.heap;
    for (let i = 0; i < length; i++) target[at + i] = heap[from + i];
  }

  /** Call between batches: empties the dictionary when it has outgrown its budget (guarantee 4). */
  trim(): void {
    if (this.size < MAX_ENTRIES && this.used < MAX_BYTES) return;
    this.table = new Int32Array(1 << 12);
    this.size = 1;
    this.used = 0;
    this.texts = [''];
    this.heap = new Uint8Array(1 << 18);
    this.generation++;
  }

  private equals(id: number, bytes: Uint8Array, start: number, length: number): boolean {
    const from = this.starts[id];
    if (this.ends[id] - from !== length) return false;
    const heap = this.heap;
    for (let i = 0; i < length; i++) if (heap[from + i] !== bytes[start + i]) return false;
    return true;
  }

  private add(bytes: Uint8Array, start: number, end: number, hash: number, slot: number): number {
    const id = this.size++;
    if (id >= this.starts.length) {
      this.starts = grown(this.starts, Uint32Array);
      this.ends = grown(this.ends, Uint32Array);
      this.hashes = grown(this.hashes, Int32Array);
    }
    const length = end - start;
    if (this.used + length > this.heap.length) {
      const heap = new Uint8Array(Math.max(this.heap.length * 2, this.used + length));
      heap.set(this.heap.subarray(0, this.used));
      this.heap = heap;
    }
    this.heap.set(bytes.subarray(start, end), this.used);
    this.starts[id] = this.used;
    this.used += length;
    this.ends[id] = this.used;
    this.hashes[id] = hash;
    this.texts[id] = undefined;
    if (this.size * 2 > this.table.length) this.rehash();
    else this.table[slot] = id;
    return id;
  }

  private rehash(): void {
    const table = new Int32Array(this.table.length * 2);
    const mask = table.length - 1;
    for (let id = 1; id < this.size; id++) {
      let slot = this.hashes[id] & mask;
      while (table[slot] !== 0) slot = (slot + 1) & mask;
      table[slot] = id;
    }
    this.table = table;
  }
}

function grown<T extends Uint32Array | Int32Array>(old: T, make: new (length: number) => T): T {
  const bigger = new make(old.length * 2);
  bigger.set(old);
  return bigger;
}

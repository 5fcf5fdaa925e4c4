// Strings as integers. Every string column of a batch holds ids of one worker-wide dictionary; id 0 is "absent".
//
// Laid out so that finding a text again, which every string of every flow does, touches two cache lines: one of the hash
// table and the 32-byte entry, which holds the text itself unless it is long. Texts are compared and copied four bytes at
// a time, padded with zeros. Words are little-endian, as every platform that this runs on is.

import { type ByteWriter, utf8 } from './bytes.ts';

const MAX_ENTRIES = 1 << 16;
const MAX_BYTES = 8 << 20;

/** Words of an entry: length in bytes, then the text, or for a long one where it starts in the heap (words). */
const ENTRY = 8;
/** Bytes of the longest text that an entry holds: one less than its room, so that there is always a word behind the text. */
const INLINE = (ENTRY - 1) * 4 - 1;
const FIRST_ENTRIES = 1 << 10;
const FIRST_HEAP = 1 << 12;

/** A slot of the hash table is an id and the high bits of its hash. A batch has not the bytes for 2^24 texts. */
const ID = 0xffffff;
const TAG = ~ID;

/** Hash of one more whole word of a text. */
export function mixWord(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}

/**
 * Interns byte strings. Ids hold until `trim()` finds the budget exceeded and starts anew (between batches only),
 * which raises `generation`: caches keyed by id must check it.
 */
export class Dictionary {
  generation = 0;
  /** Number of ids in use, 0 (absent) included. */
  size = 1;
  private table = new Int32Array(FIRST_ENTRIES * 2);
  private entries = new Int32Array(FIRST_ENTRIES * ENTRY);
  private heap = new Int32Array(FIRST_HEAP);
  /** Words of the heap in use. */
  private used = 0;
  private texts: (string | undefined)[] = [''];
  private scratch = new Uint8Array(1024);
  private scratchView = new DataView(this.scratch.buffer);

  /** Id of `bytes[start, end)`; 0 for the empty string. */
  intern(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length + 4 > this.scratch.length) {
      this.scratch = new Uint8Array(length * 2);
      this.scratchView = new DataView(this.scratch.buffer);
    }
    const { scratch, scratchView: view } = this;
    for (let i = 0; i < length; i++) scratch[i] = bytes[start + i];
    scratch.fill(0, length, (length | 3) + 1);
    const full = length & ~3;
    let hash = 0;
    for (let at = 0; at < full; at += 4) hash = mixWord(hash, view.getInt32(at, true));
    return this.find(view, 0, length, view.getInt32(full, true), hash);
  }

  /**
   * Id of the text of `length` bytes at `start` of `view`, whose whole words hash (`mixWord`, from 0) to `hash`. `tail` is
   * the word behind those: the rest of the text, padded with zeros.
   */
  find(view: DataView, start: number, length: number, tail: number, hash: number): number {
    if (length === 0) return 0;
    const { table, entries } = this;
    const full = length >> 2;
    const mixed = finish(hash, tail, length);
    const mask = table.length - 1;
    for (let slot = mixed & mask; ; slot = (slot + 1) & mask) {
      const found = table[slot];
      if (found === 0) return this.add(view, start, length, tail, mixed, slot);
      if (((found ^ mixed) & TAG) !== 0) continue;
      const id = found & ID;
      const entry = id * ENTRY;
      if (entries[entry] !== length) continue;
      const words = length <= INLINE ? entries : this.heap;
      const at = length <= INLINE ? entry + 1 : entries[entry + 1];
      if (words[at + full] !== tail) continue;
      let k = 0;
      while (k < full && words[at + k] === view.getInt32(start + k * 4, true)) k++;
      if (k === full) return id;
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
    const { buffer, byteOffset, length } = this.bytes(id);
    const text = Buffer.from(buffer, byteOffset, length).toString('utf8');
    this.texts[id] = text;
    return text;
  }

  /** UTF-8 bytes of an id, as a view that holds until the next `intern`. */
  bytes(id: number): Uint8Array {
    const length = this.byteLength(id);
    const words = length <= INLINE ? this.entries : this.heap;
    return new Uint8Array(words.buffer, this.wordsAt(id, length) * 4, length);
  }

  byteLength(id: number): number {
    return this.entries[id * ENTRY];
  }

  /** Writes the first `count` of these texts: varint byte length and bytes, one text behind the other. */
  write(ids: ArrayLike<number>, count: number, out: ByteWriter): void {
    const { entries } = this;
    let at = out.reserve(count * (INLINE + 4));
    let { bytes, view } = out;
    for (let i = 0; i < count; i++) {
      const entry = ids[i] * ENTRY;
      const length = entries[entry];
      if (length > INLINE) {
        out.length = at;
        out.varint(length);
        out.raw(this.bytes(ids[i]));
        at = out.reserve((count - i) * (INLINE + 4));
        bytes = out.bytes;
        view = out.view;
        continue;
      }
      bytes[at++] = length;
      // Whole words: what is written too much is written over, or lies behind the end.
      for (let k = 0; k * 4 < length; k++) view.setInt32(at + k * 4, entries[entry + 1 + k], true);
      at += length;
    }
    out.length = at;
  }

  /** Call between batches: empties the dictionary when it has outgrown its budget (guarantee 4). */
  trim(): void {
    if (this.size < MAX_ENTRIES && this.used * 4 < MAX_BYTES) return;
    this.table = new Int32Array(FIRST_ENTRIES * 2);
    this.entries = new Int32Array(FIRST_ENTRIES * ENTRY);
    this.heap = new Int32Array(FIRST_HEAP);
    this.size = 1;
    this.used = 0;
    this.texts = [''];
    this.generation++;
  }

  private wordsAt(id: number, length: number): number {
    return length <= INLINE ? id * ENTRY + 1 : this.entries[id * ENTRY + 1];
  }

  private add(view: DataView, start: number, length: number, tail: number, mixed: number, slot: number): number {
    const id = this.size++;
    if (this.size * ENTRY > this.entries.length) this.entries = grown(this.entries, 0);
    const { entries } = this;
    const entry = id * ENTRY;
    const full = length >> 2;
    let words = entries;
    let at = entry + 1;
    if (length > INLINE) {
      if (this.used + full + 1 > this.heap.length) this.heap = grown(this.heap, this.used + full + 1);
      words = this.heap;
      at = this.used;
      this.used += full + 1;
      entries[entry + 1] = at;
    }
    entries[entry] = length;
    for (let k = 0; k < full; k++) words[at + k] = view.getInt32(start + k * 4, true);
    words[at + full] = tail;
    this.texts[id] = undefined;
    this.table[slot] = id | (mixed & TAG);
    if (this.size * 2 > this.table.length) this.rehash();
    return id;
  }

  private rehash(): void {
    const table = new Int32Array(this.table.length * 2);
    const mask = table.length - 1;
    for (let id = 1; id < this.size; id++) {
      const length = this.byteLength(id);
      const words = length <= INLINE ? this.entries : this.heap;
      const from = this.wordsAt(id, length);
      const full = length >> 2;
      let hash = 0;
      for (let k = 0; k < full; k++) hash = mixWord(hash, words[from + k]);
      const mixed = finish(hash, words[from + full], length);
      let slot = mixed & mask;
      while (table[slot] !== 0) slot = (slot + 1) & mask;
      table[slot] = id | (mixed & TAG);
    }
    this.table = table;
  }
}

function finish(hash: number, tail: number, length: number): number {
  const mixed = Math.imul(hash ^ tail ^ (length << 24), 0x85ebca6b);
  return mixed ^ (mixed >>> 13);
}

function grown(old: Int32Array, least: number): Int32Array<ArrayBuffer> {
  const bigger = new Int32Array(Math.max(old.length * 2, least));
  bigger.set(old);
  return bigger;
}

// Open addressing by a 128-bit hash: group key → item. Typed columns and dense rows, so that a million groups stay small.

import { hashWords } from '../../src/model/hash.ts';

/** Rows are dense; removing one moves the last row into its place. */
export class GroupTable<T> {
  size = 0;
  items: T[] = [];
  /** Latest event time of a row: what decides eviction, and with the key its order. */
  last = new Float64Array(16);
  /** Newest evidence reference of a row (see EvidencePool), and how many there are. */
  tails = new Int32Array(16);
  counts = new Uint8Array(16);
  private keys = new Uint32Array(64);
  /** Row + 1, or 0. */
  private slots = new Int32Array(32);

  /** Row of the key in `hashWords`, or -1. */
  find(): number {
    const mask = this.slots.length - 1;
    for (let slot = hashWords[0] & mask; ; slot = (slot + 1) & mask) {
      const row = this.slots[slot] - 1;
      if (row < 0) return -1;
      const at = row * 4;
      if (
        this.keys[at] === hashWords[0] &&
        this.keys[at + 1] === hashWords[1] &&
        this.keys[at + 2] === hashWords[2] &&
        this.keys[at + 3] === hashWords[3]
      )
        return row;
    }
  }

  /** Adds the key in `hashWords`, which is not there yet. Returns its row. May replace the columns. */
  add(item: T, last: number): number {
    if (this.size === this.last.length) this.grow();
    if ((this.size + 1) * 2 > this.slots.length) this.rehash(this.slots.length * 2);
    const row = this.size++;
    this.keys.set(hashWords, row * 4);
    this.items.push(item);
    this.last[row] = last;
    this.tails[row] = -1;
    this.counts[row] = 0;
    this.link(row);
    return row;
  }

  remove(row: number): void {
    this.unlink(row);
    const end = --this.size;
    if (row !== end) {
      // The last row moves: its slot must say so.
      const mask = this.slots.length - 1;
      let slot = this.keys[end * 4] & mask;
      while (this.slots[slot] !== end + 1) slot = (slot + 1) & mask;
      this.slots[slot] = row + 1;
      this.keys.copyWithin(row * 4, end * 4, end * 4 + 4);
      this.items[row] = this.items[end];
      this.last[row] = this.last[end];
      this.tails[row] = this.tails[end];
      this.counts[row] = this.counts[end];
    }
    this.items.pop();
  }

  /** Puts the key of a row into `hashWords`. */
  load(row: number): void {
    for (let i = 0; i < 4; i++) hashWords[i] = this.keys[row * 4 + i];
  }

  keyWord(row: number, word: number): number {
    return this.keys[row * 4 + word];
  }

  /** The `count` rows that leave first: least latest event time, then least key. From the highest row number down. */
  oldest(count: number): Int32Array {
    if (count <= 0) return new Int32Array(0);
    const times = this.last.slice(0, this.size).sort();
    const limit = times[Math.min(count, this.size) - 1];
    const rows: number[] = [];
    const ties: number[] = [];
    for (let row = 0; row < this.size; row++) {
      if (this.last[row] < limit) rows.push(row);
      else if (this.last[row] === limit) ties.push(row);
    }
    ties.sort((a, b) => this.compareKeys(a, b));
    return Int32Array.from([...rows, ...ties.slice(0, count - rows.length)])
      .sort()
      .reverse();
  }

  private compareKeys(a: number, b: number): number {
    for (let i = 0; i < 4; i++) {
      const difference = this.keys[a * 4 + i] - this.keys[b * 4 + i];
      if (difference !== 0) return difference;
    }
    return 0;
  }

  private link(row: number): void {
    const mask = this.slots.length - 1;
    let slot = this.keys[row * 4] & mask;
    while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
    this.slots[slot] = row + 1;
  }

  /** Backward shift: later entries of the probe run move up, so that no marker of a removed one stays. */
  private unlink(row: number): void {
    const { slots, keys } = this;
    const mask = slots.length - 1;
    let hole = keys[row * 4] & mask;
    while (slots[hole] !== row + 1) hole = (hole + 1) & mask;
    for (let slot = (hole + 1) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const home = keys[(slots[slot] - 1) * 4] & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      slots[hole] = slots[slot];
      hole = slot;
    }
    slots[hole] = 0;
  }

  private grow(): void {
    const rows = this.last.length * 2;
    const copy = <A extends Float64Array | Int32Array | Uint32Array | Uint8Array>(to: A, from: A): A => {
      to.set(from);
      return to;
    };
    this.last = copy(new Float64Array(rows), this.last);
    this.tails = copy(new Int32Array(rows), this.tails);
    this.counts = copy(new Uint8Array(rows), this.counts);
    this.keys = copy(new Uint32Array(rows * 4), this.keys);
  }

  private rehash(slots: number): void {
    this.slots = new Int32Array(slots);
    for (let row = 0; row < this.size; row++) this.link(row);
  }
}

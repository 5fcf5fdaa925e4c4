// Sums by five integers (tenant, PoP, minute, application, category), in typed arrays with open addressing; all of an entry
// in one or two cache lines. 64-bit sums are kept as two halves whose words are added apart: exact, and wrapping at 2^64 as
// ClickHouse's own sum does.

const CARRY_AT = 2 ** 52;
const TWO_32 = 4294967296;

/** Words of an entry of `Sums.words`, at these places (the rest is the hash). */
export const WORDS = 8;
export const TENANT = 0;
export const POP = 1;
export const MINUTE = 2;
export const APPLICATION = 3;
export const CATEGORY = 4;
export const REQUESTS = 5;
export const BLOCKED = 6;
const HASH = 7;

export class Sums {
  length = 0;
  /** Entry e starts at e * WORDS. */
  words: Uint32Array = new Uint32Array(1024 * WORDS);
  /** Low and high half of each entry's byte sum. */
  private bytes: Float64Array = new Float64Array(1024 * 2);
  /** Slot → 1 + entry. */
  private table: Uint32Array = new Uint32Array(4096);

  reset(): void {
    if (this.length > 0) this.table.fill(0);
    this.length = 0;
  }

  /** The entry of a key; a new one has zero sums. */
  entry(tenant: number, pop: number, minute: number, application: number, category: number): number {
    let h = Math.imul(tenant ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(minute, 0xc2b2ae35);
    h = Math.imul(h ^ (h >>> 15) ^ application, 0x27d4eb2f);
    h = Math.imul(h ^ (h >>> 13) ^ (pop << 8) ^ (category << 20) ^ category, 0x165667b1);
    h ^= h >>> 16;
    const { table, words } = this;
    const mask = table.length - 1;
    let slot = h & mask;
    for (;;) {
      const found = table[slot];
      if (found === 0) break;
      const at = (found - 1) * WORDS;
      if (
        words[at + MINUTE] === minute &&
        words[at + APPLICATION] === application &&
        words[at + TENANT] === tenant &&
        words[at + POP] === pop &&
        words[at + CATEGORY] === category
      )
        return found - 1;
      slot = (slot + 1) & mask;
    }
    return this.insert(slot, h, tenant, pop, minute, application, category);
  }

  addBytes(e: number, low: number, high: number): void {
    const { bytes } = this;
    const sum = bytes[e * 2] + low;
    if (sum >= CARRY_AT) {
      bytes[e * 2 + 1] += Math.floor(sum / TWO_32);
      bytes[e * 2] = sum % TWO_32;
    } else bytes[e * 2] = sum;
    const upper = bytes[e * 2 + 1] + high;
    bytes[e * 2 + 1] = upper >= CARRY_AT ? upper % CARRY_AT : upper;
  }

  addRequests(e: number, requests: number, blocked: number): void {
    this.words[e * WORDS + REQUESTS] += requests;
    this.words[e * WORDS + BLOCKED] += blocked;
  }

  /** Low and high word of the byte sum. */
  lowWord(e: number): number {
    return this.bytes[e * 2] >>> 0;
  }

  highWord(e: number): number {
    return (this.bytes[e * 2 + 1] + Math.floor(this.bytes[e * 2] / TWO_32)) >>> 0;
  }

  private insert(
    slot: number,
    hash: number,
    tenant: number,
    pop: number,
    minute: number,
    application: number,
    category: number,
  ): number {
    const e = this.length++;
    const at = e * WORDS;
    if (at === this.words.length) this.grow();
    const { words, bytes } = this;
    words[at + TENANT] = tenant;
    words[at + POP] = pop;
    words[at + MINUTE] = minute;
    words[at + APPLICATION] = application;
    words[at + CATEGORY] = category;
    words[at + REQUESTS] = 0;
    words[at + BLOCKED] = 0;
    words[at + HASH] = hash;
    bytes[e * 2] = 0;
    bytes[e * 2 + 1] = 0;
    if (this.length * 2 > this.table.length) this.rehash();
    else this.table[slot] = e + 1;
    return e;
  }

  private grow(): void {
    const words = new Uint32Array(this.words.length * 2);
    words.set(this.words);
    this.words = words;
    const bytes = new Float64Array(this.bytes.length * 2);
    bytes.set(this.bytes);
    this.bytes = bytes;
  }

  private rehash(): void {
    const table = new Uint32Array(this.table.length * 2);
    const mask = table.length - 1;
    for (let e = 0; e < this.length; e++) {
      let slot = this.words[e * WORDS + HASH] & mask;
      while (table[slot] !== 0) slot = (slot + 1) & mask;
      table[slot] = e + 1;
    }
    this.table = table;
  }
}

// A set of domain names at a million entries: a domain matches itself and all names below it; the longest match wins.
// The names lie in one byte heap with an open-addressing table of u32 (some 40 bytes an entry, no strings).

const DOT = 46;
const PRIME = 0x01000193;
const NONE = 0;

export class DomainTable {
  private table = new Int32Array(64);
  private hashes = new Int32Array(32);
  private starts = new Uint32Array(33);
  private values = new Uint32Array(32);
  private heap = new Uint8Array(1024);
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** Adds `bytes[start, end)` (case and a dot at either end do not matter); of equal names the first value holds. */
  add(bytes: Uint8Array, start: number, end: number, value: number): void {
    let from = start;
    let to = end;
    if (to - from > 2 && bytes[from] === 42 && bytes[from + 1] === DOT) from += 2; // *.example.net
    while (from < to && bytes[from] === DOT) from++;
    while (to > from && bytes[to - 1] === DOT) to--;
    if (to === from) return;
    let hash = 0;
    for (let i = to - 1; i >= from; i--) hash = Math.imul(hash ^ lower(bytes[i]), PRIME);
    if (this.probe(bytes, from, to, hash) !== NONE) return;
    const length = to - from;
    this.reserve(length);
    const at = this.starts[this.count];
    for (let i = 0; i < length; i++) this.heap[at + i] = lower(bytes[from + i]);
    this.hashes[this.count] = hash;
    this.values[this.count] = value;
    this.starts[++this.count] = at + length;
    this.insert(hash, this.count);
  }

  /** Value of the longest listed name that `bytes[start, end)` equals or lies below; 0 for none. */
  lookup(bytes: Uint8Array, start: number, end: number): number {
    if (this.count === 0) return NONE;
    let to = end;
    while (to > start && bytes[to - 1] === DOT) to--;
    let hash = 0;
    let found = NONE;
    for (let i = to - 1; i >= start; i--) {
      const c = bytes[i];
      if (c === DOT) found = this.probe(bytes, i + 1, to, hash) || found;
      hash = Math.imul(hash ^ lower(c), PRIME);
    }
    return this.probe(bytes, start, to, hash) || found;
  }

  private probe(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const mask = this.table.length - 1;
    for (let slot = spread(hash) & mask; ; slot = (slot + 1) & mask) {
      const entry = this.table[slot];
      if (entry === 0) return NONE;
      if (this.hashes[entry - 1] === hash && this.equals(entry - 1, bytes, start, end)) return this.values[entry - 1];
    }
  }

  private equals(entry: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = this.starts[entry];
    const length = end - start;
    if (this.starts[entry + 1] - from !== length) return false;
    for (let i = 0; i < length; i++) if (this.heap[from + i] !== lower(bytes[start + i])) return false;
    return true;
  }

  private insert(hash: number, entry: number): void {
    const mask = this.table.length - 1;
    let slot = spread(hash) & mask;
    while (this.table[slot] !== 0) slot = (slot + 1) & mask;
    this.table[slot] = entry;
  }

  private reserve(length: number): void {
    const used = this.starts[this.count];
    if (used + length > this.heap.length) {
      const heap = new Uint8Array(Math.max(this.heap.length * 2, used + length));
      heap.set(this.heap);
      this.heap = heap;
    }
    if (this.count === this.values.length) {
      this.hashes = doubled(this.hashes, new Int32Array(this.count * 2));
      this.values = doubled(this.values, new Uint32Array(this.count * 2));
      this.starts = doubled(this.starts, new Uint32Array(this.count * 2 + 1));
    }
    if ((this.count + 1) * 2 > this.table.length) {
      this.table = new Int32Array(this.table.length * 2);
      for (let entry = 0; entry < this.count; entry++) this.insert(this.hashes[entry], entry + 1);
    }
  }
}

function lower(c: number): number {
  return c >= 65 && c <= 90 ? c | 32 : c;
}

function spread(hash: number): number {
  const h = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return h ^ (h >>> 13);
}

function doubled<T extends Uint32Array | Int32Array>(old: T, bigger: T): T {
  bigger.set(old);
  return bigger;
}

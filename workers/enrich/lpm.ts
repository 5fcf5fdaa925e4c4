// Longest-prefix match: prefixes in, a table of disjoint ranges out, one binary search within a small bucket a lookup.
// Ranges instead of the classic 16-8-8 tables because a million scattered /32s would fill a million 1 KiB chunks there;
// here they are two u32 a boundary, and a bucket holds about one boundary. Values are u32; 0 means "no prefix".

import { V4_PREFIX } from '../../src/model/ip.ts';

const MAX_INDEX_BITS = 18;
/** So many that few buckets of a small table hold a boundary at all: a search in one is a branch that nothing predicts. */
const MIN_INDEX_BITS = 8;

/** Collects prefixes; `build` sorts and flattens them. Of equal prefixes the one added first wins. */
export class PrefixTableBuilder {
  private words = new Uint32Array(64);
  private bits = new Uint8Array(16);
  private values = new Uint32Array(16);
  private count = 0;

  /** `bits` counts in the 128-bit form, host bits are clear (see `parsePrefix`); `value` is above 0. */
  add(words: Uint32Array, bits: number, value: number): void {
    const at = this.count++;
    if (at === this.bits.length) this.grow();
    this.words.set(words.length === 4 ? words : words.subarray(0, 4), at * 4);
    this.bits[at] = bits;
    this.values[at] = value;
  }

  get size(): number {
    return this.count;
  }

  build(): PrefixTable {
    const { words, bits, values, count } = this;
    // A prefix shorter than /96 that covers ::ffff:0:0/96 also covers IPv4: it is added to both tables.
    const short: { start: number; bits: number; value: number }[] = [];
    const v4 = new U64List();
    const wide: number[] = [];
    for (let i = 0; i < count; i++) {
      const w = i * 4;
      if (bits[i] >= 96 && words[w] === 0 && words[w + 1] === 0 && words[w + 2] === V4_PREFIX) {
        v4.push(words[w + 3], bits[i] - 96, i);
      } else {
        wide.push(i);
        if (bits[i] < 96 && coversV4(words, w, bits[i])) short.push({ start: 0, bits: bits[i], value: values[i] });
      }
    }
    const outer = short.sort((a, b) => b.bits - a.bits)[0]?.value ?? 0;
    return new PrefixTable(v4Ranges(v4.sorted(), values, outer), v6Ranges(wide, words, bits, values));
  }

  private grow(): void {
    const words = new Uint32Array(this.words.length * 2);
    words.set(this.words);
    this.words = words;
    const bits = new Uint8Array(this.bits.length * 2);
    bits.set(this.bits);
    this.bits = bits;
    const values = new Uint32Array(this.values.length * 2);
    values.set(this.values);
    this.values = values;
  }
}

export class PrefixTable {
  private readonly starts: Uint32Array;
  private readonly values: Uint32Array;
  private readonly index: Uint32Array;
  private readonly shift: number;
  private readonly wideStarts: Uint32Array;
  private readonly wideValues: Uint32Array;
  readonly empty: boolean;

  constructor(v4: Ranges, v6: Ranges) {
    this.starts = v4.starts;
    this.values = v4.values;
    const bits = Math.min(MAX_INDEX_BITS, Math.max(MIN_INDEX_BITS, Math.ceil(Math.log2(v4.values.length + 1))));
    this.shift = 32 - bits;
    this.index = indexOf(v4.starts, bits);
    this.wideStarts = v6.starts;
    this.wideValues = v6.values;
    this.empty = v4.values.every((value) => value === 0) && v6.values.length === 0;
  }

  /** Value of the longest prefix that holds the address in the four words at `at`; 0 for none. */
  lookup(words: Uint32Array, at: number): number {
    if (words[at + 2] === V4_PREFIX && words[at] === 0 && words[at + 1] === 0) return this.lookupV4(words[at + 3]);
    return this.wideValues.length === 0 ? 0 : this.lookupV6(words, at);
  }

  private lookupV4(address: number): number {
    const bucket = address >>> this.shift;
    const starts = this.starts;
    // The range that holds the address starts at the last boundary that is not above it.
    let low = this.index[bucket];
    let high = this.index[bucket + 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (starts[middle] <= address) low = middle + 1;
      else high = middle;
    }
    return this.values[low - 1];
  }

  private lookupV6(words: Uint32Array, at: number): number {
    const starts = this.wideStarts;
    let low = 0;
    let high = this.wideValues.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (notAbove(starts, middle * 4, words, at)) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : this.wideValues[low - 1];
  }
}

/** Disjoint ranges: range i is [starts[i], starts[i+1]). IPv4 starts are one word, IPv6 starts four. */
interface Ranges {
  readonly starts: Uint32Array;
  readonly values: Uint32Array;
}

function notAbove(a: Uint32Array, i: number, b: Uint32Array, j: number): boolean {
  for (let w = 0; w < 4; w++) if (a[i + w] !== b[j + w]) return a[i + w] < b[j + w];
  return true;
}

function coversV4(words: Uint32Array, at: number, bits: number): boolean {
  const v4 = [0, 0, V4_PREFIX];
  for (let w = 0; w < 3; w++) {
    const kept = Math.min(32, Math.max(0, bits - w * 32));
    const mask = kept === 0 ? 0 : (-1 << (32 - kept)) >>> 0;
    if (((words[at + w] ^ v4[w]) & mask) !== 0) return false;
  }
  return true;
}

/** Sort keys of IPv4 prefixes: start, then length, then order of arrival. */
class U64List {
  private keys = new BigUint64Array(16);
  private halves = new Uint32Array(this.keys.buffer);
  private count = 0;

  push(start: number, bits: number, index: number): void {
    if (index >= 1 << 26) throw new RangeError('more than 67,108,863 prefixes in one table');
    if (this.count === this.keys.length) {
      const keys = new BigUint64Array(this.count * 2);
      keys.set(this.keys);
      this.keys = keys;
      this.halves = new Uint32Array(keys.buffer);
    }
    this.halves[this.count * 2] = bits * 0x4000000 + index;
    this.halves[this.count * 2 + 1] = start;
    this.count++;
  }

  /** (bits and index, start) word pairs in order. */
  sorted(): Uint32Array {
    const keys = this.keys.slice(0, this.count).sort();
    return new Uint32Array(keys.buffer);
  }
}

function v4Ranges(sorted: Uint32Array, values: Uint32Array, outer: number): Ranges {
  const count = sorted.length / 2;
  const starts = new Uint32Array(count * 2 + 1);
  const out = new Uint32Array(count * 2 + 1);
  out[0] = outer;
  let length = 1;
  sweep<number>(
    {
      count,
      start: (i) => sorted[i * 2 + 1],
      end: (i) => sorted[i * 2 + 1] + 2 ** (32 - (sorted[i * 2] >>> 26)),
      value: (i) => values[sorted[i * 2] & 0x3ffffff],
    },
    outer,
    (start, value) => {
      if (start > 0xffffffff) return;
      if (starts[length - 1] === start) length--;
      if (length > 0 && out[length - 1] === value) return;
      starts[length] = start;
      out[length++] = value;
    },
  );
  return { starts: starts.slice(0, length), values: out.slice(0, length) };
}

function v6Ranges(wide: readonly number[], words: Uint32Array, bits: Uint8Array, values: Uint32Array): Ranges {
  const starts: bigint[] = [];
  const out: number[] = [];
  const items = wide
    .map((i) => ({ start: wordsToBigint(words, i * 4), bits: bits[i], value: values[i] }))
    .sort((a, b) => (a.start === b.start ? a.bits - b.bits : a.start < b.start ? -1 : 1));
  sweep<bigint>(
    {
      count: items.length,
      start: (i) => items[i].start,
      end: (i) => items[i].start + (1n << BigInt(128 - items[i].bits)),
      value: (i) => items[i].value,
    },
    0,
    (start, value) => {
      if (start >> 128n !== 0n) return;
      if (starts[starts.length - 1] === start) {
        starts.pop();
        out.pop();
      }
      if ((out[out.length - 1] ?? 0) === value) return;
      starts.push(start);
      out.push(value);
    },
  );
  const flat = new Uint32Array(starts.length * 4);
  starts.forEach((start, i) => {
    for (let w = 0; w < 4; w++) flat[i * 4 + w] = Number((start >> BigInt(96 - w * 32)) & 0xffffffffn);
  });
  return { starts: flat, values: Uint32Array.from(out) };
}

function wordsToBigint(words: Uint32Array, at: number): bigint {
  let value = 0n;
  for (let w = 0; w < 4; w++) value = (value << 32n) | BigInt(words[at + w]);
  return value;
}

interface Nested<T> {
  readonly count: number;
  start(i: number): T;
  /** First address after the prefix. */
  end(i: number): T;
  value(i: number): number;
}

/**
 * Walks prefixes sorted by (start, length, arrival) with the stack of those that are open, and emits every boundary and
 * the value that holds from there. Boundaries may repeat; the last one of a start is the true one.
 */
function sweep<T extends number | bigint>(
  prefixes: Nested<T>,
  outer: number,
  emit: (start: T, value: number) => void,
): void {
  const ends: T[] = [];
  const open: number[] = [];
  const close = (): void => {
    const end = ends.pop() as T;
    open.pop();
    emit(end, open.length === 0 ? outer : open[open.length - 1]);
  };
  for (let i = 0; i < prefixes.count; i++) {
    const start = prefixes.start(i);
    const end = prefixes.end(i);
    while (ends.length > 0 && ends[ends.length - 1] <= start) close();
    // The same prefix again: the first one holds.
    if (ends.length > 0 && i > 0 && prefixes.start(i - 1) === start && ends[ends.length - 1] === end) continue;
    ends.push(end);
    open.push(prefixes.value(i));
    emit(start, prefixes.value(i));
  }
  while (ends.length > 0) close();
}

/** For each value of the leading `bits` bits: the position of the first boundary above the bucket's first address. */
function indexOf(starts: Uint32Array, bits: number): Uint32Array {
  const index = new Uint32Array((1 << bits) + 1);
  const width = 2 ** (32 - bits);
  let position = 0;
  for (let bucket = 0; bucket <= 1 << bits; bucket++) {
    while (position < starts.length && starts[position] <= bucket * width) position++;
    index[bucket] = position;
  }
  return index;
}

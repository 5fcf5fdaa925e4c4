// Stable sort by a u32 key, 16 bits at a time: linear, and without a call a comparison.

const BUCKETS = 1 << 16;

/** `entries` by ascending `keys[entry]`; equal ones keep their order. */
export function orderBy(entries: Uint32Array<ArrayBuffer>, keys: Uint32Array): Uint32Array<ArrayBuffer> {
  let low = 0xffffffff;
  let high = 0;
  for (const e of entries) {
    low = Math.min(low, keys[e]);
    high = Math.max(high, keys[e]);
  }
  let order = entries;
  for (let shift = 0; shift < 32 && high > low && (high - low) >>> shift !== 0; shift += 16) {
    const starts = new Uint32Array(Math.min(BUCKETS, ((high - low) >>> shift) + 1) + 1);
    for (const e of order) starts[(((keys[e] - low) >>> shift) & (BUCKETS - 1)) + 1]++;
    for (let b = 1; b < starts.length; b++) starts[b] += starts[b - 1];
    const sorted = new Uint32Array(order.length);
    for (const e of order) sorted[starts[((keys[e] - low) >>> shift) & (BUCKETS - 1)]++] = e;
    order = sorted;
  }
  return order;
}

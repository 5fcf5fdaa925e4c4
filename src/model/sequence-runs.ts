// Sequence numbers of one exporter as runs without a gap: what a batch holds shrinks to a few numbers, and runs of several batches
// (or partitions, in any order) become the runs of all of them.
//
// A number begins a packet. Where exporters count packets, the next packet has the next number. Where they count records, it has
// the number that many records further on, and how many a packet has is known only once all are seen: they may be in several
// batches. So a run keeps its last packet apart, with the records seen of it; all packets before that are complete.

/** goflow2's types of a message, by their number in its protobuf. */
export const EXPORTS = { SFLOW_5: 1, NETFLOW_V5: 2, NETFLOW_V9: 3, IPFIX: 4 } as const;

/** NetFlow v5 and IPFIX number the records, NetFlow v9 and sFlow the packets. */
export const countsFlows = (type: number): boolean => type === EXPORTS.NETFLOW_V5 || type === EXPORTS.IPFIX;

/** Triples one after the other, by `start`: start, number of the last packet, records seen of that. Numbers are unwrapped. */
export type Runs = number[];

/** First number after the run that ends with the triple at `at`. */
export const endOf = (runs: Runs, at: number, flows: boolean): number => runs[at + 1] + (flows ? runs[at + 2] : 1);

/** Signed distance from `b` to `a` on the circle of 32 bits. */
export const distance = (a: number, b: number): number => (a - b) | 0;

/** Joins runs that are ordered by start, but may overlap or meet, into the fewest. */
export function joinRuns(runs: Runs, flows: boolean): Runs {
  const joined: Runs = [];
  for (let at = 0; at < runs.length; at += 3) {
    const start = runs[at];
    const tail = runs[at + 1];
    const seen = runs[at + 2];
    const last = joined.length - 3;
    if (last < 0 || start > Math.max(joined[last + 1], endOf(joined, last, flows))) {
      joined.push(start, tail, seen);
      continue;
    }
    const known = joined[last + 1];
    // A last packet that begins another run with packets after it is complete there; seen in parts, the parts add up. What lies
    // before the last packet is there already: the same packet once more.
    if (tail > known) {
      joined[last + 1] = tail;
      joined[last + 2] = seen;
    } else if (tail === known) joined[last + 2] += seen;
  }
  return joined;
}

/** The runs of both. */
export function mergeRuns(a: Runs, b: Runs, flows: boolean): Runs {
  if (a.length === 0 || b.length === 0) return a.length === 0 ? b : a;
  const merged: Runs = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (j >= b.length || (i < a.length && a[i] <= b[j])) {
      merged.push(a[i], a[i + 1], a[i + 2]);
      i += 3;
    } else {
      merged.push(b[j], b[j + 1], b[j + 2]);
      j += 3;
    }
  }
  return joinRuns(merged, flows);
}

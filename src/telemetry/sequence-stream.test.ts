// Promise: what never came is counted, once, and nothing else: whatever is late, doubled, wrapped or begun anew, and wherever batches
// end. The oracle knows what was dropped.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { countsFlows, EXPORTS } from '../model/sequence-runs.ts';
import { runsOf } from '../model/sequences.ts';
import { SequenceStream } from './sequence-stream.ts';

interface Packet {
  readonly number: number;
  readonly records: number;
}

/** Feeds records cut into batches of the given sizes (in turn), and adds up what comes out. */
function tallyOf(type: number, numbers: readonly number[], cuts: readonly number[], spread = false) {
  const stream = new SequenceStream(countsFlows(type));
  const total = { lost: 0, restarts: 0 };
  for (let at = 0, turn = 0; at < numbers.length; turn++) {
    const batch = numbers.slice(at, at + cuts[turn % cuts.length]);
    at += batch.length;
    const group = { exporter: 1, tenant: 0, type, domain: 0, numbers: batch, counts: batch.map(() => 1) };
    const { lost, restarts } = stream.add(runsOf(group), spread);
    total.lost += lost;
    total.restarts += restarts;
  }
  return total;
}

function packetsOf(type: number, start: number, sizes: readonly number[]): Packet[] {
  let next = start;
  return sizes.map((records) => {
    const number = next;
    next = (next + (countsFlows(type) ? records : 1)) >>> 0;
    return { number, records };
  });
}

const recordsOf = (packets: readonly Packet[]): number[] =>
  packets.flatMap(({ number, records }) => Array<number>(records).fill(number));

/** Enough packets in order for everything before them to be settled. */
const CALM = Array<number>(300).fill(30);

const epoch = fc.record({
  sizes: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 120 }),
  dropped: fc.array(fc.nat(200), { maxLength: 40 }),
  delays: fc.array(fc.nat(20), { minLength: 1, maxLength: 30 }),
  doubled: fc.array(fc.nat(200), { maxLength: 10 }),
});
const STARTS = [2 ** 26, 2 ** 32 - 150, 2 ** 28, 2 ** 32 - 2 ** 26];

test('drops, delays, doubles, wraps and restarts, whatever the batches', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.values(EXPORTS)),
      fc.array(epoch, { minLength: 1, maxLength: 3 }),
      fc.nat(3),
      fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 1, maxLength: 10 }),
      (type, epochs, first, cuts) => {
        let lost = 0;
        const all: Packet[] = [];
        epochs.forEach(({ sizes, dropped, delays, doubled }, e) => {
          const flows = countsFlows(type);
          const start = STARTS[(first + e) % STARTS.length];
          const packets = packetsOf(type, start, [5, ...sizes, ...CALM]);
          const gone = new Set(dropped.filter((i) => i >= 1 && i <= sizes.length));
          for (const i of gone) lost += flows ? packets[i].records : 1;
          const arriving = packets.map((packet, i) => ({
            packet,
            i,
            at: i + (i <= sizes.length ? delays[i % delays.length] : 25),
          }));
          const kept = arriving.filter(({ i }) => !gone.has(i)).sort((a, b) => a.at - b.at);
          for (const { packet, i } of kept) {
            all.push(packet);
            // Records have no identity: of those that are numbered themselves, a double cannot be told from the next.
            if (!flows && doubled.includes(i)) all.push(packet);
          }
        });
        assert.deepEqual(tallyOf(type, recordsOf(all), cuts), { lost, restarts: epochs.length - 1 });
      },
    ),
    { numRuns: 300 },
  );
});

test('partitions that are read in turns lose nothing, even where one packet is in several', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.values(EXPORTS)),
      fc.array(fc.nat(2), { minLength: 7, maxLength: 50 }),
      fc.integer({ min: 1, max: 1000 }),
      (type, keys, cut) => {
        const numbers = recordsOf(packetsOf(type, 7, Array<number>(400).fill(12)));
        const parts = [0, 1, 2].map((p) => numbers.filter((_, i) => keys[i % keys.length] === p));
        const turns: number[] = [];
        for (let at = 0; parts.some(({ length }) => at < length); at += cut)
          for (const part of parts) turns.push(...part.slice(at, at + cut));
        assert.deepEqual(tallyOf(type, turns, [cut], true), { lost: 0, restarts: 0 });
      },
    ),
  );
});

test('two numberings that go on side by side are neither loss nor restart, and each tells its own', () => {
  const one = packetsOf(EXPORTS.NETFLOW_V9, 1000, Array<number>(800).fill(1));
  const two = packetsOf(EXPORTS.NETFLOW_V9, 5_000_000, Array<number>(800).fill(1)).filter((_, i) => i < 90 || i > 99);
  const both = one.flatMap((packet, i) => [packet, ...(two[i] ? [two[i]] : [])]);
  for (const cut of [1, 2, 7, 50])
    assert.deepEqual(tallyOf(EXPORTS.NETFLOW_V9, recordsOf(both), [cut]), { lost: 10, restarts: 0 });
});

test('a gap of an outage is lost as a whole; one straggler from long ago changes nothing', () => {
  const before = packetsOf(EXPORTS.IPFIX, 100_000, CALM);
  const after = packetsOf(EXPORTS.IPFIX, 1_109_000, CALM);
  assert.deepEqual(tallyOf(EXPORTS.IPFIX, recordsOf([...before, ...after]), [500]), { lost: 1_000_000, restarts: 0 });
  const late = [...before, { number: 3, records: 30 }, ...packetsOf(EXPORTS.IPFIX, 109_000, CALM)];
  assert.deepEqual(tallyOf(EXPORTS.IPFIX, recordsOf(late), [77]), { lost: 0, restarts: 0 });
});

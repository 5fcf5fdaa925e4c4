// Promise: whatever is parked whenever, records of a tenant are handed on in the order in which they came.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { type ControlSnapshot, plainTenant } from '../model/control.ts';
import { Pulse } from '../model/pulse.ts';
import type { Matched } from '../model/work.ts';
import type { Overflow, Source, SourceBatch } from '../sources/source.ts';
import { inOrder } from './in-order.ts';
import { LaneInput, type LaneItem } from './lane-input.ts';
import { Parking } from './parking.ts';
import type { Positions } from './positions.ts';

interface Record {
  readonly tenant: string;
  readonly serial: number;
}

type Batch = SourceBatch & { readonly records: readonly Record[] };

/** A topic that grows while it is read. */
class Topic {
  readonly bounded = false;
  readonly index = 0;
  readonly name: string;
  position = 0;
  released = 0;
  readonly batches_: Batch[] = [];
  private readonly grown = new Pulse();

  constructor(name: string) {
    this.name = name;
  }

  append(records: readonly Record[]): void {
    const release = (): void => {
      this.released++;
    };
    this.batches_.push({ bytes: new Uint8Array(0), segments: [], ranges: [], progressBytes: 0, records, release });
    this.grown.fire();
  }

  get lag(): number {
    return this.batches_.slice(this.position).reduce((sum, { records }) => sum + records.length, 0);
  }

  async end(): Promise<number> {
    return this.batches_.length;
  }

  async *batches(_: unknown, signal: AbortSignal): AsyncGenerator<Batch> {
    signal.addEventListener('abort', () => this.grown.fire());
    while (!signal.aborted) {
      const next = this.batches_[this.position];
      if (next === undefined) await this.grown.wait();
      else {
        this.position++;
        yield next;
      }
    }
  }
}

const NOWHERE = { ahead: () => new Map() } as unknown as Positions;

/** Runs batches of `main` through, parking as `quotas` say; returns what was processed, in order. */
async function processed(
  batches: readonly (readonly Record[])[],
  quotas: Readonly<{ [tenant: string]: number }>,
  idle: () => boolean,
  pauseMs = 0,
): Promise<{ done: Record[]; parkedOnce: boolean; released: number; unfreed: number; parkedLast: boolean }> {
  const main = new Topic('main');
  const overflow = new Topic('overflow');
  const parking = new Parking([]);
  const tenants = Object.entries(quotas).map(([id, rate]) => ({
    ...plainTenant(id, id),
    quota: { rate, burst: rate },
  }));
  parking.apply({ tenants } as unknown as ControlSnapshot);
  const stop = new AbortController();
  const done: Record[] = [];
  let unsent: Record[] = [];
  let released = 0;
  let parkedOnce = false;
  let parkedLast = false;
  const total = batches.reduce((sum, { length }) => sum + length, 0);
  const send = (): void => {
    if (unsent.length > 0) overflow.append(unsent);
    unsent = [];
  };
  const input = new LaneInput({
    sources: [main, overflow] as unknown as Source[],
    overflow: overflow as unknown as Overflow,
    pending: [],
    positions: NOWHERE,
    parking,
    control: () => 'c',
    install: async () => ({}) as ControlSnapshot,
    traffic: {
      came: () => {},
      get lastMs() {
        return idle() ? 0 : Date.now();
      },
    },
    flush: async () => send(),
    released: () => released++,
  });
  const feed = (async () => {
    for (const [i, records] of batches.entries()) {
      if (pauseMs > 0 && i === batches.length - 1) await sleep(pauseMs);
      main.append(records);
      for (let i = 0; i < 3; i++) await setImmediate();
    }
  })();
  const match = async (item: LaneItem): Promise<{ kept: Record[]; away: Record[] }> => {
    await setImmediate();
    if (item.kind === 'boundary') throw new Error('nothing was journaled');
    const { records } = item.batch as Batch;
    item.batch.release();
    const parks = ({ tenant }: Record): boolean => item.source.name === 'main' && item.parked.includes(tenant);
    return { kept: records.filter((record) => !parks(record)), away: records.filter(parks) };
  };
  let clock = Date.now();
  for await (const { item, result } of inOrder(input.items(stop.signal), match, 4)) {
    const { kept, away } = result;
    input.took(item, { counts: { read: kept.length } } as Matched);
    done.push(...kept);
    unsent.push(...away);
    parkedLast = away.length > 0;
    if (item.kind === 'batch' && item.source.name === 'main') {
      const uses = new Map<string, number>();
      for (const { tenant } of [...kept, ...away]) uses.set(tenant, (uses.get(tenant) ?? 0) + 1);
      clock += 20;
      if (
        parking.came(
          [...uses].map(([tenant, records]) => ({ tenant, records })),
          clock,
        )
      )
        parkedOnce = true;
    }
    if (done.length % 5 === 0)
      send(); // a block was journaled
    else setTimeout(send, 30);
    if (done.length === total) stop.abort();
  }
  await feed;
  const unfreed = main.batches_.length - main.released + (overflow.batches_.length - overflow.released);
  return { done, parkedOnce, released, unfreed, parkedLast };
}

suite('the input of a lane', () => {
  test('keeps the order of every tenant, loses nothing and frees all memory, whatever is parked', async () => {
    let parked = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 12 }), {
          minLength: 5,
          maxLength: 60,
        }),
        fc.record({ a: fc.integer({ min: 1, max: 40 }), b: fc.integer({ min: 20, max: 400 }) }),
        fc.boolean(),
        async (tenants, quotas, idle) => {
          let serial = 0;
          const batches = tenants.map((batch) => batch.map((tenant) => ({ tenant, serial: serial++ })));
          const outcome = await processed(batches, quotas, () => idle);
          if (outcome.parkedOnce) parked++;
          assert.equal(outcome.unfreed, 0);
          assert.equal(outcome.done.length, serial);
          for (const tenant of ['a', 'b', 'c']) {
            const serials = outcome.done.filter((record) => record.tenant === tenant).map((record) => record.serial);
            assert.deepEqual(
              serials,
              [...serials].sort((x, y) => x - y),
            );
          }
        },
      ),
      { numRuns: 40 },
    );
    assert.ok(parked > 10, `parked in ${parked} runs only`);
  });

  test('a tenant that keeps to its quota again is no longer parked', async () => {
    const burst = Array.from({ length: 40 }, (_, i) => ({ tenant: 'a', serial: i }));
    const batches = [...burst.map((record) => [record]), [{ tenant: 'a', serial: 40 }]];
    const { done, parkedOnce, released, parkedLast } = await processed(batches, { a: 20 }, () => true, 4000);
    assert.deepEqual([parkedOnce, released, parkedLast], [true, 1, false]);
    assert.deepEqual(
      done.map(({ serial }) => serial),
      batches.map((_, i) => i),
    );
  });
});

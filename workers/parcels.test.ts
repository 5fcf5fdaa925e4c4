// Rows that a worker keeps: there until they are forgotten, unchanged however its memory is used again.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../src/model/bytes.ts';
import type { DeliveryOutcome } from '../src/model/work.ts';
import { type Encoded, Parcels, type ParcelWriter } from './parcels.ts';

/** Takes what it is given, and answers as it is told. */
class Recorder implements ParcelWriter {
  readonly written: (readonly Encoded[])[] = [];
  outcome: DeliveryOutcome = null;
  closed = 0;
  async write(parcels: readonly Encoded[]): Promise<DeliveryOutcome> {
    this.written.push(parcels);
    return this.outcome;
  }
  async close(): Promise<void> {
    this.closed++;
  }
}

const directory = mkdtempSync(join(tmpdir(), 'weir-parcels-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const encoded = (rows: number): Encoded => ({ rows, bytes: rows * 10 });

suite('parcels', () => {
  test('any order of keeping, collecting, spooling and forgetting: each parcel stays what it was', () => {
    const path = join(directory, 'any');
    const step = fc.oneof(
      fc.record({ keep: fc.uint8Array({ minLength: 1, maxLength: 40 }), lane: fc.constantFrom('a', 'b') }),
      fc.record({ forget: fc.nat(20) }),
      fc.record({ drop: fc.constantFrom('a', 'b') }),
      fc.record({ read: fc.constant(true) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (list) => {
        const parcels = new Parcels(null);
        const out = new ByteWriter(8);
        const model = new Map<number, { lane: string; bytes: Uint8Array }>();
        for (const one of list) {
          if ('keep' in one) {
            out.reset();
            out.raw(one.keep);
            parcels.lane = one.lane;
            const { parcel, bytes, rows, table } = parcels.keepWritten('logs', 3, out);
            assert.deepEqual([bytes.length, rows, table, parcel!.bytes], [0, 3, 'logs', one.keep.length]);
            assert.ok(!model.has(parcel!.id), 'a number is used once');
            model.set(parcel!.id, { lane: one.lane, bytes: one.keep });
          } else if ('forget' in one) {
            const ids = [...model.keys()].filter((id) => id % 21 === one.forget);
            parcels.forget([...ids, ...ids]);
            for (const id of ids) model.delete(id);
          } else if ('drop' in one) {
            parcels.drop(one.drop);
            for (const [id, { lane }] of model) if (lane === one.drop) model.delete(id);
          } else {
            const ids = [...model.keys()];
            assert.deepEqual(
              parcels.collect(ids).map((block) => [...block]),
              ids.map((id) => [...model.get(id)!.bytes]),
            );
            assert.equal(parcels.spool(ids, path), null);
            const want = Buffer.concat(ids.map((id) => model.get(id)!.bytes));
            assert.deepEqual(readFileSync(path), want);
          }
        }
      }),
    );
  });

  test('what is collected is a copy: the memory may be used again', () => {
    const parcels = new Parcels(null);
    const out = new ByteWriter(8);
    out.raw(Uint8Array.of(1, 2, 3));
    const { parcel } = parcels.keepWritten('logs', 1, out);
    const [block] = parcels.collect([parcel!.id]);
    parcels.forget([parcel!.id]);
    out.raw(Uint8Array.of(9, 9, 9));
    parcels.keepWritten('logs', 1, out); // goes on in the buffer that was given back
    out.raw(Uint8Array.of(8, 8, 8));
    assert.deepEqual([...block], [1, 2, 3]);
  });

  test('given back buffers are used again, and no more than some wait for it', () => {
    const parcels = new Parcels(null);
    const out = new ByteWriter(64);
    const seen = new Set<unknown>();
    const round = (): void => {
      const ids = Array.from({ length: 100 }, () => {
        out.raw(Uint8Array.of(1));
        seen.add(out.bytes.buffer);
        return parcels.keepWritten('logs', 1, out).parcel!.id;
      });
      parcels.forget(ids);
    };
    round();
    const once = seen.size;
    round();
    assert.ok(seen.size - once <= 100 - 31, `${seen.size - once} new ones`);
    assert.ok(seen.size - once >= 100 - 33, `${seen.size - once} new ones`);
  });

  test('a failed delivery keeps them for the next one', async () => {
    const writer = new Recorder();
    const parcels = new Parcels(writer);
    const ids = [encoded(1), encoded(2)].map((one) => parcels.keep('flows', one).parcel!.id);
    writer.outcome = { kind: 'retryable', code: 'NO_HOST', message: 'none' };
    assert.deepEqual(await parcels.deliver(ids), writer.outcome);
    writer.outcome = null;
    assert.equal(await parcels.deliver(ids), null);
    assert.deepEqual(writer.written, [
      [encoded(1), encoded(2)],
      [encoded(1), encoded(2)],
    ]);
    await parcels.close();
    assert.equal(writer.closed, 1);
  });

  test('rows of a lane that was closed are never delivered in place of others', async () => {
    const parcels = new Parcels(new Recorder());
    parcels.lane = 'a';
    const gone = parcels.keep('flows', encoded(1)).parcel!.id;
    parcels.lane = 'b';
    const other = parcels.keep('flows', encoded(2)).parcel!.id;
    parcels.drop('a');
    await assert.rejects(parcels.deliver([other, gone]), /lane that was closed/);
    assert.throws(() => parcels.collect([gone]), /lane that was closed/);
    assert.equal(await parcels.deliver([other]), null);
    await assert.rejects(new Parcels(null).deliver([]), /writes to no store/);
  });

  test('a file that cannot be written is an outcome with its reason', () => {
    const parcels = new Parcels(null);
    assert.equal(parcels.spool([], join(directory, 'nowhere', 'file'))?.code, 'ENOENT');
  });
});

// Sessions in Cassandra: whatever order observations come in, and however often, the row is the same.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import fc from 'fast-check';
import type { RawBatch } from '../../src/model/batch.ts';
import { SESSION_STATUSES, type SessionEvent } from '../../src/model/records.ts';
import { orSkip, testWith } from '../../test/services/index.ts';
import { SKEW_MS } from '../decode/context.ts';
import {
  APPENDED_AT,
  BATCH,
  type Cassandra,
  encoderOf,
  openCassandra,
  segment,
  sessionEvent,
  settingsOf,
  shown,
  TENANT,
} from './scylla.test-support.ts';
import { ScyllaWriter } from './writer.ts';

/** Write timestamps of a batch's rows: the last value of each, 8 bytes. */
function stampsOf(events: readonly SessionEvent[], batch: RawBatch = BATCH): bigint[] {
  return encoderOf(settingsOf())
    .sessions(events, batch)
    .statements.flatMap(({ frame, rows }) => rows.slice(1).map((end) => frame.readBigInt64BE(end - 8)));
}

const device = fc.constantFrom('', 'laptop', '33333333-3333-4333-8333-333333333333');
const observation = fc.record({
  userId: fc.constantFrom('', 'ann', 'bob', '22222222-2222-4222-8222-222222222222'),
  deviceId: device,
  sourceIp: fc.constantFrom('', '192.0.2.1', '2001:db8::2'),
  startedAtMs: fc.oneof(fc.constant(0), fc.integer({ min: APPENDED_AT - 10, max: APPENDED_AT })),
  status: fc.constantFrom('', ...SESSION_STATUSES),
  metadata: fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('1', '2'), { maxKeys: 2, noNullPrototype: true }),
  ms: fc.oneof(
    fc.integer({ min: APPENDED_AT - 3, max: APPENDED_AT + 3 }),
    fc.integer({ min: APPENDED_AT + SKEW_MS - 2, max: APPENDED_AT + SKEW_MS + 500 }),
  ),
});

suite('sessions', () => {
  let store: Cassandra | null = null;
  const testWithCassandra = testWith(() => store, 'Cassandra');
  let writer: ScyllaWriter;
  before(async (t) => {
    store = await orSkip(t as never, () => openCassandra(0));
    if (store) writer = new ScyllaWriter(store.settings);
  });
  after(async () => {
    await writer?.close();
    await store?.close();
  });

  testWithCassandra('any order and any repeats give the same row', async (store) => {
    const { rows, settings } = store;
    const list = fc
      .array(observation, { minLength: 1, maxLength: 5 })
      .chain((made) =>
        fc.tuple(
          fc.constant(made),
          ...[1, 2].map(() =>
            fc
              .array(fc.nat(made.length - 1), { maxLength: 4 })
              .chain((more) =>
                fc.shuffledSubarray([...made.keys(), ...more], { minLength: made.length + more.length }),
              ),
          ),
        ),
      );
    await fc.assert(
      fc.asyncProperty(list, async ([made, ...orders]) => {
        const ids = made.map(() => randomUUID());
        // Two events of one ms, one status and one hash (1 in 200) are not told apart by a timestamp in µs.
        const stamps = stampsOf(made.map((one, i) => sessionEvent({ ...one, id: ids[i] }))).filter(
          (_, i) => i % 2 === 0,
        );
        fc.pre(new Set(stamps).size === stamps.length);
        const results: unknown[] = [];
        for (const order of [[...made.keys()], ...orders]) {
          const sessionId = randomUUID();
          for (const i of order) {
            const event = sessionEvent({ ...made[i], id: ids[i], sessionId });
            assert.equal(await writer.write([encoderOf(settings).sessions([event], BATCH)]), null);
          }
          const [row] = await rows('SELECT * FROM {keyspace}.sessions WHERE tenant_id = ? AND session_id = ?', [
            TENANT,
            sessionId,
          ]);
          const { session_id: _, ...rest } = shown(row);
          results.push(rest);
        }
        for (const result of results) assert.deepEqual(result, results[0]);
        // The earliest start that was named, else the earliest observation.
        const named = made.flatMap(({ startedAtMs }) => (startedAtMs > 0 ? [startedAtMs] : []));
        const { started_at: started } = results[0] as { started_at: number };
        assert.equal(started, Math.min(...(named.length > 0 ? named : made.map(({ ms }) => ms))));
      }),
      { numRuns: 12, endOnFailure: true },
    );
  });
});

suite('write timestamps of sessions', () => {
  test('a later status wins within a millisecond, a later event over any status', () => {
    const at = (status: string, ms: number): bigint => stampsOf([sessionEvent({ status, ms })])[0];
    for (let i = 1; i < SESSION_STATUSES.length; i++)
      for (let round = 0; round < 20; round++)
        assert.ok(at(SESSION_STATUSES[i], 5_000_000) > at(SESSION_STATUSES[i - 1], 5_000_000));
    assert.ok(at('starting', 5_000_001) > at('closed', 5_000_000));
  });

  test('an event from the future counts as five minutes after its own record reached the broker', () => {
    const table = {
      count: 2,
      starts: Uint32Array.of(0, 10),
      ends: Uint32Array.of(10, 20),
      offsets: Float64Array.of(1, 2),
      tenants: Int32Array.of(0, 0),
      appendedAtMs: Float64Array.of(APPENDED_AT - 60_000, APPENDED_AT),
      insides: Uint32Array.of(0, 0),
    };
    const kafka: RawBatch = {
      ...BATCH,
      segments: [{ ...segment, records: table, appendedAtMs: APPENDED_AT - 60_000 }],
    };
    const event = sessionEvent({ ms: APPENDED_AT + 10 * SKEW_MS, rawStart: 10 });
    const ms = (batch: RawBatch, one = event): number => Math.floor(Number(stampsOf([one], batch)[0]) / 1000);
    assert.equal(ms(kafka), APPENDED_AT + SKEW_MS, 'whatever else is in its batch');
    assert.equal(ms(kafka, { ...event, rawStart: 0 }), APPENDED_AT - 60_000 + SKEW_MS);
    assert.equal(ms(BATCH), APPENDED_AT + SKEW_MS, 'without Kafka: after it reached Weir');
    assert.equal(ms(BATCH, { ...event, ms: APPENDED_AT + SKEW_MS }), APPENDED_AT + SKEW_MS);
  });
});

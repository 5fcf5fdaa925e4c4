// Dead letters and alert messages as a consumer of their topics finds them.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { RawBatch, RecordTable, Segment } from '../../src/model/batch.ts';
import { messagesOf } from '../../src/model/messages.ts';
import type { RejectedRecord } from '../../src/model/records.ts';
import { REJECT_CODES } from '../../src/model/reject.ts';
import { ACME, snapshotOf, source } from '../decode/fixture.test-support.ts';
import { alertMessages } from './alert-messages.ts';
import { createDeadLetters, NO_TENANT, REJECT_BYTES, rejectId } from './dead-letters.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const BYTES = Uint8Array.from({ length: 100_000 }, (_, i) => i * 7);

/** From Kafka: two records, of offsets 70 and 90. */
const records: RecordTable = {
  count: 2,
  starts: Uint32Array.of(500, 700),
  ends: Uint32Array.of(700, 800),
  offsets: Float64Array.of(70, 90),
  tenants: Int32Array.of(0, 0),
  appendedAtMs: Float64Array.of(1, 1),
  insides: Uint32Array.of(0, 0),
};
const segment: Segment = {
  format: 'syslog',
  start: 100,
  end: 500,
  base: 4000,
  file: 'f'.repeat(32),
  source: 0,
  context: null,
  referenceMs: 0,
  fault: null,
};
const batch: RawBatch = {
  appendedAtMs: 0,
  bytes: BYTES,
  segments: [segment, { ...segment, start: 500, end: 800, base: 70, file: 'logs/4', source: 1, records }],
};
const snapshot = snapshotOf({ sources: [source({ name: 'edge' })] });

const reject: fc.Arbitrary<RejectedRecord> = fc.record({
  segment: fc.nat(1),
  rawStart: fc.integer({ min: 100, max: 799 }),
  rawLength: fc.nat(90_000),
  code: fc.constantFrom(...REJECT_CODES),
  detail: fc.string({ unit: 'grapheme' }),
  tenant: fc.integer({ min: -1, max: 1 }),
  length: fc.nat(),
});

suite('dead letters', () => {
  const letters = createDeadLetters(snapshot);

  test('carry the bytes of the record, and whose it is, why it was refused and where it stood', () => {
    fc.assert(
      fc.property(fc.array(reject, { maxLength: 5 }), (list) => {
        const { table, rows, bytes } = letters(list, batch);
        assert.deepEqual([table, rows], ['dead_letters', list.length]);
        const found = [...messagesOf(bytes)];
        assert.equal(found.length, list.length);
        found.forEach(({ key, headers, value }, i) => {
          const { code, detail, length, rawStart, rawLength, tenant, segment: index } = list[i];
          const id = tenant < 0 ? NO_TENANT : snapshot.tenants[tenant].id;
          assert.equal(Buffer.from(key).toString(), id);
          const position = index === 0 ? 4000 + rawStart - 100 : rawStart < 700 ? 70 : 90;
          const { 'weir-reject-id': rejected, ...rest } = Object.fromEntries(headers);
          assert.match(rejected, UUID);
          assert.deepEqual(rest, {
            'weir-code': code,
            'weir-detail': detail,
            'weir-tenant-id': id,
            'weir-source': index === 0 ? 'edge' : '',
            'weir-stream': index === 0 ? 'f'.repeat(32) : 'logs/4',
            'weir-position': String(position),
            'weir-length': String(length),
            'weir-format': 'syslog',
          });
          const kept = Math.min(rawLength, REJECT_BYTES, BYTES.length - rawStart);
          assert.ok(Buffer.from(value).equals(BYTES.subarray(rawStart, rawStart + kept)));
        });
      }),
      { numRuns: 60 },
    );
  });

  test('sent twice it is the same one; another place or reason is another one', () => {
    const one: RejectedRecord = {
      segment: 1,
      rawStart: 700,
      rawLength: 3,
      code: 'syntax',
      detail: 'x',
      tenant: 0,
      length: 3,
    };
    const moved: RawBatch = { ...batch, segments: [batch.segments[1]] };
    assert.equal(rejectId(batch, one), rejectId(moved, { ...one, segment: 0, detail: 'y' }));
    const others = [
      one,
      { ...one, rawStart: 699 },
      { ...one, code: 'encoding' as const },
      { ...one, segment: 0, rawStart: 130 },
    ];
    assert.equal(new Set(others.map((other) => rejectId(batch, other))).size, others.length);
  });
});

test('alert messages: keyed by tenant, named by id and revision', () => {
  const rows = fc.array(
    fc.record({
      tenant_id: fc.constant(ACME),
      alert_id: fc.uuid(),
      revision: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
      severity: fc.constantFrom('low', 'critical'),
      details: fc.jsonValue().map((value) => JSON.stringify({ value })),
    }),
    { maxLength: 5 },
  );
  fc.assert(
    fc.property(rows, (list) => {
      const { table, rows: count, bytes } = alertMessages(list);
      assert.deepEqual([table, count], ['alert_messages', list.length]);
      const found = [...messagesOf(bytes)].map(({ key, headers, value }) => ({
        key: Buffer.from(key).toString(),
        headers: Object.fromEntries(headers),
        details: Buffer.from(value).toString(),
      }));
      const want = list.map(({ tenant_id: key, alert_id: id, revision, severity, details }) => ({
        key,
        headers: {
          'weir-schema': '1',
          'weir-alert-id': id,
          'weir-revision': String(revision),
          'weir-severity': severity,
        },
        details,
      }));
      assert.deepEqual(found, want);
    }),
  );
});

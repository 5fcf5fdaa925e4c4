// What comes out of Kafka's record batches, against a writer of them that knows only the documentation.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { FormatName } from '../../../src/model/batch.ts';
import type { ControlSnapshot, KafkaRule } from '../../../src/model/control.ts';
import {
  type BatchOptions,
  type PlainRecord,
  record,
  recordBatch,
} from '../../../src/model/kafka/batch.test-support.ts';
import { CODECS } from '../../../src/model/kafka/codecs.ts';
import { TENANT_MISSING, TENANT_UNKNOWN } from '../context.ts';
import { ACME, snapshotOf, source } from '../fixture.test-support.ts';
import { FETCHED_AT, kafkaBatch, type Part, type UnpackedRecord, unpackerOf } from './unpack.test-support.ts';

const NAMES = [ACME, 'acme', 'globex', 'nobody', ''] as const;
const TENANT: Readonly<Record<string, number>> = {
  [ACME]: 0,
  acme: 0,
  globex: 1,
  nobody: TENANT_UNKNOWN,
  '': TENANT_MISSING,
};

interface Made {
  readonly batches: readonly { readonly records: readonly PlainRecord[]; readonly options: BatchOptions }[];
  readonly from: number;
  readonly to: number;
}

const text = fc.string({ maxLength: 30 }).map((value) => value.replaceAll(/[\r\n]/g, ' '));
const made = (value: fc.Arbitrary<Uint8Array | null>): fc.Arbitrary<Made> =>
  fc
    .record({
      lists: fc.array(
        fc.record({
          records: fc.array(
            fc.record({
              gap: fc.nat(2),
              timestampDelta: fc.integer({ min: -5_000_000, max: 5_000_000 }),
              tenant: fc.constantFrom(...NAMES),
              pop: fc.constantFrom('', '', 'fra1', 'lon2'),
              value,
            }),
            { maxLength: 8 },
          ),
          codec: fc.constantFrom(...CODECS),
          logAppendTime: fc.boolean(),
          baseTimestamp: fc.constantFrom(FETCHED_AT - 1000, FETCHED_AT + 10_000_000, -1),
        }),
        { minLength: 1, maxLength: 4 },
      ),
      from: fc.nat(10),
      span: fc.nat(40),
    })
    .map(({ lists, from, span }) => {
      let next = 0;
      const batches = lists.map(({ records, ...options }) => {
        const baseOffset = next;
        const list = records.map(({ gap, timestampDelta, tenant, pop, value: bytes }) => {
          const offsetDelta = next + gap - baseOffset;
          next += gap + 1;
          const headers = [['weir-tenant', Buffer.from(tenant)] as const, ['pop', Buffer.from(pop)] as const];
          return record(bytes, { offsetDelta, timestampDelta, key: Buffer.from(tenant), headers });
        });
        return { records: list, options: { ...options, baseOffset } };
      });
      return { batches, from, to: from + span };
    });

function under(format: FormatName, kafka?: KafkaRule): ControlSnapshot {
  return snapshotOf({ sources: [source({ tenant: '', pop: '', format, ...(kafka === undefined ? {} : { kafka }) })] });
}

const partsOf = ({ batches, from, to }: Made): Part[] =>
  batches.map(({ records, options }) => ({ bytes: recordBatch(records, options), from, to }));

/** What must come out: said record by record. */
function expected({ batches, from, to }: Made, whose: KafkaRule | undefined): UnpackedRecord[] {
  return batches.flatMap(({ records, options }) => {
    const { baseOffset = 0, baseTimestamp = 0, logAppendTime } = options;
    const latest = baseTimestamp + Math.max(0, ...records.map(({ timestampDelta }) => timestampDelta));
    return records.flatMap(({ offsetDelta, timestampDelta, value, headers }) => {
      const offset = baseOffset + offsetDelta;
      if (offset < from || offset >= to || value === null || value.length === 0) return [];
      const written = logAppendTime ? latest : baseTimestamp + timestampDelta;
      return {
        offset,
        value: Buffer.from(value).toString('latin1'),
        appendedAtMs: written > 0 ? Math.min(written, FETCHED_AT) : FETCHED_AT,
        tenant: whose === undefined || whose.tenantFrom === 'record' ? TENANT_MISSING : TENANT[String(headers[0][1])],
        pop: whose?.popHeader === 'pop' ? String(headers[1][1]) : '',
      };
    });
  });
}

const emptyOf = ({ batches, from, to }: Made): number =>
  batches
    .flatMap(({ records, options }) =>
      records.map((one) => ({ ...one, offset: options.baseOffset! + one.offsetDelta })),
    )
    .filter(({ offset, value }) => offset >= from && offset < to && (value === null || value.length === 0)).length;

const rule = (tenantFrom: KafkaRule['tenantFrom'], tenantHeader: string, popHeader: string): KafkaRule => ({
  topic: 'flows',
  tenantFrom,
  tenantHeader,
  popHeader,
  exporters: [],
  partitioner: 'any',
  lanes: 1,
});
const rules = [undefined, rule('record', '', 'pop'), rule('key', '', ''), rule('header', 'weir-tenant', 'pop')];

const lines = fc.option(
  text.map((value) => Buffer.from(value)),
  { nil: null },
);
const anything = fc.option(fc.uint8Array({ maxLength: 300, size: 'max' }), { nil: null });

suite('records of Kafka', () => {
  for (const format of ['syslog', 'native-json', 'native-msgpack'] as const) {
    test(`${format}: every record in the range comes out once, as it was, with its offset, time and owner`, () => {
      const values = format === 'native-msgpack' ? anything : lines;
      fc.assert(
        fc.property(made(values), fc.constantFrom(...rules), (batch, whose) => {
          const unpack = unpackerOf(under(format, whose));
          const packed = kafkaBatch(partsOf(batch));
          for (let round = 0; round < 2; round++) {
            const found = unpack(packed);
            assert.deepEqual(found.faults, []);
            assert.deepEqual(found.records, expected(batch, whose));
            assert.equal(found.empty, emptyOf(batch));
            const between = found.gaps.filter((gap) => gap !== '');
            const separated = format === 'native-msgpack' ? 0 : found.records.length;
            assert.deepEqual(between, Array(separated).fill('\n'));
          }
        }),
      );
    });
  }

  test('protobuf: a bare message gets its length, one that has it keeps it', () => {
    const sized = fc
      .oneof(fc.nat(130), fc.constantFrom(127, 128, 16_383, 16_384))
      .map((length) => ({ length, bytes: Buffer.alloc(length, 0xff) }));
    fc.assert(
      fc.property(fc.array(fc.tuple(sized, fc.boolean()), { maxLength: 8 }), (list) => {
        const framed = list.map(([{ length, bytes }]) => Buffer.concat([Buffer.from(leb128(length)), bytes]));
        const records = list.map(([{ bytes }, own], i) => record(own ? framed[i] : bytes, { offsetDelta: i }));
        const found = unpackerOf(under('goflow2-protobuf'))(kafkaBatch([{ bytes: recordBatch(records) }]));
        const want = framed.filter((_, i) => records[i].value!.length > 0).map((bytes) => bytes.toString('latin1'));
        assert.deepEqual(
          found.records.map(({ value }) => value),
          want,
        );
        assert.ok(found.gaps.every((gap) => gap === ''));
      }),
    );
  });

  test('a document that was spread over lines becomes one line, with the same meaning', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const document = { first: value };
        const pretty = JSON.stringify(document, null, 2).replaceAll('\n', '\r\n');
        const { records } = unpackerOf(under('native-json'))(kafkaBatch([{ bytes: recordBatch([record(pretty)]) }]));
        const line = Buffer.from(records[0].value, 'latin1').toString();
        assert.ok(!/[\r\n]/.test(line));
        assert.deepEqual(JSON.parse(line), JSON.parse(JSON.stringify(document)));
      }),
    );
    const two = '{"a":1}\n{"b":2}';
    const { records } = unpackerOf(under('native-json'))(kafkaBatch([{ bytes: recordBatch([record(two)]) }]));
    assert.equal(records[0].value, two, 'several documents stay as they are');
  });

  test('the format is told by the first value of a record batch, wherever the range begins', () => {
    const values = ['<34>1 2026-10-11T22:14:15Z host app - - - hello', '{"tenant_id":"acme"}'];
    const bytes = recordBatch(values.map((value, offsetDelta) => record(value, { offsetDelta })));
    const whole = unpackerOf(under('syslog'))(kafkaBatch([{ bytes }]));
    assert.equal(whole.records.length, 2);
    const part = unpackerOf(snapshotOf())(kafkaBatch([{ bytes, from: 1 }]));
    assert.deepEqual(
      part.records.map(({ value }) => value),
      values.slice(1),
    );
  });
});

function leb128(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...leb128(Math.floor(value / 128))];
}

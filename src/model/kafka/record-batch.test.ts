// Record batches against a writer made from the documentation, and batches of Kafka's own.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { type PlainRecord, record, recordBatch, recordBytes, zigzag } from './batch.test-support.ts';
import { CodecError, decompress } from './codecs.ts';
import { HEADER_BYTES, RecordWalker, readHeader } from './record-batch.ts';
import { FEW_RECORDS, MANY, manyValue, VECTORS } from './vectors.test-support.ts';

const bytes: fc.Arbitrary<Uint8Array> = fc.uint8Array({ maxLength: 40 });
const nullable: fc.Arbitrary<Uint8Array | null> = fc.option(bytes, { nil: null });
const records: fc.Arbitrary<readonly PlainRecord[]> = fc.array(
  fc.record({
    offsetDelta: fc.oneof(fc.nat(1000), fc.constantFrom(0, 2 ** 31 - 1)),
    timestampDelta: fc.oneof(fc.integer(), fc.integer({ min: -(2 ** 45), max: 2 ** 45 })),
    key: nullable,
    value: nullable,
    headers: fc.array(fc.tuple(fc.string({ unit: 'grapheme', maxLength: 8 }), nullable), { maxLength: 3 }),
  }),
  { maxLength: 12 },
);

interface Read extends Omit<PlainRecord, 'headers'> {
  readonly headers: readonly [string, string][];
}

function walk(data: Uint8Array, count: number): Read[] {
  const walker = new RecordWalker();
  walker.open(data, 0, data.length);
  const found: Read[] = [];
  const piece = (start: number, length: number): Uint8Array | null =>
    length < 0 ? null : Uint8Array.from(data.subarray(start, start + length));
  for (let i = 0; i < count; i++) {
    walker.next();
    const { offsetDelta, timestampDelta, keyStart, keyLength, valueStart, valueLength } = walker;
    const key = piece(keyStart, keyLength);
    const value = piece(valueStart, valueLength);
    found.push({ offsetDelta, timestampDelta, key, value, headers: walker.headerTexts() });
  }
  walker.finish();
  return found;
}

const text = (value: Uint8Array | null): string => (value === null ? '' : Buffer.from(value).toString());

suite('record batches', () => {
  test('every field of every record is read as it was written', () => {
    fc.assert(
      fc.property(records, (list) => {
        const want = list.map((one) => ({ ...one, headers: one.headers.map(([name, value]) => [name, text(value)]) }));
        assert.deepEqual(walk(Buffer.concat(list.map(recordBytes)), list.length), want);
      }),
    );
  });

  test('a header is found by its name, the first one where there are several', () => {
    fc.assert(
      fc.property(records, (list) => {
        const walker = new RecordWalker();
        const data = Buffer.concat(list.map(recordBytes));
        walker.open(data, 0, data.length);
        for (const { headers } of list) {
          walker.next();
          for (const [name] of headers) {
            const first = headers.find((one) => one[0] === name)![1];
            assert.deepEqual(walker.header(Buffer.from(name)), Buffer.from(first ?? []));
          }
          assert.equal(walker.header(Buffer.from('not a name that was made')), null);
        }
        walker.finish(); // looking at headers has not moved it
      }),
    );
  });

  test('the header of a batch', () => {
    const all = fc.record({
      baseOffset: fc.nat({ max: Number.MAX_SAFE_INTEGER - 2 ** 32 }),
      baseTimestamp: fc.integer({ min: -1, max: 2 ** 45 }),
      maxTimestamp: fc.integer({ min: -1, max: 2 ** 45 }),
      logAppendTime: fc.boolean(),
      transactional: fc.boolean(),
      control: fc.boolean(),
      producerId: fc.integer({ min: -1, max: 2 ** 40 }),
      count: fc.integer({ min: -5, max: 2 ** 31 - 1 }),
      lastOffsetDelta: fc.nat(2 ** 31 - 1),
      codec: fc.constantFrom('none' as const, 'gzip' as const, 'snappy' as const, 'lz4' as const, 'zstd' as const),
    });
    fc.assert(
      fc.property(all, fc.nat(50), (options, before) => {
        const batch = recordBatch([record('x')], options);
        const { lastOffsetDelta, producerId, ...same } = options;
        const want = {
          ...same,
          bytes: batch.length,
          lastOffset: options.baseOffset + lastOffsetDelta,
          producerId: BigInt(producerId),
        };
        const padded = Buffer.concat([Buffer.alloc(before, 9), batch, Buffer.alloc(3, 9)]);
        assert.deepEqual(readHeader(padded, before, padded.length), want);
        for (const end of [0, 30, 60, 61, batch.length - 1])
          assert.equal(readHeader(padded, before, before + end), null, 'the end of an answer cuts batches off');
      }),
    );
  });

  test("Kafka's own batches", () => {
    for (const { codec, content, bytes: batch } of VECTORS) {
      const header = readHeader(batch, 0, batch.length)!;
      assert.equal(header.codec, codec);
      assert.equal(header.baseOffset, 1000);
      const found = walk(decompress(codec, batch.subarray(HEADER_BYTES), 1 << 20), header.count);
      if (content === 'many') {
        assert.equal(header.lastOffset, 1000 + MANY - 1);
        assert.deepEqual(
          found.map(({ value }) => text(value)),
          Array.from({ length: MANY }, (_, i) => manyValue(i)),
        );
      } else {
        const seen = found.map(({ timestampDelta, key, value, headers }) => ({
          at: header.baseTimestamp + timestampDelta,
          key: key && text(key),
          value: value && text(value),
          headers,
        }));
        assert.deepEqual(seen, FEW_RECORDS);
      }
    }
  });

  test('lengths and counts that lie are refused', () => {
    const refused = (data: readonly number[], count: number, why: RegExp): void => {
      assert.throws(
        () => walk(Uint8Array.from(data), count),
        (error) => error instanceof CodecError && why.test(error.message),
      );
    };
    const plain = [...recordBytes(record('value'))];
    refused(plain, 2, /cut off/);
    refused([...plain, ...plain], 1, /more behind/);
    refused(plain.slice(0, -1), 1, /cut off/);
    refused(plain.with(0, plain[0] + 2), 1, /cut off/);
    refused([...plain.with(0, plain[0] + 2), 0], 1, /not as long/);
    refused([...plain, ...plain].with(0, plain[0] - 2), 2, /cut off/);
    refused(plain.with(4, 3), 1, /negative length/);
    refused(plain.with(5, 200), 1, /cut off/);
    refused(plain.with(plain.length - 1, 2), 1, /not as long/); // says that it has a header
    refused(plain.with(plain.length - 1, 1), 1, /not as long/); // says that it has -1 headers
    refused(Array(64).fill(0), 64, /cut off/); // a few zeros are no records, however many they say they are
    refused(Array(20).fill(255), 1, /too long/);
    const headers = [...recordBytes(record('v', { headers: [['a', Buffer.from('b')]] }))];
    const walker = new RecordWalker();
    const lies = Uint8Array.from(headers.with(headers.length - 4, 80));
    walker.open(lies, 0, lies.length);
    walker.next();
    assert.throws(() => walker.header(Buffer.from('z')), CodecError);
    assert.throws(() => walker.headerTexts(), CodecError);
  });

  test('a header that no broker writes is refused', () => {
    const batch = recordBatch([record('x')]);
    const changed = (at: number, ...to: number[]): Buffer => {
      const copy = Buffer.from(batch);
      copy.set(to, at);
      return copy;
    };
    const refused = (bad: Buffer, why: RegExp): void =>
      assert.throws(
        () => readHeader(bad, 0, bad.length),
        (error) => error instanceof CodecError && why.test(error.message),
      );
    refused(changed(16, 1), /message format is version 1/);
    refused(changed(8, 0, 0, 0, 5), /length is too short/);
    refused(changed(8, 255, 255, 255, 255), /length is too short/);
    refused(recordBatch([record('x')], { codecNumber: 5 }), /compression 5 is not known/);
    assert.equal(readHeader(changed(8, 127, 255, 255, 255), 0, batch.length), null);
  });

  test('zigzag varints over the whole range of a double', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 51), max: 2 ** 51 }), (value) => {
        const fields = [0, ...zigzag(value), ...zigzag(0), 1, 1, 0];
        assert.equal(walk(Uint8Array.from([...zigzag(fields.length), ...fields]), 1)[0].timestampDelta, value);
      }),
    );
  });
});

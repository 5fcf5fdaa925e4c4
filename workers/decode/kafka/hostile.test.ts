// Record batches that lie: one reject each, whatever is in them, and their neighbours are not touched.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import type { FormatName } from '../../../src/model/batch.ts';
import { Dictionary } from '../../../src/model/dictionary.ts';
import { uuidText } from '../../../src/model/hash.ts';
import {
  type BatchOptions,
  type PlainRecord,
  record,
  recordBatch,
} from '../../../src/model/kafka/batch.test-support.ts';
import { zstdFrame } from '../../../src/model/kafka/compress.test-support.ts';
import { createDecodeContext } from '../context.ts';
import { snapshotOf, source } from '../fixture.test-support.ts';
import { decoderOf, kafkaBatch, type Part, unpackerOf } from './unpack.test-support.ts';
import { KafkaUnpacker } from './unpack.ts';

const MIB = 1 << 20;

const under = (format: FormatName) => snapshotOf({ sources: [source({ tenant: '', pop: '', format })] });
const values = (...list: (string | Uint8Array)[]): PlainRecord[] =>
  list.map((value, offsetDelta) => record(value, { offsetDelta }));
const lines = (list: readonly PlainRecord[], options: BatchOptions = {}): Part => ({
  bytes: recordBatch(list, options),
});

function flow(more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    tenant_id: 'acme',
    pop_id: 'fra1',
    timestamp: 1_790_000_000_000,
    source_ip: '10.0.0.1',
    destination_ip: '192.0.2.7',
    source_port: 40_000,
    destination_port: 443,
    protocol: 6,
    bytes_sent: 1000,
    bytes_received: 2000,
    packets_sent: 10,
    packets_received: 20,
    application: 'https',
    action: 'Allow',
    ...more,
  };
}

suite('hostile record batches', () => {
  test('each lie is one fault that says why; batches before and behind it come out whole', () => {
    const unpack = unpackerOf(under('syslog'));
    const three = values('a', 'b', 'c');
    const whole = recordBatch(three);
    const cases: readonly [Uint8Array, RegExp][] = [
      [recordBatch(three, { count: 4, lastOffsetDelta: 9 }), /a record is cut off/],
      [recordBatch(three, { count: 2 }), /there is more behind its last record/],
      [recordBatch(three, { count: 0 }), /there is more behind its last record/],
      [recordBatch(three, { count: -3 }), /it says that it has -3 records/],
      [recordBatch(three, { count: 2 ** 31 - 1 }), /it says that it has 2147483647 records/],
      [recordBatch(three, { lastOffsetDelta: 1 }), /an offset outside its batch/],
      [recordBatch([record('a', { offsetDelta: -1 })]), /an offset outside its batch/],
      [recordBatch(three, { codecNumber: 1 }), /incorrect header check/],
      [recordBatch(three, { codecNumber: 7 }), /compression 7 is not known/],
      [recordBatch(three, { packed: Uint8Array.of(1, 2, 3), codec: 'zstd' }), /Zstandard frame is cut off/],
      [recordBatch(three, { body: Buffer.alloc(3, 0) }), /a record is cut off/],
      [whole.subarray(0, whole.length - 1), /it is cut off/],
      [whole.subarray(0, 40), /it is cut off/],
    ];
    for (const [bytes, why] of cases) {
      const before = lines(values('before'), { codec: 'gzip' });
      const found = unpack(kafkaBatch([before, { bytes, from: 0, to: 100 }, lines(values('behind'))]));
      assert.deepEqual(
        found.records.map(({ value }) => value),
        ['before', 'behind'],
        String(why),
      );
      assert.equal(found.faults.length, 1, String(why));
      const [{ code, detail, length, kept }] = found.faults;
      assert.equal(code, 'input_corrupt');
      assert.match(detail, /^the record batch of offsets 0 to 99 cannot be read: /);
      assert.match(detail, why);
      assert.deepEqual([length, kept], [bytes.length, bytes.length]);
    }
  });

  test('of a long one, the dead letter keeps the head and says how long it was', () => {
    const bytes = recordBatch(values('x'.repeat(300_000)), { count: 2, lastOffsetDelta: 3 });
    const { faults } = unpackerOf(under('syslog'))(kafkaBatch([{ bytes }]));
    assert.deepEqual([faults[0].length, faults[0].kept], [bytes.length, 64 * 1024]);
  });

  test('any damage: nothing is thrown, and every record has one outcome', () => {
    const decode = decoderOf(snapshotOf());
    const text = JSON.stringify(flow());
    const options = fc.constantFrom('none', 'gzip', 'snappy', 'lz4', 'zstd');
    const damage = fc.array(fc.record({ at: fc.nat(), to: fc.nat(255) }), { maxLength: 5 });
    fc.assert(
      fc.property(options, damage, fc.nat(400), (codec, changes, cut) => {
        const bytes = recordBatch(values(text, text, text), { codec: codec as BatchOptions['codec'] });
        for (const { at, to } of changes) bytes[at % bytes.length] = to;
        const part = { bytes: bytes.subarray(0, cut > 300 ? bytes.length - (cut - 300) : bytes.length) };
        const { out } = decode(kafkaBatch([lines(values(text)), part, lines(values(text))]));
        assert.equal(out.read, out.accepted + out.rejects.length + out.skipped);
        assert.ok(out.accepted >= 2, 'the neighbours');
      }),
      { numRuns: 1500 },
    );
  });
});

suite('bombs', () => {
  const decode = decoderOf(under('native-json'));
  const zeros = (bytes: number): Uint8Array => zstdFrame(Array(bytes >> 17).fill({ byte: 0, times: 1 << 17 }));
  /** Records of `value`, so many that they take `bytes`. */
  function many(value: string, bytes: number): { body: Buffer; count: number } {
    const one = Buffer.from([(6 + value.length) * 2, 0, 0, 0, 1, value.length * 2, ...Buffer.from(value), 0]);
    const count = Math.floor(bytes / one.length);
    return { body: Buffer.alloc(count * one.length, one), count };
  }

  test('a few bytes that would become many are a fault, and leave no memory behind', () => {
    const small = many('x', 40 * MIB);
    const bombs: readonly [string, Uint8Array, RegExp][] = [
      ['zeros', recordBatch([], { codec: 'zstd', packed: zeros(60 * MIB), count: 1 }), /more than \d+ bytes/],
      ['zeros as records', recordBatch([], { codec: 'zstd', packed: zeros(MIB), count: MIB }), /cut off/],
      ['gzip', recordBatch([], { codec: 'gzip', packed: gzipSync(Buffer.alloc(128 * MIB)), count: 1000 }), /more than/],
      [
        'many',
        recordBatch([], { codec: 'gzip', packed: gzipSync(small.body), count: small.count }),
        /it says that it has/,
      ],
      ['a lie', recordBatch([], { codec: 'gzip', packed: gzipSync(small.body), count: 1000 }), /more than|more behind/],
    ];
    const context = createDecodeContext(under('native-json'), new Dictionary());
    const unpacker = new KafkaUnpacker(under('native-json'), context);
    for (const [name, bytes, why] of bombs) {
      const { batch } = unpacker.unpack(kafkaBatch([{ bytes }, lines(values('{}'))]));
      assert.equal(batch.segments.length, 2, name);
      assert.match(batch.segments[0].fault?.detail ?? '', why, name);
      assert.ok(batch.bytes.length < MIB, `${name}: ${batch.bytes.length} bytes`);
    }
    const kept = unpacker.unpack(kafkaBatch([lines(values('{}'))])).batch.bytes.buffer.byteLength;
    assert.ok(kept <= 16 * MIB, `${kept} bytes are kept`);
  });

  test('what real producers compress is far from the limits', () => {
    const line = JSON.stringify(flow());
    const list = Array.from({ length: 20_000 }, (_, offsetDelta) => record(line, { offsetDelta }));
    const { out } = decode(kafkaBatch([lines(list, { codec: 'gzip' })]));
    assert.deepEqual([out.read, out.accepted], [20_000, 20_000]);
  });
});

suite('MessagePack of several producers', () => {
  const format = 'native-msgpack';
  const plain = new Packr({ useRecords: false });
  const own = (value: object): Uint8Array => Uint8Array.from(new Packr({ useRecords: true }).pack(value));

  function outcome(records: readonly PlainRecord[]): { ids: string[]; rejects: string[]; read: number } {
    const { out } = decoderOf(under(format))(kafkaBatch([lines(records)]));
    const ids = Array.from({ length: out.flows.length }, (_, i) => uuidText(out.flows.id, i * 4));
    return { ids, rejects: out.rejects.map(({ code, rawLength }) => `${code} ${rawLength}`), read: out.read };
  }

  test('a message that is cut off does not swallow those of others', () => {
    const good = Uint8Array.from(plain.pack(flow()));
    for (const length of [1, 20, good.length - 1]) {
      const bad = good.subarray(0, length);
      const { ids, rejects, read } = outcome(values(good, bad, good, own(flow()), bad, good));
      assert.equal(ids.length, 4, `cut to ${length}`);
      assert.deepEqual(rejects, [`input_truncated ${length}`, `input_truncated ${length}`]);
      assert.equal(read, 6);
    }
  });

  test('a structure is in force in the record that defines it, and nowhere else', () => {
    // The same structure by its number alone: what a stream may do, and a Kafka record may not.
    const instance = Uint8Array.from([0x40, ...own(flow()).subarray(structureBytes(own(flow())))]);
    const { ids, rejects } = outcome(values(own(flow()), instance, own(flow())));
    assert.equal(ids.length, 2);
    assert.ok(rejects.length > 0);
    const both = outcome(values(Buffer.concat([own(flow()), instance])));
    assert.equal(both.ids.length, 2, 'in one record it is');
  });

  test('small numbers stay numbers behind a producer with structures', () => {
    const small = Uint8Array.from(plain.pack(flow({ destination_port: 64, packets_sent: 65, protocol: 66 })));
    const alone = outcome(values(small));
    assert.deepEqual([alone.ids.length, alone.rejects], [1, []]);
    const mixed = outcome(values(own(flow()), own({ a: own(flow()) }), small));
    assert.equal(mixed.ids.length, 2);
  });

  test('where a batch begins changes nothing', () => {
    const message = fc.oneof(
      fc.nat(200).map((port) => own(flow({ destination_port: port }))),
      fc.nat(200).map((port) => Uint8Array.from(plain.pack(flow({ destination_port: port })))),
      fc.nat(200).map((port) => own({ ...flow({ destination_port: port }), more: { nested: port } })),
      fc.uint8Array({ minLength: 1, maxLength: 12 }),
      fc.constant(Uint8Array.from([0x40, ...own(flow()).subarray(structureBytes(own(flow())))])),
    );
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 8 }), (list) => {
        const records = values(...list);
        const together = outcome(records);
        const single = records.map((one) => outcome([one]));
        assert.deepEqual(
          together.ids,
          single.flatMap(({ ids }) => ids),
        );
        assert.deepEqual(
          together.rejects,
          single.flatMap(({ rejects }) => rejects),
        );
        assert.equal(
          together.read,
          single.reduce((sum, { read }) => sum + read, 0),
        );
      }),
      { numRuns: 200 },
    );
  });
});

/** Bytes of `d4 72 id [keys…]` before the values. */
function structureBytes(message: Uint8Array): number {
  let at = message[3] === 0xdc ? 6 : 4;
  const count = message[3] === 0xdc ? message[4] * 256 + message[5] : message[3] - 0x90;
  for (let i = 0; i < count; i++) at += message[at] === 0xd9 ? 2 + message[at + 1] : 1 + message[at] - 0xa0;
  return at;
}

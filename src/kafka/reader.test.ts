// Raw record batches from a real broker: whatever it compresses them with, and without what transactions took back.

import assert from 'node:assert/strict';
import { after, before, suite } from 'node:test';
import { orSkip, testWith } from '../../test/services/index.ts';
import { snapshotOf, source } from '../../workers/decode/fixture.test-support.ts';
import { kafkaBatch, unpackerOf } from '../../workers/decode/kafka/unpack.test-support.ts';
import { type KafkaBench, openKafka } from './kafka.test-support.ts';
import { type KafkaReader, OffsetOutOfRange, type RawRecordBatch } from './reader.ts';
import { recordsOf } from './records.ts';

const unpack = unpackerOf(snapshotOf({ sources: [source({ tenant: '', pop: '', format: 'syslog' })] }));

async function read(reader: KafkaReader, topic: string, from?: number): Promise<RawRecordBatch[]> {
  const { first, end } = await reader.offsets(topic, 0);
  const found: RawRecordBatch[] = [];
  for await (const batch of reader.range(topic, 0, from ?? first, end)) found.push(batch);
  return found;
}

const texts = (batches: readonly RawRecordBatch[], from = 0): string[] =>
  unpack(kafkaBatch(batches.map(({ bytes }) => ({ bytes, from })))).records.map(
    ({ offset, value }) => `${offset} ${value}`,
  );

suite('reading a real Kafka', () => {
  let bench: KafkaBench | null = null;
  const testWithKafka = testWith(() => bench, 'Kafka');
  before(async (t) => {
    bench = await orSkip(t as never, openKafka);
  });
  after(() => bench?.close());

  for (const codec of ['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd']) {
    testWithKafka(`records that the broker keeps as ${codec}`, async (bench) => {
      const topic = await bench.topic({ configEntries: [{ name: 'compression.type', value: codec }] });
      const producer = await bench.producer();
      const values = Array.from({ length: 3000 }, (_, i) => `record ${i} ${'abcdefgh'.repeat(i % 9)} ${i * i}`);
      for (let at = 0; at < values.length; at += 1000) {
        const messages = values.slice(at, at + 1000).map((value) => ({ value }));
        await producer.send({ topic, messages, acks: -1 });
      }
      const batches = await read(await bench.reader(topic), topic);
      assert.equal(batches.length, 3);
      assert.ok(batches.every(({ compressed }) => compressed === (codec !== 'uncompressed')));
      assert.deepEqual(
        batches.map(({ count }) => count),
        [1000, 1000, 1000],
      );
      assert.deepEqual(
        texts(batches),
        values.map((value, i) => `${i} ${value}`),
      );
      assert.deepEqual(
        batches.flatMap((one) => [...recordsOf(one)].map(({ value }) => String(value))),
        values,
      );
    });
  }

  testWithKafka(
    'aborted transactions and the markers of all are left out; what others wrote between them stays',
    async (bench) => {
      const topic = await bench.topic();
      const reader = await bench.reader(topic);
      const [plain, kept, lost] = [
        await bench.producer(),
        await bench.producer(`${topic}-a`),
        await bench.producer(`${topic}-b`),
      ];
      const send = (to: { send: typeof plain.send }, value: string) =>
        to.send({ topic, messages: [{ value }], acks: -1 });
      const first = await kept.transaction();
      const second = await lost.transaction();
      await send(first, 'kept 1'); // 0
      await send(second, 'lost 1'); // 1
      await send(plain, 'plain'); // 2
      await send(second, 'lost 2'); // 3
      await send(first, 'kept 2'); // 4
      await second.abort(); // 5
      await first.commit(); // 6
      const third = await lost.transaction();
      await send(third, 'kept after all'); // 7
      await third.commit(); // 8
      const batches = await read(reader, topic);
      const want = ['0 kept 1', '2 plain', '4 kept 2', '7 kept after all'];
      assert.deepEqual(texts(batches), want);
      // From any offset on, the same ones: an abort that began before it is known too.
      for (let from = 1; from <= 8; from++)
        assert.deepEqual(
          texts(await read(reader, topic, from), from),
          want.filter((one) => Number(one[0]) >= from),
        );
    },
  );

  testWithKafka('an open transaction hides what follows, and an answer moves on over markers', async (bench) => {
    const topic = await bench.topic();
    const reader = await bench.reader(topic);
    const producer = await bench.producer(`${topic}-a`);
    const plain = await bench.producer();
    const open = await producer.transaction();
    await open.send({ topic, messages: [{ value: 'open' }] });
    await plain.send({ topic, messages: [{ value: 'plain' }] });
    const node = reader.leader(topic, 0)!;
    const ask = (offset: number) =>
      reader.fetch(node, [{ topic, partition: 0, offset, maxBytes: 1 << 20 }], 50, 1 << 20);
    const [hidden] = await ask(0);
    assert.deepEqual([hidden.batches.length, hidden.next], [0, 0]);
    await open.abort();
    const [seen] = await ask(0);
    assert.deepEqual([texts(seen.batches), seen.next, seen.high], [['1 plain'], 3, 3]);
    const [marker] = await ask(2);
    assert.deepEqual([marker.batches.length, marker.next], [0, 3]);
  });

  testWithKafka('an offset that the broker does not have says which', async (bench) => {
    const topic = await bench.topic();
    const reader = await bench.reader(topic);
    await assert.rejects(
      reader.fetch(reader.leader(topic, 0)!, [{ topic, partition: 0, offset: 7, maxBytes: 1000 }], 50, 1000),
      (error) => error instanceof OffsetOutOfRange && error.topic === topic && error.partition === 0,
    );
  });
});

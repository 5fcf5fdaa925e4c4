// The log of a lane in a real Kafka: what was saved is there for the next owner, and the one before has no say any more.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, suite } from 'node:test';
import { Packr } from 'msgpackr';
import { orSkip, testWith } from '../../test/services/index.ts';
import type { JournalEntry } from '../delivery/journal.ts';
import { Fenced, type LaneLog } from '../delivery/lane-log.ts';
import { type Commit, EMPTY_COMMIT } from '../delivery/ledger.ts';
import type { FileProgress } from '../sources/source.ts';
import { type KafkaBench, openKafka } from './kafka.test-support.ts';
import { openKafkaLog } from './lane-log.ts';
import { lanePositions } from './log-positions.ts';
import type { KafkaReader } from './reader.ts';

const entryOf = (seq: number, control = 'c'): JournalEntry => ({
  seq,
  control: `${control}-ü`,
  parts: [{ source: 'flows', ranges: [{ file: 'flows/0', from: seq, to: seq + 1, referenceMs: 1, appendedAtMs: 2 }] }],
  files: [],
  end: false,
  commit: seq % 2 === 0,
});
const commitOf = (seq: number, stateBytes = 10): Commit => ({
  version: 1,
  seq,
  control: `after ${seq}`,
  files: [],
  state: Uint8Array.from({ length: stateBytes }, (_, i) => (i * seq) % 251),
});

const streamAt = (position: number): FileProgress => ({
  file: 'flows/0',
  path: 'flows/0',
  fingerprint: '',
  fingerprintLength: 0,
  generation: 0,
  position,
  done: false,
  inputBytes: 0,
  referenceMs: 0,
});

suite('the log of a lane', () => {
  let bench: KafkaBench | null = null;
  const testWithKafka = testWith(() => bench, 'Kafka');
  before(async (t) => {
    bench = await orSkip(t as never, openKafka);
  });
  after(() => bench?.close());

  interface Lane {
    readonly topic: string;
    readonly reader: KafkaReader;
    open(): Promise<LaneLog>;
  }
  async function lane({ kafka, admin, topic: make, reader: connect }: KafkaBench): Promise<Lane> {
    const topic = await make();
    const reader = await connect(topic);
    const group = randomUUID();
    const open = () =>
      openKafkaLog({
        kafka,
        admin,
        reader,
        topic,
        partition: 0,
        repartition: topic,
        overflow: topic,
        group,
        reach: () => {},
      });
    return { topic, reader, open };
  }
  /** Plain values: a state may be a Buffer or not. */
  const same = (found: Commit, want: Commit): void =>
    assert.deepEqual(
      { ...found, state: found.state && [...found.state] },
      { ...want, state: want.state && [...want.state] },
    );

  testWithKafka('is empty at first; commit and journal survive reopening', async (bench) => {
    const { open } = await lane(bench);
    const first = await open();
    same(first.commit, EMPTY_COMMIT);
    assert.deepEqual(first.pending, []);
    for (const seq of [1, 2]) await first.append(entryOf(seq));
    await first.close();
    const second = await open();
    same(second.commit, EMPTY_COMMIT);
    assert.deepEqual(second.pending, [entryOf(1), entryOf(2)]);
    await second.save(commitOf(1));
    await second.append(entryOf(3));
    await second.close();
    const third = await open();
    same(third.commit, commitOf(1));
    assert.deepEqual(third.pending, [entryOf(2), entryOf(3)]);
    await third.save(commitOf(3));
    await third.close();
    const fourth = await open();
    same(fourth.commit, commitOf(3));
    assert.deepEqual(fourth.pending, []);
    await fourth.close();
  });

  testWithKafka('a commit larger than a message, appended to while it is being saved', async (bench) => {
    const { open } = await lane(bench);
    const log = await open();
    const large = commitOf(1, 3_000_000);
    await log.append(entryOf(1));
    await Promise.all([log.save(large), log.append(entryOf(2)), log.append(entryOf(3))]);
    await log.close();
    const again = await open();
    same(again.commit, large);
    assert.deepEqual(again.pending, [entryOf(2), entryOf(3)]);
    await again.close();
  });

  testWithKafka('behind a commit the log is trimmed, and opens as before', async (bench) => {
    const { open, reader, topic } = await lane(bench);
    const log = await open();
    for (let seq = 1; seq <= 6; seq++) {
      await log.append(entryOf(seq));
      if (seq % 2 === 0) await log.save(commitOf(seq));
    }
    const { first, end } = await reader.offsets(topic, 0);
    assert.ok(first > 0 && end - first <= 2, `${first} to ${end}: the commit and its marker`);
    await log.close();
    const again = await open();
    same(again.commit, commitOf(6));
    assert.deepEqual(again.pending, []);
    await again.close();
  });

  testWithKafka(
    'blocks that were journaled before a commit that does not cover them outlive the trimming',
    async (bench) => {
      const { open, reader, topic } = await lane(bench);
      const { admin } = bench;
      const log = await open();
      await admin.fetchTopicMetadata({ topics: [topic] }); // else the first trimming fails, and is left to the next
      for (const seq of [1, 2, 3, 4]) await log.append(entryOf(seq));
      await log.save(commitOf(2));
      const { first } = await reader.offsets(topic, 0);
      assert.ok(first > 0, 'what is covered goes');
      await log.close();
      const again = await open();
      same(again.commit, commitOf(2));
      assert.deepEqual(again.pending, [entryOf(3), entryOf(4)]);
      await again.save(commitOf(3));
      await again.close();
      const last = await open();
      assert.deepEqual(last.pending, [entryOf(4)]);
      await last.close();
    },
  );

  testWithKafka(
    'a second owner fences the first: it is told, and nothing of its own is visible afterwards',
    async (bench) => {
      const { open } = await lane(bench);
      const old = await open();
      await old.append(entryOf(1, 'old'));
      const now = await open();
      assert.deepEqual(now.pending, [entryOf(1, 'old')]);
      await now.append(entryOf(2, 'new'));
      const fenced = (error: unknown): boolean => error instanceof Fenced && /lane 0/.test(error.message);
      await assert.rejects(old.append(entryOf(2, 'old')), fenced);
      await assert.rejects(old.save(commitOf(1)), fenced);
      await assert.rejects(old.append(entryOf(3, 'old')), fenced);
      await now.append(entryOf(3, 'new'));
      await Promise.all([old.close(), now.close()]);
      const last = await open();
      same(last.commit, EMPTY_COMMIT);
      assert.deepEqual(last.pending, [entryOf(1, 'old'), entryOf(2, 'new'), entryOf(3, 'new')]);
      await last.close();
    },
  );

  testWithKafka('whoever opens last owns it, of several at once', async (bench) => {
    const { open } = await lane(bench);
    const opened = await Promise.allSettled([open(), open(), open()]);
    const logs = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    for (const one of opened)
      if (one.status === 'rejected') assert.ok(one.reason instanceof Fenced, String(one.reason));
    const wrote = await Promise.allSettled(logs.map((log) => log.append(entryOf(1))));
    const winners = wrote.filter(({ status }) => status === 'fulfilled').length;
    assert.ok(winners <= 1, `${winners} owners`);
    const last = await open();
    assert.equal(last.pending.length, winners);
    await Promise.all([...logs, last].map((log) => log.close()));
  });

  testWithKafka(
    'who looks at a log from outside sees how far it is, refusals among its lines or not',
    async (bench) => {
      const { open, reader, topic } = await lane(bench);
      const log = await open();
      await log.append(entryOf(1));
      await log.save({ ...commitOf(1), files: [['flows', streamAt(2)]] });
      await log.append(entryOf(2));
      const refused = [{ table: 'logs', from: 0, to: 3, code: 'VIOLATED_CONSTRAINT', message: 'no' }] as const;
      await log.append({ seq: 2, refused });
      await log.close();
      const { journaled, committed } = await lanePositions(reader, topic);
      assert.deepEqual([journaled.get('flows/0'), committed.get('flows/0')], [3, 2]);
      const again = await open();
      assert.deepEqual(again.pending, [{ ...entryOf(2), refused }]);
      await again.close();
    },
  );

  testWithKafka('a log of another version, and one with a gap, say so', async (bench) => {
    const { open, topic } = await lane(bench);
    const producer = await bench.producer();
    const value = new Packr({ useRecords: false }).pack(commitOf(1));
    await producer.send({
      topic,
      messages: [{ key: 'commit', value, headers: { version: '2', piece: '0', pieces: '1' } }],
    });
    await assert.rejects(open(), /written by another version of Weir \(log version 2\)/);
    const gap = await lane(bench);
    const log = await gap.open();
    await log.append(entryOf(1));
    await log.append(entryOf(3));
    await log.close();
    await assert.rejects(gap.open(), /block 2 is missing from the journal/);
  });
});

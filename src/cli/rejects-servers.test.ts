// Promise: what a Kafka instance refused can be listed, looked at and, once its reason is gone, sent back exactly once.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { DeadLetter } from '../kafka/dead-letters.ts';
import { Kafka, LOG_LEVEL } from '../kafka/library.ts';
import { recordsOf } from '../kafka/records.ts';
import { Replayer } from '../kafka/replay.ts';
import { openKafka } from '../kafka/session.ts';
import { makeTopics } from '../kafka/topics.ts';
import { loadForVerb } from './prepare.ts';
import { flow, production, runVerb, whileRunning } from './production.test-support.ts';
import { query } from './query.ts';
import { rejects } from './rejects.ts';

interface Listed {
  readonly counts: Readonly<Record<string, number>>;
  readonly rejects: readonly {
    readonly reject_id: string;
    readonly code: string;
    readonly raw: string;
    readonly file: string;
    readonly position: number;
    readonly replayed: { readonly attempt: number } | null;
  }[];
}
interface Replayed {
  readonly replayed: number;
  readonly records: readonly { readonly to: string; readonly attempt: number; readonly original: boolean }[];
  readonly skipped: readonly { readonly reason: string }[];
}

test('dead letters are listed, shown and replayed once', async (t) => {
  const servers = await production(t, ['kafka', 'cassandra', 'clickhouse'], {
    sources: [{ name: 'flows', topic: 'flows', format: 'native-json' }],
    block: { seconds: 1 },
    snapshot: { seconds: 1 },
    workers: 1,
  });
  if (!servers) return;
  const { name, verb, config } = servers;
  const kafka = new Kafka({ brokers: [...servers.services.kafka.brokers], logLevel: LOG_LEVEL.NOTHING });
  const admin = kafka.admin();
  const producer = kafka.producer();
  await Promise.all([admin.connect(), producer.connect()]);
  t.after(() => Promise.all([admin.disconnect(), producer.disconnect()]));
  const topic = `${name}-flows`;
  await makeTopics(admin, [{ topic, numPartitions: 2 }]);
  const binary = Buffer.from([0, 255, 10]);
  const send = (partition: number, value: string, key: string | null = null) =>
    producer.send({ topic, messages: [{ partition, key, value, headers: { via: binary } }] });
  await send(0, flow('acme', 1));
  await send(0, flow('umbrella', 2), 'u-key');
  await send(1, flow('umbrella', 3));
  await send(1, flow('acme', 4, { timestamp: 'yesterday' }));
  await send(1, '{"broken":');

  const json = async (positionals: string[], values = {}): Promise<Listed> =>
    JSON.parse((await verb(rejects, positionals, { json: true, ...values })).out) as Listed;
  const replay = async (ids: string[], values = {}): Promise<Replayed> =>
    JSON.parse((await verb(rejects, ['replay', ...ids], { json: true, ...values })).out) as Replayed;
  const running = (until: () => Promise<boolean>): Promise<void> => whileRunning(config, until);
  const refused = async (): Promise<number> => Object.values((await json(['list'])).counts).reduce((a, b) => a + b, 0);
  const flows = async (): Promise<number> => {
    const { out } = await verb(query, ['SELECT sum(total_requests) AS n FROM traffic_analytics'], { json: true });
    return (JSON.parse(out) as [{ n: number }])[0].n;
  };
  await running(async () => (await refused()) === 4 && (await flows()) === 1);

  const all = await json(['list']);
  assert.deepEqual(all.counts, { tenant_unknown: 2, bad_timestamp: 1, syntax: 1 });
  assert.equal((await json(['list'], { tenant: 'acme' })).rejects.length, 1);
  assert.deepEqual((await json(['list'], { code: 'syntax' })).rejects[0].raw, '{"broken":');
  assert.equal((await json(['list'], { until: '1h' })).rejects.length, 0);
  assert.equal((await json(['list'], { since: '1h', limit: '2' })).rejects.length, 2);
  const [{ reject_id: syntax }] = (await json(['list'], { code: 'syntax' })).rejects;
  assert.match((await verb(rejects, ['show', syntax.slice(0, 10)])).out, /syntax:[\s\S]*offset {4}2[\s\S]*\{"broken":/);
  await assert.rejects(verb(rejects, ['show', '00000000']), { code: 'reject_unknown' });
  await assert.rejects(verb(rejects, ['replay']), /needs reject ids, a filter/);

  // Nothing leaves with --dry-run.
  const dry = await replay([], { code: 'tenant_unknown', 'dry-run': true });
  assert.deepEqual([dry.replayed, dry.records.length], [0, 2]);
  assert.equal((await replay([], { code: 'tenant_unknown', 'dry-run': true })).records.length, 2);

  writeFileSync(config, readFileSync(config, 'utf8').replace('slug: globex', 'slug: umbrella'));
  const done = await replay([], { code: 'tenant_unknown' });
  assert.equal(done.replayed, 2);
  assert.deepEqual(done.records.map(({ to, attempt, original }) => [to, attempt, original]).sort(), [
    [`${topic}/0`, 2, true],
    [`${topic}/1`, 2, true],
  ]);
  const twice = await replay([], { code: 'tenant_unknown' });
  assert.deepEqual([twice.replayed, twice.skipped.map(({ reason }) => reason)], [0, ['replayed', 'replayed']]);
  assert.deepEqual(
    (await json(['list'], { code: 'tenant_unknown' })).rejects.map(({ replayed }) => replayed?.attempt),
    [2, 2],
  );
  const session = await openKafka((await loadForVerb({ config })).config.kafka);
  t.after(() => session.close());
  const reader = await session.reader([topic]);
  const records = [];
  for await (const batch of reader.range(topic, 0, 0, (await reader.offsets(topic, 0)).end))
    records.push(...recordsOf(batch));
  const back = records.filter(({ headers }) => headers['weir-replayed-from'] !== undefined);
  assert.equal(back.length, 1);
  assert.equal(back[0].key, 'u-key');
  assert.equal(String(back[0].value), flow('umbrella', 2));
  assert.deepEqual(back[0].headers['weir-attempt'], '2');
  assert.match(back[0].headers['weir-replayed-from'], new RegExp(`^${name}-dead-letters/\\d/\\d+$`));

  // Sent back in vain it is a letter again, and knows how often it was tried. --again sends what was sent before.
  assert.equal((await replay([syntax])).replayed, 1);
  await running(async () => (await refused()) === 5 && (await flows()) === 3);
  const again = await json(['list'], { code: 'syntax' });
  const fresh = again.rejects.find(({ replayed }) => replayed === null)!;
  assert.deepEqual((await replay([fresh.reject_id], { 'dry-run': true })).records[0].attempt, 3);
  assert.equal((await verb(rejects, ['replay', syntax])).status, 1);
  assert.equal((await replay([syntax], { again: true })).replayed, 1);

  // The topic has forgotten its records: the letter's own bytes go back, keyed by the tenant that it knows.
  await admin.fetchTopicOffsets(topic); // without it kafkajs knows no leader to ask
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 1, offset: '3' }] });
  const made = await replay([], { code: 'bad_timestamp' });
  assert.deepEqual(
    made.records.map(({ attempt, original }) => [attempt, original]),
    [[2, false]],
  );

  // A second replay ends the first.
  const first = await Replayer.start(session.kafka, name, `${name}-dead-letters`);
  t.after(() => first.close());
  const second = await Replayer.start(session.kafka, name, `${name}-dead-letters`);
  t.after(() => second.close());
  const letter = { key: 'k', id: 'i', partition: 0, offset: 0, tenantId: '' } as DeadLetter;
  const value = Buffer.from(flow('acme', 9));
  const record = { letter, topic, partition: 0, attempt: 2, key: null, value, headers: {}, original: true };
  await assert.rejects(first.send([record]), { code: 'replay_failed' });
  await second.send([record]);
  const found: string[] = [];
  for await (const batch of reader.range(topic, 0, 0, (await reader.offsets(topic, 0)).end))
    for (const one of recordsOf(batch)) found.push(String(one.value));
  assert.equal(found.filter((text) => text === String(value)).length, 1);
});

test('records of files are not sent back, and why', async () => {
  await assert.rejects(runVerb(rejects, ['replay', '--all'], { data: '/nowhere' }), {
    code: 'replay_without_kafka',
    message: /raw_base64/,
  });
});

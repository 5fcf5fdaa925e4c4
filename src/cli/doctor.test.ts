// Promise: what would lose, double or delay data is found before it does, and the check says what to do.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from '@clickhouse/client';
import cassandra from 'cassandra-driver';
import { type Check, Findings } from '../doctor/check.ts';
import { checkFlowKey } from '../doctor/flow-key.ts';
import { Kafka, LOG_LEVEL } from '../kafka/library.ts';
import { createTopics, makeTopics, topicNames } from '../kafka/topics.ts';
import { doctor } from './doctor.ts';
import { loadForVerb } from './prepare.ts';
import { production, runVerb } from './production.test-support.ts';

interface Report {
  readonly ok: boolean;
  readonly counts: Readonly<Record<string, number>>;
  readonly checks: readonly Check[];
}

test('servers as they must be, and what is found when they are not', async (t) => {
  const servers = await production(t, ['kafka', 'cassandra', 'clickhouse'], {
    sources: ['flows', 'logs'].map((topic) => ({ name: topic, topic })),
  });
  if (!servers) return;
  const { name, verb } = servers;
  const { config } = await loadForVerb({ config: servers.config });
  const kafka = new Kafka({ brokers: [...config.kafka.brokers], logLevel: LOG_LEVEL.NOTHING });
  const clickhouse = createClient({ url: config.clickhouse.url, database: name });
  const cluster = new cassandra.Client({
    contactPoints: [...config.scylla.contact_points],
    localDataCenter: config.scylla.local_data_center,
    keyspace: name,
  });
  const admin = kafka.admin();
  await admin.connect();
  t.after(() => Promise.all([admin.disconnect(), clickhouse.close(), cluster.shutdown()]));
  const ask = async (values = {}): Promise<Report> => {
    const { status, out } = await verb(doctor, [], { json: true, ...values });
    const report = JSON.parse(out) as Report;
    assert.equal(status, report.ok ? 0 : 1);
    assert.equal(report.ok, report.counts.problem === 0);
    return report;
  };
  const of = ({ checks }: Report, component: string, check: string): string[] =>
    checks
      .filter((one) => one.component === component && one.name === check)
      .map((one) => `${one.status}: ${one.text}`);

  const without = await ask();
  assert.match(of(without, 'kafka', 'input topics')[0], /problem: .*no topic .*-flows, .*-logs/);

  const topics = ['flows', 'logs'].map((topic) => ({ topic: `${name}-${topic}`, numPartitions: 2 }));
  await makeTopics(admin, topics);
  const names = topicNames(config.kafka, config.kafka.group);
  const made = await ask();
  assert.deepEqual(
    made.checks.filter(({ status }) => status === 'problem'),
    [],
  );
  assert.match(of(made, 'kafka', 'permissions')[0], /^ok/);
  await createTopics(admin, names, 2, -1, 1 << 20);
  const good = await ask({ rate: '0.1' });
  assert.deepEqual(
    good.checks.filter(({ status }) => status === 'problem'),
    [],
  );
  for (const [component, check] of [
    ['kafka', 'partitions'],
    ['kafka', 'permissions'],
    ['kafka', 'state'],
    ['kafka', 'record length'],
    ['scylla', 'schema'],
    ['scylla', 'clock'],
    ['scylla', 'durability'],
    ['scylla', 'permissions'],
    ['scylla', 'flow key'],
    ['clickhouse', 'schema'],
    ['clickhouse', 'clock'],
    ['clickhouse', 'deduplication'],
    ['clickhouse', 'block settings'],
    ['clickhouse', 'permissions'],
    ['clickhouse', 'views'],
  ])
    assert.match(of(good, component, check)[0] ?? `no check ${component} ${check}`, /^ok/, check);
  assert.match(of(good, 'kafka', 'durability')[0], /^warning: one replica/);
  assert.match(of(good, 'clickhouse', 'durability')[0], /^warning: fsync_after_insert is 0/);
  for (const { status, todo } of good.checks) assert.equal(todo !== '', status === 'warning' || status === 'problem');

  // Each of these loses or doubles something one day.
  const setting = (topic: string, key: string, value: string) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: 2, name: topic, configEntries: [{ name: key, value }] }],
    });
  await setting(names.state, 'retention.ms', '3600000');
  await setting(topics[0].topic, 'retention.ms', '3600000');
  await setting(topics[1].topic, 'max.message.bytes', '9000000');
  await setting(names.alerts, 'max.message.bytes', '100000');
  await admin.createPartitions({ topicPartitions: [{ topic: topics[1].topic, count: 3 }] });
  await clickhouse.command({
    query: 'ALTER TABLE traffic_analytics_1h MODIFY SETTING non_replicated_deduplication_window = 7',
  });
  await clickhouse.command({ query: 'DROP VIEW traffic_analytics_to_5m' });
  await clickhouse.command({
    query: 'ALTER TABLE schema_version DELETE WHERE version >= 10 SETTINGS mutations_sync = 1',
  });
  await cluster.execute('ALTER TABLE flows WITH default_time_to_live = 5');
  const bad = await ask({ rate: '1000', set: ['scylla.batch_bytes=100KiB', 'scylla.flow_bucket=1h'] });
  assert.match(of(bad, 'kafka', 'partitions')[0], /problem: .*unequal.*flows 2.*logs 3/);
  assert.match(of(bad, 'kafka', 'state')[0], /problem: .*journal/);
  assert.match(of(bad, 'kafka', 'retention').join(), /warning: .*-flows keeps records for 60 minutes/);
  assert.match(of(bad, 'kafka', 'record length')[0], /warning: .*-logs 9 MB/);
  assert.match(of(bad, 'kafka', 'message length')[0], /problem: .*-alerts 100 kB/);
  assert.match(of(bad, 'clickhouse', 'deduplication')[0], /problem: .*traffic_analytics_1h 7/);
  assert.match(of(bad, 'clickhouse', 'views')[0], /problem: .*traffic_analytics_to_5m/);
  assert.match(of(bad, 'clickhouse', 'schema')[0], /problem: .*010_traffic_rollups/);
  assert.match(of(bad, 'scylla', 'batches')[0], /problem/);
  assert.match(of(bad, 'scylla', 'retention')[0], /warning: flows keeps/);
  assert.match(of(bad, 'scylla', 'flow key')[0], /problem: the table has no time bucket/);
  const plain = await ask({ rate: '1000' });
  assert.match(of(plain, 'scylla', 'flow key')[0], /problem: the plain flow key.*90\.7 GB at 1000 flows/);
});

test('nobody there, and an embedded instance', async () => {
  const set = [
    'store.kind=servers',
    'kafka.brokers=127.0.0.1:1',
    'scylla.contact_points=127.0.0.1:1',
    'clickhouse.url=http://127.0.0.1:1',
  ];
  const { status, out } = await runVerb(doctor, [], { set, json: true });
  assert.equal(status, 1);
  const { checks } = JSON.parse(out) as Report;
  const found = checks
    .filter(({ status: one }) => one === 'problem')
    .map(({ component, name }) => `${component} ${name}`);
  assert.deepEqual(found, ['kafka reachable', 'clickhouse reachable', 'scylla reachable']);
  const embedded = await runVerb(doctor, [], { data: '/tmp/weir-that-is-not-there' });
  assert.equal(embedded.status, 0, embedded.out);
  assert.match(embedded.out, /engine .*can be loaded/);
  const nowhere = await runVerb(doctor, [], { data: '/proc/weir' });
  assert.equal(nowhere.status, process.getuid?.() === 0 ? nowhere.status : 1);
});

test('the flow key: sizes by rate', () => {
  const judged = (perSecond: number | null, bucketMs: number): string => {
    const findings = new Findings('scylla');
    const rate = perSecond === null ? null : { perSecond, from: 'test' };
    checkFlowKey(findings, { bucketMs, retentionDays: 7, rate });
    return findings.checks[0].status;
  };
  assert.equal(judged(null, 0), 'not checked');
  assert.equal(judged(null, 3_600_000), 'ok');
  assert.equal(judged(0.5, 0), 'ok');
  assert.equal(judged(5, 0), 'warning');
  assert.equal(judged(1000, 0), 'problem');
  assert.equal(judged(1000, 600_000), 'ok');
  assert.equal(judged(1000, 3_600_000), 'warning');
});

// Promise: a run that is asked to end stores and commits within its deadline and ends with status 0; where a store does not let it, it
// ends at the deadline with status 1, and a second signal ends it at once: either way the next run has everything, once. On the way:
// what probes and metrics say of Kafka and of a store that is away. Real servers.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { makeTopics } from '../src/kafka/topics.ts';
import { orSkip, type Services, startServices } from './services/index.ts';
import { answerOf, eventually, LiveWeir, Scratch } from './support/cli.ts';
import { flow } from './support/crooked.ts';
import { freePort } from './support/port.ts';
import { weir } from './support/run.ts';

const scratch = new Scratch('shutdown');
after(() => scratch.remove());

const SHUTDOWN_S = 2;

class Stage {
  private sent = 0;
  private readonly kafka: Kafka;
  private readonly config: string;
  readonly services: Services<'kafka' | 'clickhouse'>;
  readonly port: number;

  constructor(services: Services<'kafka' | 'clickhouse'>, port: number) {
    this.services = services;
    this.port = port;
    const brokers = [...services.kafka.brokers];
    this.kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
    this.config = scratch.write(
      'weir.yaml',
      `
data: ${scratch.path('data')}
workers: 1
roles: [detect]
block: { seconds: 1 }
snapshot: { seconds: 1 }
shutdown: ${SHUTDOWN_S}s
http: { port: ${port} }
kafka: { brokers: [${brokers.join()}], session_timeout: 2s }
store: { kind: servers }
clickhouse: { url: "${services.clickhouse.url}", database: shutdown }
sources: [{ name: flows, topic: flows, tenant: acme, pop: fra1 }]
tenants: [{ slug: acme }]
`,
    );
  }

  async prepare(): Promise<void> {
    const admin = this.kafka.admin();
    await admin.connect();
    await makeTopics(admin, [{ topic: 'flows', numPartitions: 2 }]);
    await admin.disconnect();
    const { code, stderr } = await weir(['migrate', '--config', this.config]);
    assert.equal(code, 0, stderr);
  }

  async send(count: number): Promise<void> {
    const producer = this.kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    const messages = Array.from({ length: count }, (_, i) => ({
      partition: i % 2,
      value: flow({ exporter: '192.0.2.9', timestamp: new Date().toISOString() }),
    }));
    await producer.send({ topic: 'flows', messages });
    await producer.disconnect();
    this.sent += count;
  }

  start(): LiveWeir {
    return new LiveWeir(['run', '--config', this.config, '--json']);
  }

  get(path: string): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.port}${path}`);
  }

  /** Sum of the series whose name and labels match. */
  async value(series: RegExp): Promise<number> {
    const text = await (await this.get('/metrics')).text();
    const found = text.split('\n').filter((line) => series.test(line));
    return found.length === 0 ? Number.NaN : found.reduce((sum, line) => sum + Number(line.split(' ').pop()), 0);
  }

  async ready(): Promise<void> {
    await eventually('ready', async () => (await this.get('/readyz').catch(() => null))?.status === 200);
  }

  async handedOn(): Promise<void> {
    await eventually('all is read', async () => (await this.value(/^weir_kafka_lag_records\{/)) === 0);
  }

  /** Everything that was sent is in the store once, and no further run finds anything. */
  async assertStored(): Promise<void> {
    const query = 'SELECT sum(total_requests) FROM shutdown.traffic_analytics';
    const answer = await fetch(`${this.services.clickhouse.url}/?query=${encodeURIComponent(query)}`);
    assert.equal(Number(await answer.text()), this.sent);
  }
}

test('Kafka in, ClickHouse out', async (t) => {
  const services = await orSkip(t, () => startServices(['kafka', 'clickhouse'], { isolated: true }));
  if (!services) return;
  after(() => services.stop());
  const stage = new Stage(services, await freePort());
  await stage.prepare();
  const clickhouse = (): number => services.pid('clickhouse') ?? assert.fail('ClickHouse is up');

  await t.test('SIGTERM: stored, committed, 0', async () => {
    await stage.send(50);
    await using run = stage.start();
    await stage.ready();
    await eventually('50 records', async () => (await stage.value(/^weir_records_total\{.*accepted/)) === 50);
    await stage.handedOn();
    assert.equal(await stage.value(/^weir_kafka_lag_records\{topic="flows",partition="\d"\}/), 0);
    assert.equal(await stage.value(/^weir_kafka_behind_seconds\{/), 0);
    assert.equal(await stage.value(/^weir_lanes_owned /), 2);
    assert.equal(await stage.value(/^weir_lanes_assigned /), 2);
    assert.ok((await stage.value(/^weir_rebalances_total /)) >= 1);
    assert.ok(Math.abs(await stage.value(/^weir_exporter_clock_skew_seconds\{exporter="192\.0\.2\.9"\}/)) < 60);
    const { code, summary, stderr } = answerOf(await run.stop('SIGTERM'));
    assert.equal(code, 0, stderr);
    assert.equal(summary.records.accepted, 50);
    await stage.assertStored();
  });

  await t.test('a store that is away: tried until the deadline, then 1', async () => {
    await using run = stage.start();
    await stage.ready();
    await services.kill9('clickhouse');
    await stage.send(20);
    await eventually('ClickHouse is missed', async () => (await stage.value(/^weir_sink_failing_seconds\{/)) > 0);
    assert.ok((await stage.value(/^weir_sink_errors_total\{sink="clickhouse",kind="retryable"/)) >= 1);
    assert.equal((await stage.get('/healthz')).status, 200, 'a restart would not help');
    await stage.handedOn();
    const asked = performance.now();
    const { code, error, stderr } = answerOf(await run.stop('SIGTERM'));
    assert.equal(code, 1, stderr);
    assert.equal(error.code, 'store_unavailable');
    assert.match(error.message, /nothing is lost/);
    assert.ok(performance.now() - asked >= SHUTDOWN_S * 1000, 'it was tried until the deadline');
    await services.start('clickhouse');
  });

  /** A block is on its way to a server that does not answer any more. */
  const whileItHangs = async (work: () => Promise<void>): Promise<void> => {
    process.kill(clickhouse(), 'SIGSTOP');
    try {
      await stage.send(20);
      await eventually('a block is being written', async () => (await stage.value(/^weir_unwritten_blocks /)) > 0);
      await work();
    } finally {
      process.kill(clickhouse(), 'SIGCONT');
    }
  };

  await t.test('a store that hangs: given up behind the deadline, 1', async () => {
    await using run = stage.start();
    await stage.ready();
    await whileItHangs(async () => {
      await stage.handedOn();
      const asked = performance.now();
      const { code, error } = answerOf(await run.stop('SIGTERM'));
      assert.equal(code, 1);
      assert.equal(error.code, 'shutdown_deadline');
      const took = performance.now() - asked;
      assert.ok(took >= SHUTDOWN_S * 1000 && took < SHUTDOWN_S * 1000 + 6000, `${took} ms`);
    });
  });

  await t.test('a second signal: 1 at once', async () => {
    await using run = stage.start();
    await stage.ready();
    await whileItHangs(async () => {
      run.process.kill('SIGTERM');
      await eventually('it is stopping', async () => /"stopping"/.test(await (await stage.get('/readyz')).text()));
      const asked = performance.now();
      const { code, error } = answerOf(await run.stop('SIGINT'));
      assert.equal(code, 1);
      assert.equal(error.code, 'interrupted');
      assert.ok(performance.now() - asked < 1500);
    });
  });

  await t.test('what the runs before left is stored by the next one, once', async () => {
    await using run = stage.start();
    await stage.ready();
    await stage.handedOn();
    const { code, stderr } = answerOf(await run.stop('SIGTERM'));
    assert.equal(code, 0, stderr);
    await stage.assertStored();
  });
});

test('standard input that stays open: SIGTERM stores what came, 0', async () => {
  const port = await freePort();
  const set = ['--set', `http.port=${port}`, '--data', scratch.path('piped')];
  await using run = new LiveWeir(['run', '--input', '-', '--tenant', 'acme', '--workers', '1', '--json', ...set]);
  run.process.stdin.write(`${flow({})}\n${flow({ source_port: 1 })}\n`);
  await eventually('both are read', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => null);
    return /^weir_records_total\{.*outcome="accepted"\} 2$/m.test((await answer?.text()) ?? '');
  });
  const { code, summary, stderr } = answerOf(await run.stop('SIGTERM'));
  assert.equal(code, 0, stderr);
  assert.equal(summary.stored.flows, 2);
});

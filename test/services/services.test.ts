// The servers themselves: each answers its real client, and what it acknowledged survives kill -9.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { createClient } from '@clickhouse/client';
import cassandra from 'cassandra-driver';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { isLacking, type Services, startServices } from './index.ts';
import { identify } from './process.ts';
import { SERVICE_NAMES, type ServiceName } from './settings.ts';

const ROWS = 500;
const NUMBERS = Array.from({ length: ROWS }, (_, at) => at);
type All = Services<ServiceName>;

/** One server and its client: writes ROWS numbers that the server acknowledges, reads back what is there. */
interface Trial {
  write(services: All): Promise<void>;
  read(services: All): Promise<number[]>;
}

const kafkaOf = ({ kafka }: All) =>
  new Kafka({ clientId: 'trial', brokers: [...kafka.brokers], logLevel: logLevel.NOTHING, retry: { retries: 8 } });

const kafka: Trial = {
  write: async (services) => {
    const client = kafkaOf(services);
    const admin = client.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: 'trial', numPartitions: 2 }], waitForLeaders: true });
    await admin.disconnect();
    const producer = client.producer({ idempotent: true, createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    await producer.send({ topic: 'trial', acks: -1, messages: NUMBERS.map((n) => ({ key: `${n}`, value: `${n}` })) });
    await producer.disconnect();
  },
  read: async (services) => {
    const consumer = kafkaOf(services).consumer({ groupId: 'trial', sessionTimeout: 6000, maxWaitTimeInMs: 200 });
    const found: number[] = [];
    try {
      await consumer.connect();
      await consumer.subscribe({ topic: 'trial', fromBeginning: true });
      await new Promise<void>((resolve, reject) => {
        consumer.on('consumer.crash', ({ payload }) => payload.restart || reject(payload.error));
        const eachMessage = async ({ message }: { message: { value: Buffer | null } }) => {
          if (found.push(Number(message.value)) === ROWS) resolve();
        };
        consumer.run({ eachMessage }).catch(reject);
      });
    } finally {
      await consumer.disconnect();
    }
    return found;
  },
};

async function withCassandra<T>(services: All, work: (client: cassandra.Client) => Promise<T>): Promise<T> {
  const { contactPoint, localDataCenter } = services.cassandra;
  const socketOptions = { readTimeout: 30_000 };
  const client = new cassandra.Client({ contactPoints: [contactPoint], localDataCenter, socketOptions });
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.shutdown();
  }
}

const scylla: Trial = {
  write: (services) =>
    withCassandra(services, async (client) => {
      const strategy = "{'class': 'SimpleStrategy', 'replication_factor': 1}";
      await client.execute(`CREATE KEYSPACE trial WITH replication = ${strategy}`);
      await client.execute('CREATE TABLE trial.numbers (n int PRIMARY KEY)');
      const insert = (n: number) => client.execute('INSERT INTO trial.numbers (n) VALUES (?)', [n], { prepare: true });
      await Promise.all(NUMBERS.map(insert));
    }),
  read: (services) =>
    withCassandra(services, async (client) => {
      const { rows } = await client.execute('SELECT n FROM trial.numbers');
      return rows.map((row) => Number(row.n));
    }),
};

const clickhouse: Trial = {
  write: async ({ clickhouse: { url } }) => {
    const client = createClient({ url, clickhouse_settings: { async_insert: 0 } });
    await client.command({ query: 'CREATE DATABASE trial' });
    await client.command({ query: 'CREATE TABLE trial.numbers (n UInt32) ENGINE = MergeTree ORDER BY n' });
    await client.insert({ table: 'trial.numbers', values: NUMBERS.map((n) => ({ n })), format: 'JSONEachRow' });
    await client.close();
  },
  read: async ({ clickhouse: { url } }) => {
    const client = createClient({ url });
    const result = await client.query({ query: 'SELECT n FROM trial.numbers', format: 'JSONEachRow' });
    const rows = await result.json<{ n: number }>();
    await client.close();
    return rows.map(({ n }) => n);
  },
};

async function sql({ postgres: { url, psql, env } }: All, statement: string): Promise<string> {
  const options = { env: { ...process.env, ...env } };
  const { stdout } = await promisify(execFile)(psql, [url, '-X', '-A', '-t', '-q', '-c', statement], options);
  return stdout;
}

const postgres: Trial = {
  write: async (services) => {
    await sql(services, 'CREATE TABLE numbers (n integer PRIMARY KEY)');
    await sql(services, `INSERT INTO numbers SELECT generate_series(0, ${ROWS - 1})`);
  },
  read: async (services) => (await sql(services, 'SELECT n FROM numbers')).trim().split('\n').map(Number),
};

const TRIALS: Readonly<Record<ServiceName, Trial>> = { kafka, cassandra: scylla, clickhouse, postgres };

test('four servers come up, talk to their clients, keep through kill -9 what they acknowledged, and go', async (t) => {
  let services: All;
  try {
    services = await startServices(SERVICE_NAMES, { isolated: true });
  } catch (error) {
    if (!isLacking(error) || process.env.WEIR_SERVICES_REQUIRED) throw error;
    process.stderr.write(`\nNO REAL SERVERS WERE TESTED: ${error.message} [${error.code}]\n\n`);
    t.skip(`${error.message} [${error.code}]`);
    return;
  }
  const pids = SERVICE_NAMES.map((name) => services.pid(name)!);
  try {
    const outcomes = await Promise.allSettled(
      SERVICE_NAMES.map(async (name) => {
        await TRIALS[name].write(services);
        const before = services.pid(name);
        await services.kill9(name);
        assert.equal(services.pid(name), undefined, `${name} is dead`);
        await services.start(name);
        assert.notEqual(services.pid(name), before, `${name} is another process`);
        await services.start(name); // it is up: nothing happens
        const found = await TRIALS[name].read(services);
        assert.deepEqual(
          found.sort((a, b) => a - b),
          NUMBERS,
          `${name} has every row once`,
        );
        pids.push(services.pid(name)!);
      }),
    );
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  } finally {
    await services.stop();
  }
  for (const pid of pids) assert.equal(identify(pid), undefined, `process ${pid} has ended`);
  assert.equal(existsSync(services.home), false, 'nothing is left of their data');
});

// The servers themselves: each answers its real client, and killed in the middle of writing it keeps what it acknowledged.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import cassandra from 'cassandra-driver';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { makeTopics } from '../../src/kafka/topics.ts';
import { type Services, startServices } from './index.ts';
import { orSkip } from './or-skip.ts';
import { identify } from './process.ts';
import { SERVICE_NAMES, type ServiceName } from './settings.ts';

type All = Services<ServiceName>;

interface Session {
  /** Resolves when the server has acknowledged all of them. */
  insert(numbers: readonly number[]): Promise<unknown>;
  /** All that is stored. */
  read(): Promise<number[]>;
  close(): Promise<unknown>;
}

/** A server's client, connected; the first time it makes the place for numbers. */
type Open = (services: All, first: boolean) => Promise<Session>;

const kafka: Open = async ({ kafka: { brokers } }, first) => {
  const client = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING, retry: { retries: 2 } });
  const admin = client.admin();
  const producer = client.producer({ idempotent: true, createPartitioner: Partitioners.DefaultPartitioner });
  await Promise.all([admin.connect(), producer.connect()]);
  if (first) await makeTopics(admin, [{ topic: 'trial', numPartitions: 2 }]);
  return {
    insert: (numbers) => producer.send({ topic: 'trial', messages: numbers.map((n) => ({ value: String(n) })) }),
    read: async () => {
      const ends = await admin.fetchTopicOffsets('trial');
      const stored = ends.reduce((sum, { high }) => sum + Number(high), 0);
      const found: number[] = [];
      const consumer = client.consumer({ groupId: 'trial', maxWaitTimeInMs: 200 });
      await consumer.connect();
      await consumer.subscribe({ topic: 'trial', fromBeginning: true });
      await new Promise<void>((resolve, reject) => {
        consumer.on('consumer.crash', ({ payload }) => payload.restart || reject(payload.error));
        const eachMessage = async ({ message }: { message: { value: Buffer | null } }) => {
          if (found.push(Number(message.value)) === stored) resolve();
        };
        consumer.run({ eachMessage }).catch(reject);
      }).finally(() => consumer.disconnect());
      return found;
    },
    close: () => Promise.all([admin.disconnect(), producer.disconnect()]),
  };
};

const scylla: Open = async ({ cassandra: { contactPoint, localDataCenter } }, first) => {
  const socketOptions = { readTimeout: 30_000 };
  const client = new cassandra.Client({ contactPoints: [contactPoint], localDataCenter, socketOptions });
  await client.connect();
  if (first) {
    const strategy = "{'class': 'SimpleStrategy', 'replication_factor': 1}";
    await client.execute(`CREATE KEYSPACE trial WITH replication = ${strategy}`);
    await client.execute('CREATE TABLE trial.numbers (n int PRIMARY KEY)');
  }
  const insert = (n: number) => client.execute('INSERT INTO trial.numbers (n) VALUES (?)', [n], { prepare: true });
  return {
    insert: (numbers) => Promise.all(numbers.map(insert)),
    read: async () => {
      const { rows } = await client.execute('SELECT n FROM trial.numbers', [], { fetchSize: 1_000_000 });
      return rows.map((row) => Number(row.n));
    },
    close: () => client.shutdown(),
  };
};

const clickhouse: Open = async ({ clickhouse: { url } }, first) => {
  const log = { level: ClickHouseLogLevel.OFF }; // of a server that is killed
  const client = createClient({ url, log, clickhouse_settings: { async_insert: 0 } });
  if (first) {
    await client.command({ query: 'CREATE DATABASE trial' });
    await client.command({ query: 'CREATE TABLE trial.numbers (n UInt32) ENGINE = MergeTree ORDER BY n' });
  }
  const format = 'JSONEachRow';
  return {
    insert: (numbers) => client.insert({ table: 'trial.numbers', values: numbers.map((n) => ({ n })), format }),
    read: async () => {
      const result = await client.query({ query: 'SELECT n FROM trial.numbers', format });
      return (await result.json<{ n: number }>()).map(({ n }) => n);
    },
    close: () => client.close(),
  };
};

const postgres: Open = async ({ postgres: { url, psql, env } }, first) => {
  const sql = async (statement: string) => {
    const options = { env: { ...process.env, ...env } };
    return (await promisify(execFile)(psql, [url, '-X', '-A', '-t', '-q', '-c', statement], options)).stdout;
  };
  if (first) await sql('CREATE TABLE numbers (n integer PRIMARY KEY)');
  return {
    insert: (numbers) => sql(`INSERT INTO numbers VALUES ${numbers.map((n) => `(${n})`)}`),
    read: async () => (await sql('SELECT n FROM numbers')).trim().split('\n').map(Number),
    close: async () => {},
  };
};

const OPEN: Readonly<Record<ServiceName, Open>> = { kafka, cassandra: scylla, clickhouse, postgres };
const ENOUGH = 500;

/** Eight writers, ten numbers at a time; the server is killed under them. Returns what was acknowledged. */
async function insertUntilKilled({ insert }: Session, kill: () => Promise<void>): Promise<number[]> {
  const acknowledged: number[] = [];
  let next = 0;
  let killed: Promise<void> | undefined;
  const writer = async () => {
    for (;;) {
      const numbers = Array.from({ length: 10 }, () => next++);
      try {
        await insert(numbers);
      } catch (error) {
        if (killed) return;
        throw error;
      }
      acknowledged.push(...numbers);
      if (acknowledged.length >= ENOUGH) killed ??= kill();
    }
  };
  await Promise.all(Array.from({ length: 8 }, writer));
  await killed;
  return acknowledged;
}

test('four servers come up, talk to their clients, keep through kill -9 what they acknowledged, and go', async (t) => {
  const services = await orSkip(t, () => startServices(SERVICE_NAMES, { isolated: true }));
  if (!services) return;
  const pids = SERVICE_NAMES.map((name) => services.pid(name)!);

  const trial = async (name: ServiceName) => {
    const before = services.pid(name);
    const session = await OPEN[name](services, true);
    const acknowledged = await insertUntilKilled(session, () => services.kill9(name));
    await session.close().catch(() => {}); // of a dead server
    assert.equal(services.pid(name), undefined, `${name} is dead`);
    await services.start(name);
    await services.start(name); // it is up: nothing happens
    pids.push(services.pid(name)!);
    assert.notEqual(services.pid(name), before, `${name} is another process`);
    const again = await OPEN[name](services, false);
    const found = await again.read();
    await again.close();
    const stored = new Set(found);
    const lost = acknowledged.filter((n) => !stored.has(n));
    assert.equal(lost.length, 0, `${name} lost ${lost.length} of ${acknowledged.length}`);
    assert.equal(found.length, stored.size, `${name} has nothing twice`);
  };
  try {
    const outcomes = await Promise.allSettled(SERVICE_NAMES.map(trial));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  } finally {
    await services.stop();
  }
  for (const pid of pids) assert.equal(identify(pid), undefined, `process ${pid} has ended`);
  assert.equal(existsSync(services.home), false, 'nothing is left of their data');
});

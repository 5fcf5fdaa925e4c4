// A place of its own on the servers that a configuration names: topics with a random prefix, a keyspace and a database, made for the
// bench and dropped after it.

import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClickHouseClient } from '@clickhouse/client';
import { parse, stringify } from 'yaml';
import { migrate } from '../../src/cli/migrate.ts';
import { loadForVerb } from '../../src/cli/prepare.ts';
import { type Io, UsageError } from '../../src/cli/verb.ts';
import type { Config } from '../../src/config/schema.ts';
import { type KafkaSession, openKafka } from '../../src/kafka/session.ts';
import { makeTopics } from '../../src/kafka/topics.ts';
import { httpClient } from '../../src/sinks/clickhouse/http.ts';
import { scyllaClient } from '../../src/sinks/scylla/client.ts';
import { TcpProxy } from './proxy.ts';

export const LANES = 4;

/** What a bench wants otherwise than the configuration has it. */
export type Sections = Readonly<Record<string, unknown>>;

export class Place {
  readonly folder: string;
  readonly name: string;
  readonly topic: string;
  readonly kafka: KafkaSession;
  readonly clickhouse: ClickHouseClient;
  /** Between Weir and the stores, so that one of them can be stalled. */
  readonly proxies: { readonly scylla: TcpProxy; readonly clickhouse: TcpProxy };
  private readonly config: Config;
  private readonly base: Sections;

  private constructor(
    parts: Pick<Place, 'folder' | 'name' | 'kafka' | 'proxies'> & { config: Config; base: Sections },
  ) {
    this.folder = parts.folder;
    this.name = parts.name;
    this.topic = `${parts.name}-flows`;
    this.kafka = parts.kafka;
    this.proxies = parts.proxies;
    this.config = parts.config;
    this.base = parts.base;
    this.clickhouse = httpClient({ ...parts.config.clickhouse, database: parts.name });
  }

  /** `path`: a configuration with brokers, ScyllaDB (or Cassandra) and ClickHouse. */
  static async open(path: string): Promise<Place> {
    const { config } = await loadForVerb({ config: path });
    const { scylla, clickhouse } = config;
    if (config.kafka.brokers.length === 0 || scylla.contact_points.length === 0 || clickhouse.url === '')
      throw new UsageError(`${path}: the bench needs kafka.brokers, scylla.contact_points and clickhouse.url.`);
    const name = `bench_${randomBytes(4).toString('hex')}`;
    const kafka = await openKafka(config.kafka);
    const proxies = {
      scylla: await TcpProxy.to(addressOf(scylla.contact_points[0], 9042)),
      clickhouse: await TcpProxy.to(addressOf(new URL(clickhouse.url).host, 8123)),
    };
    const folder = mkdtempSync(join(tmpdir(), 'weir-bench-'));
    const base = parse(readFileSync(path, 'utf8')) as Sections;
    const place = new Place({ folder, name, kafka, proxies, config, base });
    const topics = [{ topic: place.topic, numPartitions: LANES }];
    await makeTopics(kafka.admin, topics);
    await migrate.run({ config: place.configuration('migrate', {}) }, [], SILENT);
    return place;
  }

  /** Writes a configuration of its own for one instance; returns its path. */
  configuration(instance: string, more: Sections): string {
    const { base, name, proxies } = this;
    const of = (key: string): Sections => (base[key] ?? {}) as Sections;
    const clickhouse = new URL(this.config.clickhouse.url);
    clickhouse.host = `127.0.0.1:${proxies.clickhouse.port}`;
    const path = join(this.folder, `${instance}.yaml`);
    const sections = {
      ...base,
      data: join(this.folder, instance),
      store: { kind: 'servers' },
      log: { level: 'warn' },
      kafka: { ...of('kafka'), prefix: `${name}-`, group: 'bench' },
      scylla: { ...of('scylla'), contact_points: [`127.0.0.1:${proxies.scylla.port}`], keyspace: name },
      clickhouse: { ...of('clickhouse'), url: clickhouse.href, database: name },
      sources: [{ name: 'flows', topic: 'flows', format: 'native-json' }],
      ...more,
    };
    writeFileSync(path, stringify(sections));
    return path;
  }

  /** Rows of an SQL query against the bench's database. */
  async ask<T>(query: string): Promise<T[]> {
    const answer = await this.clickhouse.query({ query, format: 'JSONEachRow' });
    return answer.json<T>();
  }

  /** Flows that the rollups count. */
  async counted(): Promise<number> {
    const [{ n }] = await this.ask<{ n: string }>('SELECT sum(total_requests) AS n FROM traffic_analytics');
    return Number(n);
  }

  /** Rows of `flows` in ScyllaDB; partition by partition, since a count of all would take too long for one answer. */
  async flows(): Promise<number> {
    const client = await scyllaClient(this.config.scylla);
    try {
      let rows = 0;
      await new Promise<void>((resolve, reject) => {
        client.eachRow(
          `SELECT flow_id FROM ${this.name}.flows`,
          [],
          { autoPage: true, fetchSize: 5000 },
          () => rows++,
          (error) => (error ? reject(error) : resolve()),
        );
      });
      return rows;
    } finally {
      await client.shutdown();
    }
  }

  /** Records that took the way through the overflow. */
  async parked(): Promise<number> {
    const offsets = await this.kafka.admin.fetchTopicOffsets(`${this.name}-overflow-bench`);
    return offsets.reduce((sum, { high }) => sum + Number(high), 0);
  }

  async close(): Promise<void> {
    const { admin } = this.kafka;
    const own = (await admin.listTopics()).filter((topic) => topic.startsWith(`${this.name}-`));
    await admin.deleteTopics({ topics: own }).catch(() => {});
    await this.clickhouse.command({ query: `DROP DATABASE IF EXISTS ${this.name}` }).catch(() => {});
    const scylla = await scyllaClient(this.config.scylla).catch(() => null);
    await scylla?.execute(`DROP KEYSPACE IF EXISTS ${this.name}`).catch(() => {});
    await scylla?.shutdown();
    await Promise.all([this.kafka.close(), this.clickhouse.close()]);
    for (const proxy of Object.values(this.proxies)) proxy.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const SILENT = { stdout: { write: () => true }, stderr: { write: () => true }, env: process.env } as unknown as Io;

function addressOf(text: string, port: number): { host: string; port: number } {
  const at = text.lastIndexOf(':');
  return at < 0 ? { host: text, port } : { host: text.slice(0, at), port: Number(text.slice(at + 1)) };
}

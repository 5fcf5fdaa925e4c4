// What the stores must hold, reckoned from the records in the input topics and never through Weir's code; and what they hold.

import assert from 'node:assert/strict';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import cassandra from 'cassandra-driver';
import type { Kafka } from 'kafkajs';
import type { Services } from '../services/index.ts';
import type { ServerName } from './plan.ts';
import { readAll } from './topics.ts';

type Fields = Readonly<Record<string, string | number>>;

export interface Expected {
  /** tenant and flow → what its row says. */
  readonly flows: ReadonlyMap<string, string>;
  readonly tunnels: ReadonlySet<string>;
  /** tenant and session → its newest state. */
  readonly sessions: ReadonlyMap<string, string>;
  readonly logs: number;
  /** tenant, PoP and minute → bytes and flows. */
  readonly rollups: ReadonlyMap<string, string>;
}

const millis = (time: unknown): number => Date.parse(String(time));
const flowName = ({ tenant_id, flow_id }: Fields): string => `${tenant_id} ${flow_id}`;
const flowText = (row: Fields): string =>
  [
    row.tenant_id,
    row.pop_id,
    millis(row.timestamp),
    row.source_ip,
    row.destination_ip,
    row.source_port,
    row.destination_port,
    row.bytes_sent,
    row.bytes_received,
    row.packets_sent,
    row.packets_received,
  ].join(' ');

export function expectedOf(records: readonly Fields[]): Expected {
  const flows = new Map<string, string>();
  const tunnels = new Set<string>();
  const newest = new Map<string, Fields>();
  const sums = new Map<string, [bigint, number]>();
  let logs = 0;
  for (const row of records) {
    if (row.flow_id) {
      flows.set(flowName(row), flowText(row));
      const key = [row.tenant_id, row.pop_id, Math.floor(millis(row.timestamp) / 60_000) * 60].join(' ');
      const sum = sums.get(key) ?? [0n, 0];
      sums.set(key, [sum[0] + BigInt(row.bytes_sent) + BigInt(row.bytes_received), sum[1] + 1]);
    } else if (row.tunnel_id) tunnels.add(`${row.tunnel_id} ${millis(row.timestamp)}`);
    else if (row.session_id) {
      const key = `${row.tenant_id} ${row.session_id}`;
      const known = newest.get(key);
      if (!known || millis(known.last_activity) < millis(row.last_activity)) newest.set(key, row);
    } else logs++;
  }
  const sessions = new Map(
    [...newest].map(([key, row]) => [key, `${millis(row.last_activity)} ${row.status ?? 'active'}`] as const),
  );
  const rollups = new Map([...sums].map(([key, [bytes, requests]]) => [key, `${bytes} ${requests}`] as const));
  return { flows, tunnels, sessions, logs, rollups };
}

/** What names an alert whatever stream its events came in by: ids of events, and so of alerts, hold topic and offset. */
export function alertName(details: string): string {
  const { tenant_id, rule, first_seen, group } = JSON.parse(details) as {
    tenant_id: string;
    rule: { id: string };
    first_seen: string;
    group: object;
  };
  return JSON.stringify([tenant_id, rule.id, first_seen, group]);
}

export interface Held {
  readonly services: Services<ServerName>;
  readonly kafka: Kafka;
  readonly prefix: string;
  readonly keyspace: string;
}

export class Stores {
  private readonly held: Held;
  private readonly clickhouse: ClickHouseClient;
  private readonly cassandra: cassandra.Client;

  constructor(held: Held) {
    this.held = held;
    const { cassandra: node, clickhouse } = held.services;
    this.clickhouse = createClient({ url: clickhouse.url, database: held.keyspace, request_timeout: 30_000 });
    this.cassandra = new cassandra.Client({
      contactPoints: [node.contactPoint],
      localDataCenter: node.localDataCenter,
      keyspace: held.keyspace,
      socketOptions: { readTimeout: 30_000 },
    });
  }

  async close(): Promise<void> {
    await this.clickhouse.close();
    await this.cassandra.shutdown();
  }

  /** Flows that rollups count so far; 0 while the server does not answer. */
  async counted(): Promise<number> {
    return this.ask<{ n: string }>('SELECT sum(total_requests) AS n FROM traffic_analytics').then(
      ([{ n }]) => Number(n),
      () => 0,
    );
  }

  /** Whether as many rows of the other kinds are there as there must be: what is still on its way needs no verdict yet. */
  async complete({ sessions, tunnels, logs }: Expected): Promise<boolean> {
    const [stored, measured, [{ n }]] = await Promise.all([
      this.rows('SELECT session_id FROM sessions'),
      this.rows('SELECT tunnel_id, timestamp FROM tunnel_stats'),
      this.ask<{ n: string }>('SELECT count() AS n FROM logs'),
    ]);
    return stored.length >= sessions.size && measured.length >= tunnels.size && Number(n) >= logs;
  }

  /** Throws AssertionError: something is lost, doubled or wrong. */
  async check(expected: Expected, alerts: ReadonlySet<string>): Promise<void> {
    same(await this.flows(), expected.flows, 'flows');
    same(await this.sessions(), expected.sessions, 'sessions');
    const tunnels = await this.rows('SELECT tunnel_id, timestamp FROM tunnel_stats');
    same(
      new Map(tunnels.map((row) => [`${row.tunnel_id} ${(row.timestamp as Date).getTime()}`, ''])),
      new Map([...expected.tunnels].map((name) => [name, ''])),
      'tunnel statistics',
    );
    const [{ all, distinct }] = await this.ask<{ all: string; distinct: string }>(
      'SELECT count() AS all, uniqExact(log_id) AS distinct FROM logs',
    );
    assert.deepEqual({ all: Number(all), distinct: Number(distinct) }, { all: expected.logs, distinct: expected.logs });
    for (const [table, seconds] of [
      ['traffic_analytics', 60],
      ['traffic_analytics_5m', 300],
      ['traffic_analytics_1h', 3600],
    ] as const)
      same(await this.rollups(table), coarser(expected.rollups, seconds), table);
    await this.checkAlerts(alerts);
  }

  private async checkAlerts(alerts: ReadonlySet<string>): Promise<void> {
    const stored = await this.ask<{ alert_id: string; details: string }>(
      'SELECT toString(alert_id) AS alert_id, details FROM threat_analytics',
    );
    assert.equal(new Set(stored.map(({ alert_id }) => alert_id)).size, stored.length, 'no alert is stored twice');
    same(
      new Map(stored.map(({ details }) => [alertName(details), ''])),
      new Map([...alerts].map((name) => [name, ''])),
      'alerts',
    );
    const told = await readAll(this.held.kafka, [`${this.held.prefix}alerts`]);
    same(
      new Map(told.map(({ headers }) => [String(headers?.['weir-alert-id']), ''])),
      new Map(stored.map(({ alert_id }) => [alert_id, ''])),
      'alerts told by the topic',
    );
  }

  private async flows(): Promise<Map<string, string>> {
    const columns =
      'flow_id, tenant_id, pop_id, timestamp, source_ip, destination_ip, source_port, destination_port, bytes_sent, bytes_received, packets_sent, packets_received';
    const found = await this.rows(`SELECT ${columns} FROM flows`);
    const names = found.map((row) => flowName(row as unknown as Fields));
    assert.equal(new Set(names).size, found.length, 'no flow has two rows');
    return new Map(
      found.map((row, i) => {
        const at = (row.timestamp as Date).toISOString();
        return [names[i], flowText({ ...(row as unknown as Fields), timestamp: at })];
      }),
    );
  }

  private async sessions(): Promise<Map<string, string>> {
    const found = await this.rows('SELECT tenant_id, session_id, last_activity, status FROM sessions');
    return new Map(
      found.map((row) => [
        `${row.tenant_id} ${row.session_id}`,
        `${(row.last_activity as Date).getTime()} ${row.status}`,
      ]),
    );
  }

  private async rollups(table: string): Promise<Map<string, string>> {
    const found = await this.ask<{ key: string; text: string }>(
      `SELECT concat(toString(tenant_id), ' ', pop_id, ' ', toString(toUnixTimestamp(timestamp))) AS key,
        concat(toString(sum(total_bytes)), ' ', toString(sum(total_requests))) AS text FROM ${table} GROUP BY key`,
    );
    return new Map(found.map(({ key, text }) => [key, text]));
  }

  private async rows(query: string): Promise<cassandra.types.Row[]> {
    const found: cassandra.types.Row[] = [];
    let pageState: string | undefined;
    do {
      const page = await this.cassandra.execute(query, [], { prepare: true, fetchSize: 5000, pageState });
      found.push(...page.rows);
      pageState = page.pageState ?? undefined;
    } while (pageState !== undefined);
    return found;
  }

  private async ask<Row>(query: string): Promise<Row[]> {
    return (await this.clickhouse.query({ query, format: 'JSONEachRow' })).json<Row>();
  }
}

function coarser(rollups: ReadonlyMap<string, string>, seconds: number): Map<string, string> {
  const sums = new Map<string, [bigint, bigint]>();
  for (const [key, text] of rollups) {
    const [tenant, pop, at] = key.split(' ');
    const [bytes, requests] = text.split(' ').map(BigInt);
    const bucket = [tenant, pop, Math.floor(Number(at) / seconds) * seconds].join(' ');
    const sum = sums.get(bucket) ?? [0n, 0n];
    sums.set(bucket, [sum[0] + bytes, sum[1] + requests]);
  }
  return new Map([...sums].map(([key, [bytes, requests]]) => [key, `${bytes} ${requests}`]));
}

/** Says what is missing, what is too much and what differs, a few of each. */
function same(actual: ReadonlyMap<string, string>, expected: ReadonlyMap<string, string>, what: string): void {
  const missing = [...expected.keys()].filter((key) => !actual.has(key));
  const surplus = [...actual.keys()].filter((key) => !expected.has(key));
  const different = [...actual].filter(([key, text]) => expected.has(key) && expected.get(key) !== text);
  if (missing.length + surplus.length + different.length === 0) return;
  assert.fail(
    `${what}: ${expected.size} expected, ${missing.length} lost, ${surplus.length} too many, ${different.length} different: ${JSON.stringify(
      {
        missing: missing.slice(0, 3),
        surplus: surplus.slice(0, 3),
        different: different.slice(0, 3).map(([key, text]) => [key, text, expected.get(key)]),
      },
    )}`,
  );
}

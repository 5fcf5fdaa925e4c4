// Promise: what the encoders write is what ClickHouse reads, to the last bit.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { RawBatch, Segment } from '../../src/model/batch.ts';
import { utf8 } from '../../src/model/bytes.ts';
import type { ControlSnapshot } from '../../src/model/control.ts';
import { Decoded } from '../../src/model/decoded.ts';
import { Dictionary } from '../../src/model/dictionary.ts';
import { clearRow, type FlowColumns, nextFlow } from '../../src/model/flow.ts';
import { uuidWords } from '../../src/model/hash.ts';
import { parseIp } from '../../src/model/ip.ts';
import { TABLES, type TableName, type TableRows } from '../../src/model/tables.ts';
import { type ChdbStore, openChdbStore } from '../../src/sinks/clickhouse/chdb.ts';
import { createEncoder, encodeRows } from './index.ts';
import { putNanoseconds } from './native.ts';

const TENANT = '7b0c1e2d-3f4a-5b6c-8d7e-9fa0b1c2d3e4';

const snapshot = {
  tenants: [{ id: '00000000-0000-0000-0000-000000000001' }, { id: TENANT }],
  sources: [{ name: 'edge' }],
  policies: [
    { id: 'first', version: 3 },
    { id: 'p-ü', version: 4294967295 },
  ],
  enrich: { communityId: false },
} as unknown as ControlSnapshot;

const segment: Segment = {
  format: 'native-json',
  start: 4,
  end: 100,
  base: 1_000_000,
  file: 'f'.repeat(32),
  source: 0,
  context: null,
  referenceMs: 0,
  fault: null,
};
const batch = (bytes: Uint8Array): RawBatch => ({ appendedAtMs: 0, bytes, segments: [segment] });

function addFlow(flows: FlowColumns, dictionary: Dictionary, i: number): void {
  const row = nextFlow(flows);
  clearRow(flows, row);
  flows.length++;
  flows.tenant[row] = 1;
  flows.timeMs[row] = 1_700_000_000_123 + i;
  flows.timeNs[row] = 456_789;
  uuidWords('00112233-4455-6677-8899-aabbccddeeff', flows.id, row * 4);
  parseIp(i % 2 ? '192.0.2.1' : '2001:db8::1:2', flows.source, row * 4);
  parseIp('255.254.253.252', flows.destination, row * 4);
  flows.pop[row] = dictionary.internText('fra1');
  flows.host[row] = dictionary.internText(`host-${i}`);
  flows.bytesSent[row * 2] = 0xffffffff;
  flows.bytesSent[row * 2 + 1] = 0xffffffff;
  flows.durationMs[row] = 1.5;
  flows.policy[row] = i % 3;
  flows.direction[row] = i % 5;
  flows.sourcePort[row] = 65535;
}

describe('Native blocks in chDB', () => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-encode-'));
  let store: ChdbStore;
  let token = 0;
  const write = ({ table, rows, bytes }: TableRows) =>
    store.write({ table, rows, token: `t${token++}`, chunks: [bytes] });
  const rows = async (sql: string) =>
    (await store.query(sql, 'JSONEachRow'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  before(async () => {
    store = await openChdbStore({ directory });
  });
  after(async () => {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test('the DDL has the columns of the model, in their order, and ingested_at last', async () => {
    for (const table of Object.keys(TABLES) as TableName[]) {
      const described = await rows(`DESCRIBE TABLE weir.${table}`);
      const expected = [...TABLES[table], { name: 'ingested_at', type: 'DateTime' }];
      assert.deepEqual(
        described.map(({ name, type }) => ({ name, type })),
        expected,
        table,
      );
    }
  });

  test('flows: every width of dictionary index, both address families, exact counters and times', async () => {
    const dictionary = new Dictionary();
    const encode = createEncoder(snapshot, dictionary);
    for (const count of [1, 300, 70_000]) {
      const decoded = new Decoded(dictionary);
      for (let i = 0; i < count; i++) addFlow(decoded.flows, dictionary, i);
      const [flows] = encode(batch(new Uint8Array(8)), decoded);
      assert.equal(flows.rows, count);
      await write(flows);
      const [sum] = await rows(
        `SELECT count() AS n, uniqExact(host) AS hosts, countIf(host = concat('host-', toString(toUnixTimestamp64Milli(timestamp) - 1700000000123))) AS right FROM weir.flows`,
      );
      assert.deepEqual(sum, { n: count, hosts: count, right: count });
      if (count < 70_000) await store.query('TRUNCATE TABLE weir.flows', 'Null');
    }
    const [row] = await rows(
      `SELECT tenant_id, pop_id, toString(timestamp) AS time, flow_id, toString(source_ip) AS source, toString(destination_ip) AS destination, source_port,
        toString(bytes_sent) AS bytes_sent, duration_ms, policy_id, policy_version, direction, ja3, community_id, sampling_rate
       FROM weir.flows WHERE host = 'host-2'`,
    );
    assert.deepEqual(row, {
      tenant_id: TENANT,
      pop_id: 'fra1',
      time: '2023-11-14 22:13:20.125456789',
      flow_id: '00112233-4455-6677-8899-aabbccddeeff',
      source: '2001:db8::1:2',
      destination: '::ffff:255.254.253.252',
      source_port: 65535,
      bytes_sent: '18446744073709551615',
      duration_ms: 1.5,
      policy_id: 'p-ü',
      policy_version: 4294967295,
      direction: 'outbound',
      ja3: '',
      community_id: '',
      sampling_rate: 1,
    });
  });

  test('logs, sessions, tunnel statistics and rejects', async () => {
    const dictionary = new Dictionary();
    const decoded = new Decoded(dictionary);
    const place = { segment: 0, rawStart: 10, rawLength: 5 };
    const id = '00112233-4455-8677-8899-aabbccddeeff';
    decoded.logs.push({
      ...place,
      ms: 1_700_000_000_001,
      ns: 999_999,
      tenant: 1,
      pop: 'fra1',
      id,
      logsource: { product: 'linux', category: '', service: 'sshd' },
      sourceIp: '192.0.2.7',
      destinationIp: '',
      host: 'h',
      user: 'root',
      severity: 'info',
      message: 'Füße \ud800',
      fields: {},
      fieldsJson: '{"a":1}',
      clockSkew: true,
      threat: '',
    });
    const session = { ...place, ns: 0, tenant: 1, sessionId: id, sourceIp: '::1', id, deviceId: '' };
    decoded.sessions.push(
      { ...session, ms: 2_000, status: 'closed', userId: '', startedAtMs: 0, metadata: {} },
      {
        ...session,
        ms: 1_000,
        status: 'starting',
        userId: 'ann',
        startedAtMs: 900,
        metadata: { os: 'x', ['__proto__']: 'y' },
      },
    );
    decoded.tunnels.push({
      ...place,
      ms: 5,
      ns: 0,
      tenant: 1,
      pop: 'p',
      tunnelId: id,
      latencyMs: -1,
      jitterMs: 2,
      packetLossPercent: 0.5,
      rxBytes: 2n ** 63n,
      txBytes: 1n,
      uptimeSeconds: 3n,
      id,
    });
    decoded.reject('syntax', 'what', 0, 10, 5);
    const bytes = utf8('0123456789\u0000\u00ffab tail');
    for (const block of createEncoder(snapshot, dictionary)(batch(bytes), decoded)) await write(block);

    const [log] = await rows('SELECT * EXCEPT (ingested_at, log_id, tenant_id) FROM weir.logs');
    assert.deepEqual(log, {
      pop_id: 'fra1',
      timestamp: '2023-11-14 22:13:20.001999999',
      product: 'linux',
      category: '',
      service: 'sshd',
      source_ip: '::ffff:192.0.2.7',
      destination_ip: '::',
      host: 'h',
      user: 'root',
      severity: 'info',
      message: 'Füße \ufffd',
      fields: '{"a":1}',
      threat: '',
      flags: 4,
    });
    const [folded] = await rows('SELECT * EXCEPT (tenant_id) FROM weir.sessions');
    assert.deepEqual(folded, {
      session_id: id,
      user_id: 'ann',
      device_id: '',
      source_ip: '::1',
      started_at: '1970-01-01 00:00:00.900',
      last_activity: '1970-01-01 00:00:02.000000000',
      status: 'closed',
      metadata: { os: 'x', ['__proto__']: 'y' },
    });
    const [tunnel] = await rows(
      'SELECT toString(rx_bytes) AS rx, latency_ms, packet_loss_percent FROM weir.tunnel_stats',
    );
    assert.deepEqual(tunnel, { rx: '9223372036854775808', latency_ms: -1, packet_loss_percent: 0.5 });
    const [reject] = await rows('SELECT tenant_id, source, position, length, code, hex(raw) AS raw FROM weir.rejects');
    assert.deepEqual(reject, {
      tenant_id: '00000000-0000-0000-0000-000000000000',
      source: 'edge',
      position: 1_000_006,
      length: 5,
      code: 'syntax',
      raw: '00C3BF6162',
    });
  });

  test('alerts from plain rows: arrays, nanoseconds as bigint, IPv4 columns', async () => {
    const alert = Object.fromEntries(TABLES.alerts.map(({ name, type }) => [name, type === 'UInt64' ? 1 : '']));
    const time = 1_700_000_000_123_456_789n;
    await write(
      encodeRows('alerts', [
        {
          ...alert,
          tenant_id: TENANT,
          alert_id: TENANT,
          first_seen: time,
          last_seen: time,
          tactics: ['a', 'b'],
          techniques: [],
        },
      ]),
    );
    const threat = {
      tenant_id: TENANT,
      timestamp: 1_700_000_000,
      threat_category: 'c',
      severity: 'high',
      source_ip: '192.0.2.1',
      destination_ip: '::1',
      mitre_technique: 'T1',
      alert_id: TENANT,
      details: '{}',
      source_ip6: '192.0.2.1',
      destination_ip6: '::1',
      rule_id: 'r',
      title: 't',
      first_seen: time,
    };
    await write(encodeRows('threat_analytics', [threat]));
    assert.deepEqual(await rows('SELECT tactics, techniques, toString(first_seen) AS t FROM weir.alerts_latest'), [
      { tactics: ['a', 'b'], techniques: [], t: '2023-11-14 22:13:20.123456789' },
    ]);
    assert.deepEqual(
      await rows('SELECT source_ip, destination_ip, destination_ip6, timestamp FROM weir.threat_analytics'),
      [{ source_ip: '192.0.2.1', destination_ip: '0.0.0.0', destination_ip6: '::1', timestamp: '2023-11-14 22:13:20' }],
    );
  });

  test('a row that lacks a column is a bug, named', () => {
    assert.throws(() => encodeRows('alerts', [{}]), /alerts\.tenant_id: expected a UUID/);
  });
});

test('nanoseconds are exact over the whole accepted range', () => {
  const words = new Uint32Array(2);
  const read = new BigInt64Array(words.buffer);
  for (const ms of [0, 1, 946_684_800_000, 1_700_000_000_123, 4_102_444_799_999, -1, -86_400_000]) {
    for (const ns of [0, 1, 999_999]) {
      putNanoseconds(words, 0, ms, ns);
      assert.equal(read[0], BigInt(ms) * 1_000_000n + BigInt(ns));
    }
  }
});

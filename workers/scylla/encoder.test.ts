// Rows that the frame writer wrote, read back from a real Cassandra through its ordinary driver.

import assert from 'node:assert/strict';
import { after, before, suite } from 'node:test';
import fc from 'fast-check';
import { Dictionary } from '../../src/model/dictionary.ts';
import { createFlowColumns, FLOW_STRINGS } from '../../src/model/flow.ts';
import { orSkip, testWith } from '../../test/services/index.ts';
import { BUCKET_COLUMN, FLOW_COLUMNS, SESSION_COLUMNS, TUNNEL_COLUMNS } from './columns.ts';
import { add, COUNTERS, expectedFlow, type FlowValue, flowValue, HOUR, WIDE } from './flows.test-support.ts';
import {
  APPENDED_AT,
  BATCH,
  type Cassandra,
  encoderOf,
  openCassandra,
  sessionEvent,
  shown,
  TENANT,
  tunnelStat,
} from './scylla.test-support.ts';
import { FRAME_HEADER, singleRow } from './statements.ts';
import { ScyllaWriter } from './writer.ts';

/** The longer key; the plain one is a column less of the same. */
const bucketMs = HOUR;
suite('rows in Cassandra', () => {
  let store: Cassandra | null = null;
  const testWithCassandra = testWith(() => store, 'Cassandra');
  let writer: ScyllaWriter;
  before(async (t) => {
    store = await orSkip(t as never, () => openCassandra(bucketMs));
    if (store) writer = new ScyllaWriter(store.settings);
  });
  after(async () => {
    await writer?.close();
    await store?.close();
  });

  testWithCassandra('the columns that are bound are those of the tables', async (store) => {
    const found = await store.rows(
      'SELECT table_name, column_name FROM system_schema.columns WHERE keyspace_name = ?',
      [store.settings.keyspace],
    );
    const columnsOf = (table: string): string[] =>
      found
        .filter((row) => row.table_name === table)
        .map((row) => String(row.column_name))
        .sort();
    assert.deepEqual(columnsOf('flows'), [...FLOW_COLUMNS, ...(bucketMs > 0 ? [BUCKET_COLUMN] : [])].sort());
    assert.deepEqual(columnsOf('sessions'), [...SESSION_COLUMNS, 'started_at'].sort());
    assert.deepEqual(columnsOf('tunnel_stats'), [...TUNNEL_COLUMNS].sort());
  });

  testWithCassandra('flows of any values are read back as they were, whatever batches they came in', async (store) => {
    const { rows, settings } = store;
    const list = fc.uniqueArray(flowValue, { minLength: 1, maxLength: 60, selector: ({ id }) => id, size: 'max' });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(list, async (made) => {
        run++; // rows of an earlier run must not show through what these leave unset
        const values = made.map(
          (one) => ({ ...one, strings: one.strings.with(0, `${one.strings[0]}${run}`) }) as FlowValue,
        );
        const dictionary = new Dictionary();
        const encoder = encoderOf(settings, dictionary);
        const flows = createFlowColumns(4);
        for (const value of values) add(flows, dictionary, value);
        const parcel = encoder.flows(flows);
        assert.equal(parcel.rows, values.length);
        for (const { frame, rows: starts, queries } of parcel.statements) {
          const longest = Math.max(...queries.map((_, row) => starts[row + 1] - starts[row]));
          assert.ok(frame.length <= settings.batchBytes + longest + FRAME_HEADER + 6, `${frame.length} bytes`);
        }
        // Single-partition batches: each key has as many rows as there are flows of it.
        const byKey = new Map<string, number>();
        for (const { routingKey, queries } of parcel.statements)
          byKey.set(routingKey.toString('hex'), (byKey.get(routingKey.toString('hex')) ?? 0) + queries.length);
        const partitions = new Map<string, number>();
        for (const { strings, timeMs } of values) {
          const partition = `${strings[0]} ${Math.floor(timeMs / bucketMs)}`;
          partitions.set(partition, (partitions.get(partition) ?? 0) + 1);
        }
        assert.deepEqual([...byKey.values()].sort(), [...partitions.values()].sort());
        assert.equal(await writer.write([parcel]), null);
        for (const value of values) {
          const bucket = bucketMs > 0 ? ` AND bucket = ${Math.floor(value.timeMs / bucketMs) * bucketMs}` : '';
          const [row] = await rows(
            `SELECT * FROM {keyspace}.flows WHERE tenant_id = ? AND pop_id = ?${bucket} AND timestamp = ? AND flow_id = ?`,
            [TENANT, value.strings[0], new Date(value.timeMs), value.id],
          );
          assert.deepEqual(shown(row), expectedFlow(value, bucketMs));
        }
      }),
      { numRuns: 6, endOnFailure: true },
    );
  });

  testWithCassandra('a column of which a record says nothing stays as it is: unset, not null', async (store) => {
    const { rows, settings } = store;
    const bucket = bucketMs > 0;
    const id = '77777777-7777-4777-8777-777777777777';
    const names = `tenant_id, pop_id, timestamp, flow_id, host, sampling_rate, ip_bytes_sent, policy_id${bucket ? ', bucket' : ''}`;
    const hour = new Date(Math.floor(APPENDED_AT / HOUR) * HOUR);
    await rows(
      `INSERT INTO {keyspace}.flows (${names}) VALUES (?, ?, ?, ?, 'old', 9, 8, 'old'${bucket ? ', ?' : ''})`,
      [TENANT, 'unset', new Date(APPENDED_AT), id, ...(bucket ? [hour] : [])],
    );
    const dictionary = new Dictionary();
    const flows = createFlowColumns(4);
    const strings = FLOW_STRINGS.map((name) => (name === 'pop' ? 'unset' : ''));
    const [value] = fc.sample(flowValue, 1);
    const wide = Object.keys(WIDE).map((name) => (name === 'samplingRate' ? 1 : 0));
    add(flows, dictionary, {
      ...value,
      id,
      timeMs: APPENDED_AT,
      strings,
      counters: COUNTERS.map(() => 0n),
      wide,
      policy: 0,
    } as FlowValue);
    assert.equal(await writer.write([encoderOf(settings, dictionary).flows(flows)]), null);
    const [row] = await rows(
      `SELECT * FROM {keyspace}.flows WHERE tenant_id = ? AND pop_id = 'unset'${bucket ? ` AND bucket = ${hour.getTime()}` : ''}`,
      [TENANT],
    );
    const { host, sampling_rate, ip_bytes_sent, policy_id, bytes_sent } = shown(row);
    assert.deepEqual([host, sampling_rate, ip_bytes_sent, policy_id, bytes_sent], ['old', '9', '8', 'old', '0']);
  });

  testWithCassandra('tunnel statistics, extremes included', async (store) => {
    const { rows, settings } = store;
    const encoder = encoderOf(settings);
    const most = 2n ** 63n - 1n;
    const stats = [
      tunnelStat({ ms: APPENDED_AT - 2 }),
      tunnelStat({
        ms: APPENDED_AT - 1,
        pop: '',
        latencyMs: -(2 ** 31),
        jitterMs: 2 ** 31 - 1,
        packetLossPercent: 100,
        rxBytes: most,
        txBytes: 0n,
        uptimeSeconds: most,
        ns: 0,
      }),
    ];
    assert.equal(await writer.write([encoder.tunnels(stats, BATCH)]), null);
    const found = await rows('SELECT * FROM {keyspace}.tunnel_stats WHERE tunnel_id = ? ORDER BY timestamp ASC', [
      stats[0].tunnelId,
    ]);
    const want = stats.map((stat) => ({
      tunnel_id: stat.tunnelId,
      timestamp: stat.ms,
      latency_ms: stat.latencyMs,
      jitter_ms: stat.jitterMs,
      packet_loss_percent: stat.packetLossPercent,
      rx_bytes: String(stat.rxBytes),
      tx_bytes: String(stat.txBytes),
      uptime_seconds: String(stat.uptimeSeconds),
      tenant_id: TENANT,
      pop_id: stat.pop === '' ? null : stat.pop,
      timestamp_ns: stat.ns,
    }));
    assert.deepEqual(found.map(shown), want);
  });

  testWithCassandra('a row of a batch, sent alone, is the same row', async (store) => {
    const { rows, settings } = store;
    const sessionId = '66666666-6666-4666-8666-666666666666';
    const { statements } = encoderOf(settings).sessions([sessionEvent({ sessionId, userId: 'ann' })], BATCH);
    assert.equal(statements[0].queries.length, 2);
    const singles = statements.flatMap((statement) => statement.queries.map((_, row) => singleRow(statement, row)));
    assert.equal(await writer.write([{ rows: 2, bytes: 0, statements: singles }]), null);
    const [row] = await rows('SELECT * FROM {keyspace}.sessions WHERE tenant_id = ? AND session_id = ?', [
      TENANT,
      sessionId,
    ]);
    assert.deepEqual([row.user_name, row.started_at.getTime()], ['ann', APPENDED_AT - 1000]);
  });

  testWithCassandra('sessions of any values', async (store) => {
    const { rows, settings } = store;
    const sessionId = '55555555-5555-4555-8555-555555555555';
    const device = '44444444-4444-4444-8444-444444444444';
    const event = sessionEvent({
      sessionId,
      userId: 'jürgen',
      deviceId: device,
      sourceIp: '2001:db8::1',
      startedAtMs: APPENDED_AT - 5000,
      status: 'closed',
      metadata: { a: '', ü: 'x'.repeat(5000) },
    });
    assert.equal(await writer.write([encoderOf(settings).sessions([event], BATCH)]), null);
    const [row] = await rows('SELECT * FROM {keyspace}.sessions WHERE tenant_id = ? AND session_id = ?', [
      TENANT,
      sessionId,
    ]);
    assert.deepEqual(shown(row), {
      tenant_id: TENANT,
      session_id: sessionId,
      user_id: null,
      user_name: 'jürgen',
      device_id: device,
      device_name: null,
      source_ip: '20010db8000000000000000000000001',
      started_at: APPENDED_AT - 5000,
      last_activity: event.ms,
      status: 'closed',
      metadata: event.metadata,
    });
  });
});

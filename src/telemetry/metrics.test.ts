// Promise: metrics stay bounded whatever comes in, a counter never goes back, and names follow one pattern.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BlockSink, SinkError, type StoreBlock } from '../sinks/sink.ts';
import { watched } from '../sinks/watched.ts';
import { Exporters } from './exporters.ts';
import { METRICS } from './metrics.ts';
import { Metrics } from './registry.ts';
import { Telemetry } from './telemetry.ts';

const lines = async (metrics: Metrics, start: string): Promise<string[]> =>
  (await metrics.text()).split('\n').filter((line) => line.startsWith(start));

test('names say what they count and in which unit', () => {
  for (const [name, { type, help }] of Object.entries(METRICS)) {
    assert.match(name, /^weir_[a-z]+(_[a-z]+)*$/);
    assert.equal(name.endsWith('_total'), type === 'counter', name);
    if (type === 'histogram') assert.match(name, /_seconds$/);
    assert.match(help, /^[A-Z].*\.$/, name);
  }
});

test('exporters: the most recent ones have series, others end', async () => {
  const metrics = new Metrics();
  const exporters = new Exporters(metrics, 2);
  const at = Date.UTC(2026, 0, 1);
  for (const exporter of ['192.0.2.1', '192.0.2.2', '192.0.2.1', '192.0.2.3'])
    exporters.note([{ exporter, flows: 5, failures: 1, newestMs: at + 90_000 }], at);
  assert.deepEqual(await lines(metrics, 'weir_exporter_records_total{'), [
    'weir_exporter_records_total{exporter="192.0.2.1"} 10',
    'weir_exporter_records_total{exporter="192.0.2.3"} 5',
  ]);
  assert.equal((await lines(metrics, 'weir_exporter_clock_skew_seconds{'))[0].split(' ')[1], '90');
  exporters.note([{ exporter: 'x'.repeat(10_000), flows: 1, failures: 0, newestMs: at }], undefined);
  for (const line of await lines(metrics, 'weir_exporter_')) assert.ok(line.length < 200);
});

test('codes of servers cannot make series without end', () => {
  const metrics = new Metrics();
  const codes = new Set(Array.from({ length: 1000 }, (_, i) => metrics.bounded('code', `E${i}`)));
  assert.equal(codes.size, 65);
  assert.equal(metrics.bounded('code', 'E0'), 'E0');
  assert.equal(metrics.bounded('code', 'E999'), 'other');
});

test('a sink that fails and comes back: errors by class, repeats, how long it failed', async () => {
  const telemetry = new Telemetry();
  const { metrics, health } = telemetry;
  const outcomes = [new SinkError('retryable', 'TIMEOUT', 'slow'), new SinkError('retryable', 'TIMEOUT', 'slow'), null];
  const server: BlockSink = {
    write: async () => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      const outcome = outcomes.shift();
      if (outcome) throw outcome;
    },
    isolate: async () => {},
    close: async () => {},
  };
  const sink = watched(server, 'clickhouse', telemetry);
  const block: StoreBlock = { table: 'alerts', token: 't', rows: 1, chunks: [] };
  await assert.rejects(sink.write(block));
  await assert.rejects(sink.write(block));
  assert.ok(health.failingSeconds('clickhouse/alerts') > 0);
  assert.ok(Number((await lines(metrics, 'weir_sink_failing_seconds{'))[0].split(' ')[1]) > 0);
  await sink.write(block);
  assert.deepEqual(await lines(metrics, 'weir_sink_'), [
    'weir_sink_errors_total{sink="clickhouse",kind="retryable",code="TIMEOUT"} 2',
    'weir_sink_retries_total{sink="clickhouse"} 2',
    'weir_sink_failing_seconds{sink="clickhouse"} 0',
  ]);
  const [count] = await lines(metrics, 'weir_insert_duration_seconds_count');
  assert.equal(count, 'weir_insert_duration_seconds_count{sink="clickhouse",table="alerts"} 1');
});

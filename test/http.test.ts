// Promise: while `weir run` is alive, probes and Prometheus are answered at http.port, and a port that is taken ends the run before
// anything is read.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, test } from 'node:test';
import { eventually, LiveWeir, runJson, Scratch } from './support/cli.ts';
import { flow } from './support/crooked.ts';
import { freePort } from './support/port.ts';

const scratch = new Scratch('http');
after(() => scratch.remove());

const input = scratch.write('flows.ndjson', `${flow({ exporter: '192.0.2.9' })}\n`.repeat(3));
const args = (data: string, port: number): string[] => {
  const set = ['--set', `http.port=${port}`, '--set', 'snapshot.seconds=1'];
  return ['--input', input, '--tenant', 'acme', '--data', scratch.path(data), '--workers', '1', ...set];
};

test('probes and metrics of a run', async () => {
  const port = await freePort();
  await using run = new LiveWeir(['run', ...args('data', port), '--follow']);
  const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`);
  let text = '';
  const value = (series: string): number => {
    const line = text.split('\n').find((one) => one.startsWith(`${series} `));
    return line === undefined ? Number.NaN : Number(line.slice(series.length + 1));
  };
  await eventually('ready', async () => (await get('/readyz').catch(() => null))?.status === 200);
  assert.equal((await get('/healthz')).status, 200);
  await eventually('the records are committed', async () => {
    text = await (await get('/metrics')).text();
    return value('weir_stage_tasks_total{stage="commit"}') >= 1;
  });
  assert.equal(value('weir_records_total{source="input",outcome="accepted"}'), 3);
  assert.ok(value('weir_read_bytes_total{source="input"}') > 500);
  assert.equal(value('weir_stored_rows_total{table="flows"}'), 3);
  for (const stage of ['match', 'correlate', 'close', 'journal', 'write', 'commit'])
    assert.ok(value(`weir_stage_tasks_total{stage="${stage}"}`) >= 1, stage);
  assert.equal(value('weir_insert_duration_seconds_count{sink="chdb",table="flows"}'), 1);
  assert.equal(value('weir_sink_failing_seconds{sink="chdb"}'), 0);
  assert.equal(value('weir_lanes_owned'), 1);
  assert.equal(value('weir_unwritten_blocks'), 0);
  const newest = value('weir_newest_event_timestamp_seconds{tenant="acme"}');
  assert.equal(newest - value('weir_watermark_timestamp_seconds{tenant="acme"}'), 300);
  assert.equal(value('weir_exporter_records_total{exporter="192.0.2.9"}'), 3);
  assert.ok(value('weir_memory_bytes{what="resident"}') > 1e7);
  assert.ok(value('weir_budget_bytes{what="slabs"}') >= value('weir_in_flight_bytes{what="slabs"}'));
  const { code, stderr } = await run.stop('SIGTERM');
  assert.equal(code, 0, stderr);
  await assert.rejects(get('/healthz'), 'nobody is left');
});

test('packets of an exporter that never came', async () => {
  const port = await freePort();
  const packet = (number: number): string =>
    `{"type":"NETFLOW_V9","sequence_num":${number},"sampler_address":"192.0.2.9","time_flow_start_ns":1767324720000000007,` +
    '"bytes":143,"packets":1,"src_addr":"192.168.89.2","dst_addr":"192.168.88.30","proto":"UDP","src_port":55743,"dst_port":53}\n';
  const packets = Array.from({ length: 400 }, (_, i) => (i % 200 === 50 ? '' : packet(i)));
  const path = scratch.write('goflow2.ndjson', packets.join(''));
  await using run = new LiveWeir(['run', ...args('gaps', port), '--input', path, '--pop', 'fra1', '--follow']);
  const lost = 'weir_exporter_lost_total{tenant="acme",exporter="192.0.2.9",unit="packets"} 1\n';
  await eventually('the lost one is counted, and the one that may come yet is not', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => null);
    return (await answer?.text())?.includes(lost) ?? false;
  });
  const { code, stderr } = await run.stop('SIGTERM');
  assert.equal(code, 0, stderr);
});

test('a port that is taken', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  const { port } = await new Promise<{ port: number }>((resolve) =>
    server.on('listening', () => resolve(server.address() as { port: number })),
  );
  const { code, error } = await runJson(args('data-taken', port));
  server.close();
  assert.equal(code, 1);
  assert.equal(error.code, 'http_port_in_use');
  assert.match(error.message, /^http\.port: /);
});

test('a store that cannot be reached is named without its password', async () => {
  const { code, error, stderr } = await runJson([
    ...args('data-secret', 0),
    ...['--set', 'store.kind=servers', '--set', 'roles=detect'],
    ...['--set', 'clickhouse.url=http://weir:hidden-in-url@127.0.0.1:1', '--set', 'clickhouse.password=hidden-key'],
  ]);
  assert.equal(code, 1);
  assert.equal(error.code, 'clickhouse_unreachable');
  assert.doesNotMatch(error.message + stderr, /hidden/);
});

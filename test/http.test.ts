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

const input = scratch.write('flows.ndjson', `${flow({})}\n`.repeat(3));
const args = (data: string, port: number): string[] => {
  const set = ['--set', 'store.kind=null', '--set', `http.port=${port}`];
  return ['--input', input, '--tenant', 'acme', '--data', scratch.path(data), '--workers', '1', ...set];
};

test('probes and metrics of a run', async () => {
  const port = await freePort();
  await using run = new LiveWeir(['run', ...args('data', port), '--follow']);
  const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`);
  await eventually('ready', async () => (await get('/readyz').catch(() => null))?.status === 200);
  assert.equal((await get('/healthz')).status, 200);
  await eventually('records are counted', async () =>
    /^weir_records_total\{outcome="accepted"[^}]*\} 3$/m.test(await (await get('/metrics')).text()),
  );
  const { code, stderr } = await run.stop('SIGTERM');
  assert.equal(code, 0, stderr);
  await assert.rejects(get('/healthz'), 'nobody is left');
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

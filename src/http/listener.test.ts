// Promise: probes and scrapers get what they ask for; whoever asks for anything else, or wastes time, is refused at small cost.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { OperationalError } from '../cli/verb.ts';
import { STUCK_MS } from '../telemetry/health.ts';
import { Telemetry } from '../telemetry/telemetry.ts';
import { type Listener, listen } from './listener.ts';

/** What a server answers to bytes, until it closes the connection. */
function raw(address: string, bytes: string): Promise<string> {
  const at = address.lastIndexOf(':');
  return new Promise((resolve, reject) => {
    const socket = connect(Number(address.slice(at + 1)), address.slice(0, at));
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => (text += chunk));
    socket.on('close', () => resolve(text));
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? resolve(text) : reject(error)));
    socket.write(bytes);
  });
}

describe('the HTTP listener', () => {
  const telemetry = new Telemetry();
  const { health, metrics } = telemetry;
  let listener: Listener;
  const get = (path: string, init: RequestInit = {}) => fetch(`http://${listener.address}${path}`, init);
  before(async () => {
    listener = await listen({ host: '127.0.0.1', port: 0, health, metrics: () => metrics.text() });
  });
  after(() => listener.close());

  test('/healthz, /readyz and /metrics', async () => {
    assert.deepEqual(await (await get('/healthz')).json(), { status: 'alive' });
    const starting = await get('/readyz');
    assert.equal(starting.status, 503);
    const { status, reasons } = (await starting.json()) as { status: string; reasons: { code: string }[] };
    assert.deepEqual([status, ...reasons.map(({ code }) => code)], ['not ready', 'starting']);
    health.phase = 'running';
    assert.deepEqual(await (await get('/readyz?verbose')).json(), { status: 'ready' });
    const scraped = await get('/metrics');
    assert.match(scraped.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    assert.match(await scraped.text(), /^# TYPE weir_records_total counter$/m);
    const head = await get('/metrics', { method: 'HEAD' });
    assert.equal(await head.text(), '');
    assert.ok(Number(head.headers.get('content-length')) > 100);
  });

  test('other methods, paths and bodies are refused, and the connection ends where a body could follow', async () => {
    assert.equal((await get('/')).status, 404);
    for (const path of ['/constructor', '/__proto__', '/metrics/', '//metrics', '/%2e%2e/etc/passwd'])
      assert.equal((await get(path)).status, 404, path);
    const posted = await get('/metrics', { method: 'POST', body: 'x'.repeat(1 << 20) });
    assert.equal(posted.status, 405);
    assert.equal(posted.headers.get('allow'), 'GET, HEAD');
    const smuggled =
      'GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\nGET /metrics HTTP/1.1\r\nHost: a\r\n\r\n';
    const answer = await raw(listener.address, smuggled);
    assert.match(answer, /^HTTP\/1\.1 413 /);
    assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1);
    const expecting = 'GET /healthz HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n';
    assert.match(await raw(listener.address, expecting), /^HTTP\/1\.1 413 /);
  });

  test('long headers, rubbish and slow requests end soon', async () => {
    const long = `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`;
    assert.match(await raw(listener.address, long), /^HTTP\/1\.1 431 /);
    assert.match(await raw(listener.address, '\x16\x03\x01\x02\x00\r\n\r\n'), /^HTTP\/1\.1 400 /);
    const before = performance.now();
    assert.match(await raw(listener.address, 'GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: '), /^(HTTP\/1\.1 408 |$)/);
    assert.ok(performance.now() - before < 9000);
    assert.equal((await get('/healthz')).status, 200);
  });

  test('a port that is taken is named with its key', async () => {
    const port = Number(listener.address.split(':')[1]);
    await assert.rejects(
      listen({ host: '127.0.0.1', port, health, metrics: async () => '' }),
      (error: unknown) =>
        error instanceof OperationalError &&
        error.code === 'http_port_in_use' &&
        error.message.startsWith(`http.port: something else listens at 127.0.0.1:${port} already`),
    );
    await assert.rejects(
      listen({ host: '203.0.113.1', port: 0, health, metrics: async () => '' }),
      (error: unknown) => error instanceof OperationalError && error.message.startsWith('http.host: '),
    );
  });
});

describe('health', () => {
  test('a stage that never ends is no life; one that ended is', async (t) => {
    const { health, stages } = new Telemetry();
    let now = 0;
    t.mock.method(performance, 'now', () => now);
    let end = (): void => {};
    const task = stages.time('match', 'tenant:acme', () => new Promise<void>((resolve) => (end = resolve)));
    now = STUCK_MS - 1;
    assert.ok(health.live().ok);
    now = STUCK_MS;
    assert.deepEqual(health.live(), {
      ok: false,
      reasons: [{ code: 'lane_stuck', message: 'tenant:acme: the stage match has not ended for 600 s' }],
    });
    end();
    await task;
    assert.ok(health.live().ok);
  });

  test('a sink that fails for a minute makes unready, not dead; one success makes ready again', (t) => {
    const { health } = new Telemetry();
    let now = 0;
    t.mock.method(performance, 'now', () => now);
    health.phase = 'running';
    health.failed('clickhouse/alerts', 'sink_failing', 'ECONNREFUSED: nobody there');
    assert.ok(health.ready().ok, 'what fails for less passes by itself');
    now = 61_000;
    health.failed('clickhouse/alerts', 'sink_failing', 'READONLY: still not');
    assert.deepEqual(health.ready().reasons, [
      { code: 'sink_failing', message: 'clickhouse/alerts has failed for 61 s: READONLY: still not' },
    ]);
    assert.ok(health.live().ok);
    health.worked('clickhouse/alerts');
    assert.ok(health.ready().ok);
  });

  test('while it stops, it is not ready', () => {
    const { health } = new Telemetry();
    health.phase = 'stopping';
    assert.equal(health.ready().reasons[0].code, 'stopping');
  });
});

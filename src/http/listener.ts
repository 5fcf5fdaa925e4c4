// Health and metrics over HTTP. Nothing is read but the request line and headers, and both are bounded: a probe has no body, and
// whoever sends one, or sends slowly, or opens many connections, costs little.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OperationalError } from '../cli/verb.ts';
import type { Health, Verdict } from '../telemetry/health.ts';

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly health: Health;
  /** Prometheus text. */
  readonly metrics: () => Promise<string>;
}

export interface Listener {
  /** host:port, as it was bound. */
  readonly address: string;
  /** Repeatable. Answers under way are cut off. */
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const MOST_HEADER_BYTES = 8 * 1024;
const MOST_CONNECTIONS = 64;
/** Longest that a request may take to arrive, or a connection may say nothing, ms. */
const PATIENCE_MS = 5000;
const JSON_TYPE = 'application/json; charset=utf-8';
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Throws OperationalError: `http_port_in_use`, `http_unavailable`. */
export async function listen({ host, port, health, metrics }: ListenerOptions): Promise<Listener> {
  // Scrapes at the same time share one text.
  let making: Promise<string> | null = null;
  const text = (): Promise<string> => {
    making ??= metrics().finally(() => {
      making = null;
    });
    return making;
  };
  const pages: Readonly<Record<string, () => Promise<Answer>>> = {
    '/healthz': async () => verdict(health.live(), 'alive', 'stuck'),
    '/readyz': async () => verdict(health.ready(), 'ready', 'not ready'),
    '/metrics': async () => ({ status: 200, type: METRICS_TYPE, body: await text() }),
  };
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, pages).then(
      (found) => send(request, response, found),
      (error: unknown) => send(request, response, failure(500, 'internal', String(error))),
    );
  };
  const server = createServer(
    {
      maxHeaderSize: MOST_HEADER_BYTES,
      headersTimeout: PATIENCE_MS,
      requestTimeout: PATIENCE_MS,
      keepAliveTimeout: PATIENCE_MS,
      connectionsCheckingInterval: 1000,
    },
    handle,
  );
  server.on('checkContinue', handle); // nobody is asked to send a body
  server.maxConnections = MOST_CONNECTIONS;
  server.setTimeout(2 * PATIENCE_MS); // a reader that does not read
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(unavailable(host, port, error)));
    server.listen({ host, port }, resolve);
  });
  server.removeAllListeners('error').on('error', () => {});
  server.unref(); // being asked keeps no process alive
  const bound = server.address() as AddressInfo;
  return {
    address: bound.family === 'IPv6' ? `[${bound.address}]:${bound.port}` : `${bound.address}:${bound.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  { method, url = '', headers }: IncomingMessage,
  pages: Readonly<Record<string, () => Promise<Answer>>>,
): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return failure(405, 'method_not_allowed', 'GET and HEAD are answered.');
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0)
    return failure(413, 'body_refused', 'Requests have no body here.');
  const path = url.split('?', 1)[0];
  if (!Object.hasOwn(pages, path)) return failure(404, 'not_found', '/healthz, /readyz and /metrics are here.');
  return pages[path]();
}

function send({ method, headers }: IncomingMessage, response: ServerResponse, { status, type, body }: Answer): void {
  const bytes = Buffer.from(body);
  // What follows a refused body on the connection is no request.
  const last = status === 405 || status === 413 || headers.expect !== undefined;
  response.writeHead(status, {
    'content-type': type,
    'content-length': bytes.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
    ...(last ? { connection: 'close' } : {}),
  });
  response.end(method === 'HEAD' ? undefined : bytes);
}

function verdict({ ok, reasons }: Verdict, yes: string, no: string): Answer {
  const body = ok ? { status: yes } : { status: no, reasons };
  return { status: ok ? 200 : 503, type: JSON_TYPE, body: `${JSON.stringify(body)}\n` };
}

function failure(status: number, code: string, message: string): Answer {
  return { status, type: JSON_TYPE, body: `${JSON.stringify({ error: { code, message } })}\n` };
}

function unavailable(host: string, port: number, error: NodeJS.ErrnoException): OperationalError {
  if (error.code === 'EADDRINUSE')
    return new OperationalError(
      'http_port_in_use',
      `http.port: something else listens at ${host}:${port} already. Choose another port, or 0 for none.`,
      error,
    );
  const key = error.code === 'EACCES' ? 'http.port' : 'http.host';
  return new OperationalError('http_unavailable', `${key}: cannot listen at ${host}:${port}: ${error.message}`, error);
}

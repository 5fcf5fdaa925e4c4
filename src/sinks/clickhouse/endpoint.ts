// Reading while a process runs: it serves queries on a Unix socket, since chDB's directory belongs to one process.
// Protocol: GET /metrics gives Prometheus text; POST / with {"sql","format","parameters"}; 200 and the output, or 4xx and {"kind","code","message"}.

import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { OperationalError, UsageError } from '../../cli/verb.ts';
import { dataPaths } from '../../delivery/directory.ts';
import type { QueryParameters, Reader } from '../sink.ts';

/** Kernels limit a socket's path to 104 (macOS) or 108 bytes. */
const LONGEST_PATH = 100;
const LONGEST_REQUEST = 1 << 20;

export interface Endpoint {
  /** Stops serving, after the answers under way. Call before closing the store. Repeatable. */
  close(): Promise<void>;
}

interface Question {
  readonly sql: string;
  readonly format: string;
  readonly parameters?: QueryParameters;
}

interface Failure {
  readonly kind: 'usage' | 'operational';
  readonly code: string;
  readonly message: string;
}

/**
 * Serves `opening` (from then on the endpoint's own, closed with it) for the data directory, whose lock the caller holds.
 * Only this user can connect.
 */
export async function serveEndpoint(
  directory: string,
  opening: Reader | Promise<Reader>,
  metrics: () => Promise<string> = async () => '',
): Promise<Endpoint> {
  const reader = await opening;
  const { root, endpoint } = dataPaths(directory);
  const own = join(root, 'query.sock');
  const fits = Buffer.byteLength(own) <= LONGEST_PATH;
  const path = fits ? own : join(mkdtempSync(join(tmpdir(), 'weir-')), 'query.sock'); // mkdtemp: 0700
  if (fits) rmSync(path, { force: true });
  mkdirSync(dirname(path), { recursive: true });
  const server = createServer((incoming, response) => {
    answer(incoming, reader, metrics).then(
      (text) => response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(text),
      (error: unknown) =>
        response.writeHead(422, { 'content-type': 'application/json' }).end(JSON.stringify(failure(error))),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  server.unref(); // answering questions keeps no process alive
  writeFileSync(`${endpoint}.next`, JSON.stringify({ path, pid: process.pid }), { mode: 0o600 });
  renameSync(`${endpoint}.next`, endpoint);
  let closed = false;
  return {
    async close() {
      if (closed) return;
      closed = true;
      rmSync(endpoint, { force: true });
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeIdleConnections();
      });
      rmSync(fits ? path : dirname(path), { recursive: true, force: true });
      await reader.close();
    },
  };
}

async function answer(incoming: IncomingMessage, reader: Reader, metrics: () => Promise<string>): Promise<string> {
  if (incoming.method === 'GET' && incoming.url === '/metrics') return metrics();
  if (incoming.method !== 'POST') throw new UsageError('questions are POSTed here.');
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LONGEST_REQUEST) throw new UsageError('the SQL is too long.');
    chunks.push(chunk);
  }
  const { sql, format, parameters } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Partial<Question>;
  if (typeof sql !== 'string' || typeof format !== 'string' || !/^[A-Za-z]+$/.test(format))
    throw new UsageError('a question has sql and format.');
  return reader.query(sql, format, parameters);
}

function failure(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof UsageError) return { kind: 'usage', code: 'usage', message };
  return { kind: 'operational', code: error instanceof OperationalError ? error.code : 'query_failed', message };
}

/** A reader that asks the running process, or null when it has no (live) endpoint. */
export async function connectEndpoint(directory: string): Promise<Reader | null> {
  const path = endpointPath(directory);
  if (path === null) return null;
  try {
    await ask(path, { sql: 'SELECT 1', format: 'TSV' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ECONNRESET') return null;
    throw error;
  }
  return {
    query: (sql, format, parameters) => ask(path, { sql, format, parameters }),
    close: async () => {},
  };
}

function endpointPath(directory: string): string | null {
  try {
    const { path } = JSON.parse(readFileSync(dataPaths(directory).endpoint, 'utf8')) as { path?: unknown };
    return typeof path === 'string' ? path : null;
  } catch {
    return null; // not serving yet, or no longer
  }
}

function ask(socketPath: string, question: Question): Promise<string> {
  return new Promise((resolve, reject) => {
    const body = JSON.stringify(question, (_, value) => (typeof value === 'bigint' ? value.toString() : value));
    const outgoing = request({ socketPath, method: 'POST', path: '/', agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        if (response.statusCode === 200) resolve(text);
        else reject(revived(text));
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function revived(text: string): Error {
  const { kind, code, message } = JSON.parse(text) as Failure;
  return kind === 'usage' ? new UsageError(message) : new OperationalError(code, message);
}

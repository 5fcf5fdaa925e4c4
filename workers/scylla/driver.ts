// cassandra-driver with frames of our own: connections, token awareness, retries and re-preparation stay the driver's, only the
// body of a batch is ours. driver.test.ts fails when a new version of the driver does not let itself be used like this.

import { createRequire } from 'node:module';
import { auth, Client, policies } from 'cassandra-driver';
import type { ScyllaSettings } from '../../src/model/outputs.ts';
import { FRAME_HEADER, ID_BYTES, type Statement } from './statements.ts';

const require = createRequire(import.meta.url);

interface Prepared {
  readonly queryId: Buffer;
}
interface Internals {
  send(request: object, options: object, client: Client): Promise<unknown>;
  getPrepared(client: Client, policy: object, query: string, keyspace: string | undefined): Promise<Prepared>;
  optionsOf(options: object, client: Client): object;
}

const { send } = require('cassandra-driver/lib/request-handler.js') as Pick<Internals, 'send'>;
const { getPrepared } = require('cassandra-driver/lib/prepare-handler.js') as Pick<Internals, 'getPrepared'>;
const { DefaultExecutionOptions } = require('cassandra-driver/lib/execution-options.js') as {
  DefaultExecutionOptions: { create(options: object, client: Client): object };
};

const BATCH_OPCODE = 0x0d;
const VERSION = 4;

export function createClient(settings: ScyllaSettings): Client {
  const { contactPoints, localDataCenter, username, password, tls, requestTimeoutMs } = settings;
  return new Client({
    contactPoints: [...contactPoints],
    localDataCenter,
    ...(username === '' ? {} : { authProvider: new auth.PlainTextAuthProvider(username, password) }),
    ...(tls === null
      ? {}
      : {
          sslOptions: {
            rejectUnauthorized: true,
            ...(tls.ca ? { ca: [tls.ca] } : {}),
            ...(tls.cert ? { cert: tls.cert, key: tls.key } : {}),
          },
        }),
    protocolOptions: { maxVersion: VERSION },
    pooling: { coreConnectionsPerHost: { 0: 1, 1: 1 }, maxRequestsPerConnection: 2048, warmup: true },
    socketOptions: { readTimeout: requestTimeoutMs, connectTimeout: 5000 },
    policies: {
      loadBalancing: new policies.loadBalancing.TokenAwarePolicy(
        new policies.loadBalancing.DCAwareRoundRobinPolicy(localDataCenter),
      ),
      reconnection: new policies.reconnection.ExponentialReconnectionPolicy(500, 10_000, false),
    },
    queryOptions: { isIdempotent: true, prepare: true },
  });
}

/** Identifiers of prepared statements, in order. The driver prepares them again where a node has forgotten them. */
export function prepareAll(client: Client, queries: readonly string[]): Promise<Buffer[]> {
  const { loadBalancing } = (client as unknown as { options: { policies: { loadBalancing: object } } }).options
    .policies;
  return Promise.all(
    queries.map(async (query) => {
      const { queryId } = await getPrepared(client, loadBalancing, query, client.keyspace);
      if (queryId.length !== ID_BYTES)
        throw new Error(`the server's statement identifiers have ${queryId.length} bytes`);
      return queryId;
    }),
  );
}

/** Sends a batch statement; resolves when it is acknowledged at the consistency that stands in it. */
export function sendStatement(client: Client, statement: Statement, ids: readonly Buffer[]): Promise<unknown> {
  const { frame, queries } = statement;
  for (let row = 0; row < queries.length; row++) ids[queries[row]].copy(frame, statement.ids[row]);
  const { routingKey } = statement;
  const options = DefaultExecutionOptions.create(
    { isIdempotent: true, prepare: true, logged: false, routingKey },
    client,
  );
  return send(new FrameRequest(statement.frame), options, client);
}

/** What the driver asks of a request. */
class FrameRequest {
  readonly queries: readonly never[] = [];
  length = 0;
  private readonly frame: Buffer;

  constructor(frame: Buffer) {
    this.frame = frame;
  }

  write(_encoder: object, streamId: number): Buffer {
    const { frame } = this;
    frame[0] = VERSION;
    frame[1] = 0;
    frame.writeInt16BE(streamId, 2);
    frame[4] = BATCH_OPCODE;
    frame.writeUInt32BE(frame.length - FRAME_HEADER, 5);
    this.length = frame.length;
    return frame;
  }

  clone(): FrameRequest {
    return new FrameRequest(this.frame);
  }
}

// What is used of cassandra-driver beyond its documentation: each part by name, so that a new version says what it lacks.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, suite, test } from 'node:test';
import type { Client } from 'cassandra-driver';
import { orSkip, testWith } from '../../test/services/index.ts';
import { queries } from './columns.ts';
import { createClient, prepareAll, sendStatement } from './driver.ts';
import {
  APPENDED_AT,
  BATCH,
  type Cassandra,
  encoderOf,
  openCassandra,
  settingsOf,
  tunnelStat,
} from './scylla.test-support.ts';
import { ID_BYTES } from './statements.ts';

const require = createRequire(import.meta.url);
const tunnelId = '12121212-1212-4212-8212-121212121212';

suite('parts of cassandra-driver', () => {
  const part = (file: string): Record<string, unknown> =>
    require(`cassandra-driver/lib/${file}`) as Record<string, unknown>;

  test('lib/request-handler: static send(request, executionOptions, client)', () => {
    assert.equal(typeof part('request-handler.js').send, 'function', 'RequestHandler.send is missing');
    assert.equal(
      (part('request-handler.js').send as () => void).length,
      3,
      'RequestHandler.send takes other arguments',
    );
  });

  test('lib/prepare-handler: static getPrepared(client, loadBalancing, query, keyspace)', () => {
    assert.equal(typeof part('prepare-handler.js').getPrepared, 'function', 'PrepareHandler.getPrepared is missing');
    assert.equal(
      (part('prepare-handler.js').getPrepared as () => void).length,
      4,
      'PrepareHandler.getPrepared takes other arguments',
    );
  });

  test('lib/execution-options: DefaultExecutionOptions.create(queryOptions, client)', () => {
    const { DefaultExecutionOptions } = part('execution-options.js') as {
      DefaultExecutionOptions?: { create?: unknown };
    };
    assert.equal(typeof DefaultExecutionOptions?.create, 'function', 'DefaultExecutionOptions.create is missing');
  });

  test('what a request must have: write(encoder, streamId), clone(), length', () => {
    const { BatchRequest } = part('requests.js') as {
      BatchRequest: { prototype: { write: (...all: never) => unknown; clone(): unknown } };
    };
    assert.equal(BatchRequest.prototype.write.length, 2, 'a request is written in another way');
    assert.equal(typeof BatchRequest.prototype.clone, 'function', 'requests are not cloned any more');
  });

  test('client.options.policies.loadBalancing', () => {
    const client = createClient(settingsOf());
    const { options } = client as unknown as { options?: { policies?: { loadBalancing?: unknown } } };
    assert.equal(typeof options?.policies?.loadBalancing, 'object', 'the policies are somewhere else');
  });
});

suite('frames of our own through cassandra-driver', () => {
  let store: Cassandra | null = null;
  const testWithCassandra = testWith(() => store, 'Cassandra');
  let client: Client;
  let ids: Buffer[];
  before(async (t) => {
    store = await orSkip(t as never, () => openCassandra(0));
    if (store === null) return;
    client = createClient(store.settings);
    await client.connect();
    ids = await prepareAll(client, queries(store.settings.keyspace, false));
  });
  after(async () => {
    await client?.shutdown();
    await store?.close();
  });

  const write = async (latencyMs: number): Promise<void> => {
    const [statement] = encoderOf(store!.settings).tunnels(
      [tunnelStat({ tunnelId, ms: APPENDED_AT - latencyMs, latencyMs })],
      BATCH,
    ).statements;
    await sendStatement(client, statement, ids);
  };
  const stored = async (): Promise<number[]> =>
    (await store!.rows('SELECT latency_ms FROM {keyspace}.tunnel_stats WHERE tunnel_id = ?', [tunnelId])).map((row) =>
      Number(row.latency_ms),
    );

  testWithCassandra('are prepared, sent and stored, at protocol version 4', async () => {
    assert.deepEqual(
      ids.map(({ length }) => length),
      Array(4).fill(ID_BYTES),
    );
    const { controlConnection } = client as unknown as { controlConnection: { protocolVersion: number } };
    assert.equal(controlConnection.protocolVersion, 4);
    await write(1);
    assert.deepEqual(await stored(), [1]);
  });

  testWithCassandra('are prepared again where the server has forgotten them', async (store) => {
    await store.client.execute(`ALTER TABLE ${store.settings.keyspace}.tunnel_stats ADD forgotten TEXT`); // drops what was prepared
    await write(2);
    assert.deepEqual((await stored()).sort(), [1, 2]);
  });
});

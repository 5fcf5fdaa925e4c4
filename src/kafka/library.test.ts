// What is used of kafkajs beyond its documentation: each part by name, so that a new version says what it lacks.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AssignerProtocol, createCluster, Kafka, LOG_LEVEL, type RequestQueue } from './library.ts';

const require = createRequire(import.meta.url);
const part = (path: string): unknown => require(`kafkajs/src/${path}`);

suite('parts of kafkajs', () => {
  test('protocol/requests/fetch/v4/decodeMessages: an async function of a decoder, replaced by ours', () => {
    const decode = part('protocol/requests/fetch/v4/decodeMessages.js') as { name?: string };
    assert.equal(typeof decode, 'function', 'decodeMessages is missing');
    assert.equal(decode.name, 'keepRaw', 'decodeMessages was loaded before it was replaced');
  });

  test('every fetch response from version 4 on reads its messages with it', () => {
    const { readFileSync } = require('node:fs') as typeof import('node:fs');
    const used = [4, 5, 6, 7, 8, 9, 10, 11].filter((version) => {
      const path = require.resolve(`kafkajs/src/protocol/requests/fetch/v${version}/response.js`);
      const text = readFileSync(path, 'utf8');
      return (
        /decodeMessages/.test(text) || /decode: decodeV\d|require\('\.\.\/v\d+\/(response|decodeMessages)'\)/.test(text)
      );
    });
    assert.deepEqual(used, [4, 5, 6, 7, 8, 9, 10, 11], 'a version of the fetch response reads messages in another way');
  });

  test('the decoder hands on whole record sets, empty and cut off ones too', async () => {
    const keepRaw = part('protocol/requests/fetch/v4/decodeMessages.js') as (decoder: object) => Promise<Buffer[]>;
    const Decoder = part('protocol/decoder.js') as new (bytes: Buffer) => { readInt32(): number; offset: number };
    const set = (size: number, ...bytes: number[]): Buffer => {
      const head = Buffer.alloc(4);
      head.writeInt32BE(size);
      return Buffer.concat([head, Buffer.from(bytes)]);
    };
    assert.equal(typeof Decoder.prototype.readInt32, 'function', 'decoder.readInt32 is missing');
    const decoder = new Decoder(set(3, 1, 2, 3, 0, 0, 0, 9));
    assert.deepEqual(await keepRaw(decoder), [Buffer.of(1, 2, 3)]);
    assert.equal(decoder.readInt32(), 9, 'what follows is where it was');
    assert.deepEqual(await keepRaw(new Decoder(set(0))), []);
    assert.deepEqual(await keepRaw(new Decoder(set(-1))), []);
    assert.deepEqual(await keepRaw(new Decoder(set(9, 1, 2))), [Buffer.of(1, 2)]);
  });

  for (const method of [
    'connect',
    'disconnect',
    'addMultipleTargetTopics',
    'refreshMetadata',
    'refreshMetadataIfNecessary',
    'findTopicPartitionMetadata',
    'findBroker',
    'removeBroker',
    'fetchTopicsOffset',
  ]) {
    test(`cluster.${method}`, () => {
      const cluster = createCluster({
        brokers: ['127.0.0.1:1'],
        logLevel: LOG_LEVEL.NOTHING,
        logCreator: () => () => {},
      }) as unknown as Record<string, unknown>;
      assert.equal(typeof cluster[method], 'function', `Cluster.${method} is missing`);
    });
  }

  test('broker.fetch, with isolation level', () => {
    const Broker = part('broker/index.js') as { prototype: { fetch?: (...all: unknown[]) => unknown } };
    assert.equal(typeof Broker.prototype.fetch, 'function', 'Broker.fetch is missing');
    assert.match(String(Broker.prototype.fetch), /isolationLevel/, 'Broker.fetch takes no isolation level');
  });

  test('network/requestQueue: no timer while nothing waits; what waits is sent when there is room, or when a pause is over', async () => {
    type Queue = RequestQueue & {
      push(request: object): void;
      fulfillRequest(answer: object): void;
      maybeThrottle(ms: number): void;
    };
    const Queue = part('network/requestQueue/index.js') as new (options: object) => Queue;
    const own = Queue.prototype as unknown as Record<string, unknown>;
    for (const caller of ['push', 'checkPendingRequests'])
      assert.match(String(own[caller]), /this\.scheduleCheckPendingRequests\(\)/, `${caller} calls it in another way`);
    const logger = { debug() {}, warn() {}, error() {} };
    const queue = new Queue({ maxInFlightRequests: 1, requestTimeout: 1000, clientId: 'c', broker: 'b', logger });
    const sent: number[] = [];
    const push = (correlationId: number): void => {
      const entry = { correlationId, resolve() {}, reject() {} };
      queue.push({ entry, expectResponse: true, sendRequest: () => sent.push(correlationId) });
    };
    const answer = (correlationId: number): void =>
      queue.fulfillRequest({ correlationId, payload: Buffer.alloc(0), size: 0 });
    push(1);
    push(2);
    push(3);
    assert.deepEqual(sent, [1]);
    answer(1);
    assert.deepEqual(sent, [1, 2]);
    queue.maybeThrottle(30);
    answer(2);
    assert.deepEqual(sent, [1, 2], 'the broker asked for a pause');
    for (let looks = 0; sent.length < 3 && looks < 500; looks++) await sleep(10);
    assert.deepEqual(sent, [1, 2, 3]);
    answer(3);
    for (let looks = 0; queue.throttleCheckTimeoutId !== null && looks < 500; looks++) await sleep(10);
    assert.equal(queue.throttleCheckTimeoutId, null);
  });

  test('loggers/index: createLogger; network/socketFactory', () => {
    assert.equal(
      typeof (part('loggers/index.js') as { createLogger?: unknown }).createLogger,
      'function',
      'createLogger is missing',
    );
    assert.equal(
      typeof (part('network/socketFactory.js') as () => unknown)(),
      'function',
      'socketFactory is another one',
    );
  });

  test('a member’s claim survives the assigner protocol', () => {
    const userData = Buffer.from('{"owned":[1]}');
    const encoded = AssignerProtocol.MemberMetadata.encode({ version: 1, topics: ['a'], userData });
    assert.deepEqual(AssignerProtocol.MemberMetadata.decode(encoded)?.userData, userData);
    assert.equal(typeof Kafka, 'function');
  });
});

// What errors of the store mean for rows, and how many writes are under way while it has too much to do.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { errors } from 'cassandra-driver';
import { classifyCql } from './errors.ts';
import { Limiter } from './limiter.ts';

const kindOf = (error: unknown): string => {
  const { kind, code } = classifyCql(error);
  return `${kind} ${code}`;
};
const answered = (code: number, message = 'no'): errors.ResponseError => new errors.ResponseError(code, message);

suite('classing errors of CQL', () => {
  test('by the number of the server', () => {
    const want: Readonly<Record<number, string>> = {
      0: 'retryable SERVER_ERROR',
      10: 'fatal PROTOCOL_ERROR',
      256: 'fatal BAD_CREDENTIALS',
      4096: 'retryable UNAVAILABLE',
      4097: 'retryable OVERLOADED',
      4098: 'retryable IS_BOOTSTRAPPING',
      4099: 'retryable TRUNCATE_ERROR',
      4352: 'retryable WRITE_TIMEOUT',
      5376: 'retryable WRITE_FAILURE',
      8192: 'fatal SYNTAX_ERROR',
      8448: 'fatal UNAUTHORIZED',
      8704: 'poison INVALID',
      8960: 'fatal CONFIG_ERROR',
      9472: 'retryable UNPREPARED',
    };
    for (const [code, outcome] of Object.entries(want)) assert.equal(kindOf(answered(Number(code))), outcome);
  });

  test('a missing table or column is the schema, never the rows', () => {
    for (const text of [
      'unconfigured table flows',
      'Undefined column name bucket in table weir.flows',
      "Keyspace 'weir' does not exist",
      'Unknown identifier ja4',
      'keyspace weir not found',
    ]) {
      assert.equal(kindOf(answered(0x2200, text)), 'fatal SCHEMA', text);
      assert.match(classifyCql(answered(0x2200, text)).message, /weir migrate/);
    }
    assert.equal(kindOf(answered(0x2200, 'Batch too large')), 'poison INVALID');
  });

  test('errors of the way there', () => {
    assert.equal(kindOf(new errors.AuthenticationError('who are you')), 'fatal BAD_CREDENTIALS');
    assert.equal(kindOf(new errors.OperationTimedOutError('slow')), 'retryable CLIENT_TIMEOUT');
    assert.equal(kindOf(new errors.ArgumentError('data center')), 'fatal CONFIGURATION');
    const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    assert.equal(kindOf(refused), 'retryable ECONNREFUSED');
    const none = new errors.NoHostAvailableError({ '10.0.0.1:9042': refused } as never, 'none');
    assert.equal(kindOf(none), 'retryable NO_HOST');
    assert.match(classifyCql(none).message, /10\.0\.0\.1:9042: .*refused/);
    const barred = new errors.NoHostAvailableError(
      { a: refused, b: new errors.AuthenticationError('no') } as never,
      'none',
    );
    assert.equal(kindOf(barred), 'fatal BAD_CREDENTIALS');
    for (const odd of ['text', undefined, null, {}, 7]) assert.equal(classifyCql(odd).kind, 'retryable');
  });
});

suite('the limiter', () => {
  /** Work that ends when it is told to. */
  function gated(): { start: () => Promise<void>; finish: (error?: Error) => Promise<void>; running: () => number } {
    const open: { resolve: () => void; reject: (error: Error) => void }[] = [];
    return {
      start: () => new Promise((resolve, reject) => open.push({ resolve, reject })),
      async finish(error) {
        const one = open.shift()!;
        if (error) one.reject(error);
        else one.resolve();
        await new Promise((resolve) => setImmediate(resolve));
      },
      running: () => open.length,
    };
  }
  const never = (): boolean => false;

  test('never more than its limit at once, and everything runs in the end', async () => {
    const limiter = new Limiter(8);
    const work = gated();
    const all = Array.from({ length: 50 }, () => limiter.run(work.start, never));
    for (let done = 0; done < 50; done++) {
      await new Promise((resolve) => setImmediate(resolve));
      assert.ok(work.running() <= 8 && work.running() > 0);
      await work.finish();
    }
    await Promise.all(all);
  });

  test('halves when the server has too much to do, down to four, and not for other errors', async () => {
    const limiter = new Limiter(64);
    const overload = (error: unknown): boolean => String(error).includes('too much');
    const fail = (why: string) =>
      assert.rejects(
        limiter.run(() => Promise.reject(new Error(why)), overload),
        new RegExp(why),
      );
    assert.equal(limiter.limit, 16);
    await fail('other');
    assert.equal(limiter.limit, 16);
    await fail('too much');
    assert.equal(limiter.limit, 8);
    for (let i = 0; i < 5; i++) await fail('too much');
    assert.equal(limiter.limit, 4);
  });

  test('grows while answers come quickly, up to the most', async () => {
    const limiter = new Limiter(20);
    for (let i = 0; i < 400; i++) await limiter.run(() => Promise.resolve(), never);
    assert.equal(limiter.limit, 20);
    assert.equal(new Limiter(2).limit, 2);
  });

  test('those that wait go on after a failure', async () => {
    const limiter = new Limiter(1);
    const work = gated();
    const first = limiter.run(work.start, never);
    const second = limiter.run(work.start, never);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(work.running(), 1);
    const refused = assert.rejects(first, /lost/);
    await work.finish(new Error('lost'));
    await refused;
    assert.equal(work.running(), 1);
    await work.finish();
    await second;
  });
});

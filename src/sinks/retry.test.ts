// Promise: a passing failure never loses a block and never floods the log; anything else stops at once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classify } from './clickhouse/errors.ts';
import { withRetry } from './retry.ts';
import { type BlockStore, SinkError, type StoreBlock } from './sink.ts';

const block: StoreBlock = { table: 'flows', token: 't', rows: 3, chunks: [] };

function failing(errors: unknown[]): BlockStore & { calls: number } {
  return {
    calls: 0,
    async write() {
      this.calls++;
      const error = errors.shift();
      if (error) throw error;
    },
    isolate: async () => {},
    query: async () => '',
    close: async () => {},
  };
}

const setup = (errors: unknown[]) => {
  const controller = new AbortController();
  const warnings: Readonly<Record<string, unknown>>[] = [];
  const store = failing(errors);
  const retried = withRetry(store, {
    signal: controller.signal,
    warn: (_, fields) => warnings.push(fields),
    firstDelayMs: 1,
    maxDelayMs: 2,
  });
  return { store, retried, warnings, controller };
};

test('tries again until it is stored, and says so once', async () => {
  const memory = () => classify(new Error('Code: 241. DB::Exception: memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)'));
  const { store, retried, warnings } = setup([memory(), memory(), memory()]);
  await retried.write(block);
  assert.equal(store.calls, 4);
  assert.deepEqual(
    warnings.map(({ code, table, rows }) => ({ code, table, rows })),
    [{ code: 'MEMORY_LIMIT_EXCEEDED', table: 'flows', rows: 3 }],
  );
});

test('poison and fatal errors are told at once', async () => {
  const poison = setup([new SinkError('poison', 'INCORRECT_DATA', 'bad bytes')]);
  await assert.rejects(poison.retried.write(block), { kind: 'poison', code: 'INCORRECT_DATA' });
  assert.equal(poison.store.calls, 1);
  const fatal = setup([new SinkError('fatal', 'READONLY', 'no')]);
  await assert.rejects(fatal.retried.write(block), { kind: 'fatal', code: 'READONLY' });
  assert.equal(fatal.store.calls, 1);
});

test('a stop ends the waiting, not the first attempt', async () => {
  const { retried, controller } = setup(
    Array.from({ length: 1000 }, () => new SinkError('retryable', 'ENOSPC', 'full')),
  );
  const write = retried.write(block);
  setTimeout(() => controller.abort(new Error('stop')), 10);
  await assert.rejects(write, { code: 'store_unavailable', message: /ENOSPC: full/ });
  const healthy = setup([]);
  healthy.controller.abort(new Error('stop'));
  await healthy.retried.write(block);
});

test('errors are classed by what helps', () => {
  const kindOf = (error: unknown) => classify(error).kind;
  assert.equal(kindOf(Object.assign(new Error('no space left'), { code: 'ENOSPC' })), 'retryable');
  assert.equal(kindOf(new Error('Code: 252. DB::Exception: Too many parts. (TOO_MANY_PARTS)')), 'retryable');
  assert.equal(kindOf(new Error('Code: 53. DB::Exception: Type mismatch. (TYPE_MISMATCH)')), 'fatal');
  assert.equal(kindOf(new Error('Code: 469. DB::Exception: no. (VIOLATED_CONSTRAINT)')), 'poison');
  assert.equal(kindOf(Object.assign(new Error('Unknown table'), { code: '60' })), 'fatal');
  assert.equal(kindOf(new Error('Code: 164. DB::Exception: readonly. (READONLY)')), 'fatal');
  assert.equal(kindOf(Object.assign(new Error('denied'), { code: 'EACCES' })), 'fatal');
  assert.equal(kindOf('strange'), 'fatal');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, quantile, quantiles } from './figures.ts';

test('a quantile is a value that was measured', () => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i);
  assert.deepEqual(
    [0.5, 0.99, 1].map((share) => quantile(values, share)),
    [50, 99, 100],
  );
  assert.equal(quantile([7], 0.99), 7);
  assert.ok(Number.isNaN(quantile([], 0.5)));
  assert.equal(median([3, 1, 2]), 2);
});

test('what never came is the slowest, and is counted', () => {
  assert.deepEqual(quantiles([10, Number.POSITIVE_INFINITY, 20]), {
    p50_ms: 20,
    p99_ms: Number.POSITIVE_INFINITY,
    max_ms: Number.POSITIVE_INFINITY,
    lost: 1,
  });
});

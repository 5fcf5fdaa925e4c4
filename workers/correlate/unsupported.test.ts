import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Correlation } from '../../rules/model.ts';
import { correlationOf, ruleOf } from './hits.test-support.ts';
import { unsupported } from './index.ts';

const why = (of: Partial<Correlation>): string | null => unsupported(correlationOf(1, of));

test('what can run is not complained about', () => {
  assert.equal(unsupported(ruleOf(0)), null);
  assert.equal(why({}), null);
  assert.equal(why({ condition: { op: 'lt', value: 3 } }), null);
  assert.equal(why({ condition: { op: 'eq', value: 0 } }), null);
  assert.equal(why({ type: 'value_avg', field: 'latency', condition: { op: 'lt', value: 5 } }), null);
  assert.equal(why({ type: 'first_seen', field: 'country', timespanMs: 0 }), null);
  assert.equal(why({ type: 'regular_interval', parameters: { jitter: 0.2 } }), null);
});

test('what cannot run is named in a sentence', () => {
  const few = { op: 'lt', value: 3 } as const;
  assert.match(why({ type: 'regular_interval', parameters: { jitter: 0.2 }, condition: few }) ?? '', /at least/);
  assert.match(why({ timespanMs: 0 }) ?? '', /timespan/);
  assert.match(why({ rules: [] }) ?? '', /at least one rule/);
  assert.match(why({ type: 'value_count' }) ?? '', /field/);
  assert.match(why({ type: 'first_seen' }) ?? '', /field/);
  assert.match(why({ type: 'regular_interval' }) ?? '', /jitter/);
  assert.match(why({ type: 'temporal', rules: [0, 0] }) ?? '', /twice/);
});

test('with the whole set: circles, chains that are too deep, sums over correlations', () => {
  const circle = [correlationOf(0, { rules: [1] }), correlationOf(1, { rules: [0] })];
  assert.match(unsupported(circle[0], circle) ?? '', /circle/);
  const chain = [ruleOf(0), ...Array.from({ length: 9 }, (_, i) => correlationOf(i + 1, { rules: [i] }))];
  assert.equal(unsupported(chain[7], chain), null);
  assert.match(unsupported(chain[9], chain) ?? '', /8 deep/);
  const sum = [ruleOf(0), correlationOf(1, {}), correlationOf(2, { type: 'value_sum', field: 'x', rules: [1] })];
  assert.match(unsupported(sum[2], sum) ?? '', /fed by a correlation/);
});

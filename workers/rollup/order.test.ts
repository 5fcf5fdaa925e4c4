import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { orderBy } from './order.ts';

test('entries come out by key, equal ones in the order in which they came in', () => {
  const key = fc.oneof(fc.nat(3), fc.integer({ min: 65_530, max: 65_540 }), fc.integer({ min: 0, max: 0xffffffff }));
  fc.assert(
    fc.property(fc.array(key, { maxLength: 200 }), fc.boolean(), (keys, backwards) => {
      const entries = keys.map((_, i) => i);
      if (backwards) entries.reverse();
      const wanted = [...entries].sort((a, b) => keys[a] - keys[b]);
      assert.deepEqual([...orderBy(Uint32Array.from(entries), Uint32Array.from(keys))], wanted);
    }),
  );
});

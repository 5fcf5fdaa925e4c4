import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hashWords } from '../../src/model/hash.ts';
import { GroupTable } from './group-table.ts';

/** Keys that crowd into a few slots, so that probe runs are long. */
function setKey(key: number): void {
  hashWords.set([key & 3, 0, 0, key]);
}

test('a group table holds what a Map holds, whatever is added and removed', () => {
  const step = fc.tuple(fc.boolean(), fc.nat(60));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const table = new GroupTable<number>();
      const map = new Map<number, number>();
      steps.forEach(([add, key], i) => {
        setKey(key);
        const row = table.find();
        assert.equal(row >= 0, map.has(key));
        if (row >= 0) assert.equal(table.items[row], map.get(key));
        if (add && row < 0) {
          table.add(i, i);
          map.set(key, i);
        } else if (!add && row >= 0) {
          table.remove(row);
          map.delete(key);
        }
      });
      assert.equal(table.size, map.size);
      for (const [key, item] of map) {
        setKey(key);
        const row = table.find();
        assert.equal(table.items[row], item);
        assert.equal(table.last[row], item);
        assert.equal(table.keyWord(row, 3), key);
      }
    }),
  );
});

test('the oldest rows are those of least time, then least key, in whatever order they were added', () => {
  const rows = fc.uniqueArray(fc.tuple(fc.nat(5), fc.nat(1000)), { selector: ([, key]) => key, maxLength: 50 });
  fc.assert(
    fc.property(rows, fc.nat(50), (entries, count) => {
      const table = new GroupTable<number>();
      for (const [time, key] of entries) {
        hashWords.set([key, 0, 0, 0]);
        table.add(key, time);
      }
      const gone = [...table.oldest(Math.min(count, table.size))];
      const sorted = [...entries].sort((a, b) => a[0] - b[0] || a[1] - b[1]).slice(0, count);
      assert.deepEqual(new Set(gone.map((row) => table.items[row])), new Set(sorted.map(([, key]) => key)));
      for (const row of gone) table.remove(row);
      assert.equal(table.size, entries.length - gone.length);
    }),
  );
});

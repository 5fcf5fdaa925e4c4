import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SlabPool } from './slabs.ts';

describe('slab pool', () => {
  it('makes waiting the limit of memory, first come first served', async () => {
    const pool = new SlabPool(100, 250);
    assert.equal(pool.count, 2);
    const a = await pool.acquire();
    const b = await pool.acquire();
    const order: string[] = [];
    const third = pool.acquire().then((slab) => {
      order.push('third');
      return slab;
    });
    const fourth = pool.acquire().then((slab) => {
      order.push('fourth');
      return slab;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(order, []);
    b.release();
    assert.equal(await third, b, 'memory is used again');
    a.retain();
    a.release();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(order, ['third'], 'a slab with a holder left is not free');
    a.release();
    assert.equal(await fourth, a);
    assert.equal(pool.used, 2);
    a.release();
    b.release();
    assert.equal(pool.used, 0);
    assert.throws(() => a.release(), /more often/);
  });
});

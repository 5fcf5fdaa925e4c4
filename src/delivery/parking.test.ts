import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { ControlSnapshot } from '../model/control.ts';
import { plainTenant } from '../model/control.ts';
import { Parking } from './parking.ts';

const START = Date.UTC(2026, 2, 2);

function parkingOf(
  quotas: Readonly<Record<string, readonly [rate: number, burst: number]>>,
  parked: string[] = [],
): Parking {
  const parking = new Parking(parked);
  const tenants = Object.entries(quotas).map(([id, [rate, burst]]) => ({
    ...plainTenant(id, id),
    ...(rate > 0 ? { quota: { rate, burst } } : {}),
  }));
  parking.apply({ tenants } as unknown as ControlSnapshot);
  return parking;
}

const use = (tenant: string, records: number) => [{ tenant, records }];

suite('parking', () => {
  test('a tenant may come at its rate for ever, and with its burst at once', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.integer({ min: 1, max: 20_000 }),
        fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 50 }),
        (rate, burst, gapsMs) => {
          const parking = parkingOf({ a: [rate, burst] });
          assert.equal(parking.came(use('a', burst), START), false);
          let at = START;
          let owed = 0;
          for (const gap of gapsMs) {
            at += gap;
            owed = Math.min(burst * 1000, owed + gap * rate);
            const records = Math.floor(owed / 1000);
            owed -= records * 1000;
            assert.equal(parking.came(use('a', records), at), false);
          }
        },
      ),
    );
  });

  test('beyond that it is parked, once, and others are not', () => {
    const parking = parkingOf({ a: [10, 100], b: [10, 100], c: [0, 0] });
    assert.equal(parking.came([...use('b', 5), ...use('a', 101), ...use('c', 1e6)], START), true);
    assert.deepEqual(parking.parked, ['a']);
    assert.equal(parking.came(use('a', 50), START + 1000), false);
    assert.deepEqual(parking.share, { rate: 10, burst: 100 });
  });

  test('with half of its burst free again it is not over its quota; nobody pays for more than one burst', () => {
    const parking = parkingOf({ a: [10, 100] });
    parking.came(use('a', 1_000_000), START);
    assert.deepEqual(parking.still(START + 14_900), ['a']);
    assert.deepEqual(parking.still(START + 15_100), []);
    assert.deepEqual(parking.parked, ['a'], 'who is let in again is decided by whoever drained what waits');
  });

  test('append times that go back count as no time', () => {
    const parking = parkingOf({ a: [100, 100] });
    parking.came(use('a', 60), START);
    parking.came(use('a', 30), START - 3_600_000);
    assert.deepEqual(parking.parked, []);
    assert.equal(parking.came(use('a', 30), START), true);
  });

  test('a tenant that has no quota any more is over none', () => {
    const parking = parkingOf({ a: [1, 1], b: [1, 1] }, ['a', 'b', 'gone']);
    parking.came([...use('a', 5), ...use('b', 5)], START);
    parking.apply({
      tenants: [{ ...plainTenant('b', 'b'), quota: { rate: 1, burst: 1 } }],
    } as unknown as ControlSnapshot);
    assert.deepEqual(parking.still(START), ['b']);
  });
});

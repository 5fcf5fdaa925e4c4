import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Clock } from './clock.ts';
import type { OpenAlert } from './open-alert.ts';

const alertOf = (closeMs: number, id: number): OpenAlert =>
  ({ closeMs, open: true, alert: { alert_id: String(id).padStart(6, '0') } }) as unknown as OpenAlert;

test('alerts fall due by closing time, then id; those closed otherwise never do', () => {
  const times = fc.array(fc.tuple(fc.nat(20), fc.boolean()), { maxLength: 60, size: 'max' });
  fc.assert(
    fc.property(times, fc.nat(20), (list, now) => {
      const clock = new Clock('flow');
      const alerts = list.map(([closeMs], i) => alertOf(closeMs, i));
      for (const alert of alerts) clock.watch(alert);
      list.forEach(([, closed], i) => {
        if (!closed) return;
        alerts[i].open = false;
        clock.forget();
      });
      clock.maxMs = now;
      const due: OpenAlert[] = [];
      for (let alert = clock.due(); alert !== undefined; alert = clock.due()) due.push(alert);
      const open = alerts.filter((alert) => alert.open);
      const expected = open.filter(({ closeMs }) => closeMs <= now).sort((a, b) => a.closeMs - b.closeMs);
      assert.deepEqual(due, expected); // sort is stable and ids grow with the position
      const rest = Math.min(...open.filter(({ closeMs }) => closeMs > now).map(({ closeMs }) => closeMs));
      assert.ok(clock.nextCloseMs <= rest);
    }),
  );
});

test('many alerts closed early do not stay in memory', () => {
  const clock = new Clock('flow');
  for (let i = 0; i < 100_000; i++) {
    const alert = alertOf(1e9 + i, i);
    clock.watch(alert);
    alert.open = false;
    clock.forget();
  }
  assert.ok((clock as unknown as { heap: unknown[] }).heap.length <= 2048);
});

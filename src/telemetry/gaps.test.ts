// Promise: a gap is told only where the whole of an exporter's packets is read, and series stay bounded.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXPORTS } from '../model/sequence-runs.ts';
import type { SequenceSight } from '../model/work.ts';
import { Gaps } from './gaps.ts';
import { Metrics } from './registry.ts';

const sight = (from: number, to: number, more: Partial<SequenceSight> = {}): SequenceSight => ({
  exporter: '192.0.2.1',
  tenant: 'acme',
  owner: 'id',
  type: EXPORTS.NETFLOW_V9,
  domain: 0,
  runs: [from, to, 1],
  ...more,
});

async function seriesOf(metrics: Metrics, name: string): Promise<string[]> {
  return (await metrics.text()).split('\n').filter((line) => line.startsWith(name));
}

test('loss by tenant and exporter; a restart is none', async () => {
  const metrics = new Metrics();
  const gaps = new Gaps(metrics, 10);
  gaps.note([sight(100_000, 100_099)], '');
  gaps.note([sight(100_103, 100_900)], '');
  gaps.note([sight(100_103, 100_900, { tenant: 'globex', owner: 'other' })], '');
  gaps.note([sight(0, 99)], '');
  const labels = '{tenant="acme",exporter="192.0.2.1",unit="packets"}';
  assert.deepEqual(await seriesOf(metrics, 'weir_exporter_lost_total{'), [`weir_exporter_lost_total${labels} 3`]);
  assert.ok(
    (await seriesOf(metrics, 'weir_exporter_numbered_total{')).includes(`weir_exporter_numbered_total${labels} 998`),
  );
  assert.deepEqual(await seriesOf(metrics, 'weir_exporter_restarts_total{'), [
    'weir_exporter_restarts_total{tenant="acme",exporter="192.0.2.1"} 1',
  ]);
});

test('partitions of one exporter are put together; where others read some of them, nothing is told', async () => {
  for (const readsAll of [true, false]) {
    const metrics = new Metrics();
    const gaps = new Gaps(metrics, 10);
    gaps.readsAll = () => readsAll;
    for (let n = 0; n < 20_000; n += 100) gaps.note([sight(n, n + (n === 500 ? 98 : 99))], `flows/${(n / 100) % 2}`);
    const lost = await seriesOf(metrics, 'weir_exporter_lost_total{');
    assert.deepEqual(
      lost.map((line) => line.split(' ')[1]),
      readsAll ? ['1'] : [],
    );
  }
});

test('the only partition that is read here of several that hold an exporter at random tells nothing', async () => {
  const metrics = new Metrics();
  const gaps = new Gaps(metrics, 10);
  gaps.readsAll = () => false;
  for (let n = 0; n < 20_000; n += 200) gaps.note([sight(n, n + 99)], 'flows/0');
  assert.deepEqual(await seriesOf(metrics, 'weir_exporter_lost_total{'), []);
});

test('the most recent exporters have series, others end; as many domains as anyone makes up cost nothing', async () => {
  const metrics = new Metrics();
  const gaps = new Gaps(metrics, 2);
  for (let i = 0; i < 50; i++) gaps.note([sight(0, 9, { exporter: `192.0.2.${i}`, owner: `${i}` })], '');
  assert.equal((await seriesOf(metrics, 'weir_exporter_numbered_total{')).length, 2);
  for (let domain = 0; domain < 1000; domain++) gaps.note([sight(0, 9, { domain })], '');
  const [line] = (await seriesOf(metrics, 'weir_exporter_numbered_total{')).filter((one) => one.includes('192.0.2.1"'));
  assert.equal(line.split(' ')[1], '80');
  new Gaps(metrics, 0).note([sight(0, 9)], '');
});

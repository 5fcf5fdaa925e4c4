// Guarantee 5: rows that the store can never take do not stop their lane. They become dead letters with their original bytes, all
// others are stored, and dying in the middle of it changes nothing.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, test } from 'node:test';
import { POISON_POINTS } from '../src/delivery/crashpoints.ts';
import { Scratch } from './support/cli.ts';
import { flow } from './support/crooked.ts';
import { child, dumpOf, runVictim } from './support/run.ts';
import type { Orders } from './support/victim.ts';

const scratch = new Scratch('poison');
after(() => scratch.remove());

const FLOWS = 3000;
const isRefused = (i: number): boolean => i % 701 === 5 || i === FLOWS - 1;
const lines = Array.from({ length: FLOWS }, (_, i) =>
  flow({ source_port: 1024 + i, destination_port: isRefused(i) ? 666 : 443 }),
);
const log = '{"timestamp":"2026-03-01T10:00:00Z","message":"beside them","severity":"info"}';
const input = scratch.write('flows.ndjson', `${[...lines.slice(0, 10), log, ...lines.slice(10)].join('\n')}\n`);

/** A store that refuses flows to port 666. */
async function picky(name: string): Promise<string> {
  const data = scratch.path(name);
  mkdirSync(data);
  const sql = 'ALTER TABLE weir.flows ADD CONSTRAINT no_beast CHECK destination_port != 666';
  const done = await child('test/support/statement.js', [data, sql]);
  assert.equal(done.code, 0, done.stderr);
  return data;
}

const ordersOf = (data: string, crash?: Orders['crash']): Orders => ({
  values: {
    input: [input],
    tenant: 'acme',
    pop: 'fra1',
    data,
    workers: '2',
    set: ['batch.records=97', 'block.rows=900', 'rules.packs=false'],
  },
  crash,
});

async function assertIsolated(data: string): Promise<void> {
  const { flows, rejects, logs, traffic_analytics: rollups } = await dumpOf(data);
  const refused = lines.filter((_, i) => isRefused(i));
  assert.equal(flows.length, FLOWS - refused.length);
  assert.equal(new Set(flows.map(({ source_port }) => source_port)).size, flows.length);
  assert.equal(logs.length, 1);
  assert.deepEqual(
    rejects.map(({ code, raw }) => `${code} ${raw}`).sort(),
    refused.map((line) => `store_refused ${line}`).sort(),
  );
  assert.match(String(rejects[0].detail), /flows refused the row with VIOLATED_CONSTRAINT: .*no_beast/);
  assert.equal(
    rollups.reduce((sum, { requests }) => sum + Number(requests), 0),
    FLOWS,
    'what was seen was seen',
  );
}

test('rows that the store refuses are dead letters; the rest is stored', async () => {
  const data = await picky('plain');
  const summary = await runVictim(ordersOf(data));
  const refused = lines.filter((_, i) => isRefused(i)).length;
  assert.deepEqual(summary?.rejects, { store_refused: refused });
  assert.deepEqual(summary?.records, { read: FLOWS + 1, accepted: FLOWS + 1 - refused, rejected: refused, skipped: 0 });
  assert.equal(summary?.stored.flows, FLOWS - refused);
  await assertIsolated(data);
});

for (const point of POISON_POINTS) {
  test(`killed at ${point}, twice, and run again`, async () => {
    const data = await picky(point);
    for (const nth of [1, 3]) assert.equal(await runVictim(ordersOf(data, { point, nth })), null);
    assert.ok(await runVictim(ordersOf(data)));
    await assertIsolated(data);
  });
}

test('a constraint that is taken away while a block is half written does not store its rows twice', async () => {
  const data = await picky('lifted');
  assert.equal(await runVictim(ordersOf(data, { point: 'refusal-journaled', nth: 9 })), null);
  const lifted = await child('test/support/statement.js', [data, 'ALTER TABLE weir.flows DROP CONSTRAINT no_beast']);
  assert.equal(lifted.code, 0, lifted.stderr);
  assert.ok(await runVictim(ordersOf(data)));
  const { flows, rejects } = await dumpOf(data);
  assert.equal(flows.length + rejects.length, FLOWS);
  assert.equal(new Set(flows.map(({ source_port }) => source_port)).size, flows.length);
});

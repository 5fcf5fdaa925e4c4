// Guarantee 2: batch boundaries, worker count and tenants side by side never show in the output.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Values } from '../src/cli/verb.ts';
import { PACKAGE_ROOT } from '../src/root.ts';
import type { Dump } from './support/dump.ts';
import { dumpOf, runVictim, weir } from './support/run.ts';
import { assertHolds, expectedOf } from './support/truth.ts';

const folder = mkdtempSync(join(tmpdir(), 'weir-determinism-'));
const CONFIG = join(PACKAGE_ROOT, 'examples', 'demo.yaml');

async function stored(name: string, values: Values, set: readonly string[]): Promise<Dump> {
  const data = join(folder, name);
  assert.ok(await runVictim({ values: { config: CONFIG, ...values, data, set: [...set] } }));
  const dump = await dumpOf(data);
  rmSync(data, { recursive: true, force: true });
  return dump;
}

function assertSame(actual: Dump, expected: Dump, what: string): void {
  for (const table of Object.keys(expected) as (keyof Dump)[])
    assert.deepEqual(actual[table], expected[table], `${table}: ${what}`);
}

describe('the same input gives the same rows and the same alert ids', { concurrency: 1 }, () => {
  const all = join(folder, 'all.ndjson');
  const one = join(folder, 'acme.ndjson');
  before(async () => {
    const made = await weir(['generate', '--seed', '5', '--records', '16000', '--out', all]);
    assert.equal(made.code, 0, made.stderr);
    const lines = readFileSync(all, 'utf8')
      .split('\n')
      .filter((line) => line.includes('11111111-1111-4111-8111-111111111111'));
    writeFileSync(one, `${lines.join('\n')}\n`);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const { name, input, shapes } of [
    { name: 'several tenants', input: all, shapes: ['1-100', '2-100', '2-10000', '4-100', '4-10000'] },
    { name: 'one tenant', input: one, shapes: ['2-10000', '4-100'] },
  ]) {
    test(`${name}: workers and records a batch as in ${shapes.join(', ')}`, async () => {
      const values = (workers: string): Values => ({ input: [input], workers });
      const reference = await stored('reference', values('1'), ['batch.records=10000']);
      assertHolds(reference, expectedOf(input));
      for (const shape of shapes) {
        const [workers, records] = shape.split('-');
        const dump = await stored(shape, values(workers), [`batch.records=${records}`, 'block.rows=3000']);
        assertSame(dump, reference, `${workers} workers, ${records} records a batch`);
      }
    });
  }

  test('a tenant among others fares as it does alone', async () => {
    const alone = await stored('alone', { input: [one] }, []);
    const among = await stored('among', { input: [all] }, []);
    const acme = '11111111-1111-4111-8111-111111111111';
    // The id of a record that brings none is made from its place in the file, which differs here.
    const placeless = (rows: readonly Record<string, unknown>[]): Record<string, unknown>[] =>
      rows.filter((row) => row.tenant_id === acme).map(({ event_id, log_id, ...row }) => row);
    for (const table of ['flows', 'traffic_analytics', 'tunnel_stats', 'logs', 'session_events'] as const) {
      const sorted = (rows: readonly Record<string, unknown>[]): string[] =>
        placeless(rows)
          .map((row) => JSON.stringify(row))
          .sort();
      assert.deepEqual(sorted(among[table]), sorted(alone[table]), table);
    }
    const named = (dump: Dump): string[] =>
      dump.threat_analytics
        .filter((row) => row.tenant_id === acme)
        .map((row) => `${row.title} ${row.source_ip} ${row.timestamp}`)
        .sort();
    assert.deepEqual(named(among), named(alone));
  });
});

// Promise: what the command line says about sources and the data directory is what a run gets, or a sentence why not.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { prepareRun } from './prepare.ts';

const folder = mkdtempSync(join(tmpdir(), 'weir-prepare-'));
after(() => rmSync(folder, { recursive: true }));

function configOf(text: string): string {
  const path = join(folder, 'weir.yaml');
  writeFileSync(path, `rules: { packs: false }\n${text}`);
  return path;
}

test('--follow without --input follows every configured source, unless one cannot be', async () => {
  const config = configOf('sources: [{ name: a, input: a.log }, { name: b, input: b.log, follow: true }]\n');
  const follows = async (values: object): Promise<boolean[]> =>
    (await prepareRun({ config, ...values })).config.sources.map(({ follow }) => follow);
  assert.deepEqual(await follows({}), [false, true]);
  assert.deepEqual(await follows({ follow: true }), [true, true]);
  const sorted = configOf('sources: [{ name: a, input: a.log, order: event-time }]\n');
  await assert.rejects(prepareRun({ config: sorted, follow: true }), /source 'a' has order: event-time/);
});

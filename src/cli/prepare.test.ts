// Promise: what the command line says about sources and the data directory is what a run gets, or a sentence why not.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { alerts } from './alerts.ts';
import { helpFor } from './help.ts';
import { prepareRun } from './prepare.ts';
import { query } from './query.ts';
import { withReader } from './reader.ts';
import { rejects } from './rejects.ts';
import type { Values } from './verb.ts';

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

test('the reading verbs look where a run stores: --data, WEIR_DATA, the configuration', async (t) => {
  const config = configOf(`data: ${join(folder, 'of-config')}\n`);
  const asked = async (values: Values): Promise<string> => {
    const error = await withReader(values, async () => {}).then(
      () => assert.fail('there is no such data directory'),
      (failure: Error) => failure,
    );
    return error.message;
  };
  assert.match(await asked({ config, data: join(folder, 'of-option') }), /of-option/);
  assert.match(await asked({ config }), /of-config/);
  process.env.WEIR_DATA = join(folder, 'of-environment');
  t.after(() => {
    delete process.env.WEIR_DATA;
  });
  assert.match(await asked({ config }), /of-environment/);
  writeFileSync(config, 'tenants: [');
  assert.match(await asked({ config, data: join(folder, 'of-option') }), /of-option/);
});

test('help names a default once', () => {
  for (const verb of [alerts, query, rejects]) assert.doesNotMatch(helpFor(verb), /\(default.*\(default/);
});

// Promise: precision and recall are of everything stored, whichever run has found it.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Verdict } from '../bench/generate/truth.ts';
import { PACKAGE_ROOT } from '../src/root.ts';
import { runJson, Scratch } from './support/cli.ts';
import { weir } from './support/run.ts';

const scratch = new Scratch('truth');
after(() => scratch.remove());

test('a run that finds nothing new judges what the runs before it have found', async () => {
  const [input, truth] = [scratch.path('demo.ndjson'), scratch.path('truth.json')];
  const generated = await weir(['generate', '--records', '31000', '--out', input, '--truth', truth]);
  assert.equal(generated.code, 0, generated.stderr);
  const config = join(PACKAGE_ROOT, 'examples', 'demo.yaml');
  const args = ['--config', config, '--input', input, '--truth', truth, '--data', scratch.path('data')];
  const verdictOf = ({ summary }: Awaited<ReturnType<typeof runJson>>): Verdict =>
    (summary as unknown as { verdict: Verdict }).verdict;
  const first = await runJson(args);
  const again = await runJson(args);
  assert.equal(again.summary.records.read, 0);
  assert.ok(verdictOf(first).alerts > 0);
  assert.deepEqual(verdictOf(again), verdictOf(first));
  assert.equal(again.code, first.code);
});

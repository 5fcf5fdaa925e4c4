// A sample of the long proof (`npm run proof:rules`), small enough for every run of the suite.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadRules } from '../../rules/index.ts';
import { ARCHIVE, corpusFiles, corpusRules } from './corpus.ts';
import { Examiner } from './examine.ts';
import { fuzz } from './fuzz.ts';
import { randomRules } from './random-rules.ts';
import { tell } from './report.ts';

/** Another seed is another sample: PROOF_SEED=7 npm test -- rules/proof */
const SEED = Number(process.env.PROOF_SEED ?? 1);
const EVERY = 23;

test('events synthesised from a rule hit it, and do not once a deciding leaf is flipped', (t) => {
  const files = corpusFiles();
  if (files === null) {
    t.skip(`${ARCHIVE} is absent`);
    return;
  }
  const rules = corpusRules(files);
  const examiner = new Examiner(rules);
  const sample = rules.filter(({ index }) => index % EVERY === SEED % EVERY);
  examiner.examine(sample, { valuesPerLeaf: 4, plain: false, seed: SEED }, 6);
  const { tally } = examiner;
  t.diagnostic(tell(tally));
  assert.deepEqual(tally.disagreements, []);
  assert.deepEqual(
    tally.skips.filter(({ reason }) => reason !== 'contradiction'),
    [],
  );
  assert.ok(tally.flipped / tally.leaves > 0.9, `only ${tally.flipped} of ${tally.leaves} leaves decide`);
});

test('random rules over random records hit what the interpreter says', (t) => {
  const { pairs, hits } = fuzz(10_000, SEED);
  t.diagnostic(`${pairs} pairs, ${hits} hits`);
  assert.ok(pairs >= 10_000);
  assert.ok(hits / pairs >= 0.3, `only ${hits} hits in ${pairs} pairs`);
});

test('random rule files with every modifier hit the events that were made for them', (t) => {
  const { rules, problems } = loadRules(randomRules(100, SEED));
  assert.deepEqual(
    problems.filter(({ severity }) => severity === 'error'),
    [],
  );
  const examiner = new Examiner(rules);
  examiner.examine(rules, { valuesPerLeaf: 2, plain: false, seed: SEED }, 8);
  t.diagnostic(tell({ ...examiner.tally, skips: [] }));
  assert.deepEqual(examiner.tally.disagreements, []);
});

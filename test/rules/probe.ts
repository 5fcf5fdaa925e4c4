// The tests that a mutant must not pass, cheapest first. Says what noticed it, or nothing.

import { loadRules, type RuleText } from '../../rules/index.ts';
import type { Rule } from '../../rules/model.ts';
import { corpusFiles, corpusRules } from './corpus.ts';
import { Examiner } from './examine.ts';
import { fuzz } from './fuzz.ts';
import { isMany } from './meaning.ts';
import { limitOf, tellApart } from './oracle/limits.ts';
import { askOracle, type ShownEvent } from './oracle.ts';
import { randomRules } from './random-rules.ts';

const SEED = 5;

try {
  process.stdout.write(`${noticed()}\n`);
} catch (error) {
  process.stdout.write(`an exception: ${(error as Error).message.slice(0, 200).replaceAll('\n', ' ')}\n`);
}

/** What noticed something; '' when nothing did. */
function noticed(): string {
  const reading = process.argv[2] === 'oracle';
  return (reading ? byRandomFiles(true) : '') || byRandomRules() || byCorpus(reading) || byRandomFiles(false);
}

/** Throws what it finds. */
function byRandomRules(): string {
  fuzz(8_000, SEED, false);
  return '';
}

/** The second oracle has its rules from the texts: it alone can tell that a text was misread. */
function byRandomFiles(oracle: boolean): string {
  const made = randomRules(60, SEED);
  const { rules, problems } = loadRules(made);
  if (problems.some(({ severity }) => severity === 'error')) return 'a random rule file is refused';
  const examiner = new Examiner(rules);
  examiner.examine(rules, { valuesPerLeaf: 2, plain: false, seed: SEED }, 10);
  if (examiner.tally.disagreements.length > 0) return 'random rule files';
  return oracle ? unlike(rules, rules, made) : '';
}

function byCorpus(oracle: boolean): string {
  const files = corpusFiles();
  if (files === null) throw new Error('no corpus');
  const rules = corpusRules(files);
  const examiner = new Examiner(rules);
  const sample = rules.filter(({ index }) => index % 29 === 0);
  examiner.examine(sample, { valuesPerLeaf: 4, plain: false, seed: SEED }, 20);
  const { disagreements, skips } = examiner.tally;
  if (disagreements.length > 0) return `synthesis: ${disagreements[0].kind}`;
  if (skips.some(({ reason }) => reason !== 'contradiction')) return 'synthesis: an event could not be made';
  return oracle ? unlike(rules, sample, files) : '';
}

function unlike(all: readonly Rule[], asked: readonly Rule[], files: readonly RuleText[]): string {
  const events: ShownEvent[] = [];
  new Examiner(all).examine(
    asked,
    { valuesPerLeaf: 2, plain: true, seed: SEED },
    Number.POSITIVE_INFINITY,
    (event, source, hits) => {
      if (![...event.values.values()].some(isMany)) events.push({ record: event.record, source, hits });
    },
  );
  tellApart(all);
  const verdict = askOracle(asked, files, events);
  if (verdict === null) throw new Error('the second oracle is absent');
  const found = verdict.differences.find((difference) => limitOf(difference) === null);
  return found === undefined ? '' : `pySigma: ${found.rule.file}`;
}

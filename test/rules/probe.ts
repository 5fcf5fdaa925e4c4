// The tests that a mutant must not pass, cheapest first. Exit status 1 when they notice it.

import { corpusFiles, corpusRules } from './corpus.ts';
import { Examiner } from './examine.ts';
import { fuzz } from './fuzz.ts';
import { isMany } from './meaning.ts';
import { limitOf, tellApart } from './oracle/limits.ts';
import { askOracle, type ShownEvent } from './oracle.ts';
import { examineReal } from './real.ts';

const SEED = 5;

try {
  process.stdout.write(`${noticed()}\n`);
} catch (error) {
  process.stdout.write(`an exception: ${(error as Error).message.slice(0, 200).replaceAll('\n', ' ')}\n`);
}

/** What noticed something; '' when nothing did. */
function noticed(): string {
  fuzz(10_000, SEED);
  const files = corpusFiles();
  if (files === null) throw new Error('no corpus');
  const rules = corpusRules(files);
  const examiner = new Examiner(rules);
  const sample = rules.filter(({ index }) => index % 11 === 0);
  examiner.examine(sample, { valuesPerLeaf: 4, plain: false, seed: SEED }, 10);
  const { disagreements, skips } = examiner.tally;
  if (disagreements.length > 0) return `synthesis: ${disagreements[0].kind}`;
  if (skips.some(({ reason }) => reason !== 'contradiction')) return 'synthesis: an event could not be made';
  const real = examineReal(rules);
  if (real.disagreements.length > 0) return 'real events';
  if (process.argv[2] !== 'oracle') return '';
  // The oracle's rules come from the texts: it alone can tell that a text was misread.
  const events: ShownEvent[] = [];
  const plain = new Examiner(rules);
  plain.examine(
    sample,
    { valuesPerLeaf: 2, plain: true, seed: SEED },
    Number.POSITIVE_INFINITY,
    (event, source, hits) => {
      if (![...event.values.values()].some(isMany)) events.push({ record: event.record, source, hits });
    },
  );
  tellApart(rules);
  const verdict = askOracle(sample, files, events);
  if (verdict === null) throw new Error('the second oracle is absent');
  const found = verdict.differences.find((difference) => limitOf(difference) === null);
  return found === undefined ? '' : `pySigma: ${found.rule.file}`;
}

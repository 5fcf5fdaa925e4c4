// The long proof: `npm run proof:rules [-- --seed N] [--every N] [--pairs N] [--no-oracle]`. Every rule of the corpus and
// every leaf against the product, the interpreter and pySigma. Exit status 1 when anything is left unexplained.

import { parseArgs } from 'node:util';
import { ARCHIVE, corpusFiles, corpusRules } from './corpus.ts';
import { Examiner } from './examine.ts';
import { fuzz } from './fuzz.ts';
import { isMany } from './meaning.ts';
import { limitOf, tellApart } from './oracle/limits.ts';
import { askOracle, type Difference, type ShownEvent } from './oracle.ts';
import { examineReal } from './real.ts';
import { counted, tell, tellDisagreements } from './report.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    every: { type: 'string', default: '1' },
    pairs: { type: 'string', default: '1000000' },
    'no-oracle': { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const files = corpusFiles();
if (files === null) throw new Error(`${ARCHIVE} is absent: nothing can be proved without it`);
const rules = corpusRules(files);
const chosen = rules.filter(({ index }) => index % Number(values.every) === seed % Number(values.every));
let open = 0;

say('## synthesised events');
const examiner = new Examiner(rules);
inParts((part) => examiner.examine(part, { valuesPerLeaf: 12, plain: false, seed }, 10));
say(tell(examiner.tally));
open += examiner.tally.disagreements.length;
open += examiner.tally.skips.filter(({ reason }) => reason !== 'contradiction').length;

say('## real events');
const real = examineReal(rules);
say(`${real.events.length} events, ${real.pairs} pairs compared with the interpreter, ${real.hits} hits`);
say(tellDisagreements(real.disagreements));
open += real.disagreements.length;

say('## random rules over random records');
const { pairs, hits } = fuzz(Number(values.pairs), seed);
say(`${pairs} pairs, ${hits} hits (${((100 * hits) / pairs).toFixed(1)} %)`);

if (!values['no-oracle']) {
  say('## pySigma');
  open += compareWithOracle(files);
}
say(open === 0 ? 'PROVED: nothing is left unexplained' : `NOT PROVED: ${open} left unexplained`);
process.exitCode = open === 0 ? 0 : 1;

function compareWithOracle(texts: NonNullable<typeof files>): number {
  const plain = new Examiner(rules);
  const events: ShownEvent[] = [];
  inParts((part) =>
    plain.examine(part, { valuesPerLeaf: 2, plain: true, seed }, Number.POSITIVE_INFINITY, (event, source, hit) => {
      // A cell of a table has one value.
      if (![...event.values.values()].some(isMany)) events.push({ record: event.record, source, hits: hit });
    }),
  );
  tellApart(rules);
  const verdict = askOracle(rules, texts, [...events, ...real.events]);
  if (verdict === null) {
    say('!!! NO SECOND ORACLE: Python or pySigma is absent. pip install pysigma pysigma-backend-sqlite, PYTHON=… !!!');
    return 1;
  }
  const { differences, refused, bothHit } = verdict;
  say(
    `${events.length} synthesised and ${real.events.length} real events, ${verdict.pairs} pairs, ${bothHit} hits of both`,
  );
  say(`${refused.size} rules refused by pySigma or SQLite`);
  say(counted([...refused.values()].map((reason) => `refused: ${reason.slice(0, 120)}`)).join('\n'));
  say(`${differences.length} differences`);
  say(
    counted(
      differences.map((difference) => {
        const limit = limitOf(difference);
        return limit === null ? 'UNEXPLAINED' : `${limit.name} (${limit.whose})`;
      }),
    ).join('\n'),
  );
  const unexplained = differences.filter((difference) => limitOf(difference) === null);
  for (const difference of unexplained.slice(0, 60)) say(shown(difference));
  return unexplained.length;
}

function shown({ rule, event, weir }: Difference): string {
  return `  ${weir ? 'Weir' : 'pySigma'} alone: ${rule.file}\n    ${JSON.stringify(event.record).slice(0, 600)}`;
}

function inParts(work: (part: typeof rules) => void): void {
  // A part's events are forgotten before the next one's are made.
  for (let from = 0; from < chosen.length; from += 200) work(chosen.slice(from, from + 200));
}

function say(text: string): void {
  if (text !== '') process.stdout.write(`${text}\n`);
}

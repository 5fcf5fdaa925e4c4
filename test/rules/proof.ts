// The long proof: `npm run proof:rules`. Every rule of the corpus, every leaf, against the product and the interpreter.

import { corpusFiles, corpusRules } from './corpus.ts';
import { Examiner } from './examine.ts';
import { tell } from './report.ts';

const files = corpusFiles();
if (files === null) throw new Error('the corpus is absent: see test/rules/corpus.ts for where it is looked for');
const rules = corpusRules(files);
const examiner = new Examiner(rules);
const seed = Number(process.argv[2] ?? 1);
const every = Number(process.argv[3] ?? 1);
const chosen = rules.filter(({ index }) => index % every === 0);
for (let from = 0; from < chosen.length; from += 200) {
  examiner.examine(
    chosen.slice(from, from + 200),
    { valuesPerLeaf: Number(process.argv[4] ?? 12), plain: false, seed },
    Number(process.argv[5] ?? 10),
  );
  process.stderr.write(`${Math.min(from + 200, chosen.length)} of ${chosen.length} rules\n`);
}
process.stdout.write(tell(examiner.tally));
process.exitCode = examiner.tally.disagreements.length === 0 ? 0 : 1;

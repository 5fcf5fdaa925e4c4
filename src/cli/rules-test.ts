// weir rules test: runs the cases inside rule files, or beside them.

import { casePassed, runRuleCases } from '../../workers/rule-cases.ts';
import { rulesForVerb, tellErrors } from './rules-load.ts';
import type { Io, Values } from './verb.ts';

export async function testRules(values: Values, io: Io): Promise<number> {
  const loaded = await rulesForVerb(values);
  const broken = tellErrors(loaded.problems, io) ? 1 : 0;
  const results = runRuleCases(loaded.files);
  const failed = results.filter((result) => !casePassed(result));
  if (values.json) io.stdout.write(`${JSON.stringify({ cases: results.length, failed })}\n`);
  else {
    for (const { file, title, name, expected, alerts, refused } of failed) {
      io.stdout.write(
        `${file}: ${title}: '${name}': ${alerts} alerts, expected ${expected}${refused.length > 0 ? `; refused: ${refused[0]}` : ''}\n`,
      );
    }
    const refused = broken > 0 ? '; some files cannot be used, see above' : '';
    io.stdout.write(`${results.length - failed.length} of ${results.length} cases pass${refused}\n`);
  }
  return failed.length > 0 ? 1 : broken;
}

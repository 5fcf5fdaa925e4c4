// weir rules test: runs the cases inside rule files.

import { writeFile } from 'node:fs/promises';
import { type CaseResult, casePassed, runRuleCases } from '../../workers/rule-cases.ts';
import { rulesForVerb, tellErrors } from './rules-load.ts';
import { printable } from './table.ts';
import type { Io, Values } from './verb.ts';

export async function testRules(values: Values, io: Io): Promise<number> {
  const loaded = await rulesForVerb(values);
  const broken = tellErrors(loaded.problems, io) ? 1 : 0;
  const results = runRuleCases(loaded.files);
  const failed = results.filter((result) => !casePassed(result));
  if (typeof values.junit === 'string') await writeFile(values.junit, junitOf(results));
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

/** JUnit's XML: a suite a rule file, a test a case. */
function junitOf(results: readonly CaseResult[]): string {
  const byFile = new Map<string, CaseResult[]>();
  for (const result of results) byFile.set(result.file, [...(byFile.get(result.file) ?? []), result]);
  const failed = (of: readonly CaseResult[]): number => of.filter((result) => !casePassed(result)).length;
  const suites = [...byFile].map(
    ([file, of]) =>
      `  <testsuite name="${xml(file)}" tests="${of.length}" failures="${failed(of)}">\n${of.map(caseOf).join('')}  </testsuite>\n`,
  );
  const about = `tests="${results.length}" failures="${failed(results)}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="weir rules test" ${about}>\n${suites.join('')}</testsuites>\n`;
}

function caseOf(result: CaseResult): string {
  const { title, name, expected, alerts, refused } = result;
  const start = `    <testcase classname="${xml(title)}" name="${xml(name)}"`;
  if (casePassed(result)) return `${start}/>\n`;
  const why = `${alerts} alerts, expected ${expected}${refused.length > 0 ? `; refused: ${refused[0]}` : ''}`;
  return `${start}><failure message="${xml(why)}"/></testcase>\n`;
}

function xml(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return printable(text).replace(/[&<>"]/g, (character) => entities[character]);
}

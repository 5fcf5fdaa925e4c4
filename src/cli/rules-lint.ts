// weir rules lint: everything that is wrong or suspicious in rule files, in one run, with line and column.

import { lintRules } from '../../rules/lint/index.ts';
import type { Problem } from '../../rules/model.ts';
import { knownLists } from './list-names.ts';
import { problemText } from './prepare.ts';
import { near, rulesForVerb } from './rules-load.ts';
import type { Io, Values } from './verb.ts';

export async function lintVerb(values: Values, io: Io): Promise<number> {
  const loaded = await rulesForVerb(values);
  const origins = new Map(loaded.files.map(({ path, origin }) => [path, near(origin)]));
  const warnings = lintRules(loaded.files, loaded.rules, await knownLists(loaded.loaded)).map((p) => ({
    ...p,
    file: origins.get(p.file) ?? p.file,
  }));
  const known = new Set(loaded.problems.map(keyOf));
  const problems = [...loaded.problems, ...warnings.filter((p) => !known.has(keyOf(p)))].sort(byPlace);
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const report = { files: loaded.files.length, rules: loaded.rules.length, errors, warnings: problems.length - errors };
  if (values.json) io.stdout.write(`${JSON.stringify({ ...report, problems })}\n`);
  else {
    for (const problem of problems) io.stdout.write(`${problem.severity}: ${problemText(problem)}\n`);
    io.stdout.write(`${report.files} files, ${report.rules} rules: ${errors} errors, ${report.warnings} warnings.\n`);
  }
  return errors > 0 || (values.strict && report.warnings > 0) ? 1 : 0;
}

function keyOf({ file, line, column, code }: Problem): string {
  return `${file} ${line} ${column} ${code}`;
}

function byPlace(a: Problem, b: Problem): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}

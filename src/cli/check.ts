// weir check: everything that a run would read, and every problem in it with file, line and reason.

import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import type { Problem } from '../../rules/model.ts';
import { checkAll } from './check-all.ts';
import { configPath, problemText } from './prepare.ts';
import { CONFIG_OPTION, UsageError, type Verb } from './verb.ts';

export const check: Verb = {
  name: 'check',
  usage: '[--config weir.yaml] [--rules DIR] [--strict] [--json]',
  summary:
    'Checks configuration, tenants, inventory, lists, policies, rules and sources; shows every problem and its place.',
  options: {
    config: CONFIG_OPTION,
    rules: { type: 'string', multiple: true, argument: 'DIR', help: 'folder with further rules' },
    strict: { type: 'boolean', help: 'warnings fail too' },
    json: { type: 'boolean', help: 'one JSON document on standard output' },
  },
  examples: ['weir check', 'weir check --config /etc/weir/weir.yaml --strict', 'weir check --rules ./my-rules --json'],
  async run(values, positionals, io) {
    if (positionals.length > 0)
      throw new UsageError(`check takes no argument: '${positionals[0]}'. Did you mean --config?`);
    const path = configPath(values);
    if (path !== null && !existsSync(path)) throw new UsageError(`there is no configuration '${path}'`);
    const folders = Array.isArray(values.rules) ? values.rules.map(String) : undefined;
    const { problems, checked } = await checkAll(path, folders);
    const errors = problems.filter(({ severity }) => severity === 'error').length;
    const warnings = problems.length - errors;
    const ok = errors === 0 && !(values.strict && warnings > 0);
    if (values.json) {
      io.stdout.write(`${JSON.stringify({ ok, errors, warnings, checked, problems })}\n`);
      return ok ? 0 : 1;
    }
    for (const problem of problems) io.stdout.write(`${problem.severity}: ${problemText(shown(problem))}\n`);
    const parts = Object.entries(checked).map(([what, count]) => `${count} ${what}`);
    const counts = `${plural(errors, 'error')}, ${plural(warnings, 'warning')}`;
    io.stdout.write(`${path ?? 'no configuration: defaults'}: ${parts.join(', ')}: ${counts}.\n`);
    return ok ? 0 : 1;
  },
};

/** Paths as short as they can be. */
function shown(problem: Problem): Problem {
  const near = problem.file.startsWith('/') ? relative(process.cwd(), problem.file) : problem.file;
  return near.startsWith('..') ? problem : { ...problem, file: near };
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

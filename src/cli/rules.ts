// weir rules: lists the rules that are loaded and runs the cases inside them.

import { loadRules } from '../../rules/index.ts';
import { casePassed, runRuleCases } from '../../workers/rule-cases.ts';
import { readRuleFiles } from '../control/index.ts';
import { loadForVerb } from './prepare.ts';
import { renderTable } from './table.ts';
import { CONFIG_OPTION, UsageError, type Verb } from './verb.ts';

function table(
  rows: readonly { level: string; techniques: string; title: string; file: string; alerts: boolean }[],
): string {
  const titles = ['LEVEL', 'TECHNIQUES', 'TITLE', 'FILE', 'ALERTS'].map((title) => ({ title }));
  return renderTable(
    titles,
    rows.map((rule) => [rule.level, rule.techniques, rule.title, rule.file, rule.alerts ? 'yes' : 'feeds others']),
  );
}

export const rules: Verb = {
  name: 'rules',
  usage: 'list|test [--config weir.yaml] [--rules DIR] [--json]',
  summary: 'Lists the detection rules in force, or runs the test cases inside them.',
  options: {
    config: CONFIG_OPTION,
    rules: { type: 'string', multiple: true, argument: 'DIR', help: 'folder with further rules' },
    json: { type: 'boolean', help: 'one JSON document on standard output' },
  },
  examples: ['weir rules list', 'weir rules test --rules ./my-rules'],
  async run(values, [action, ...rest], io) {
    if ((action !== 'list' && action !== 'test') || rest.length > 0)
      throw new UsageError("say 'weir rules list' or 'weir rules test'");
    const { config } = await loadForVerb(values);
    const files = await readRuleFiles(config);
    const set = loadRules(files);
    for (const { file, line, code, message } of set.problems)
      io.stderr.write(`${file}:${line}: ${message} [${code}]\n`);
    const broken = set.problems.some((problem) => problem.severity === 'error') ? 1 : 0;
    if (action === 'list') {
      const rows = set.rules.map((rule) => ({
        id: rule.id,
        level: rule.level,
        techniques: rule.techniques.join(' '),
        title: rule.title,
        file: rule.file,
        alerts: rule.alerting,
      }));
      io.stdout.write(values.json ? `${JSON.stringify({ rules: rows, problems: set.problems })}\n` : table(rows));
      return broken;
    }
    const results = runRuleCases(files);
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
  },
};

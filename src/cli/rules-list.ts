// weir rules list: the rules that are loaded, and what was refused.

import { inactivity } from '../../rules/inactive.ts';
import type { Rule } from '../../rules/model.ts';
import { knownLists } from './list-names.ts';
import { type LoadedRules, near, refusalsOf, rulesForVerb, tellErrors } from './rules-load.ts';
import { renderTable } from './table.ts';
import type { Io, Values } from './verb.ts';

export async function listRules(values: Values, io: Io): Promise<number> {
  const loaded = await rulesForVerb(values);
  const refused = refusalsOf(loaded);
  const lists = await knownLists(loaded.loaded);
  const idle = loaded.rules.map((rule) => inactivity(rule, loaded.rules, lists));
  if (values.json) {
    const { files, rules, problems } = loaded;
    const origins = originsOf(loaded);
    const report = {
      files: files.length,
      loaded: rules.length,
      inactive: idle.filter((why) => why !== '').length,
      refused,
      rules: rules.map((rule) => ({
        id: rule.id,
        level: rule.level,
        techniques: rule.techniques.join(' '),
        title: rule.title,
        file: origins.get(rule.file) ?? rule.file,
        line: rule.line,
        logsource: rule.logsource,
        alerts: rule.alerting && idle[rule.index] === '',
        inactive: idle[rule.index],
      })),
      problems,
    };
    io.stdout.write(`${JSON.stringify(report)}\n`);
  } else {
    tellErrors(loaded.problems, io);
    io.stdout.write(textOf(loaded.rules, idle));
    const left = refused.length > 0 ? `, ${refused.length} refused (see above)` : '';
    const count = idle.filter((why) => why !== '').length;
    const still = count > 0 ? `, ${count} of them inactive` : '';
    io.stdout.write(`${loaded.files.length} files: ${loaded.rules.length} rules loaded${still}${left}.\n`);
  }
  return loaded.problems.some(({ severity }) => severity === 'error') ? 1 : 0;
}

export function originsOf({ files }: LoadedRules): ReadonlyMap<string, string> {
  return new Map(files.map(({ path, origin }) => [path, near(origin)]));
}

function textOf(rules: readonly Rule[], idle: readonly string[]): string {
  const titles = ['LEVEL', 'TECHNIQUES', 'TITLE', 'FILE', 'ALERTS'].map((title) => ({ title }));
  return renderTable(
    titles,
    rules.map(({ index, level, techniques, title, file, alerting }) => [
      level,
      techniques.join(' '),
      title,
      file,
      idle[index] !== '' ? `inactive: ${idle[index]}` : alerting ? 'yes' : 'feeds others',
    ]),
  );
}

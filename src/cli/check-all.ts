// The checks of `weir check`, part by part. A broken part never hides the problems of another.

import { inactivity, placeholdersOf } from '../../rules/inactive.ts';
import { loadRules } from '../../rules/index.ts';
import type { Problem, RuleSet } from '../../rules/model.ts';
import { GeoDatabase } from '../../workers/enrich/geo.ts';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { type ControlDocuments, type FoundRuleFile, loadDocuments, readRuleFiles } from '../control/index.ts';
import { discover } from '../sources/discover.ts';
import { listNames } from './list-names.ts';
import { checkPolicy } from './policy-check.ts';

export interface CheckReport {
  /** In order of file, line and column. */
  readonly problems: readonly Problem[];
  /** What was looked at → how many. */
  readonly checked: Readonly<Record<string, number>>;
}

export async function checkAll(path: string | null, ruleFolders?: readonly string[]): Promise<CheckReport> {
  const loaded = loadConfig(path, { 'rules.directories': ruleFolders });
  const documents = await loadDocuments(loaded, checkPolicy);
  const { files, rules, problems: ruleProblems } = await checkRules(loaded, documents);
  const problems = [
    ...loaded.problems,
    ...documents.problems,
    ...ruleProblems,
    ...checkDatabases(loaded),
    ...(await checkSources(loaded, documents)),
  ];
  const { tenants, policies } = documents;
  const lists = [...documents.lists, ...tenants.flatMap((tenant) => tenant.lists)];
  return {
    problems: problems.sort(byPlace),
    checked: {
      tenants: tenants.length,
      sites: tenants.reduce((sum, { sites }) => sum + sites.length, 0),
      devices: tenants.reduce((sum, { devices }) => sum + devices.length, 0),
      users: tenants.reduce((sum, { users }) => sum + users.length, 0),
      policies: policies.length,
      lists: lists.length,
      sources: loaded.config.sources.length,
      'rule files': files.length,
      rules: rules.length,
    },
  };
}

async function checkRules(
  { config }: LoadedConfig,
  documents: ControlDocuments,
): Promise<RuleSet & { readonly files: readonly FoundRuleFile[] }> {
  try {
    const files = await readRuleFiles(config);
    const { rules, problems } = loadRules(files);
    const origins = new Map(files.map(({ path, origin }) => [path, origin]));
    const found = [...problems, ...unknownLists(rules, documents)];
    return { files, rules, problems: found.map((p) => ({ ...p, file: origins.get(p.file) ?? p.file })) };
  } catch (error) {
    const { message, cause } = error as Error;
    const path = (cause as NodeJS.ErrnoException | undefined)?.path ?? 'rules';
    return { files: [], rules: [], problems: [plain(path, 'error', 'rules.unreadable', message)] };
  }
}

/** A user's rule that names a list which nobody has. (In shipped rules lists are optional exceptions.) */
function unknownLists(rules: RuleSet['rules'], documents: ControlDocuments): Problem[] {
  const known = listNames(documents);
  const own = rules.filter(({ file }) => !file.startsWith('packs/'));
  return own.flatMap((rule) => {
    const idle = inactivity(rule, rules, known) !== '';
    const effect = idle ? 'it is inactive' : 'that placeholder matches nothing';
    return placeholdersOf(rule.detection)
      .filter((name) => !known.has(name))
      .map((name) => ({
        file: rule.file,
        line: rule.line,
        column: 1,
        severity: 'warning' as const,
        code: 'rule.unknown_list',
        message: `The rule uses the list '${name}', which the configuration does not have: ${effect}.`,
      }));
  });
}

function checkDatabases({ config, origins }: LoadedConfig): Problem[] {
  return config.enrich.geo.flatMap((path) => {
    try {
      new GeoDatabase(path);
      return [];
    } catch (error) {
      const message = `The database ${path} cannot be used: ${(error as Error).message}`;
      return [origins.problem(config.enrich, 'geo', 'error', 'enrich.database', message)];
    }
  });
}

async function checkSources({ config, origins }: LoadedConfig, documents: ControlDocuments): Promise<Problem[]> {
  const known = new Set(documents.tenants.flatMap(({ id, slug }) => [id, slug]));
  const problems: Problem[] = [];
  const limited = config.quota.rate > 0 || documents.tenants.some(({ quota }) => quota !== undefined);
  if (limited && config.sources.length > 0 && config.sources.every(({ topic }) => topic === '')) {
    const message = 'Quotas hold for sources with a topic only: nobody waits behind a file.';
    problems.push(origins.problem(config, 'quota', 'warning', 'quota.unused', message));
  }
  for (const source of config.sources) {
    const tell = (key: string, severity: Problem['severity'], code: string, message: string): void => {
      problems.push(origins.problem(source, key, severity, code, `Source '${source.name}': ${message}`));
    };
    if (source.tenant !== '' && !known.has(source.tenant.toLowerCase())) {
      tell(
        'tenant',
        'warning',
        'source.unknown_tenant',
        `no configuration knows tenant '${source.tenant}'; a run creates it.`,
      );
    }
    if (source.follow && source.order === 'event-time') {
      tell('order', 'error', 'source.order', 'event-time order needs an input that ends; it cannot be followed.');
    }
    if (source.input === '-' || source.input === '') continue;
    try {
      await discover([source.input]);
    } catch (error) {
      // What is followed may appear later.
      tell('input', source.follow ? 'warning' : 'error', 'source.input', (error as Error).message);
    }
  }
  return problems;
}

function plain(file: string, severity: Problem['severity'], code: string, message: string): Problem {
  return { file, line: 0, column: 0, severity, code, message };
}

function byPlace(a: Problem, b: Problem): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}

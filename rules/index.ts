// Rule files → rules with their references resolved. In: paths and texts. Out: rules in a fixed order (by path, then
// document) and every problem found. Pure. A broken file or rule is reported and left out; the others work on.

import { unsupported } from './correlate/unsupported.ts';
import { contentHash } from './hash.ts';
import type { Problem, Rule, RuleSet } from './model.ts';
import { applySteps, inOrder } from './pipeline/apply.ts';
import type { Pipeline } from './pipeline/model.ts';
import { expandActions } from './sigma/collection.ts';
import { applyFilters, type FilterDraft } from './sigma/filter.ts';
import { compileDocument, type Draft } from './sigma/rule.ts';
import { parseYaml, type Reporter } from './yaml.ts';

export interface RuleText {
  /** As shown to users; decides the order. */
  readonly path: string;
  readonly text: string;
  /** Why the file could not be read. */
  readonly fault?: string;
}

/** Pipelines change the rules (with their filters) before these are linked and hashed. */
export function loadRules(files: readonly RuleText[], pipelines: readonly Pipeline[] = []): RuleSet {
  const sorted = [...files].sort((a, b) => compare(a.path, b.path));
  const reports: Reporter[] = [];
  const drafts: Draft[] = [];
  const filters: FilterDraft[] = [];
  for (const file of sorted) {
    const { report, documents } = parseYaml(file.path, file.text);
    reports.push(report);
    if (file.fault !== undefined) report.error(0, 'rule.unreadable', file.fault);
    for (const document of expandActions(documents, report)) {
      const draft = compileDocument(document, report);
      if (draft?.kind === 'rule') drafts.push(draft);
      else if (draft !== null) filters.push(draft);
    }
  }
  const unique = withoutDuplicates(drafts);
  const find = finder(unique);
  applyFilters(unique, filters, find);
  process(unique, pipelines);
  checkAliases(unique, find);
  const rules = link(unique, find);
  return { rules, problems: reports.flatMap((report) => report.problems).sort(byPlace) };
}

/** Correlations stay: they have no fields of their own but what they group by, which events name. */
function process(drafts: readonly Draft[], pipelines: readonly Pipeline[]): void {
  const steps = inOrder(pipelines).flatMap((pipeline) => pipeline.steps);
  if (steps.length === 0) return;
  for (const draft of drafts) {
    if (draft.detection === null || draft.broken) continue;
    const { logsource, detection, failure } = applySteps(steps, draft.rule.logsource, draft.detection);
    draft.rule = { ...draft.rule, logsource };
    draft.detection = detection;
    if (failure === null) continue;
    draft.report.error(draft.at, 'pipeline.rule_failure', `A pipeline refuses the rule: ${failure}`);
    draft.broken = true;
  }
}

type Find = (reference: string) => Draft | undefined;

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function byPlace(a: Problem, b: Problem): number {
  return compare(a.file, b.file) || a.line - b.line || a.column - b.column || compare(a.code, b.code);
}

/** The first rule of an id or name stays. */
function withoutDuplicates(drafts: readonly Draft[]): readonly Draft[] {
  const owners = new Map<string, Draft>();
  return drafts.filter((draft) => {
    const { id, name } = draft.rule;
    const owner = owners.get(id) ?? (name === '' ? undefined : owners.get(name));
    if (owner === undefined) {
      owners.set(id, draft);
      if (name !== '') owners.set(name, draft);
      return true;
    }
    const [code, what] = owner.rule.id === id ? ['rule.duplicate_id', 'id'] : ['rule.duplicate_name', 'name'];
    draft.report.error(
      draft.at,
      code,
      `The ${what} '${what === 'id' ? id : name}' is taken by ${owner.rule.file}:${owner.rule.line}.`,
    );
    return false;
  });
}

/** Ids count in any letter case, names as written. */
function finder<T extends Draft>(drafts: readonly T[]): (reference: string) => T | undefined {
  const byId = new Map(drafts.map((draft) => [draft.rule.id, draft]));
  const byName = new Map(drafts.filter((draft) => draft.rule.name !== '').map((draft) => [draft.rule.name, draft]));
  return (reference) => byName.get(reference) ?? byId.get(reference.toLowerCase());
}

/** Leaves out what is broken, what needs that, and what cannot run; numbers and hashes the rest. */
function link(drafts: readonly Draft[], find: Find = finder(drafts)): readonly Rule[] {
  const hashes = hashAll(drafts, find);
  const good = drafts.filter((draft) => hashes.has(draft));
  const positions = new Map(good.map((draft, index) => [draft, index]));
  const silent = silentRules(drafts, find);
  const rules = good.map((draft, index): Rule => {
    // Sigma: a rule of this status cannot be used as it is.
    const usable = draft.rule.status !== 'unsupported' && !silent.has(draft);
    const common = { ...draft.rule, index, hash: hashes.get(draft) ?? '', alerting: draft.alert ?? usable };
    if (draft.correlation === null) return { ...common, detection: draft.detection, correlation: null };
    const { references, generate: _, aliases = {}, ...correlation } = draft.correlation;
    const fed = references.map((reference) => positions.get(find(reference.name) as Draft) ?? -1);
    if (Object.keys(aliases).length === 0)
      return { ...common, detection: null, correlation: { ...correlation, rules: fed } };
    const keys = references.map(({ name }) =>
      correlation.groupBy.map((field) => {
        const of = Object.entries(aliases[field] ?? {}).find(([rule]) => find(rule) === find(name));
        return of === undefined ? field : of[1].field;
      }),
    );
    return { ...common, detection: null, correlation: { ...correlation, keys, rules: fed } };
  });
  let complete = true;
  for (const rule of rules) {
    const reason = unsupported(rule, rules);
    if (reason === null) continue;
    const draft = good[rule.index];
    draft.report.error(draft.at, 'sigma.unsupported', `The correlation cannot run: ${reason}.`);
    draft.broken = true;
    complete = false;
  }
  return complete ? rules : link(drafts);
}

/** Hashes of the rules that can be loaded; the others are reported. */
function hashAll(drafts: readonly Draft[], find: Find): ReadonlyMap<Draft, string> {
  const hashes = new Map<Draft, string>();
  const open = new Set<Draft>();
  const visit = (draft: Draft): boolean => {
    if (draft.broken || hashes.has(draft)) return !draft.broken;
    if (open.has(draft)) {
      draft.report.error(draft.at, 'sigma.cycle', `The correlation '${draft.rule.title}' feeds itself.`);
      return false;
    }
    open.add(draft);
    for (const reference of draft.correlation?.references ?? []) {
      const base = find(reference.name);
      if (base !== undefined && visit(base)) continue;
      const why = base === undefined ? 'is no rule' : 'is broken and cannot feed a correlation';
      draft.report.error(reference.at, 'sigma.unknown_rule', `'${reference.name}' ${why}.`);
      draft.broken = true;
    }
    open.delete(draft);
    if (!draft.broken)
      hashes.set(
        draft,
        hashOf(draft, (name) => hashes.get(find(name) as Draft) ?? ''),
      );
    return !draft.broken;
  };
  for (const draft of drafts) visit(draft);
  return hashes;
}

/** An alias that speaks of a rule which does not feed the correlation is a mistake in a name. */
function checkAliases(drafts: readonly Draft[], find: Find): void {
  for (const { correlation, report } of drafts) {
    const fed = new Set(correlation?.references.map(({ name }) => find(name)));
    for (const of of Object.values(correlation?.aliases ?? {})) {
      for (const [name, { at }] of Object.entries(of)) {
        if (find(name) !== undefined && fed.has(find(name))) continue;
        report.warning(at, 'sigma.alias_rule', `'${name}' is none of the rules that feed the correlation.`);
      }
    }
  }
}

/**
 * Rules that feed a correlation do not alert themselves, unless one of their correlations says `generate`. Broken
 * correlations count: a mistake in one must not let loose an alert for every event that fed it.
 */
function silentRules(drafts: readonly Draft[], find: Find): ReadonlySet<Draft | undefined> {
  const silent = new Set(drafts.flatMap((draft) => draft.feeders.map(find)));
  for (const { correlation, feeders } of drafts) {
    if (correlation?.generate) for (const name of feeders) silent.delete(find(name));
  }
  return silent;
}

/** Over what decides behaviour, with the hashes of the feeding rules in place of their names and positions. */
function hashOf(draft: Draft, hashOfRule: (reference: string) => string): string {
  const { logsource, suppressionMs } = draft.rule;
  if (draft.correlation === null) return contentHash({ logsource, suppressionMs, detection: draft.detection });
  const { references, generate: _, aliases, ...correlation } = draft.correlation;
  const rules = references.map((reference) => hashOfRule(reference.name));
  return contentHash({ suppressionMs, correlation: { ...correlation, ...fieldsOf(aliases), rules } });
}

/** Aliases without their places in the file; nothing when there are none, so that the hashes of other rules stay. */
function fieldsOf(aliases: NonNullable<Draft['correlation']>['aliases']): object {
  if (aliases === undefined) return {};
  const plain = (of: Readonly<Record<string, { readonly field: string }>>): object =>
    Object.fromEntries(Object.entries(of).map(([rule, { field }]) => [rule, field]));
  return { aliases: Object.fromEntries(Object.entries(aliases).map(([alias, of]) => [alias, plain(of)])) };
}

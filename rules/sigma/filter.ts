// Sigma filters: documents with `filter:`, whose condition must hold as well for the rules that they are for.

import type { RuleLogSource } from '../model.ts';
import type { Predicate } from '../predicate.ts';
import { entryOf, type Reporter, type YamlMap } from '../yaml.ts';
import { combine } from './condition.ts';
import type { Reference } from './correlation.ts';
import { compileDetection } from './detection.ts';
import { mapField, textField } from './fields.ts';
import { logsourceOf } from './logsource.ts';
import type { Draft } from './rule.ts';

export interface FilterDraft {
  readonly kind: 'filter';
  readonly at: number;
  readonly report: Reporter;
  readonly title: string;
  readonly references: readonly Reference[];
  /** For every rule of the log source. */
  readonly any: boolean;
  readonly logsource: RuleLogSource;
  readonly predicate: Predicate;
}

export function compileFilter(map: YamlMap, report: Reporter): FilterDraft | null {
  const filter = mapField(map, 'filter', report);
  if (filter === null) return null;
  const title = textField(map, 'title', report);
  if (title === '') report.error(map.at, 'rule.no_title', "The filter has no 'title'.");
  if (entryOf(map, 'logsource') === undefined) {
    report.error(map.at, 'rule.no_logsource', "A filter needs the 'logsource' of the rules that it is for.");
  }
  const condition = entryOf(filter, 'condition')?.value;
  if (condition?.kind === 'list') {
    // A rule's list of conditions are alternatives; for an exclusion that would be the wrong way round.
    report.error(condition.at, 'sigma.condition_syntax', 'The condition of a filter must be one text.');
  }
  const rules = entryOf(filter, 'rules')?.value;
  const items = rules === undefined ? [] : rules.kind === 'list' ? rules.items : [rules];
  const references = items.map((item) => ({ name: item.kind === 'scalar' ? item.text : '', at: item.at }));
  if (rules === undefined) {
    const message = "A filter needs the 'rules' that it is for: ids, names, or 'any' for all of its log source.";
    report.error(filter.at, 'sigma.no_rules', message);
  }
  const only = references[0]?.name.toLowerCase();
  return {
    kind: 'filter',
    at: map.at,
    report,
    title,
    references,
    any: references.length === 0 || (references.length === 1 && (only === 'any' || only === 'all')),
    logsource: logsourceOf(map, report),
    predicate: compileDetection(filter, report, ['rules']),
  };
}

/** Narrows every rule that a filter is for. What it names and cannot narrow is reported; the rest of it works on. */
export function applyFilters(
  drafts: readonly Draft[],
  filters: readonly FilterDraft[],
  find: (reference: string) => Draft | undefined,
): void {
  for (const filter of filters) {
    if (filter.any) {
      for (const draft of drafts) if (covers(filter.logsource, draft.rule.logsource)) narrow(draft, filter);
      continue;
    }
    for (const { name, at } of filter.references) {
      const draft = find(name);
      if (draft === undefined) {
        filter.report.error(at, 'sigma.unknown_rule', `The filter's rule '${name}' is no rule.`);
      } else if (draft.detection === null) {
        const why = 'is a correlation; filter the rules that feed it';
        filter.report.error(at, 'sigma.unknown_rule', `The filter's rule '${name}' ${why}.`);
      } else if (covers(filter.logsource, draft.rule.logsource)) narrow(draft, filter);
      else {
        // Sigma asks for both: the rule and its log source.
        const message = `The filter does nothing to '${name}': the rule is of another log source.`;
        filter.report.warning(at, 'sigma.filter_logsource', message);
      }
    }
  }
}

function narrow(draft: Draft, filter: FilterDraft): void {
  if (draft.detection !== null) draft.detection = combine('and', [draft.detection, filter.predicate]);
}

/** What the filter's log source leaves open, the rule's may name. */
function covers({ product, category, service }: RuleLogSource, of: RuleLogSource): boolean {
  return (
    (product === '' || product === of.product) &&
    (category === '' || category === of.category) &&
    (service === '' || service === of.service)
  );
}

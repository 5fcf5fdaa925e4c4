// Rules that load and yet cannot alert: lists that their placeholders need do not exist, or their author calls them unusable.

import { constantOf } from './lint/constant.ts';
import type { Rule } from './model.ts';
import { normalize, testsOf } from './plan/normal.ts';
import type { Predicate } from './predicate.ts';
import { listName } from './sigma/placeholder.ts';

/** Names of the lists that a predicate asks, each once. */
export function placeholdersOf(predicate: Predicate | null): readonly string[] {
  if (predicate === null) return [];
  return [...new Set(testsOf(predicate).flatMap((test) => (test.test === 'list' ? [listName(test.list)] : [])))];
}

/**
 * Why a rule is inactive, a sentence without its end; '' when it works. A list that is missing is empty: where the rule
 * only leaves out what the list holds it works on, where it needs a value of the list it can never match.
 */
export function inactivity(rule: Rule, rules: readonly Rule[], lists: ReadonlySet<string>): string {
  if (rule.status === 'unsupported' && !rule.alerting) return 'its status is unsupported';
  if (rule.correlation !== null) {
    const { type } = rule.correlation;
    const idle = rule.correlation.rules.filter((base) => inactivity(rules[base], rules, lists) !== '');
    const needsAll = type === 'temporal' || type === 'temporal_ordered';
    const stopped = needsAll ? idle.length > 0 : idle.length === rule.correlation.rules.length;
    return stopped && idle.length > 0 ? `'${rules[idle[0]].title}', which feeds it, is inactive` : '';
  }
  const missing = placeholdersOf(rule.detection).filter((name) => !lists.has(name));
  if (rule.detection === null || missing.length === 0) return '';
  if (constantOf(normalize(withoutLists(rule.detection, new Set(missing)))) !== false) return '';
  const names = missing.map((name) => `'${name}'`).join(', ');
  return missing.length === 1 ? `there is no list ${names}` : `there are no lists ${names}`;
}

function withoutLists(predicate: Predicate, missing: ReadonlySet<string>): Predicate {
  if (predicate.kind === 'not') return { kind: 'not', of: withoutLists(predicate.of, missing) };
  if (predicate.kind === 'and' || predicate.kind === 'or') {
    return { kind: predicate.kind, of: predicate.of.map((part) => withoutLists(part, missing)) };
  }
  const empty = predicate.kind === 'field' && predicate.test === 'list' && missing.has(listName(predicate.list));
  return empty ? { kind: 'constant', value: false } : predicate;
}

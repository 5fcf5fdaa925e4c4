// Helpers for the tests of the rule language.

import { loadRules } from '../index.ts';
import type { Problem, Rule, RuleSet } from '../model.ts';
import type { Predicate } from '../predicate.ts';

const ID = '11111111-1111-4111-8111-111111111111';

/** Loads one rule with this detection (YAML, indented as below `detection:`). */
export function load(detection: string): RuleSet {
  const indented = detection.replace(/^(?=.)/gm, '  ');
  const text = `title: A rule\nid: ${ID}\nlogsource: {product: windows}\ndetection:\n${indented}\n`;
  return loadRules([{ path: 'rule.yml', text }]);
}

/** The predicate of a single selection, given as YAML lines of that selection. */
export function selection(lines: string): Predicate {
  const set = load(`selection:\n${lines.replace(/^(?=.)/gm, '  ')}\ncondition: selection`);
  return predicateOf(set);
}

export function predicateOf(set: RuleSet): Predicate {
  const [rule] = set.rules;
  if (rule?.detection) return rule.detection;
  throw new Error(`the rule did not load: ${JSON.stringify(set.problems)}`);
}

export function codes(problems: readonly Problem[]): readonly string[] {
  return problems.map(({ severity, code, line }) => `${severity} ${code} ${line}`);
}

export function ruleNamed(set: RuleSet, name: string): Rule {
  const rule = set.rules.find((candidate) => candidate.name === name);
  if (rule === undefined) throw new Error(`no rule ${name}: ${JSON.stringify(set.problems)}`);
  return rule;
}

// Pipelines over a rule: in the order of their priority, each step sees what the steps before it left.

import type { RuleLogSource } from '../model.ts';
import type { FieldTest, Predicate } from '../predicate.ts';
import { combine } from '../sigma/condition.ts';
import type { Change, FieldCondition, Joined, Pipeline, RuleCondition, Step } from './model.ts';

export interface Processed {
  readonly logsource: RuleLogSource;
  readonly detection: Predicate;
  /** What a `rule_failure` says; null when none was met. */
  readonly failure: string | null;
}

/** Equal priorities keep their order. */
export function inOrder(pipelines: readonly Pipeline[]): readonly Pipeline[] {
  return [...pipelines].sort((a, b) => a.priority - b.priority);
}

export function applySteps(steps: readonly Step[], logsource: RuleLogSource, detection: Predicate): Processed {
  let at: { logsource: RuleLogSource; detection: Predicate } = { logsource, detection };
  for (const { change, rule, field } of steps) {
    if (!holds(rule, (condition) => isOf(condition, at.logsource))) continue;
    if (change.type === 'rule_failure') return { ...at, failure: change.message };
    if (change.type === 'change_logsource') at = { ...at, logsource: change.logsource };
    else if (change.type === 'add_condition')
      at = { ...at, detection: combine('and', [at.detection, change.predicate]) };
    else {
      const rename = (name: string): readonly string[] =>
        holds(field, (condition) => isAbout(condition, name)) ? renamed(change, name) : [name];
      at = { ...at, detection: mapped(at.detection, rename) };
    }
  }
  return { ...at, failure: null };
}

function holds<T>({ of, op, negated }: Joined<T>, test: (condition: T) => boolean): boolean {
  if (of.length === 0) return true;
  return (op === 'and' ? of.every(test) : of.some(test)) !== negated;
}

/** Parts that the condition leaves out may be anything. */
function isOf({ logsource }: RuleCondition, rule: RuleLogSource): boolean {
  return (['product', 'category', 'service'] as const).every(
    (part) => logsource[part] === '' || logsource[part] === rule[part],
  );
}

function isAbout({ fields, excluded }: FieldCondition, name: string): boolean {
  return fields.has(name) !== excluded;
}

function renamed(change: Change, name: string): readonly string[] {
  if (change.type === 'field_name_mapping') return change.names.get(name) ?? [name];
  if (change.type === 'field_name_prefix') return [change.text + name];
  return change.type === 'field_name_suffix' ? [name + change.text] : [name];
}

function mapped(predicate: Predicate, rename: (name: string) => readonly string[]): Predicate {
  if (predicate.kind === 'constant') return predicate;
  if (predicate.kind === 'not') return { kind: 'not', of: mapped(predicate.of, rename) };
  if (predicate.kind !== 'field') {
    return { kind: predicate.kind, of: predicate.of.map((part) => mapped(part, rename)) };
  }
  // Keywords have no field.
  const names = predicate.field === '' ? [''] : rename(predicate.field);
  const tests = names.flatMap((field): FieldTest[] =>
    predicate.test === 'fieldref'
      ? rename(predicate.other).map((other) => ({ ...predicate, field, other }))
      : [{ ...predicate, field }],
  );
  return tests.length === 1 ? tests[0] : { kind: 'or', of: tests };
}

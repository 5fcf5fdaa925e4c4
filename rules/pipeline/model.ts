// What a processing pipeline is after reading it: steps that change rules when they are loaded, never events.

import type { RuleLogSource } from '../model.ts';
import type { Predicate } from '../predicate.ts';

/** Whether a step is about a rule: its log source as the steps before left it. */
export interface RuleCondition {
  readonly logsource: RuleLogSource;
}

/** Whether a step is about a field. */
export interface FieldCondition {
  readonly fields: ReadonlySet<string>;
  readonly excluded: boolean;
}

/** Several conditions joined; without any it holds. */
export interface Joined<T> {
  readonly of: readonly T[];
  readonly op: 'and' | 'or';
  readonly negated: boolean;
}

export type Change =
  /** Several names are alternatives. */
  | { readonly type: 'field_name_mapping'; readonly names: ReadonlyMap<string, readonly string[]> }
  | { readonly type: 'field_name_prefix' | 'field_name_suffix'; readonly text: string }
  | { readonly type: 'add_condition'; readonly predicate: Predicate }
  | { readonly type: 'change_logsource'; readonly logsource: RuleLogSource }
  | { readonly type: 'rule_failure'; readonly message: string };

export interface Step {
  readonly change: Change;
  readonly rule: Joined<RuleCondition>;
  readonly field: Joined<FieldCondition>;
}

export interface Pipeline {
  readonly name: string;
  /** Lower ones work first; equal ones in the order given. */
  readonly priority: number;
  readonly steps: readonly Step[];
}

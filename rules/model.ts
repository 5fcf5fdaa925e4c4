// What a rule is after reading it, whatever it was written in. Imports nothing of src/ or workers/.

import type { Predicate } from './predicate.ts';

/** A defect of a rule, policy or configuration file. `line` and `column` count from 1; 0 when unknown. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly severity: 'error' | 'warning';
  /** Stable code, e.g. 'sigma.unknown_modifier'. */
  readonly code: string;
  readonly message: string;
}

export const LEVEL_NAMES = ['informational', 'low', 'medium', 'high', 'critical'] as const;

export interface RuleLogSource {
  readonly product: string;
  readonly category: string;
  readonly service: string;
}

/**
 * `regular_interval` (beaconing) and `first_seen` are Weir's own; the rest are Sigma's.
 * - event_count, value_count (distinct `field`), value_sum, value_avg over a sliding window of `timespanMs`
 * - value_percentile: `field` at `percentile` over the window; without one, how rare the event's own value of it is
 * - temporal(_ordered): every rule of `rules` fired for the group within `timespanMs`
 * - regular_interval: at least `count` events whose intervals vary by at most `parameters.jitter` (coefficient of variation)
 * - first_seen: a value of `field` not seen for the group before, after `parameters.learning_ms` of history
 */
export type CorrelationType =
  | 'event_count'
  | 'value_count'
  | 'value_sum'
  | 'value_avg'
  | 'value_percentile'
  | 'value_median'
  | 'temporal'
  | 'temporal_ordered'
  | 'regular_interval'
  | 'first_seen';

export interface CorrelationBound {
  readonly op: 'gt' | 'gte' | 'lt' | 'lte' | 'eq' | 'neq';
  readonly value: number;
}

export interface CorrelationCondition extends CorrelationBound {
  /** The other end of a range: both must hold. */
  readonly and?: CorrelationBound;
}

export interface Correlation {
  readonly type: CorrelationType;
  /** Indices into `RuleSet.rules` of the rules it is fed by; a correlation may feed another. */
  readonly rules: readonly number[];
  readonly groupBy: readonly string[];
  /** Where aliases stand for other fields in other rules: the fields to group by of each of `rules`. */
  readonly keys?: readonly (readonly string[])[];
  readonly timespanMs: number;
  readonly condition: CorrelationCondition;
  /** For value_*, first_seen: the field whose values count. */
  readonly field: string;
  /** value_percentile: 0 to 100; absent where the rarity of values is asked for. */
  readonly percentile?: number;
  readonly parameters: Readonly<Record<string, number>>;
}

/** Named lists of the tenant (`threats`: those that stamp `threat`), and policies as the policies table has them. */
export interface RuleTestGiven {
  readonly lists: Readonly<Record<string, readonly string[]>>;
  readonly threats: Readonly<Record<string, readonly string[]>>;
  readonly policies: readonly {
    readonly name: string;
    readonly action: string;
    readonly conditions: unknown;
  }[];
}

/** A case inside the rule file: events in, does the rule fire? */
export interface RuleTest {
  readonly name: string;
  /** Native flow records or log events (JSON objects), in order. `repeat`-style shorthand is expanded on loading. */
  readonly events: readonly Record<string, unknown>[];
  /** Number of alerts expected of this rule. */
  readonly alerts: number;
  /** What the case assumes of the tenant besides defaults; absent when nothing. */
  readonly given?: RuleTestGiven;
}

export interface Rule {
  /** Position in `RuleSet.rules`; hits refer to it. */
  readonly index: number;
  readonly id: string;
  readonly name: string;
  readonly title: string;
  readonly version: string;
  /** Hash of what decides the rule's behaviour: state survives a reload while it stays the same. */
  readonly hash: string;
  readonly file: string;
  readonly line: number;
  readonly status: string;
  readonly level: (typeof LEVEL_NAMES)[number];
  readonly description: string;
  readonly author: string;
  readonly references: readonly string[];
  readonly falsePositives: readonly string[];
  readonly runbook: string;
  readonly confidence: 'low' | 'medium' | 'high';
  /** ATT&CK technique ids (`T1110.001`) and tactic tags as written. */
  readonly techniques: readonly string[];
  readonly tags: readonly string[];
  readonly logsource: RuleLogSource;
  /** Detection or correlation, never both. */
  readonly detection: Predicate | null;
  readonly correlation: Correlation | null;
  /** False for a rule that only feeds correlations. */
  readonly alerting: boolean;
  /** Suppression window in event time, or null for the default. */
  readonly suppressionMs: number | null;
  /** Sentence with {field} placeholders (group-by fields, entity names, {count}, {value}); '' for the default. */
  readonly reason: string;
  readonly tests: readonly RuleTest[];
}

export interface RuleSet {
  readonly rules: readonly Rule[];
  readonly problems: readonly Problem[];
}

/** What an event may name, as alerts carry it and reasons and chained correlations refer to it. */
export const ENTITY_FIELDS = [
  'source_ip',
  'destination_ip',
  'source_port',
  'destination_port',
  'protocol',
  'user',
  'device',
  'site',
  'pop',
  'host',
  'application',
  'direction',
  'source_country',
  'destination_country',
  'threat',
  'policy_id',
  'action',
  'tunnel',
  'message',
] as const;
export type EntityField = (typeof ENTITY_FIELDS)[number];

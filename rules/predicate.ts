// The one predicate form: Sigma detections and policy conditions both compile to it.

/** A test of one field. `field` is the name as the rule wrote it; the matcher resolves it per log source. */
export type Predicate =
  | { readonly kind: 'and' | 'or'; readonly of: readonly Predicate[] }
  | { readonly kind: 'not'; readonly of: Predicate }
  | { readonly kind: 'constant'; readonly value: boolean }
  | FieldTest;

export type FieldTest = { readonly kind: 'field'; readonly field: string } & Test;

export type Test =
  /** Equal to one of the strings (folded to lower case unless `cased`). Wildcards are compiled to `pattern`. */
  | { readonly test: 'equals'; readonly values: readonly string[]; readonly cased: boolean }
  | {
      readonly test: 'contains' | 'startswith' | 'endswith';
      readonly values: readonly string[];
      readonly cased: boolean;
    }
  /** Glob with * and ? (already unescaped into parts), e.g. ['a', ANY, 'b']. */
  | {
      readonly test: 'pattern';
      readonly pattern: readonly (string | { readonly wildcard: '*' | '?' })[];
      readonly cased: boolean;
    }
  | { readonly test: 'regex'; readonly source: string; readonly flags: string }
  | { readonly test: 'cidr'; readonly prefixes: readonly string[] }
  | { readonly test: 'number'; readonly op: 'eq' | 'neq' | 'gt' | 'gte' | 'lt' | 'lte'; readonly value: number }
  | { readonly test: 'numbers'; readonly values: readonly number[] }
  | { readonly test: 'exists'; readonly value: boolean }
  | { readonly test: 'null' }
  | { readonly test: 'boolean'; readonly value: boolean }
  | {
      readonly test: 'fieldref';
      readonly other: string;
      readonly mode: 'equals' | 'startswith' | 'endswith' | 'contains';
    }
  /**
   * Member of a named list of the tenant (or a global one); resolved when matched. With `mode` (absent = member of) the
   * field contains / starts with / ends with one of the list's values. A list that does not exist is empty. `list` is a
   * name (of policies: texts compare exactly), or Sigma's value with a placeholder, `before%name%after` (of rules: without
   * case, wildcards count in it and in the list's values); sigma/placeholder.ts reads it.
   */
  | { readonly test: 'list'; readonly list: string; readonly mode?: 'contains' | 'startswith' | 'endswith' }
  /**
   * Any field (keyword search) contains one of the strings; `field` is ''. A keyword with inner wildcards becomes a
   * `pattern`, one with |re a `regex` test, both with `field` ''.
   */
  | { readonly test: 'keywords'; readonly values: readonly string[]; readonly cased: boolean }
  /** Calendar parts of the event time in the tenant's time zone. */
  | {
      readonly test: 'time';
      readonly part: 'minute' | 'hour' | 'day' | 'weekday' | 'week' | 'month' | 'year';
      readonly values: readonly number[];
    }
  | { readonly test: 'timeofday'; readonly fromMinute: number; readonly toMinute: number };

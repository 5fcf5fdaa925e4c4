// Whether a predicate is decided before any event is seen: true or false for every event, or null where it depends on it.
// Sound, not complete: what is told here is so.

import type { FieldTest, Predicate } from '../predicate.ts';

/** In: a normalized predicate. */
export function constantOf(predicate: Predicate): boolean | null {
  switch (predicate.kind) {
    case 'constant':
      return predicate.value;
    case 'not': {
      const inner = constantOf(predicate.of);
      return inner === null ? null : !inner;
    }
    case 'and':
    case 'or': {
      const settling = predicate.kind === 'or';
      const parts = predicate.of.map(constantOf);
      if (parts.includes(settling)) return settling;
      if (parts.every((part) => part === !settling)) return !settling;
      return opposed(predicate.of) ? settling : null;
    }
    case 'field':
      return 'values' in predicate && predicate.values.length === 0 ? false : null;
  }
}

/** A test and its own negation, side by side. */
function opposed(parts: readonly Predicate[]): boolean {
  const plain = new Set(parts.filter((part) => part.kind === 'field').map((part) => JSON.stringify(part)));
  return parts.some((part) => part.kind === 'not' && plain.has(JSON.stringify(part.of)));
}

type Bound = Extract<FieldTest, { test: 'number' }>;

/** Requirements on one number that exclude each other: only a field with several values can meet both. */
export function disjoint(parts: readonly Predicate[]): boolean {
  const bounds = parts.filter((part): part is Bound => part.kind === 'field' && part.test === 'number');
  return bounds.some((low) =>
    bounds.some(
      (high) =>
        low.field === high.field &&
        (low.op === 'gt' || low.op === 'gte') &&
        (high.op === 'lt' || high.op === 'lte') &&
        (low.value > high.value || (low.value === high.value && (low.op === 'gt' || high.op === 'lt'))),
    ),
  );
}

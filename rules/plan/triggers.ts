// What must be seen of an event before a predicate can hold: the cheapest set of triggers, one of which any match pulls. A
// trigger is an exact value of a field, a literal in one of its texts, or its being there at all.

import type { FieldTest, Predicate } from '../predicate.ts';
import { keysOfTest } from './keys.ts';
import type { Literal } from './literal-search.ts';
import { literalsOfRegex } from './regex-literals.ts';

export type Trigger =
  | { readonly field: string; readonly kind: 'key'; readonly key: string }
  | { readonly field: string; readonly kind: 'literal'; readonly literal: Literal }
  | { readonly field: string; readonly kind: 'present' };

/** How many predicates could wait for each trigger: what many wait for is seen often. */
export type Crowds = ReadonlyMap<string, number>;

export function nameOf(trigger: Trigger): string {
  const { field, kind } = trigger;
  if (kind === 'key') return `k${field}\0${trigger.key}`;
  if (kind === 'present') return `p${field}`;
  const { text, start, end } = trigger.literal;
  return `l${field}\0${start ? '^' : ' '}${end ? '$' : ' '}${text}`;
}

/** Of normalized predicates, each counted once for a trigger. */
export function crowdsOf(predicates: readonly Predicate[]): Crowds {
  const crowds = new Map<string, number>();
  for (const predicate of predicates) {
    const names = new Set<string>();
    gather(predicate, names);
    for (const name of names) crowds.set(name, (crowds.get(name) ?? 0) + 1);
  }
  return crowds;
}

function gather(predicate: Predicate, names: Set<string>): void {
  if (predicate.kind === 'field') for (const trigger of triggersOfTest(predicate) ?? []) names.add(nameOf(trigger));
  else if (predicate.kind === 'and' || predicate.kind === 'or') for (const part of predicate.of) gather(part, names);
}

/** Of a normalized predicate; null when it may hold for events that pull no trigger at all. */
export function triggersOf(predicate: Predicate, crowds: Crowds): readonly Trigger[] | null {
  return coverOf(predicate, crowds)?.triggers ?? null;
}

interface Cover {
  readonly triggers: readonly Trigger[];
  /** How likely an event pulls one of them: a guess to compare with others. */
  readonly cost: number;
}

function coverOf(predicate: Predicate, crowds: Crowds): Cover | null {
  switch (predicate.kind) {
    case 'constant':
      return predicate.value ? null : { triggers: [], cost: 0 };
    case 'not':
      return null;
    case 'field': {
      const triggers = triggersOfTest(predicate);
      return triggers && { triggers, cost: triggers.reduce((sum, one) => sum + costOf(one, crowds), 0) };
    }
    case 'and': {
      let best: Cover | null = null;
      for (const part of predicate.of) {
        const cover = coverOf(part, crowds);
        if (cover !== null && (best === null || cover.cost < best.cost)) best = cover;
      }
      return best;
    }
    case 'or': {
      const parts = predicate.of.map((part) => coverOf(part, crowds));
      if (parts.some((part) => part === null)) return null;
      const covers = parts as Cover[];
      return {
        triggers: covers.flatMap(({ triggers }) => triggers),
        cost: covers.reduce((sum, { cost }) => sum + cost, 0),
      };
    }
  }
}

/**
 * Guesses, which change speed and nothing else. Longer literals are rarer, by about a factor of three for two characters; what
 * many rules look for are the names of ordinary programs; events mostly have the fields that rules name.
 */
function costOf(trigger: Trigger, crowds: Crowds): number {
  const crowd = crowds.get(nameOf(trigger)) ?? 1;
  if (trigger.kind === 'present') return 500;
  if (trigger.kind === 'key') return (trigger.key.length < 6 ? 12 : 5) * crowd;
  const { text, start, end } = trigger.literal;
  const length = text.length + (start ? 1 : 0) + (end ? 1 : 0);
  return 300 * 0.58 ** length + 0.5 * crowd;
}

/** Tests that fail for an event without the field. */
const NEEDS_FIELD: ReadonlySet<FieldTest['test']> = new Set([
  'contains',
  'startswith',
  'endswith',
  'pattern',
  'regex',
  'cidr',
  'list',
  'number',
  'fieldref',
]);

/** Null when the test may hold without any. */
function triggersOfTest(test: FieldTest): readonly Trigger[] | null {
  const { field } = test;
  const keys = keysOfTest(test);
  if (keys !== null) return keys.map((key) => ({ field, kind: 'key', key }));
  if (!NEEDS_FIELD.has(test.test)) return test.test === 'exists' && test.value ? [{ field, kind: 'present' }] : null;
  const literals = literalsOf(test);
  if (literals === null) return [{ field, kind: 'present' }];
  return literals.map((literal) => ({ field, kind: 'literal', literal }));
}

/** Whether the literals decide the test: it holds where one of them is found. */
export function isDecidedByLiterals(test: FieldTest): boolean {
  if (test.test !== 'contains' && test.test !== 'startswith' && test.test !== 'endswith') return false;
  return !test.cased && test.values.every((value) => value !== '' && isAscii(value));
}

/** One of which is in the lower case of every text that passes; null when nothing is known. */
export function literalsOf(test: FieldTest): readonly Literal[] | null {
  switch (test.test) {
    case 'contains':
      return allOf(test.values.map((value) => literalOf(value, test.cased, false, false)));
    case 'startswith':
      return allOf(test.values.map((value) => literalOf(value, test.cased, true, false)));
    case 'endswith':
      return allOf(test.values.map((value) => literalOf(value, test.cased, false, true)));
    case 'pattern':
      return allOf([ofPattern(test)]);
    case 'regex':
      return literalsOfRegex(test.source, test.flags)?.map((text) => ({ text, start: false, end: false })) ?? null;
    default:
      return null;
  }
}

function ofPattern({ pattern, cased }: Extract<FieldTest, { test: 'pattern' }>): Literal | null {
  let best: Literal | null = null;
  pattern.forEach((part, i) => {
    if (typeof part !== 'string') return;
    const literal = literalOf(part, cased, i === 0, i === pattern.length - 1);
    if (literal !== null && (best === null || literal.text.length > best.text.length)) best = literal;
  });
  return best;
}

/**
 * A value in lower case. Of one whose case counts the longest run of ASCII: the lower case of other characters depends on what
 * stands beside them. A run touches the ends of a text only if it is an end of the value.
 */
function literalOf(value: string, cased: boolean, start: boolean, end: boolean): Literal | null {
  const text = value.toLowerCase();
  if (!cased || isAscii(text)) return text === '' ? null : { text, start, end };
  const runs = [...text.matchAll(/[\0-\x7f]+/g)].map((run) => ({
    text: run[0],
    start: start && run.index === 0,
    end: end && run.index + run[0].length === text.length,
  }));
  return runs.reduce<Literal | null>((best, run) => (best && best.text.length >= run.text.length ? best : run), null);
}

function allOf(literals: readonly (Literal | null)[]): readonly Literal[] | null {
  return literals.some((literal) => literal === null) ? null : (literals as Literal[]);
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}

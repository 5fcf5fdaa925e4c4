// What must be seen of an event before a predicate can hold: the cheapest set of triggers, one of which any match pulls. A
// trigger is an exact value of a field, a literal in one of its texts, or its being there at all.

import type { FieldTest, Predicate } from '../predicate.ts';
import { keysOfTest } from './keys.ts';
import { isAscii, type Literal } from './literal-search.ts';
import { literalsOfRegex } from './regex-literals.ts';
import { numericOf } from './scalar.ts';

export type Trigger = {
  readonly field: string;
  /** Equal for the same trigger, another for every other. */
  readonly name: string;
} & (
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'literal'; readonly literal: Literal }
  | { readonly kind: 'present' }
);

interface Cover {
  readonly triggers: readonly Trigger[];
  /** How likely an event pulls one of them: a guess to compare with others. */
  readonly cost: number;
}

/** Triggers of the normalized predicates of one plan. */
export class Triggers {
  private readonly known = new Map<FieldTest, readonly Trigger[] | null>();
  /** By name: how many predicates could wait for a trigger. What many wait for is seen often. */
  private readonly crowds = new Map<string, number>();

  constructor(predicates: readonly Predicate[]) {
    for (const predicate of predicates) {
      const triggers = positiveTests(predicate).flatMap((test) => this.ofTest(test) ?? []);
      for (const name of new Set(triggers.map((one) => one.name)))
        this.crowds.set(name, (this.crowds.get(name) ?? 0) + 1);
    }
  }

  /** Of one of the predicates, each once; null when it may hold for events that pull no trigger at all. */
  of(predicate: Predicate): readonly Trigger[] | null {
    const cover = this.cover(predicate);
    return cover && [...new Map(cover.triggers.map((one) => [one.name, one])).values()];
  }

  /** Null when the test may hold without any. */
  ofTest(test: FieldTest): readonly Trigger[] | null {
    let triggers = this.known.get(test);
    if (triggers === undefined) {
      triggers = triggersOf(test);
      this.known.set(test, triggers);
    }
    return triggers;
  }

  private cover(predicate: Predicate): Cover | null {
    switch (predicate.kind) {
      case 'constant':
        return predicate.value ? null : { triggers: [], cost: 0 };
      case 'not':
        return null;
      case 'field': {
        const triggers = this.ofTest(predicate);
        return triggers && { triggers, cost: triggers.reduce((sum, one) => sum + this.cost(one), 0) };
      }
      case 'and': {
        let best: Cover | null = null;
        for (const part of predicate.of) {
          const cover = this.cover(part);
          if (cover !== null && (best === null || cover.cost < best.cost)) best = cover;
        }
        return best;
      }
      case 'or': {
        const parts = predicate.of.map((part) => this.cover(part));
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
  private cost(trigger: Trigger): number {
    const crowd = this.crowds.get(trigger.name) ?? 1;
    if (trigger.kind === 'present') return 500;
    if (trigger.kind === 'key') return (trigger.key.length < 6 ? 12 : 5) * crowd;
    const { text, start, end } = trigger.literal;
    const length = text.length + (start ? 1 : 0) + (end ? 1 : 0);
    return 300 * 0.58 ** length + 0.5 * crowd;
  }
}

/** Those that are not negated: only they can pull anything. */
function positiveTests(predicate: Predicate): readonly FieldTest[] {
  if (predicate.kind === 'field') return [predicate];
  return predicate.kind === 'and' || predicate.kind === 'or' ? predicate.of.flatMap(positiveTests) : [];
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

function triggersOf(test: FieldTest): readonly Trigger[] | null {
  const { field } = test;
  const keys = keysOfTest(test);
  if (keys !== null) return keys.map((key) => ({ field, kind: 'key', key, name: `k${field}\0${key}` }));
  const present: Trigger = { field, kind: 'present', name: `p${field}` };
  if (!NEEDS_FIELD.has(test.test)) return test.test === 'exists' && test.value ? [present] : null;
  return (
    literalsOf(test)?.map((literal) => {
      const { text, start, end } = literal;
      return { field, kind: 'literal', literal, name: `l${field}\0${start ? '^' : ' '}${end ? '$' : ' '}${text}` };
    }) ?? [present]
  );
}

/** Whether the test holds exactly where the field has one of its values as a key: of numbers other spellings count too. */
export function isDecidedByKeys(test: FieldTest): test is Extract<FieldTest, { test: 'equals' }> {
  return (
    test.test === 'equals' &&
    !test.cased &&
    test.values.every((value) => value !== '' && Number.isNaN(numericOf(value)))
  );
}

/** Whether the literals decide the test: it holds where one of them is found. */
export function isDecidedByLiterals(test: FieldTest): boolean {
  if (test.test !== 'contains' && test.test !== 'startswith' && test.test !== 'endswith') return false;
  return !test.cased && test.values.every((value) => value !== '' && isAscii(value));
}

/** One of which is in the lower case of every text that passes; null when nothing is known. */
function literalsOf(test: FieldTest): readonly Literal[] | null {
  switch (test.test) {
    case 'contains':
    case 'startswith':
    case 'endswith': {
      const [start, end] = [test.test === 'startswith', test.test === 'endswith'];
      return allOf(test.values.map((value) => literalOf(value, test.cased, start, end)));
    }
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

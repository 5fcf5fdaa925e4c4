// Normal forms of predicates: negations at the leaves, constants folded, equal-valued tests merged, and a predicate as
// alternatives of conjunctions, which is what can be indexed.

import type { FieldTest, Predicate } from '../predicate.ts';

const TRUE: Predicate = { kind: 'constant', value: true };
const FALSE: Predicate = { kind: 'constant', value: false };

/** Equivalent predicate in which `not` stands only before field tests and no constant is nested. */
export function normalize(predicate: Predicate, negated = false): Predicate {
  switch (predicate.kind) {
    case 'constant':
      return predicate.value !== negated ? TRUE : FALSE;
    case 'not':
      return normalize(predicate.of, !negated);
    case 'and':
    case 'or': {
      const kind = (predicate.kind === 'and') !== negated ? 'and' : 'or';
      return join(
        kind,
        predicate.of.map((part) => normalize(part, negated)),
      );
    }
    case 'field':
      return normalizeTest(predicate, negated);
  }
}

function join(kind: 'and' | 'or', parts: readonly Predicate[]): Predicate {
  const out: Predicate[] = [];
  for (const part of parts) {
    if (part.kind === 'constant') {
      if (part.value === (kind === 'or')) return part;
    } else if (part.kind === kind) out.push(...part.of);
    else out.push(part);
  }
  const merged = kind === 'or' ? mergeAlternatives(out) : out;
  if (merged.length === 0) return kind === 'and' ? TRUE : FALSE;
  return merged.length === 1 ? merged[0] : { kind, of: merged };
}

function normalizeTest(test: FieldTest, negated: boolean): Predicate {
  const field = test.field;
  if (test.test === 'exists') {
    const exists: Predicate = { kind: 'field', field, test: 'exists', value: true };
    return test.value !== negated ? exists : { kind: 'not', of: exists };
  }
  if (test.test === 'number' && (test.op === 'eq' || test.op === 'neq')) {
    const equal: Predicate = { kind: 'field', field, test: 'numbers', values: [test.value] };
    return (test.op === 'eq') !== negated ? equal : { kind: 'not', of: equal };
  }
  const plain = test.test === 'pattern' ? plainPattern(test) : test.test === 'keywords' ? keywords(test) : test;
  return negated ? { kind: 'not', of: plain } : plain;
}

/** The field '' stands for every text of the record. */
function keywords({ field, values, cased }: Extract<FieldTest, { test: 'keywords' }>): FieldTest {
  return { kind: 'field', field, test: 'contains', values, cased };
}

/** `a*`, `*a` and `*a*` are cheaper as what they mean. */
function plainPattern(test: Extract<FieldTest, { test: 'pattern' }>): FieldTest {
  let text = '';
  let stars = 0;
  let head = false;
  let tail = false;
  for (const part of test.pattern) {
    if (typeof part === 'string') {
      if (tail && text !== '') return test;
      text += part;
      tail = false;
    } else if (part.wildcard === '?') return test;
    else {
      stars++;
      if (text === '') head = true;
      else tail = true;
    }
  }
  const { field, cased } = test;
  // Without a star it stays a pattern: `equals` would also compare numbers by value.
  if (stars === 0 || text === '') return test;
  const values = [text];
  if (head && tail) return { kind: 'field', field, test: 'contains', values, cased };
  if (head) return { kind: 'field', field, test: 'endswith', values, cased };
  return { kind: 'field', field, test: 'startswith', values, cased };
}

/** Joins alternatives that ask the same of the same field: `a = 1 or a = 2` is one set lookup. */
function mergeAlternatives(parts: readonly Predicate[]): Predicate[] {
  const out: Predicate[] = [];
  const places = new Map<string, number>();
  for (const part of parts) {
    if (part.kind !== 'field') {
      out.push(part);
      continue;
    }
    const key = mergeKey(part);
    const place = key === '' ? undefined : places.get(key);
    if (place === undefined) {
      if (key !== '') places.set(key, out.length);
      out.push(part);
    } else out[place] = merged(out[place] as FieldTest, part);
  }
  return out;
}

function mergeKey(test: FieldTest): string {
  switch (test.test) {
    case 'equals':
    case 'contains':
    case 'startswith':
    case 'endswith':
      return `${test.test} ${test.cased} ${test.field}`;
    case 'numbers':
    case 'cidr':
      return `${test.test} ${test.field}`;
    default:
      return '';
  }
}

function merged(a: FieldTest, b: FieldTest): FieldTest {
  if (a.test === 'numbers' && b.test === 'numbers') return { ...a, values: [...a.values, ...b.values] };
  if (a.test === 'cidr' && b.test === 'cidr') return { ...a, prefixes: [...a.prefixes, ...b.prefixes] };
  const values = [...(a as { values: readonly string[] }).values, ...(b as { values: readonly string[] }).values];
  return { ...a, values } as FieldTest;
}

/**
 * A normalized predicate as alternatives, each a list of conjuncts: it holds when all conjuncts of some alternative hold.
 * An `or` inside is multiplied out unless `whole` wants to keep it as one conjunct or `budget` alternatives would be exceeded.
 */
export function alternatives(predicate: Predicate, whole: (or: Predicate) => boolean, budget = 24): Predicate[][] {
  if (predicate.kind === 'constant') return predicate.value ? [[]] : [];
  if (predicate.kind === 'or' && !whole(predicate)) {
    const out = predicate.of.flatMap((part) => alternatives(part, whole, budget));
    return out.length <= budget ? out : [[predicate]];
  }
  if (predicate.kind !== 'and') return [[predicate]];
  let out: Predicate[][] = [[]];
  for (const part of predicate.of) {
    const choices = part.kind === 'or' ? alternatives(part, whole, budget) : [[part]];
    const fits = out.length * choices.length <= budget;
    const factors = fits ? choices : [[part]];
    out = out.flatMap((left) => factors.map((right) => [...left, ...right]));
  }
  return out;
}

/** Fields that a predicate reads; '' stands for the whole record. */
export function fieldsOf(predicate: Predicate, into = new Set<string>()): Set<string> {
  if (predicate.kind === 'and' || predicate.kind === 'or') for (const part of predicate.of) fieldsOf(part, into);
  else if (predicate.kind === 'not') fieldsOf(predicate.of, into);
  else if (predicate.kind === 'field') {
    into.add(predicate.field);
    if (predicate.test === 'fieldref') into.add(predicate.other);
  }
  return into;
}

export function testsOf(predicate: Predicate, into: FieldTest[] = []): FieldTest[] {
  if (predicate.kind === 'and' || predicate.kind === 'or') for (const part of predicate.of) testsOf(part, into);
  else if (predicate.kind === 'not') testsOf(predicate.of, into);
  else if (predicate.kind === 'field') into.push(predicate);
  return into;
}

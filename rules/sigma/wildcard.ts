// A Sigma string → literal parts and wildcards, and that → the cheapest test that means the same.

import type { Test } from '../predicate.ts';

export const ANY = { wildcard: '*' } as const;
export const ONE = { wildcard: '?' } as const;
export type Part = string | { readonly wildcard: '*' | '?' };
export type Pattern = readonly Part[];

/**
 * `\*`, `\?` and `\\` stand for the character itself; a backslash before anything else is a plain backslash.
 * Neighbouring literals are joined, runs of `*` collapse.
 */
export function parsePattern(text: string): Pattern {
  const parts: Part[] = [];
  let literal = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    const next = text[i + 1];
    if (c === '\\' && (next === '*' || next === '?' || next === '\\')) {
      literal += next;
      i++;
    } else if (c === '*' || c === '?') {
      if (literal !== '') parts.push(literal);
      literal = '';
      parts.push(c === '*' ? ANY : ONE);
    } else literal += c;
  }
  if (literal !== '') parts.push(literal);
  return normalise(parts);
}

function normalise(parts: readonly Part[]): Pattern {
  return parts.filter((part, i) => !(part === ANY && parts[i - 1] === ANY));
}

export type Anchor = 'equals' | 'contains' | 'startswith' | 'endswith';

/** Adds the wildcards that a modifier stands for. */
export function anchored(pattern: Pattern, anchor: Anchor): Pattern {
  const head = anchor === 'contains' || anchor === 'endswith' ? [ANY] : [];
  const tail = anchor === 'contains' || anchor === 'startswith' ? [ANY] : [];
  return normalise([...head, ...pattern, ...tail]);
}

/** The literal text of a pattern without wildcards, else null. */
export function literalOf(pattern: Pattern): string | null {
  if (pattern.length === 0) return '';
  return pattern.length === 1 && typeof pattern[0] === 'string' ? pattern[0] : null;
}

/** The test of one string value. Literals are folded to lower case unless `cased`. */
export function testOf(pattern: Pattern, cased: boolean): Test {
  const fold = (text: string): string => (cased ? text : text.toLowerCase());
  const literal = literalOf(pattern);
  if (literal !== null) return { test: 'equals', values: [fold(literal)], cased };
  const [first, second, third] = pattern;
  if (pattern.length === 1 && first === ANY) return { test: 'exists', value: true };
  if (pattern.length === 2 && typeof first === 'string' && second === ANY) {
    return { test: 'startswith', values: [fold(first)], cased };
  }
  if (pattern.length === 2 && first === ANY && typeof second === 'string') {
    return { test: 'endswith', values: [fold(second)], cased };
  }
  if (pattern.length === 3 && first === ANY && typeof second === 'string' && third === ANY) {
    return { test: 'contains', values: [fold(second)], cased };
  }
  return { test: 'pattern', pattern: pattern.map((part) => (typeof part === 'string' ? fold(part) : part)), cased };
}

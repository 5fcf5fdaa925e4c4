// What a correlation may ask for today; the rest is reported when rules are loaded, never ignored.

import type { Rule } from '../model.ts';
import { needsNumber } from './kinds.ts';
import { onlyGrows } from './window.ts';

const LONGEST_CHAIN = 8;

/** Why this correlation rule cannot run, as one sentence; null when it can. `rules` are all of the set, for what needs them. */
export function unsupported(rule: Rule, rules: readonly Rule[] = []): string | null {
  const correlation = rule.correlation;
  if (correlation === null) return null;
  const { type, condition, field, timespanMs, rules: fed, parameters } = correlation;
  if (fed.length === 0) return `a ${type} correlation needs at least one rule`;
  if (type !== 'first_seen' && !(timespanMs > 0)) return `a ${type} correlation needs a timespan`;
  if (!Number.isFinite(condition.value)) return 'the condition needs a number';
  if (type.startsWith('value_') && field === '') return `a ${type} correlation needs a field in its condition`;
  const { percentile } = correlation;
  if (percentile !== undefined && !(percentile >= 0 && percentile <= 100)) return 'a percentile lies between 0 and 100';
  if (type === 'first_seen' && field === '') return 'a first_seen correlation needs a field';
  if (type === 'regular_interval' && !onlyGrows(condition))
    return 'a regular_interval correlation asks for at least so many events: gte or gt';
  if (type === 'regular_interval' && !(parameters.jitter > 0))
    return 'a regular_interval correlation needs parameters.jitter above 0';
  if (type.startsWith('temporal') && new Set(fed).size !== fed.length)
    return 'a rule appears twice in a temporal correlation';
  if (rules.length > 0) {
    if (needsNumber(correlation) && fed.some((index) => rules[index]?.correlation))
      return `a ${type} correlation cannot be fed by a correlation, which has no such number`;
    if (tooDeep(rule, rules)) return `correlations feed each other in a circle or more than ${LONGEST_CHAIN} deep`;
  }
  return null;
}

/** True when correlations lie more than LONGEST_CHAIN below each other, as they do in a circle. */
function tooDeep(rule: Rule, rules: readonly Rule[]): boolean {
  let level = new Set([rule]);
  for (let i = 0; i < LONGEST_CHAIN && level.size > 0; i++) {
    const below = [...level].flatMap((above) => above.correlation?.rules ?? []).map((index) => rules[index]);
    level = new Set(below.filter((other) => other?.correlation));
  }
  return level.size > 0;
}

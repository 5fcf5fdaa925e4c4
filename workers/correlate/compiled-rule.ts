// A rule made ready to correlate: its window type, what it feeds, and its place in ATT&CK.

import { attackVersion, collectAttack } from '../../mitre/index.ts';
import { countsNames, isJudged, kindOf, needsNumber, type WindowKind } from '../../rules/correlate/kinds.ts';
import { unsupported } from '../../rules/correlate/unsupported.ts';
import { needed, type WindowShape } from '../../rules/correlate/window.ts';
import type { EntityField, Rule, RuleSet } from '../../rules/model.ts';
import type { Alert } from '../../src/model/alert.ts';
import type { ControlSnapshot } from '../../src/model/control.ts';
import { entityOf } from './entities.ts';

/** Where a part of a parent's key comes from: a position in this rule's own group key, the event, or nowhere. */
export type KeySource = number | EntityField | null;

/** A correlation that is fed whenever this one's condition holds. */
export interface Feed {
  readonly parent: CompiledRule;
  readonly key: readonly KeySource[];
  /** For the parent's value_count field. */
  readonly value: KeySource;
}

export interface CompiledRule {
  readonly rule: Rule;
  /** State is kept while this stays the same. */
  readonly identity: string;
  /** False for a correlation that `unsupported` names: loading has reported it. */
  readonly runnable: boolean;
  readonly kind: WindowKind;
  /** Its windows are judged as the watermark passes, not as events come. */
  readonly judged: boolean;
  /** Correlations lie this deep below it: 0 for one over rules on single events. */
  readonly level: number;
  readonly shape: WindowShape;
  readonly learningMs: number;
  /** temporal(_ordered): index of a feeding rule → its slot. */
  readonly slots: ReadonlyMap<number, number>;
  /** Several feeding rules may match one event; it counts once. */
  readonly oncePerEvent: boolean;
  readonly suppressionMs: number;
  readonly feeds: Feed[];
  attack: Pick<Alert, 'attack' | 'category'> | null;
}

export function compileRules(rules: RuleSet, limits: ControlSnapshot['correlate'], latenessMs: number): CompiledRule[] {
  const compiled = rules.rules.map((rule) => compile(rule, rules.rules, limits, latenessMs));
  for (const parent of compiled) {
    if (!parent.runnable || parent.rule.correlation === null) continue;
    for (const index of new Set(parent.rule.correlation.rules)) {
      const child = compiled[index];
      if (child?.rule.correlation) child.feeds.push(feed(child.rule, parent));
    }
  }
  return compiled;
}

function compile(
  rule: Rule,
  rules: readonly Rule[],
  limits: ControlSnapshot['correlate'],
  latenessMs: number,
): CompiledRule {
  const correlation = rule.correlation;
  const type = correlation?.type ?? 'event_count';
  const judged = correlation !== null && isJudged(correlation);
  const slots = new Map((correlation?.rules ?? []).map((index, slot) => [index, slot]));
  const temporal = type === 'temporal' || type === 'temporal_ordered';
  const condition = temporal
    ? { op: 'gte' as const, value: slots.size }
    : (correlation?.condition ?? { op: 'gte' as const, value: 1 });
  const timespanMs = correlation?.timespanMs ?? 0;
  const parameter = (name: string): number => {
    const parameters = correlation?.parameters ?? {};
    return Object.hasOwn(parameters, name) ? parameters[name] : 0;
  };
  // Of one value a window keeps two occurrences.
  const perValue = type === 'value_count' || type === 'temporal' ? 2 : 1;
  const amounts =
    correlation !== null && (needsNumber(correlation) || countsNames(correlation)) && type !== 'value_count';
  const enough = amounts ? 4 : needed(condition) + 1;
  return {
    rule,
    identity: `${rule.id}\0${rule.hash}`,
    runnable: unsupported(rule, rules) === null,
    kind: kindOf(correlation),
    judged,
    level: levelOf(rule, rules, 0),
    shape: {
      timespanMs,
      retentionMs: timespanMs + latenessMs,
      capacity: perValue * Math.max(limits.valuesPerGroup, enough),
      condition,
      slots: slots.size,
      ...(correlation?.percentile === undefined ? {} : { percentile: correlation.percentile }),
      average: type === 'value_avg',
      jitter: parameter('jitter'),
      minIntervalMs: parameter('min_interval_ms'),
    },
    learningMs: parameter('learning_ms'),
    slots,
    oncePerEvent: !temporal,
    suppressionMs: rule.suppressionMs ?? limits.suppressionMs,
    feeds: [],
    attack: null,
  };
}

/** Chains are at most 8 deep; one that is deeper or a circle does not run. */
function levelOf(rule: Rule, rules: readonly Rule[], depth: number): number {
  if (depth > 8) return depth;
  const below = (rule.correlation?.rules ?? []).map((index) => rules[index]).filter((other) => other?.correlation);
  return Math.max(0, ...below.map((other) => 1 + levelOf(other, rules, depth + 1)));
}

function feed(child: Rule, parent: CompiledRule): Feed {
  const own = child.correlation?.groupBy ?? [];
  const source = (field: string): KeySource => {
    const same = own.indexOf(field);
    if (same >= 0) return same;
    const entity = entityOf(field);
    if (entity === null) return null;
    const alias = own.findIndex((name) => entityOf(name) === entity);
    return alias >= 0 ? alias : entity;
  };
  const correlation = parent.rule.correlation!;
  const groupBy = correlation.keys?.[correlation.rules.indexOf(child.index)] ?? correlation.groupBy;
  return { parent, key: groupBy.map(source), value: source(correlation.field) };
}

/** ATT&CK references and category of a rule's alerts. */
export function attackOf(compiled: CompiledRule): Pick<Alert, 'attack' | 'category'> {
  if (compiled.attack !== null) return compiled.attack;
  const { tags, techniques } = compiled.rule;
  const written = techniques.map((name) => (/^attack\./i.test(name) ? name : `attack.${name}`));
  const found = collectAttack([...tags, ...written]);
  const operations = tags.some((tag) => /policy/i.test(tag)) ? 'policy' : 'operations';
  compiled.attack = {
    attack: {
      version: attackVersion(),
      tactics: found.tactics.map(({ id, name }) => ({ id, name })),
      techniques: found.techniques.map(({ id, name }) => ({ id, name })),
    },
    category: found.tactics[0]?.name ?? operations,
  };
  return compiled.attack;
}

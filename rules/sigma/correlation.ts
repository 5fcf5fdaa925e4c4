// The `correlation:` of a rule. References to other rules stay names here; `link` in rules/index.ts resolves them.

import type { Correlation, CorrelationBound, CorrelationType } from '../model.ts';
import { entryOf, type Reporter, type YamlEntry, type YamlMap } from '../yaml.ts';
import { booleanField, durationField, mapField, onlyKeys, textField, textsField } from './fields.ts';

export interface Reference {
  readonly name: string;
  readonly at: number;
}

/** A correlation whose rules are still named. */
export interface UnlinkedCorrelation extends Omit<Correlation, 'rules' | 'keys'> {
  readonly references: readonly Reference[];
  /** Only those that stand for different fields. */
  readonly aliases?: Aliases;
  readonly generate: boolean;
}

const KEYS = ['type', 'rules', 'group-by', 'timespan', 'condition', 'generate', 'aliases', 'field'];
const TYPES: readonly CorrelationType[] = [
  'event_count',
  'value_count',
  'value_sum',
  'value_avg',
  'value_percentile',
  'value_median',
  'temporal',
  'temporal_ordered',
  'regular_interval',
  'first_seen',
];
const OPERATORS = ['gt', 'gte', 'lt', 'lte', 'eq', 'neq'] as const;
const NEEDS_FIELD: readonly CorrelationType[] = [
  'value_count',
  'value_sum',
  'value_avg',
  'value_percentile',
  'value_median',
  'first_seen',
];

/** Parameters of Weir's own types, with whether they are time spans. */
const PARAMETERS: Readonly<Partial<Record<CorrelationType, Readonly<Record<string, 'span' | 'number'>>>>> = {
  regular_interval: { jitter: 'number', min_interval_ms: 'span' },
  first_seen: { learning_ms: 'span' },
};

/** Reports and returns null when the correlation cannot be understood. `parameters` is `weir.parameters`. */
export function compileCorrelation(
  map: YamlMap,
  parameters: YamlMap | null,
  report: Reporter,
): UnlinkedCorrelation | null {
  const before = report.errors;
  onlyKeys(map, KEYS, 'sigma.unsupported', 'a correlation', report);
  const type = typeOf(map, report);
  const timespanMs = durationField(map, 'timespan', report);
  if (type === null) return null;
  // Without a timespan, first_seen remembers for good.
  if (timespanMs === null && type !== 'first_seen' && entryOf(map, 'timespan') === undefined) {
    report.error(map.at, 'sigma.no_timespan', "A correlation needs a 'timespan' such as 10m.");
  }
  const references = referencesOf(map, report);
  const { condition, field, percentile } = conditionOf(map, type, references.length, report);
  const { groupBy, aliases } = aliasesOf(map, textsField(map, 'group-by', report), report);
  const correlation = {
    type,
    references,
    groupBy,
    ...(Object.keys(aliases).length === 0 ? {} : { aliases }),
    timespanMs: timespanMs ?? 0,
    condition,
    field,
    ...(percentile === undefined ? {} : { percentile }),
    parameters: parametersOf(type, parameters, report),
    generate: booleanField(map, 'generate', report) ?? false,
  };
  return report.errors > before ? null : correlation;
}

function typeOf(map: YamlMap, report: Reporter): CorrelationType | null {
  const text = textField(map, 'type', report);
  const type = TYPES.find((candidate) => candidate === text);
  if (type !== undefined) return type;
  const at = entryOf(map, 'type')?.value.at ?? map.at;
  report.error(at, 'sigma.correlation_type', `'${text}' is no type of correlation; known: ${TYPES.join(', ')}.`);
  return null;
}

/** Names of the rules that a correlation is fed by, whatever else is wrong with it. */
export function feedersOf(map: YamlMap): readonly string[] {
  const node = entryOf(map, 'rules')?.value;
  const items = node === undefined ? [] : node.kind === 'list' ? node.items : [node];
  return items.flatMap((item) => (item.kind === 'scalar' ? [item.text] : []));
}

function referencesOf(map: YamlMap, report: Reporter): readonly Reference[] {
  const node = entryOf(map, 'rules')?.value;
  const items = node === undefined ? [] : node.kind === 'list' ? node.items : [node];
  const references: Reference[] = [];
  for (const item of items) {
    if (item.kind === 'scalar' && item.value !== null) references.push({ name: item.text, at: item.at });
    else report.error(item.at, 'rule.type', "'rules' must be a list of names or ids of rules.");
  }
  if (references.length === 0) report.error(map.at, 'sigma.no_rules', "A correlation needs 'rules' that feed it.");
  return references;
}

type Condition = Correlation['condition'];

function conditionOf(
  map: YamlMap,
  type: CorrelationType,
  rules: number,
  report: Reporter,
): { readonly condition: Condition; readonly field: string; readonly percentile?: number } {
  const temporal = type === 'temporal' || type === 'temporal_ordered';
  const whole: Condition = { op: 'gte', value: temporal ? rules : 1 };
  const node = entryOf(map, 'condition')?.value;
  const topField = textField(map, 'field', report);
  if (node === undefined) {
    if (!temporal && type !== 'first_seen')
      report.error(map.at, 'sigma.no_condition', 'The correlation has no condition.');
    if (type === 'first_seen' && topField === '') noField(map.at, type, report);
    return { condition: whole, field: topField };
  }
  if (node.kind !== 'map') {
    report.error(node.at, 'sigma.unsupported', 'Only a mapping such as {gte: 10} is supported as a condition.');
    return { condition: whole, field: topField };
  }
  onlyKeys(
    node,
    [...OPERATORS, 'field', ...(type === 'value_percentile' ? ['percentile'] : [])],
    'sigma.unsupported',
    'a correlation condition',
    report,
  );
  const fieldNode = entryOf(node, 'field')?.value;
  if (fieldNode?.kind === 'list' && fieldNode.items.length > 1) {
    report.error(fieldNode.at, 'sigma.unsupported', 'Counting combinations of several fields is not supported.');
  }
  const field = textsField(node, 'field', report)[0] ?? topField;
  if (NEEDS_FIELD.includes(type) && field === '') noField(node.at, type, report);
  const comparisons = node.entries.filter((entry) => OPERATORS.some((operator) => operator === entry.key));
  if (comparisons.length > 2) {
    report.error(comparisons[2].at, 'sigma.unsupported', 'A condition has one bound, or two that make a range.');
  }
  if (comparisons.length === 0) {
    if (!temporal && type !== 'first_seen') {
      report.error(node.at, 'sigma.no_condition', `The condition needs one of ${OPERATORS.join(', ')}.`);
    }
    return { condition: whole, field };
  }
  const [first, second] = comparisons.map((comparison) => boundOf(comparison, report));
  if (first === null || second === null) return { condition: whole, field };
  const condition = second === undefined ? first : { ...first, and: second };
  const percentile = entryOf(node, 'percentile')?.value;
  if (percentile === undefined) return { condition, field };
  if (percentile.kind === 'scalar' && typeof percentile.value === 'number') {
    return { condition, field, percentile: percentile.value };
  }
  report.error(percentile.at, 'sigma.value', "'percentile' needs a number.");
  return { condition, field };
}

function boundOf({ key, value: node }: YamlEntry, report: Reporter): CorrelationBound | null {
  const value = node.kind === 'scalar' ? node.value : null;
  if (typeof value === 'number' && Number.isFinite(value)) return { op: key as CorrelationBound['op'], value };
  report.error(node.at, 'sigma.value', `'${key}' needs a number.`);
  return null;
}

function noField(at: number, type: CorrelationType, report: Reporter): void {
  report.error(at, 'sigma.no_field', `A correlation of type ${type} needs the 'field' whose values count.`);
}

/** alias → name or id of a rule → field, and where that is written. */
type Aliases = Readonly<Record<string, Readonly<Record<string, { readonly field: string; readonly at: number }>>>>;

/** An alias whose rules all use one field name is that field: group-by then says so. The others are kept. */
function aliasesOf(
  map: YamlMap,
  written: readonly string[],
  report: Reporter,
): { readonly groupBy: readonly string[]; readonly aliases: Aliases } {
  const simple = new Map<string, string>();
  const aliases: Record<string, Aliases[string]> = {};
  for (const { key, at, value } of mapField(map, 'aliases', report)?.entries ?? []) {
    const entries = value.kind === 'map' ? value.entries : [];
    const fields = entries.map((entry) => (entry.value.kind === 'scalar' ? entry.value.text : ''));
    if (fields.length === 0 || fields.includes('')) {
      report.error(at, 'rule.type', `The alias '${key}' needs a field for each rule: {rule: field}.`);
    } else if (new Set(fields).size === 1) simple.set(key, fields[0]);
    else if (written.includes(key)) {
      aliases[key] = Object.fromEntries(entries.map((entry, i) => [entry.key, { field: fields[i], at: entry.at }]));
    }
  }
  return { groupBy: written.map((field) => simple.get(field) ?? field), aliases };
}

function parametersOf(type: CorrelationType, map: YamlMap | null, report: Reporter): Readonly<Record<string, number>> {
  if (map === null) return {};
  const known = PARAMETERS[type] ?? {};
  onlyKeys(map, Object.keys(known), 'weir.unknown_key', `the parameters of ${type}`, report);
  const values: [string, number][] = [];
  for (const entry of map.entries) {
    if (!Object.hasOwn(known, entry.key)) continue;
    const value = entry.value.kind === 'scalar' ? entry.value.value : null;
    const number = typeof value === 'number' ? value : durationValue(map, entry.key, known[entry.key], report);
    if (number !== null && number >= 0) values.push([entry.key, number]);
    else if (typeof value === 'number' || known[entry.key] === 'number') {
      report.error(entry.value.at, 'rule.type', `'${entry.key}' must be a number that is not negative.`);
    }
  }
  return Object.fromEntries(values);
}

function durationValue(map: YamlMap, key: string, kind: 'span' | 'number', report: Reporter): number | null {
  return kind === 'span' ? durationField(map, key, report) : null;
}

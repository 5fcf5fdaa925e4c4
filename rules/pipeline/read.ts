// Text of a pipeline in pySigma's format → its steps. What cannot be done is an error with its place, never left out silently.

import type { Problem, RuleLogSource } from '../model.ts';
import { compileSelection } from '../sigma/detection.ts';
import { booleanField, mapField, onlyKeys, textField, textsField } from '../sigma/fields.ts';
import { entryOf, parseYaml, type Reporter, type YamlMap } from '../yaml.ts';
import type { Change, FieldCondition, Joined, Pipeline, RuleCondition, Step } from './model.ts';

export interface ReadPipeline {
  /** Null when it has an error: half a pipeline would change rules in ways that nobody meant. */
  readonly pipeline: Pipeline | null;
  readonly problems: readonly Problem[];
}

const UNSUPPORTED = 'pipeline.unsupported';
const COMMON = ['id', 'type', 'rule_conditions', 'rule_cond_op', 'rule_cond_not'];
const FIELDS = ['field_name_conditions', 'field_name_cond_op', 'field_name_cond_not'];
/** The keys that each transformation has of its own. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  field_name_mapping: ['mapping', ...FIELDS],
  field_name_prefix: ['prefix', ...FIELDS],
  field_name_suffix: ['suffix', ...FIELDS],
  add_condition: ['conditions', 'negated'],
  change_logsource: ['product', 'category', 'service'],
  rule_failure: ['message'],
};

export function readPipeline(path: string, text: string): ReadPipeline {
  const { report, documents } = parseYaml(path, text);
  const [map] = documents;
  if (documents.length !== 1 && report.errors === 0)
    report.error(0, 'pipeline.document', 'A pipeline is one YAML mapping.');
  if (map === undefined || report.errors > 0) return { pipeline: null, problems: report.problems };
  onlyKeys(map, ['name', 'priority', 'transformations'], UNSUPPORTED, 'a pipeline that Weir knows', report);
  const pipeline = {
    name: textField(map, 'name', report),
    priority: priorityOf(map, report),
    steps: mapsOf(map, 'transformations', report).flatMap((step) => stepOf(step, report) ?? []),
  };
  return { pipeline: report.errors > 0 ? null : pipeline, problems: report.problems };
}

function priorityOf(map: YamlMap, report: Reporter): number {
  const node = entryOf(map, 'priority')?.value;
  if (node === undefined) return 0;
  if (node.kind === 'scalar' && typeof node.value === 'number' && Number.isFinite(node.value)) return node.value;
  report.error(node.at, 'pipeline.value', "'priority' must be a number.");
  return 0;
}

function mapsOf(map: YamlMap, key: string, report: Reporter): readonly YamlMap[] {
  const node = entryOf(map, key)?.value;
  if (node === undefined) return [];
  if (node.kind !== 'list') {
    report.error(node.at, 'pipeline.value', `'${key}' must be a list.`);
    return [];
  }
  return node.items.flatMap((item) => {
    if (item.kind === 'map') return [item];
    report.error(item.at, 'pipeline.value', `Each entry of '${key}' must be a mapping.`);
    return [];
  });
}

function stepOf(map: YamlMap, report: Reporter): Step | null {
  const type = textField(map, 'type', report);
  if (!Object.hasOwn(KEYS, type)) {
    const known = Object.keys(KEYS).join(', ');
    report.error(map.at, UNSUPPORTED, `The transformation '${type}' is not supported; known: ${known}.`);
    return null;
  }
  onlyKeys(map, [...COMMON, ...KEYS[type]], UNSUPPORTED, `a '${type}' that Weir knows`, report);
  const change = changeOf(type as Change['type'], map, report);
  if (change === null) return null;
  const rule = joined(map, 'rule', 'rule_conditions', report, ruleCondition);
  return { change, rule, field: joined(map, 'field_name', 'field_name_conditions', report, fieldCondition) };
}

function changeOf(type: Change['type'], map: YamlMap, report: Reporter): Change | null {
  if (type === 'field_name_prefix') return { type, text: needed(map, 'prefix', report) };
  if (type === 'field_name_suffix') return { type, text: needed(map, 'suffix', report) };
  if (type === 'rule_failure') return { type, message: needed(map, 'message', report) };
  if (type === 'change_logsource') return { type, logsource: partsOf(map, report) };
  const key = type === 'field_name_mapping' ? 'mapping' : 'conditions';
  const of = mapField(map, key, report);
  if (of === null || of.entries.length === 0) {
    report.error(of?.at ?? map.at, 'pipeline.value', `'${type}' needs a mapping '${key}'.`);
    return null;
  }
  if (type === 'field_name_mapping') {
    return { type, names: new Map(of.entries.map((entry) => [entry.key, namesOf(of, entry.key, report)])) };
  }
  const predicate = compileSelection(of, of.at, report);
  return { type, predicate: booleanField(map, 'negated', report) ? { kind: 'not', of: predicate } : predicate };
}

function namesOf(map: YamlMap, key: string, report: Reporter): readonly string[] {
  const names = textsField(map, key, report);
  if (names.length === 0 || names.includes(''))
    report.error(entryOf(map, key)?.at ?? map.at, 'pipeline.value', `'${key}' must map to a name or a list of names.`);
  return [...new Set(names)];
}

function needed(map: YamlMap, key: string, report: Reporter): string {
  const text = textField(map, key, report);
  if (text === '') report.error(map.at, 'pipeline.value', `The transformation needs '${key}'.`);
  return text;
}

/** The keys of a log source beside others. */
function partsOf(map: YamlMap, report: Reporter): RuleLogSource {
  const part = (key: string): string => textField(map, key, report).toLowerCase();
  const made = { product: part('product'), category: part('category'), service: part('service') };
  if (made.product + made.category + made.service === '')
    report.error(map.at, 'pipeline.value', "A log source needs 'product', 'category' or 'service'.");
  return made;
}

function joined<T>(
  map: YamlMap,
  prefix: 'rule' | 'field_name',
  key: string,
  report: Reporter,
  read: (condition: YamlMap, report: Reporter) => T | null,
): Joined<T> {
  const op = textField(map, `${prefix}_cond_op`, report) || 'and';
  if (op !== 'and' && op !== 'or')
    report.error(map.at, 'pipeline.value', `'${prefix}_cond_op' must be 'and' or 'or', not '${op}'.`);
  const negated = booleanField(map, `${prefix}_cond_not`, report) ?? false;
  const of = mapsOf(map, key, report).flatMap((condition) => read(condition, report) ?? []);
  return { of, op: op === 'or' ? 'or' : 'and', negated };
}

function ruleCondition(map: YamlMap, report: Reporter): RuleCondition | null {
  const type = textField(map, 'type', report);
  if (type !== 'logsource') {
    report.error(map.at, UNSUPPORTED, `The rule condition '${type}' is not supported; known: logsource.`);
    return null;
  }
  onlyKeys(map, ['type', 'product', 'category', 'service'], UNSUPPORTED, 'a condition that Weir knows', report);
  return { logsource: partsOf(map, report) };
}

function fieldCondition(map: YamlMap, report: Reporter): FieldCondition | null {
  const type = textField(map, 'type', report);
  if (type !== 'include_fields' && type !== 'exclude_fields') {
    const known = 'include_fields, exclude_fields';
    report.error(map.at, UNSUPPORTED, `The field name condition '${type}' is not supported; known: ${known}.`);
    return null;
  }
  onlyKeys(map, ['type', 'fields'], UNSUPPORTED, 'a condition that Weir knows', report);
  return { fields: new Set(textsField(map, 'fields', report)), excluded: type === 'exclude_fields' };
}

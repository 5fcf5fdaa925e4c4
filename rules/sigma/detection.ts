// The `detection:` of a rule → one predicate. In: the YAML mapping. Out: and/or/not over field tests.

import type { Predicate } from '../predicate.ts';
import type { Reporter, YamlMap, YamlNode } from '../yaml.ts';
import { combine, compileCondition, NEVER } from './condition.ts';
import { type FieldKey, parseKey } from './modifiers.ts';
import { compileField } from './value.ts';

/** Keyword lists: alternatives searched for in all fields. */
const KEYWORD: FieldKey = {
  field: '',
  transforms: [],
  anchor: 'equals',
  mode: 'plain',
  comparison: null,
  time: null,
  all: false,
  cased: false,
  negated: false,
  flags: '',
};

/** Compiles selections and condition. What cannot be compiled is reported; the result is then of no use. */
export function compileDetection(detection: YamlMap, report: Reporter, ignored: readonly string[] = []): Predicate {
  const selections = new Map<string, Predicate>();
  const places = new Map<string, number>();
  for (const entry of detection.entries) {
    if (entry.key === 'condition' || ignored.includes(entry.key)) continue;
    if (entry.key === 'timeframe') {
      report.error(
        entry.at,
        'sigma.unsupported',
        "'timeframe' was removed from Sigma; write a correlation rule instead.",
      );
      continue;
    }
    selections.set(entry.key, compileSelection(entry.value, entry.at, report));
    places.set(entry.key, entry.at);
  }
  if (selections.size === 0) {
    report.error(detection.at, 'sigma.no_selection', 'The detection has no selection.');
    return NEVER;
  }
  const condition = detection.entries.find((entry) => entry.key === 'condition')?.value;
  if (condition === undefined) {
    report.error(detection.at, 'sigma.no_condition', 'The detection has no condition.');
    return NEVER;
  }
  const used = new Set<string>();
  const texts = condition.kind === 'list' ? condition.items : [condition];
  const alternatives = texts.map((item) => {
    if (item.kind === 'scalar' && item.value !== null) {
      return compileCondition(String(item.value), item.at, selections, used, report);
    }
    report.error(item.at, 'sigma.condition_syntax', 'A condition must be text.');
    return NEVER;
  });
  if (alternatives.length === 0) report.error(condition.at, 'sigma.no_condition', 'The list of conditions is empty.');
  for (const [name, at] of places) {
    if (!used.has(name)) report.warning(at, 'sigma.unused_selection', `The condition does not use '${name}'.`);
  }
  return combine('or', alternatives);
}

/** A map: all of its fields. A list: any of its maps or keywords. A plain value: a keyword. */
export function compileSelection(node: YamlNode, at: number, report: Reporter): Predicate {
  if (node.kind === 'map') return compileMap(node, report);
  if (node.kind === 'scalar') {
    if (node.value !== null) return compileField(KEYWORD, node, report);
    report.error(at, 'sigma.empty', 'A selection must not be empty.');
    return NEVER;
  }
  if (node.items.length === 0) {
    report.error(at, 'sigma.empty', 'A selection must not be an empty list.');
    return NEVER;
  }
  const keywords = node.items.filter((item) => item.kind === 'scalar');
  const others = node.items.filter((item) => item.kind !== 'scalar');
  const of = others.map((item) => compileSelection(item, item.at, report));
  if (keywords.length > 0) of.push(compileField(KEYWORD, { kind: 'list', at: node.at, items: keywords }, report));
  return combine('or', of);
}

function compileMap(map: YamlMap, report: Reporter): Predicate {
  if (map.entries.length === 0) {
    report.error(map.at, 'sigma.empty', 'A selection must not be an empty mapping.');
    return NEVER;
  }
  const of: Predicate[] = [];
  for (const entry of map.entries) {
    const key = parseKey(entry.key, entry.at, report);
    if (key === null) continue;
    if (entry.value.kind === 'map') {
      // One element of an array that meets several tests at once is a proposal for Sigma 3, not part of 2.1.
      const message = `'${entry.key}' must have a list or a single value; write fields inside it as '${key.field.replace(/\[.*$/, '')}.name'.`;
      report.error(entry.value.at, 'sigma.value', message);
    } else of.push(compileField(key, entry.value, report));
  }
  return combine('and', of);
}

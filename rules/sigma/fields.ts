// Reading typed values out of YAML mappings, reporting what has the wrong type.

import { entryOf, type Reporter, type YamlMap } from '../yaml.ts';
import { parseDuration } from './duration.ts';

/** Text of a key; numbers and booleans as written. '' when the key is absent or null. */
export function textField(map: YamlMap, key: string, report: Reporter): string {
  const node = entryOf(map, key)?.value;
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return '';
  if (node.kind === 'scalar') return typeof node.value === 'string' ? node.value : node.text;
  report.error(node.at, 'rule.type', `'${key}' must be text.`);
  return '';
}

/** A list of texts; a single text counts as a list of one. */
export function textsField(map: YamlMap, key: string, report: Reporter): readonly string[] {
  const node = entryOf(map, key)?.value;
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return [];
  const items = node.kind === 'list' ? node.items : [node];
  const texts: string[] = [];
  for (const item of items) {
    if (item.kind !== 'scalar') report.error(item.at, 'rule.type', `'${key}' must be a list of texts.`);
    else if (item.value !== null) texts.push(typeof item.value === 'string' ? item.value : item.text);
  }
  return texts;
}

export function booleanField(map: YamlMap, key: string, report: Reporter): boolean | null {
  const node = entryOf(map, key)?.value;
  if (node === undefined) return null;
  if (node.kind === 'scalar' && typeof node.value === 'boolean') return node.value;
  report.error(node.at, 'rule.type', `'${key}' must be true or false.`);
  return null;
}

export function mapField(map: YamlMap, key: string, report: Reporter): YamlMap | null {
  const node = entryOf(map, key)?.value;
  if (node === undefined) return null;
  if (node.kind === 'map') return node;
  report.error(node.at, 'rule.type', `'${key}' must be a mapping.`);
  return null;
}

/** Milliseconds of a time span; null when absent or wrong (reported). */
export function durationField(map: YamlMap, key: string, report: Reporter): number | null {
  const text = textField(map, key, report);
  if (text === '') return null;
  const ms = parseDuration(text);
  if (ms === null) {
    report.error(
      entryOf(map, key)?.value.at ?? map.at,
      'rule.duration',
      `'${key}' must be a time span such as 30s, 15m, 1h or 7d, not '${text}'.`,
    );
  }
  return ms;
}

/** Reports every key that is not in `known`. */
export function onlyKeys(map: YamlMap, known: readonly string[], code: string, where: string, report: Reporter): void {
  for (const entry of map.entries) {
    if (!known.includes(entry.key)) report.error(entry.at, code, `'${entry.key}' is not a key of ${where}.`);
  }
}

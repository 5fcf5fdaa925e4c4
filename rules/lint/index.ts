// What is suspicious in rules that load: conditions that cannot decide, fields that their logs do not have, tests that no index
// can serve, rules that another one makes superfluous. In: files and the rules made of them. Out: warnings with their places.

import { inactivity } from '../inactive.ts';
import type { RuleText } from '../index.ts';
import type { Problem, Rule } from '../model.ts';
import { normalize } from '../plan/normal.ts';
import type { Predicate } from '../predicate.ts';
import { expandActions } from '../sigma/collection.ts';
import { entryOf, parseYaml, type Reporter, type YamlMap, type YamlNode } from '../yaml.ts';
import { constantOf, disjoint } from './constant.ts';
import { lintCorrelation } from './correlation.ts';
import { lintExtensions } from './extensions.ts';
import { knownFields, similar } from './fields.ts';

/** `lists`: names of those that exist; null where that is not known. */
export function lintRules(
  files: readonly RuleText[],
  rules: readonly Rule[],
  lists: ReadonlySet<string> | null = null,
): readonly Problem[] {
  const byPlace = new Map(rules.map((rule) => [`${rule.file}:${rule.line}`, rule]));
  const shadows = new Shadows(rules);
  const reports: Reporter[] = [];
  for (const { path, text } of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    // The problems of the file itself are told by loading it.
    const { documents, report: lines } = parseYaml(path, text);
    reports.push(lines);
    const rulesOf = expandActions(documents, lines);
    lines.problems.length = 0;
    for (const document of documents) lintExtensions(document, lines);
    for (const document of rulesOf) {
      const rule = byPlace.get(`${path}:${lines.line(document.at)}`);
      if (rule === undefined) continue;
      lintRule(rule, document, lines, shadows);
      lintState(rule, document, lines, lists === null ? '' : inactivity(rule, rules, lists));
    }
  }
  return reports.flatMap(({ problems }) => problems);
}

function lintRule(rule: Rule, document: YamlMap, report: Reporter, shadows: Shadows): void {
  if (rule.tags.length === 0) {
    report.warning(
      entryOf(document, 'title')?.at ?? document.at,
      'lint.no_tags',
      'The rule has no tags: it has no place in ATT&CK.',
    );
  }
  if (entryOf(document, 'level') === undefined) {
    report.warning(document.at, 'lint.no_level', "The rule has no 'level'; it counts as medium.");
  }
  lintCorrelation(document, report);
  const detection = entryOf(document, 'detection')?.value;
  if (rule.detection === null || detection?.kind !== 'map') return;
  const condition = entryOf(detection, 'condition')?.at ?? detection.at;
  const predicate = normalize(rule.detection);
  const constant = constantOf(predicate);
  if (constant !== null) {
    const [code, what] = constant
      ? ['lint.always_true', 'always true: it matches every event of its log source']
      : ['lint.always_false', 'never true: the rule matches nothing'];
    report.warning(condition, code, `The condition is ${what}.`);
  } else for (const part of deadParts(predicate)) report.warning(condition, 'lint.unreachable', part);
  if (constant === null && !isIndexed(predicate)) {
    const message = 'Nothing of the condition can be looked up: every event of the log source is tested one by one.';
    report.warning(condition, 'lint.no_index', message);
  }
  for (const entry of detection.entries) if (entry.key !== 'condition') lintSelection(rule, entry.value, report);
  const other = shadows.of(rule, predicate);
  if (other !== null) {
    const message = `'${other.title}' (${other.file}:${other.line}) matches every event that this rule matches.`;
    report.warning(document.at, 'lint.shadowed', message);
  }
}

/** Rules that are not, or should no longer be, at work. */
function lintState(rule: Rule, document: YamlMap, report: Reporter, idle: string): void {
  if (idle !== '') report.warning(document.at, 'lint.inactive', `The rule is inactive: ${idle}.`);
  const status = entryOf(document, 'status')?.at ?? document.at;
  if (rule.status === 'deprecated') {
    report.warning(status, 'lint.deprecated', 'The rule is deprecated: another covers what it finds. It still alerts.');
  }
  if (rule.status === 'unsupported' && rule.alerting) {
    report.warning(
      status,
      'lint.unsupported',
      "The rule alerts though its status is unsupported: 'weir: {alert: true}'.",
    );
  }
}

/** Fields that the log source does not have, and values that only a search through all texts finds. */
function lintSelection(rule: Rule, node: YamlNode, report: Reporter): void {
  if (node.kind === 'list') for (const item of node.items) lintSelection(rule, item, report);
  if (node.kind !== 'map') return;
  const known = knownFields(rule.logsource);
  for (const { key, at, value } of node.entries) {
    const [field, ...modifiers] = key.split('|');
    if (known !== null && field !== '' && !known.has(field)) {
      const near = similar(field, known);
      const hint = near === '' ? '' : ` Did you mean '${near}'?`;
      report.warning(at, 'lint.unknown_field', `Events of this log source have no field '${field}'.${hint}`);
    }
    const plain = value.kind === 'list' ? value.items : [value];
    for (const item of plain) {
      if (item.kind !== 'scalar' || typeof item.value !== 'string' || modifiers.includes('re')) continue;
      if (/^\*+$/.test(item.value)) {
        const message = `'${item.value}' matches any value: '${field}|exists: true' says the same and is cheaper.`;
        report.warning(item.at, 'lint.wildcard', message);
      }
    }
    if (modifiers.includes('re')) {
      for (const item of plain) {
        if (item.kind === 'scalar' && literalOf(item.text) < 3)
          report.warning(
            item.at,
            'lint.regex',
            'The expression has no literal text of three characters: no index can serve it.',
          );
      }
    }
  }
}

/** Length of the longest run of plain characters in a regular expression. */
function literalOf(source: string): number {
  const runs = source
    .replace(/\\[.\\/$^*+?()[\]{}|-]/g, '_')
    .replace(/\[[^\]]*\]|\\.|\(\?[^)]*\)/g, '\n')
    .split(/[^\w @:;,'"=<>/-]/);
  return Math.max(...runs.map((run) => run.length));
}

/** Alternatives that can never hold, and requirements that always do. */
function deadParts(predicate: Predicate): readonly string[] {
  if (predicate.kind === 'not') return deadParts(predicate.of);
  if (predicate.kind !== 'and' && predicate.kind !== 'or') return [];
  const apart = predicate.kind === 'and' && disjoint(predicate.of);
  const found = apart ? ['Two comparisons of one field exclude each other.'] : [];
  const inner = predicate.of.flatMap((part) => {
    const constant = constantOf(part);
    if (constant === false && predicate.kind === 'or') return ['One alternative of the condition can never hold.'];
    return constant === null ? deadParts(part) : [];
  });
  return [...found, ...inner];
}

const LOOKED_UP = new Set([
  'equals',
  'numbers',
  'boolean',
  'contains',
  'startswith',
  'endswith',
  'cidr',
  'list',
  'keywords',
  'number',
]);

/** Whether every way for the predicate to hold goes through a test that an index serves. */
function isIndexed(predicate: Predicate): boolean {
  switch (predicate.kind) {
    case 'constant':
      return true;
    case 'not':
      return false;
    case 'and':
      return predicate.of.some(isIndexed);
    case 'or':
      return predicate.of.every(isIndexed);
    case 'field':
      if (predicate.test === 'pattern')
        return predicate.pattern.some((part) => typeof part === 'string' && part.length > 2);
      if (predicate.test === 'regex') return literalOf(predicate.source) > 2;
      return LOOKED_UP.has(predicate.test);
  }
}

/** Rules whose log source and requirements another rule has as well, and fewer of them. Of equals the first stays. */
class Shadows {
  private readonly byFirst = new Map<string, { readonly rule: Rule; readonly parts: ReadonlySet<string> }[]>();

  constructor(rules: readonly Rule[]) {
    for (const rule of rules) {
      if (rule.detection === null) continue;
      const parts = partsOf(normalize(rule.detection));
      const first = `${sourceOf(rule)} ${[...parts][0]}`;
      this.byFirst.set(first, [...(this.byFirst.get(first) ?? []), { rule, parts }]);
    }
  }

  /** A rule that matches whatever this one matches, or null. */
  of(rule: Rule, predicate: Predicate): Rule | null {
    const parts = partsOf(predicate);
    for (const part of parts) {
      for (const other of this.byFirst.get(`${sourceOf(rule)} ${part}`) ?? []) {
        if (other.rule === rule || (other.parts.size === parts.size && other.rule.index > rule.index)) continue;
        if ([...other.parts].every((one) => parts.has(one))) return other.rule;
      }
    }
    return null;
  }
}

function partsOf(predicate: Predicate): ReadonlySet<string> {
  return new Set((predicate.kind === 'and' ? predicate.of : [predicate]).map((part) => JSON.stringify(part)));
}

function sourceOf({ logsource }: Rule): string {
  return JSON.stringify(logsource);
}

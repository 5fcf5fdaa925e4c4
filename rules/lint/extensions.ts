// What goes beyond Sigma 2.1.0, or against its advice: Weir takes it, other tools may not.

import { actionOf } from '../sigma/collection.ts';
import { entryOf, type Reporter, type YamlMap, type YamlNode } from '../yaml.ts';

const LONG_FLAGS = ['ignorecase', 'multiline', 'dotall'];
const TYPES = ['re', 'cidr', 'exists', 'fieldref'];
const COMPARISONS = ['gt', 'gte', 'lt', 'lte'];
const TIMES = ['minute', 'hour', 'day', 'week', 'month', 'year'];
/** Modifiers that say how values of a list are joined, not what they are: they may stand anywhere. */
const JOINING = ['all', 'neq'];

type Tell = (at: number, what: string) => void;

/** In: a document as the file has it, before actions are carried out. Correlations are looked at in correlation.ts. */
export function lintExtensions(document: YamlMap, report: Reporter): void {
  const tell: Tell = (at, what) => report.warning(at, 'lint.extension', `Beyond Sigma 2.1.0: ${what}`);
  const action = entryOf(document, 'action');
  if (action !== undefined) tell(action.at, `'action: ${actionOf(document)}' is of version 1.`);
  const detection = entryOf(document, 'detection')?.value;
  if (detection?.kind === 'map') lintDetection(detection, report, tell);
  const filter = entryOf(document, 'filter')?.value;
  if (filter?.kind === 'map') lintFilter(filter, report, tell);
}

function lintDetection(detection: YamlMap, report: Reporter, tell: Tell): void {
  for (const { key, value } of detection.entries) {
    if (key === 'condition') lintCondition(value, detection, report, tell);
    else if (key !== 'rules') lintSelection(value, report, tell);
  }
}

function lintCondition(node: YamlNode, detection: YamlMap, report: Reporter, tell: Tell): void {
  if (node.kind === 'list') for (const item of node.items) lintCondition(item, detection, report, tell);
  if (node.kind !== 'scalar') return;
  const words = node.text.match(/[^\s()]+/g) ?? [];
  const names = new Set(detection.entries.map(({ key }) => key));
  for (const [i, word] of words.entries()) {
    const lower = word.toLowerCase();
    if (!names.has(word) && lower !== word && ['and', 'or', 'not', 'of', 'all', 'any', 'them'].includes(lower)) {
      tell(node.at, `'${word}' in capitals.`);
    }
    if (lower !== 'of' || i === 0) continue;
    const pattern = words[i + 1] ?? '';
    if (words[i - 1].toLowerCase() === 'any') tell(node.at, "'any of'; '1 of' says the same.");
    if (pattern.startsWith('_')) tell(node.at, `'${pattern}' counts names that begin with '_'.`);
    const named = entryOf(detection, pattern)?.value;
    if (words[i - 1].toLowerCase() === 'all' && named?.kind === 'list') {
      const message = `'all of ${pattern}' is just '${pattern}', any of its list; '|all' before the list asks for all of it.`;
      report.warning(node.at, 'lint.all_of_list', message);
    }
  }
}

function lintSelection(node: YamlNode, report: Reporter, tell: Tell): void {
  if (node.kind === 'list') for (const item of node.items) lintSelection(item, report, tell);
  if (node.kind !== 'map') return;
  for (const { key, at, value } of node.entries) {
    const [field, ...modifiers] = key.split('|');
    const has = (...names: readonly string[]): boolean => names.some((name) => modifiers.includes(name));
    const items = value.kind === 'list' ? value.items : [value];
    for (const flag of LONG_FLAGS)
      if (has(flag)) tell(at, `'${flag}'; '${flag === 'dotall' ? 's' : flag[0]}' is its name.`);
    const shaping = modifiers.filter((name) => !JOINING.includes(name));
    const late = shaping.slice(1).find((name) => TYPES.includes(name));
    if (late !== undefined)
      tell(at, `'${late}' after '${shaping[0]}': Sigma reads from left to right and wants it first.`);
    if (has(...TIMES) && has(...COMPARISONS)) tell(at, 'a comparison of a part of the time.');
    if (
      has(...COMPARISONS, ...TIMES) &&
      items.some((item) => item.kind === 'scalar' && typeof item.value === 'string')
    ) {
      tell(at, 'a number in quotes to compare with.');
    }
    if (items.length > 1 && items.some((item) => item.kind === 'scalar' && item.value === null)) {
      tell(at, 'null in a list of values; give it a selection of its own.');
    }
    if (has('all') && items.length === 1) {
      report.warning(at, 'lint.all_single', `'all' needs several values, '${field}' has one.`);
    }
    if (has('base64offset') && !has('contains')) {
      report.warning(at, 'lint.base64offset', "'base64offset' finds parts of a text: it wants 'contains' after it.");
    }
    if (/\[[^\]]*\]/.test(field)) {
      const message = `The brackets of '${field}' are part of its name: array selectors are only a proposal.`;
      report.warning(at, 'lint.array_selector', message);
    }
  }
}

/** A filter is joined by `and`: without `not` it keeps what it names and drops all else, seldom what is meant. */
function lintFilter(filter: YamlMap, report: Reporter, tell: Tell): void {
  lintDetection(filter, report, tell);
  const condition = entryOf(filter, 'condition');
  if (condition?.value.kind === 'scalar' && !/(^|[\s(])not[\s(]/i.test(condition.value.text)) {
    const message = "The filter's condition has no 'not': its rules match only what it describes, and nothing else.";
    report.warning(condition.at, 'lint.filter_keeps', message);
  }
  const rules = entryOf(filter, 'rules');
  if (rules === undefined) return;
  const whole = rules.value.kind === 'list' ? rules.value.items.length === 0 : /^(any|all)$/i.test(text(rules.value));
  if (whole) tell(rules.at, 'a filter for every rule of its log source.');
}

function text(node: YamlNode): string {
  return node.kind === 'scalar' ? node.text : '';
}

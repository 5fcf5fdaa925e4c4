// One key of a selection with its values → a predicate. Values of a list are alternatives, with |all all must hold.

import { isIP } from 'node:net';
import type { FieldTest, Predicate, Test } from '../predicate.ts';
import type { Reporter, YamlNode, YamlScalar } from '../yaml.ts';
import { combine, NEVER } from './condition.ts';
import type { Comparison, FieldKey, TimePart } from './modifiers.ts';
import { markPlaceholders, templateText } from './placeholder.ts';
import { anchoredRegex, regexProblem } from './regex.ts';
import { applyTransforms } from './transform.ts';
import { ANY, anchored, literalOf, type Part, type Pattern, parsePattern, testOf } from './wildcard.ts';

/** Compiles the value (or list of values) of a key. Reports, and yields NEVER, where it cannot. */
export function compileField(key: FieldKey, node: YamlNode, report: Reporter): Predicate {
  const items = node.kind === 'list' ? node.items : [node];
  if (items.length === 0) {
    report.error(node.at, 'sigma.empty', `'${key.field}' has an empty list of values.`);
    return NEVER;
  }
  const predicates: Predicate[] = [];
  for (const item of items) {
    if (item.kind !== 'scalar') {
      report.error(item.at, 'sigma.value', `A value of '${key.field}' must be text, a number, true, false or null.`);
      continue;
    }
    const tests = key.mode === 'plain' ? plainTests(key, item, report) : modeTests(key, item, report);
    predicates.push(
      combine(
        'or',
        tests.map((test) => fieldTest(key.field, test)),
      ),
    );
  }
  if (predicates.length === 0) return NEVER;
  const joined = key.all ? combine('and', predicates) : combine('or', mergeAlternatives(predicates));
  return key.negated ? { kind: 'not', of: joined } : joined;
}

function fieldTest(field: string, test: Test): Predicate {
  return { kind: 'field', field, ...test };
}

/** Values without a mode: text with wildcards, numbers, booleans, null, and comparisons of them. */
function plainTests(key: FieldKey, item: YamlScalar, report: Reporter): readonly Test[] {
  if (key.time !== null) return timeTest(key.time, key.comparison ?? 'eq', item, report);
  if (key.comparison !== null) {
    const value = numberOf(item);
    if (value !== null) return [{ test: 'number', op: key.comparison, value }];
    report.error(item.at, 'sigma.value', `'${key.comparison}' needs a number, not '${item.text}'.`);
    return [];
  }
  const textual = key.anchor !== 'equals' || key.transforms.length > 0 || key.field === '';
  if (!textual) {
    if (item.value === null) return [{ test: 'null' }];
    if (typeof item.value === 'boolean') return [{ test: 'boolean', value: item.value }];
    if (typeof item.value === 'number') {
      // Digits beyond 2^53 are compared as text, exactly; .inf and .nan are no numbers that a log could hold.
      if (!Number.isFinite(item.value) || (Number.isInteger(item.value) && !Number.isSafeInteger(item.value))) {
        return [{ test: 'equals', values: [item.text], cased: key.cased }];
      }
      return [{ test: 'numbers', values: [item.value] }];
    }
  } else if (item.value === null) {
    report.error(item.at, 'sigma.value', `null cannot be used with the modifiers of '${key.field}'.`);
    return [];
  }
  const text = typeof item.value === 'string' ? item.value : item.text;
  return applyTransforms(text, key.transforms, report, item.at).map((pattern) =>
    key.field === '' ? keywordTest(pattern, key.cased) : testOf(anchored(pattern, key.anchor), key.cased),
  );
}

/** A keyword is searched for anywhere: outer wildcards add nothing. */
function keywordTest(pattern: Pattern, cased: boolean): Test {
  const inner = [...pattern];
  while (inner[0] === ANY) inner.shift();
  while (inner[inner.length - 1] === ANY) inner.pop();
  const fold = (text: string): string => (cased ? text : text.toLowerCase());
  if (inner.length === 1 && typeof inner[0] === 'string') {
    return { test: 'keywords', values: [fold(inner[0])], cased };
  }
  const parts: Part[] = [ANY, ...inner.map((part) => (typeof part === 'string' ? fold(part) : part)), ANY];
  return { test: 'pattern', pattern: inner.length === 0 ? [ANY] : parts, cased };
}

function modeTests(key: FieldKey, item: YamlScalar, report: Reporter): readonly Test[] {
  if (item.value === null) {
    report.error(item.at, 'sigma.value', `null cannot be used with the modifiers of '${key.field}'.`);
    return [];
  }
  const text = typeof item.value === 'string' ? item.value : item.text;
  switch (key.mode) {
    case 're': {
      const problem = regexProblem(text, key.flags);
      if (problem === null) return [{ test: 'regex', source: anchoredRegex(text, key.anchor), flags: key.flags }];
      report.error(item.at, 'sigma.regex', `The regular expression cannot run in linear time or is wrong: ${problem}.`);
      return [];
    }
    case 'cidr':
      if (isPrefix(text)) return [{ test: 'cidr', prefixes: [text] }];
      report.error(item.at, 'sigma.cidr', `'${text}' is not a network such as 10.0.0.0/8.`);
      return [];
    case 'exists':
      if (typeof item.value === 'boolean') return [{ test: 'exists', value: item.value }];
      report.error(item.at, 'sigma.value', `'exists' needs true or false, not '${item.text}'.`);
      return [];
    case 'fieldref':
      return fieldReference(key, text, item.at, report);
    default:
      return expandTests(key, text, item.at, report);
  }
}

function fieldReference(key: FieldKey, text: string, at: number, report: Reporter): readonly Test[] {
  const other = literalOf(parsePattern(text));
  if (other !== null && other !== '') return [{ test: 'fieldref', other, mode: key.anchor }];
  report.error(at, 'sigma.value', `'fieldref' needs the name of a field, not '${text}'.`);
  return [];
}

/** Without a placeholder the value is plain text. */
function expandTests(key: FieldKey, value: string, at: number, report: Reporter): readonly Test[] {
  const { count, text } = markPlaceholders(value);
  if (count > 1) {
    report.error(at, 'sigma.placeholder', `'expand' takes one placeholder a value, not ${count} as in '${value}'.`);
    return [];
  }
  return applyTransforms(text, key.transforms, report, at).map((pattern): Test => {
    if (count === 0) return testOf(anchored(pattern, key.anchor), key.cased);
    const list = templateText(pattern);
    return key.anchor === 'equals' ? { test: 'list', list } : { test: 'list', list, mode: key.anchor };
  });
}

function numberOf(item: YamlScalar): number | null {
  if (typeof item.value === 'number') return Number.isFinite(item.value) ? item.value : null;
  if (typeof item.value !== 'string' || item.value.trim() === '') return null;
  const value = Number(item.value);
  return Number.isFinite(value) ? value : null;
}

function isPrefix(text: string): boolean {
  const [address, bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

const TIME_RANGES: Readonly<Record<TimePart, readonly [number, number]>> = {
  minute: [0, 59],
  hour: [0, 23],
  day: [1, 31],
  week: [1, 53],
  month: [1, 12],
  year: [2000, 2100],
};

/** Calendar parts have few values: a comparison becomes the set of those that satisfy it. */
function timeTest(part: TimePart, op: Comparison | 'eq', item: YamlScalar, report: Reporter): readonly Test[] {
  const [first, last] = TIME_RANGES[part];
  const value = numberOf(item);
  if (value === null || !Number.isInteger(value) || value < first || value > last) {
    report.error(
      item.at,
      'sigma.value',
      `'${part}' needs a whole number from ${first} to ${last}, not '${item.text}'.`,
    );
    return [];
  }
  const from = op === 'gt' ? value + 1 : op === 'gte' || op === 'eq' ? value : first;
  const to = op === 'lt' ? value - 1 : op === 'lte' || op === 'eq' ? value : last;
  const values = Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
  return [{ test: 'time', part, values }];
}

type ManyValued = Extract<FieldTest, { readonly values: readonly unknown[] }>;

/** Alternatives of the same kind become one test with many values: what the matcher hashes and searches at once. */
function mergeAlternatives(predicates: readonly Predicate[]): readonly Predicate[] {
  const flat = predicates.flatMap((predicate) => (predicate.kind === 'or' ? predicate.of : [predicate]));
  const groups = new Map<string, FieldTest[]>();
  const merged: (Predicate | FieldTest[])[] = [];
  for (const predicate of flat) {
    if (predicate.kind !== 'field' || !('values' in predicate || predicate.test === 'cidr')) {
      merged.push(predicate);
      continue;
    }
    const cased = 'cased' in predicate ? String(predicate.cased) : '';
    const part = predicate.test === 'time' ? predicate.part : '';
    const key = `${predicate.test} ${cased} ${part}`;
    const group = groups.get(key);
    if (group !== undefined) group.push(predicate);
    else {
      const started: FieldTest[] = [predicate];
      groups.set(key, started);
      merged.push(started);
    }
  }
  return merged.map((entry) => (Array.isArray(entry) ? joinTests(entry) : (entry as Predicate)));
}

function joinTests(group: readonly FieldTest[]): Predicate {
  const first = group[0];
  if (first.test === 'cidr') {
    const prefixes = group.flatMap((test) => (test.test === 'cidr' ? test.prefixes : []));
    return { ...first, prefixes: [...new Set(prefixes)] };
  }
  const values = (group as readonly ManyValued[]).flatMap((test): readonly (string | number)[] => test.values);
  return { ...first, values: [...new Set(values)] } as Predicate;
}

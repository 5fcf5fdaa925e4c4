// Why no event can meet some literals, where that can be proved. What cannot be met and is not proved to be impossible is a
// failure of the synthesiser, and is reported as such.

import type { FieldTest } from '../../rules/predicate.ts';
import { addressBits, type Literal, meets } from './meaning.ts';

/** Stands for text that nobody knows. */
const UNKNOWN = '\u{f0000}';

/** True when the literals exclude each other whatever values the event has. */
export function contradict(literals: readonly Literal[]): boolean {
  return literals.some((a) => literals.some((b) => a !== b && excludes(a, b, literals)));
}

function excludes(a: Literal, b: Literal, all: readonly Literal[]): boolean {
  if (a.test.field === b.test.field) {
    if (a.want !== b.want && JSON.stringify(a.test) === JSON.stringify(b.test)) return true;
    if (needsValue(a) && needsNone(b)) return true;
  }
  if (isImplied(a, b)) return true;
  return a.want && everyValueRefused(a.test, all);
}

/** Expressions of the corpus of which the first takes only texts that the second takes; found by reading them. */
const IMPLIED: readonly (readonly [string, string])[] = [
  ['https?://0[0-9]{3,11}', 'https?://0[0-9]{1,11}'],
  [String.raw`https?://(?:0[0-9]{1,11}\.){3}0[0-9]{1,11}`, 'https?://0[0-9]{1,11}'],
];

function isImplied(a: Literal, b: Literal): boolean {
  if (!a.want || b.want || a.test.test !== 'regex' || b.test.test !== 'regex') return false;
  const [inner, outer] = [a.test, b.test];
  return (
    inner.field === outer.field &&
    inner.flags === outer.flags &&
    IMPLIED.some(([one, other]) => one === inner.source && other === outer.source)
  );
}

function needsValue({ test, want }: Literal): boolean {
  if (test.test === 'null') return !want;
  if (test.test === 'exists') return want === test.value;
  return want && !(test.test === 'number' && test.op === 'neq');
}

function needsNone({ test, want }: Literal): boolean {
  if (test.test === 'exists') return want !== test.value;
  // null holds of a present null, so that it excludes values but not presence.
  return test.test === 'null' && want;
}

/** Each way to pass `test` fails one of the negative literals of the same field (or of any text). */
function everyValueRefused(test: FieldTest, all: readonly Literal[]): boolean {
  const refusals = all.filter((other) => !other.want && (other.test.field === test.field || other.test.field === ''));
  const forms = formsOf(test);
  return (
    forms !== null &&
    refusals.length > 0 &&
    forms.every((form) => refusals.some(({ test: by }) => covers(by, form, test)))
  );
}

type Form = string | number | boolean | { readonly prefix: string };

/** A text for each value, with UNKNOWN where anything may stand; null when values cannot be told this way. */
function formsOf(test: FieldTest): Form[] | null {
  switch (test.test) {
    case 'equals':
      return [...test.values];
    case 'numbers':
      return [...test.values];
    case 'contains':
    case 'keywords':
      return test.values.map((text) => UNKNOWN + text + UNKNOWN);
    case 'startswith':
      return test.values.map((text) => text + UNKNOWN);
    case 'endswith':
      return test.values.map((text) => UNKNOWN + text);
    case 'pattern':
      return [test.pattern.map((part) => (typeof part === 'string' ? part : UNKNOWN)).join('')];
    case 'cidr':
      return test.prefixes.map((prefix) => ({ prefix }));
    default:
      return null;
  }
}

function covers(by: FieldTest, form: Form, test: FieldTest): boolean {
  if (typeof form === 'object') {
    return by.test === 'cidr' && by.prefixes.some((prefix) => isWithin(form.prefix, prefix));
  }
  const folds = 'cased' in by && by.cased && !('cased' in test && test.cased);
  // What asks for letters as written is not implied by what does not.
  if (folds || by.test === 'fieldref' || by.test === 'list') return false;
  // A regular expression says nothing of text that nobody knows.
  if (by.test === 'regex' && String(form).includes(UNKNOWN)) return false;
  return meets({ test: by, want: true }, form, false);
}

function isWithin(inner: string, outer: string): boolean {
  const bits = (prefix: string): string => {
    const [network, length] = prefix.split('/');
    const all = addressBits(network) ?? '';
    return all.slice(0, length === undefined ? all.length : Number(length));
  };
  return inner.includes(':') === outer.includes(':') && bits(inner).startsWith(bits(outer));
}

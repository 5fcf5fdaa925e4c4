// Random rule files with every modifier that the second oracle knows, for how texts are read: the corpus has few of most.

import fc from 'fast-check';
import type { RuleText } from '../../rules/index.ts';

const pick = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

const FIELDS = ['Image', 'CommandLine', 'Details', 'Hashes', 'Company', 'Size', 'Address'];

/** Characters that mean something to Sigma, LIKE, GLOB, SQL, JSON or YAML, beside those that do not. */
const CHARACTERS = [
  'a',
  'B',
  'c',
  'Z',
  '1',
  ' ',
  '\\',
  '*',
  '?',
  '%',
  '_',
  "'",
  '"',
  '[',
  ']',
  '-',
  '/',
  '.',
  '^',
  '#',
  ':',
];

const text: fc.Arbitrary<string> = fc
  .array(pick(CHARACTERS), { minLength: 1, maxLength: 7 })
  .map((characters) => characters.join(''))
  // A text of blanks, or of wildcards only, is a question of its own.
  .filter((made) => made.trim() === made && /[a-zA-Z0-9]/.test(made));

/** Two characters at least: of one, base64offset has nothing left that is sure. */
const plainText = pick(['whoami', 'Ping -n 1', 'cmd /c dir', 'ac', 'ab', 'abc', 'http://x.test/a=b']);
const dashed = pick(['-enc', ' -e -f ', '/c', 'cmd /c -x', 'a-b', '--long', '-1 /2']);
const expression = pick([
  '^a.c$',
  'a+b?',
  '[a-c]{2,3}',
  'A|b',
  'x\\.y',
  '\\\\cmd',
  '^$',
  'a.*b',
  '\\d+',
  '(ab)+c',
  'é',
]);
const network = pick(['10.0.0.0/8', '192.168.1.0/24', '10.2.0.0/15', '172.16.0.0/12', '127.0.0.1/32']);

interface Item {
  readonly key: string;
  readonly value: unknown;
}

function listed(values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof(values, fc.array(values, { minLength: 1, maxLength: 3 }));
}

const anchor = pick(['', '|contains', '|startswith', '|endswith']);

function items(field: string): fc.Arbitrary<Item> {
  const made = (key: fc.Arbitrary<string>, value: fc.Arbitrary<unknown>): fc.Arbitrary<Item> =>
    fc.record({ key: key.map((modifiers) => field + modifiers), value });
  // Apart, because SQLite puts every text after every number, and takes a network for a text.
  if (field === 'Size') return made(pick(['|gt', '|gte', '|lt', '|lte']), pick([0, 5, -3, 2.5, 1000]));
  if (field === 'Address') return made(pick(['|cidr']), listed(network));
  const all = fc.array(text, { minLength: 2, maxLength: 3 });
  return fc.oneof(
    { weight: 6, arbitrary: made(anchor, listed(text)) },
    { weight: 1, arbitrary: made(pick(['|contains|all', '|all']), all) },
    {
      weight: 2,
      arbitrary: made(
        anchor.map((one) => `${one}|cased`),
        listed(text),
      ),
    },
    { weight: 2, arbitrary: made(pick(['|re', '|re|i', '|re|s', '|re|i|s']), listed(expression)) },
    {
      weight: 2,
      arbitrary: made(
        pick(['|contains|windash', '|windash', '|windash|contains|all']),
        dashed.map((one) => [one, 'cmd']),
      ),
    },
    { weight: 1, arbitrary: made(pick(['|base64|contains', '|base64offset|contains', '|base64']), listed(plainText)) },
    {
      weight: 1,
      arbitrary: made(
        pick(['|wide|base64offset|contains', '|utf16be|base64|contains', '|utf16|base64|contains']),
        plainText,
      ),
    },
    {
      weight: 1,
      arbitrary: made(pick(['']), pick<unknown>([null, 7, 4625, true, false, '', [1, 2], ['', 'a'], [null, 'b']])),
    },
    { weight: 1, arbitrary: made(pick(['|exists']), fc.boolean()) },
    { weight: 1, arbitrary: made(pick(['|neq', '|contains|neq']), listed(text)) },
    {
      weight: 1,
      arbitrary: made(
        pick(['|fieldref', '|fieldref|startswith', '|fieldref|endswith', '|fieldref|contains']),
        pick(['Other', 'Else']),
      ),
    },
  );
}

const mapping = fc
  .uniqueArray(pick(FIELDS), { minLength: 1, maxLength: 3 })
  .chain((fields) => fc.tuple(...fields.map(items)))
  .map((made) => Object.fromEntries(made.map(({ key, value }) => [key, value])));

const selection: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 5, arbitrary: mapping },
  { weight: 2, arbitrary: fc.array(mapping, { minLength: 1, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.array(plainText, { minLength: 1, maxLength: 3 }) },
);

const CONDITIONS = [
  'sel_a',
  'sel_a and sel_b',
  'sel_a or sel_b and sel_c',
  'sel_a or sel_b and not sel_c',
  'not sel_a and sel_b or sel_c',
  '(sel_a or sel_b) and not sel_c',
  'not (sel_a or sel_b) and sel_c',
  '1 of sel_* and not sel_c',
  'all of sel_*',
  '1 of them',
  'all of them',
  'sel_a and not 1 of sel_*_x',
  'not not sel_a or sel_b',
  'sel_a and (sel_b or not (sel_c and sel_a))',
  ['sel_a and sel_b', 'sel_c'],
];

const rule = fc.record({
  a: selection,
  b: selection,
  c: selection,
  x: selection,
  condition: pick<unknown>(CONDITIONS),
});

/** `count` rule files that a seed decides. JSON is YAML, and escapes nothing that YAML reads otherwise. */
export function randomRules(count: number, seed: number): RuleText[] {
  return fc.sample(rule, { seed, numRuns: count }).map(({ a, b, c, x, condition }, i) => {
    const number = i.toString(16).padStart(12, '0');
    const document = {
      title: `random ${i}`,
      id: `00000000-0000-4000-8000-${number}`,
      status: 'test',
      level: 'low',
      logsource: { product: 'windows', category: 'random' },
      detection: { sel_a: a, sel_b: b, sel_c: c, sel_c_x: x, condition },
    };
    return { path: `random/${number}.yml`, text: JSON.stringify(document) };
  });
}

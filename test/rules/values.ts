// Values of one field: one that meets every literal about it, near misses first where a test is to fail.

import fc from 'fast-check';
import type { FieldTest } from '../../rules/predicate.ts';
import { listValues } from './lists.ts';
import { addressBits, type FieldValue, type Literal, meets, regexOf, type Scalar } from './meaning.ts';

/** How the values of an event look. Each is a way in which real events differ from how rules are written. */
export interface Style {
  /** Letters in the other case, where no literal minds. */
  readonly swapCase: boolean;
  /** Numbers as text and text as numbers. */
  readonly retype: boolean;
  /** As the second of several values. */
  readonly many: boolean;
  /** Decides among equals. */
  readonly seed: number;
}

export const PLAIN: Style = { swapCase: false, retype: false, many: false, seed: 0 };
/** No value meets the literals. */
export const NONE = Symbol('no value');

/** What must stand in a text. `head` and `tail` are anchored, `exact` is all of it. */
interface Pieces {
  readonly exact?: Scalar;
  readonly head?: string;
  readonly middle?: readonly string[];
  readonly tail?: string;
}

/** Texts that hardly any rule asks for. The first three have no letter or digit in common. */
const FILLERS: readonly Scalar[] = [
  'zqj',
  '~',
  '0',
  '',
  'Zz9 wv',
  7,
  'k',
  '%',
  '10.255.254.253',
  'ZQ\\zq.zqz',
  2_000_000_001,
];
const GAPS = ['', ' ', '~', 'zq', '\\', '/', ' ~ ', '0'];
const COMBINATIONS = 64;

/** `focus`: the literal for whose sake the event is made. */
export function solveField(
  literals: readonly Literal[],
  style: Style,
  typed: boolean,
  focus: Literal | null,
): FieldValue | typeof NONE {
  const fits = (value: FieldValue): boolean => literals.every((literal) => meets(literal, value, typed));
  const wanted = literals.filter(({ want, test }) => want && test.test !== 'exists' && test.test !== 'null');
  for (const value of candidates(wanted, literals, style, focus)) {
    if (style.swapCase && typeof value === 'string' && fits(swapped(value)))
      return inStyle(swapped(value), style, fits);
    if (fits(value)) return inStyle(value, style, fits);
  }
  const several = asSeveral(wanted, literals, style, typed);
  return several !== null && fits(several) ? several : NONE;
}

/** Literals that no single value can meet may be met by an array, whose elements are alternatives. */
function asSeveral(wanted: readonly Literal[], all: readonly Literal[], style: Style, typed: boolean): Scalar[] | null {
  if (wanted.length < 2) return null;
  const refused = all.filter(({ want }) => !want);
  const values = wanted.map((literal) => solveField([literal, ...refused], { ...style, many: false }, typed, null));
  const scalars = values.filter(
    (value): value is Scalar =>
      typeof value !== 'symbol' && value !== undefined && value !== null && !Array.isArray(value),
  );
  return scalars.length === wanted.length ? scalars : null;
}

function inStyle(value: FieldValue, style: Style, fits: (value: FieldValue) => boolean): FieldValue {
  if (value === undefined || value === null || Array.isArray(value)) return value;
  let made = value as Scalar;
  if (style.retype) {
    const other = typeof made === 'number' ? String(made) : typeof made === 'boolean' ? String(made) : made;
    if (fits(other)) made = other;
  }
  if (style.many) {
    for (const filler of ['zqj', '~']) if (fits([filler, made])) return [filler, made];
  }
  return made;
}

function* candidates(
  wanted: readonly Literal[],
  all: readonly Literal[],
  style: Style,
  focus: Literal | null,
): Generator<FieldValue> {
  const choices = wanted.map(({ test }) => turned(piecesOf(test, style.seed), style.seed));
  const near = focus !== null && !focus.want ? nearMisses(focus.test) : [];
  if (wanted.length > 0) {
    for (const chosen of product(choices, COMBINATIONS)) {
      // The near miss stands beside what the other literals want, so that only the focus decides.
      for (const miss of near) yield* assembled([...chosen, miss]);
      yield* assembled(chosen);
    }
    return;
  }
  for (const miss of near) yield* assembled([miss]);
  const absentFirst = focus === null && style.seed % 2 === 0;
  if (absentFirst) yield undefined;
  for (const { test } of all) if (test.test === 'exists' || test.test === 'null') yield* [undefined, null];
  yield* FILLERS;
  yield* [undefined, null];
  yield* all.flatMap(({ test }) => nearMisses(test).flatMap((miss) => miss.exact ?? []));
}

function* assembled(pieces: readonly Pieces[]): Generator<Scalar> {
  const exact = pieces.filter((piece) => piece.exact !== undefined);
  for (const piece of exact) yield piece.exact as Scalar;
  if (exact.length > 0) return;
  const head = longest(pieces.flatMap((piece) => piece.head ?? []));
  const tail = longest(pieces.flatMap((piece) => piece.tail ?? []));
  const parts = [...new Set(pieces.flatMap((piece) => piece.middle ?? []))];
  const middle = parts.filter((part) => !parts.some((other) => other !== part && fold(other).includes(fold(part))));
  if (middle.length === 0) {
    // Head and tail may be the same text, or overlap.
    for (let shared = Math.min(head.length, tail.length); shared > 0; shared--) {
      if (fold(head).endsWith(fold(tail.slice(0, shared)))) yield head + tail.slice(shared);
    }
  }
  for (const gap of GAPS) {
    yield [head, ...middle, tail].filter((part) => part !== '').join(gap);
    yield [head, ...middle.toReversed(), tail].filter((part) => part !== '').join(gap);
    yield head + gap + middle.join(gap) + gap + tail;
  }
}

const fold = (text: string): string => text.toLowerCase();
const longest = (texts: readonly string[]): string =>
  texts.reduce((best, text) => (text.length > best.length ? text : best), '');

/** Ways to pass a test, one a value that it lists. */
function piecesOf(test: FieldTest, seed: number): Pieces[] {
  switch (test.test) {
    case 'equals':
      return test.values.map((exact) => ({ exact }));
    case 'contains':
    case 'keywords':
      return test.values.map((text) => ({ middle: [text] }));
    case 'startswith':
      return test.values.map((head) => ({ head }));
    case 'endswith':
      return test.values.map((tail) => ({ tail }));
    case 'numbers':
      return test.values.map((exact) => ({ exact }));
    case 'number': {
      const step = { eq: 0, neq: 1, gt: 1, gte: 0, lt: -1, lte: 0 }[test.op];
      return [{ exact: test.value + step }, { exact: test.value + 3 * step }];
    }
    case 'boolean':
      return [{ exact: test.value }, { exact: String(test.value) }];
    case 'cidr':
      return test.prefixes.flatMap((prefix) => addressesIn(prefix).map((exact) => ({ exact })));
    case 'list':
      return listValues(test.list).map((value) => (test.mode === undefined ? { exact: value } : { middle: [value] }));
    case 'pattern':
      return [patternPieces(test.pattern, ''), patternPieces(test.pattern, 'zq')];
    case 'regex':
      return regexPieces(test, seed);
    default:
      return [];
  }
}

function patternPieces(pattern: Extract<FieldTest, { test: 'pattern' }>['pattern'], star: string): Pieces {
  const runs: string[] = [''];
  for (const part of pattern) {
    if (typeof part === 'string') runs[runs.length - 1] += part;
    else if (part.wildcard === '?') runs[runs.length - 1] += 'q';
    else runs.push('');
  }
  if (runs.length === 1) return { exact: runs[0] };
  // Runs must keep their order: they are one piece with the stars filled in.
  const middle = runs.slice(1, -1).join(star);
  return { head: runs[0] + star, middle: middle === '' ? [] : [middle], tail: runs[runs.length - 1] };
}

const sampled = new Map<string, readonly string[]>();

/** Texts that the expression takes, made by fast-check, which knows the grammar. */
function regexPieces(test: Extract<FieldTest, { test: 'regex' }>, seed: number): Pieces[] {
  const regex = regexOf(test);
  let texts = sampled.get(String(regex));
  if (texts === undefined) {
    // Without `i`, so that the sample keeps the letters as written. Word bounds are left to blanks and luck.
    const plain = new RegExp(regex.source.replace(/\\[bB]/g, ''), 'u');
    const made = fc.sample(fc.stringMatching(plain, { size: 'small' }), { seed: 7, numRuns: 24 });
    texts = made.flatMap((text) => [text, ` ${text} `].filter((one) => regex.test(one)).slice(0, 1));
    sampled.set(String(regex), texts);
  }
  return turned(texts, seed).flatMap((text) => [{ exact: text }, { middle: [text] }]);
}

/** First, second, last and middle address of a prefix. */
function addressesIn(prefix: string): string[] {
  const [network, length] = prefix.split('/');
  const bits = addressBits(network);
  if (bits === null) return [];
  const fixed = bits.slice(0, length === undefined ? bits.length : Number(length));
  const room = bits.length - fixed.length;
  const hosts = [
    '0'.repeat(room),
    '1'.padStart(room, '0').slice(0, room),
    '1'.repeat(room),
    '10'.repeat(64).slice(0, room),
  ];
  return [...new Set(hosts.map((host) => addressText(fixed + host)))];
}

function addressText(bits: string): string {
  const cut = (width: number): number[] =>
    Array.from({ length: bits.length / width }, (_, i) => Number.parseInt(bits.slice(i * width, (i + 1) * width), 2));
  return bits.length === 32
    ? cut(8).join('.')
    : cut(16)
        .map((group) => group.toString(16))
        .join(':');
}

/** The addresses on either side of a prefix. */
function besidePrefix(prefix: string): string[] {
  const [network, length] = prefix.split('/');
  const bits = addressBits(network);
  if (bits === null || Number(length ?? bits.length) === 0) return [];
  const fixed = bits.slice(0, length === undefined ? bits.length : Number(length));
  const room = bits.length - fixed.length;
  const value = BigInt(`0b${fixed}`);
  const side = (moved: bigint, fill: string): string[] => {
    const text = moved < 0n ? '' : moved.toString(2).padStart(fixed.length, '0');
    return text.length === fixed.length ? [addressText(text + fill.repeat(room))] : [];
  };
  return [...side(value + 1n, '0'), ...side(value - 1n, '1')];
}

/** Whole characters: half of one is no text. */
const withoutLast = (text: string): string => [...text].slice(0, -1).join('');
const withoutFirst = (text: string): string => [...text].slice(1).join('');

/** What almost passes: one character short, one too many, the other side of a bound. */
export function nearMisses(test: FieldTest): Pieces[] {
  const short = (text: string): string[] => (text.length > 1 ? [withoutLast(text), withoutFirst(text)] : []);
  switch (test.test) {
    case 'equals':
      return test.values.flatMap((text) => [`${text}q`, `q${text}`, ...short(text)].map((exact) => ({ exact })));
    case 'contains':
    case 'keywords':
      return test.values.flatMap((text) => short(text).map((part) => ({ middle: [part] })));
    case 'startswith':
      return test.values.flatMap((text) => [{ head: `q${text}` }, { middle: [text] }, { head: withoutLast(text) }]);
    case 'endswith':
      return test.values.flatMap((text) => [{ tail: `${text}q` }, { middle: [text] }, { tail: withoutFirst(text) }]);
    case 'numbers':
      return test.values.flatMap((value) => [{ exact: value + 1 }, { exact: value - 1 }, { exact: value + 0.5 }]);
    case 'number':
      return [test.value, test.value + 1, test.value - 1].map((exact) => ({ exact }));
    case 'boolean':
      return [{ exact: !test.value }, { exact: String(!test.value) }];
    case 'cidr':
      return test.prefixes.flatMap((prefix) => besidePrefix(prefix).map((exact) => ({ exact })));
    case 'list':
      return listValues(test.list).map((value) => ({ middle: [`${value.slice(0, 3)}q`] }));
    case 'pattern': {
      const { head = '', middle = [], tail = '', exact } = patternPieces(test.pattern, '');
      const whole = String(exact ?? head + middle.join('') + tail);
      return [`${whole}q`, `q${whole}`, ...short(whole)].map((text) => ({ middle: [text] }));
    }
    case 'regex':
      return regexPieces(test, 0)
        .slice(0, 2)
        .flatMap(({ exact }) => (exact === undefined ? [] : short(String(exact)).map((text) => ({ middle: [text] }))));
    default:
      return [];
  }
}

/** ASCII letters only: whether other letters fold is a question of its own, which the fuzz asks. */
function swapped(text: string): string {
  return text.replace(/[a-zA-Z]/g, (letter) => (letter < 'a' ? letter.toLowerCase() : letter.toUpperCase()));
}

function turned<T>(items: readonly T[], by: number): T[] {
  const from = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(from), ...items.slice(0, from)];
}

/** The first `most` combinations, the last choice varying fastest. */
function* product<T>(choices: readonly (readonly T[])[], most: number): Generator<T[]> {
  let left = most;
  const at = choices.map(() => 0);
  if (choices.some((options) => options.length === 0)) return;
  for (;;) {
    yield choices.map((options, i) => options[at[i]]);
    if (--left === 0) return;
    let i = choices.length - 1;
    while (i >= 0 && ++at[i] === choices[i].length) at[i--] = 0;
    if (i < 0) return;
  }
}

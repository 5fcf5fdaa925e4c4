// Random predicates over given fields. Values come from small pools, so that many tests hold.

import fc from 'fast-check';
import type { FieldTest, Predicate, Test } from '../predicate.ts';

export interface FieldPool {
  readonly name: string;
  readonly kind: 'text' | 'number' | 'address' | 'flag';
  readonly values: readonly (string | number | boolean)[];
}

const some = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const list = <T>(values: readonly T[], max = 3): fc.Arbitrary<T[]> =>
  fc.array(some(values), { minLength: 1, maxLength: max });

/** A piece of a text, sometimes with its case changed. */
function piece(values: readonly string[], from: 'start' | 'end' | 'any'): fc.Arbitrary<string> {
  return fc.tuple(some(values), fc.nat(6), fc.nat(6), fc.boolean()).map(([text, a, b, upper]) => {
    const cut =
      from === 'start'
        ? text.slice(0, a)
        : from === 'end'
          ? text.slice(text.length - Math.min(a, text.length))
          : text.slice(a, a + b);
    return upper ? cut.toUpperCase() : cut;
  });
}

function texts(values: readonly string[]): fc.Arbitrary<Test> {
  const cased = fc.boolean();
  const wildcard = some([{ wildcard: '*' } as const, { wildcard: '?' } as const]);
  return fc.oneof(
    fc.record({
      test: fc.constant('equals' as const),
      values: list([...values, ...values.map((v) => v.toUpperCase()), '']),
      cased,
    }),
    ...(['contains', 'startswith', 'endswith'] as const).map((test) =>
      fc.record({
        test: fc.constant(test),
        values: fc.array(piece(values, test === 'contains' ? 'any' : test === 'startswith' ? 'start' : 'end'), {
          minLength: 1,
          maxLength: 2,
        }),
        cased,
      }),
    ),
    fc.record({
      test: fc.constant('pattern' as const),
      pattern: fc.oneof(
        fc.tuple(piece(values, 'start'), wildcard, piece(values, 'end')).map(([a, w, b]) => [a, w, b]),
        fc.tuple(piece(values, 'start'), wildcard, piece(values, 'any'), wildcard).map((parts) => [...parts]),
        fc.tuple(wildcard, piece(values, 'any'), wildcard).map((parts) => [...parts]),
        some(values).map((text) => [text]),
      ),
      cased,
    }),
    fc.record({
      test: fc.constant('regex' as const),
      source: some(['^a', 'o.*n$', '[0-9]+', 'tcp|ssh', '^$', 'e{1,2}', '^(www|api)\\.']),
      flags: some(['', 'i']),
    }),
  );
}

function testsOf(pool: FieldPool): fc.Arbitrary<Test> {
  const presence = fc.oneof(
    fc.record({ test: fc.constant('exists' as const), value: fc.boolean() }),
    fc.constant({ test: 'null' as const }),
    fc.record({
      test: fc.constant('list' as const),
      list: some(['bad', 'mine', 'none']),
      mode: some([undefined, undefined, 'contains', 'startswith', 'endswith'] as const),
    }),
  );
  const strings = pool.values.map(String);
  if (pool.kind === 'flag') {
    return fc.oneof(
      fc.record({ test: fc.constant('boolean' as const), value: fc.boolean() }),
      texts(['true', 'false']),
    );
  }
  if (pool.kind === 'address') {
    const prefixes = strings.flatMap((text) =>
      text.includes(':') ? [`${text}/32`, `${text}/64`] : [`${text}/8`, `${text}/24`, text],
    );
    const head = strings.map((text) => (text.includes(':') ? '2001:db8:' : text.slice(0, text.indexOf('.') + 1)));
    const cidr = fc.record({ test: fc.constant('cidr' as const), prefixes: list(prefixes, 6) });
    const start = fc.record({ test: fc.constant('startswith' as const), values: list(head), cased: fc.boolean() });
    return fc.oneof(
      { weight: 4, arbitrary: cidr },
      { weight: 2, arbitrary: start },
      { weight: 3, arbitrary: texts(strings) },
      presence,
    );
  }
  const numbers = pool.values.map(Number).filter((value) => !Number.isNaN(value));
  if (numbers.length === 0) return fc.oneof({ weight: 5, arbitrary: texts(strings) }, presence);
  const near = numbers.flatMap((value) => [value, value, value + 1, value - 0.5]);
  return fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        test: fc.constant('number' as const),
        op: some(['eq', 'neq', 'gt', 'gte', 'lt', 'lte'] as const),
        value: some(near),
      }),
    },
    { weight: 3, arbitrary: fc.record({ test: fc.constant('numbers' as const), values: list(near) }) },
    { weight: 2, arbitrary: texts([...strings, ...numbers.map((value) => `${value}.0`)]) },
    presence,
  );
}

const times: fc.Arbitrary<Test> = fc.oneof(
  fc.record({ test: fc.constant('timeofday' as const), fromMinute: fc.nat(1439), toMinute: fc.nat(1439) }),
  ...(
    [
      ['minute', 0, 59],
      ['hour', 0, 23],
      ['day', 1, 31],
      ['weekday', 1, 7],
      ['week', 1, 53],
      ['month', 1, 12],
      ['year', 2023, 2025],
    ] as const
  ).map(([part, min, max]) =>
    fc.record({
      test: fc.constant('time' as const),
      part: fc.constant(part),
      values: fc.array(fc.integer({ min, max }), { minLength: 1, maxLength: 6 }),
    }),
  ),
);

export function arbitraryTest(pools: readonly FieldPool[]): fc.Arbitrary<FieldTest> {
  const named = pools.map((pool) =>
    testsOf(pool).map((test): FieldTest => ({ kind: 'field', field: pool.name, ...test })),
  );
  const references = fc
    .tuple(some(pools), some(pools), some(['equals', 'startswith', 'endswith', 'contains'] as const))
    .map(([a, b, mode]): FieldTest => ({ kind: 'field', field: a.name, test: 'fieldref', other: b.name, mode }));
  const anywhere = texts(pools.flatMap((pool) => pool.values.map(String))).map(
    (test): FieldTest =>
      test.test === 'contains'
        ? { kind: 'field', field: '', ...test, test: 'keywords' }
        : { kind: 'field', field: '', ...test },
  );
  return fc.oneof(
    { weight: 20, arbitrary: fc.oneof(...named) },
    { weight: 1, arbitrary: references },
    { weight: 1, arbitrary: anywhere },
    { weight: 1, arbitrary: times.map((test): FieldTest => ({ kind: 'field', field: '', ...test })) },
  );
}

export function arbitraryPredicate(pools: readonly FieldPool[]): fc.Arbitrary<Predicate> {
  const leaf = arbitraryTest(pools);
  return fc.letrec<{ node: Predicate }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'predicate' },
      { weight: 3, arbitrary: leaf },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: some(['and', 'or', 'and'] as const),
          of: fc.array(tie('node'), { minLength: 1, maxLength: 3, depthIdentifier: 'predicate' }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('not' as const), of: tie('node') }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('constant' as const), value: fc.boolean() }) },
    ),
  })).node;
}

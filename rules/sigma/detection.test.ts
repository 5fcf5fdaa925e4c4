import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Predicate } from '../predicate.ts';
import { codes, load, predicateOf, selection } from './support.test-support.ts';

const equals = (field: string, ...values: string[]): Predicate => ({
  kind: 'field',
  field,
  test: 'equals',
  values,
  cased: false,
});

test('a map is all of its fields, a list of maps any of them, a list of values any of those', () => {
  assert.deepEqual(selection('A: x\nB: Y'), { kind: 'and', of: [equals('A', 'x'), equals('B', 'y')] });
  assert.deepEqual(selection('- A: x\n- B: y'), { kind: 'or', of: [equals('A', 'x'), equals('B', 'y')] });
  assert.deepEqual(selection('A: [x, y]'), equals('A', 'x', 'y'));
});

test('keywords are searched for in every field', () => {
  assert.deepEqual(selection('- One\n- "*two*"\n- 3'), {
    kind: 'field',
    field: '',
    test: 'keywords',
    values: ['one', 'two', '3'],
    cased: false,
  });
  const both = selection('"|all": [a, b]');
  assert.equal(both.kind, 'and');
  const inner = selection('- "a*b"');
  assert.ok(inner.kind === 'field' && inner.test === 'pattern' && inner.field === '');
});

test('null, empty text, booleans and numbers keep their meaning', () => {
  assert.deepEqual(selection('A: null'), { kind: 'field', field: 'A', test: 'null' });
  assert.deepEqual(selection("A: ''"), equals('A', ''));
  assert.deepEqual(selection('A: true'), { kind: 'field', field: 'A', test: 'boolean', value: true });
  assert.deepEqual(selection('A: [4624, 4625]'), { kind: 'field', field: 'A', test: 'numbers', values: [4624, 4625] });
  assert.deepEqual(selection('A: 18446744073709551615'), equals('A', '18446744073709551615'));
  assert.deepEqual(selection('A: [null, x, 1]'), {
    kind: 'or',
    of: [
      { kind: 'field', field: 'A', test: 'null' },
      equals('A', 'x'),
      { kind: 'field', field: 'A', test: 'numbers', values: [1] },
    ],
  });
});

test('wildcards become the cheapest test that means the same; backslashes escape', () => {
  const kind = (value: string): unknown => {
    const predicate = selection(`A: '${value}'`);
    return predicate.kind === 'field' && 'values' in predicate
      ? [predicate.test, ...predicate.values]
      : predicate.kind === 'field' && predicate.test;
  };
  assert.deepEqual(kind('*x*'), ['contains', 'x']);
  assert.deepEqual(kind('x*'), ['startswith', 'x']);
  assert.deepEqual(kind('*x'), ['endswith', 'x']);
  assert.deepEqual(kind('**'), 'exists');
  assert.deepEqual(kind('a*b'), 'pattern');
  assert.deepEqual(kind('a?'), 'pattern');
  assert.deepEqual(kind(String.raw`a\*b\?`), ['equals', 'a*b?']);
  assert.deepEqual(kind(String.raw`c:\windows\x`), ['equals', String.raw`c:\windows\x`]);
  assert.deepEqual(kind(String.raw`\\server`), ['equals', String.raw`\server`]);
  assert.deepEqual(kind(String.raw`dir\\*`), ['startswith', 'dir\\']);
  assert.deepEqual(selection(`A|contains: 'a*b'`), {
    kind: 'field',
    field: 'A',
    test: 'pattern',
    pattern: [{ wildcard: '*' }, 'a', { wildcard: '*' }, 'b', { wildcard: '*' }],
    cased: false,
  });
});

test('modifiers', () => {
  const first = (line: string): unknown => {
    const { kind, field, ...rest } = selection(line) as Extract<Predicate, { kind: 'field' }>;
    return kind === 'field' && field === 'A' ? rest : { kind };
  };
  assert.deepEqual(first('A|contains: X'), { test: 'contains', values: ['x'], cased: false });
  assert.deepEqual(first('A|startswith|cased: X'), { test: 'startswith', values: ['X'], cased: true });
  assert.deepEqual(first('A|endswith: [x, y]'), { test: 'endswith', values: ['x', 'y'], cased: false });
  assert.equal(selection('A|contains|all: [x, y]').kind, 'and');
  assert.deepEqual(first('A|re|i: a+b'), { test: 'regex', source: 'a+b', flags: 'i' });
  assert.deepEqual(first('A|cidr: [10.0.0.0/8, "fe80::/10"]'), { test: 'cidr', prefixes: ['10.0.0.0/8', 'fe80::/10'] });
  assert.deepEqual(first('A|exists: false'), { test: 'exists', value: false });
  assert.deepEqual(first('A|fieldref: B'), { test: 'fieldref', other: 'B', mode: 'equals' });
  assert.deepEqual(first('A|fieldref|endswith: B'), { test: 'fieldref', other: 'B', mode: 'endswith' });
  assert.deepEqual(first('A|gte: 5'), { test: 'number', op: 'gte', value: 5 });
  assert.deepEqual(first('A|expand: "%admins%"'), { test: 'list', list: '%admins%' });
  assert.deepEqual(first('A|contains|expand: "%admins%"'), { test: 'list', list: '%admins%', mode: 'contains' });
  assert.deepEqual(first('A|hour: [22, 23]'), { test: 'time', part: 'hour', values: [22, 23] });
  assert.deepEqual(first('A|hour|gte: 22'), { test: 'time', part: 'hour', values: [22, 23] });
  assert.deepEqual(selection('A|neq: x'), { kind: 'not', of: equals('A', 'x') });
});

test('encodings: base64, its three alignments, UTF-16 and option dashes', () => {
  const values = (line: string): readonly unknown[] => {
    const predicate = selection(line);
    return predicate.kind === 'field' && 'values' in predicate ? predicate.values : [];
  };
  assert.deepEqual(values('A|base64|cased: foobar'), ['Zm9vYmFy']);
  const needle = 'http://';
  const offsets = values(`A|base64offset|contains|cased: '${needle}'`) as readonly string[];
  assert.equal(offsets.length, 3);
  for (const before of ['', 'x', 'xy', 'xyz']) {
    for (const after of ['', 'q', 'qr']) {
      const text = Buffer.from(before + needle + after).toString('base64');
      assert.ok(
        offsets.some((offset) => text.includes(offset)),
        before + after,
      );
    }
  }
  assert.deepEqual(values('A|wide|base64|cased: ab'), [Buffer.from('ab', 'utf16le').toString('base64')]);
  assert.deepEqual(values('A|utf16be|cased: ab'), ['\0a\0b']);
  assert.deepEqual(values('A|utf16|base64|cased: a'), [Buffer.from([0xff, 0xfe, 0x61, 0]).toString('base64')]);
  assert.deepEqual(values('A|contains|windash: " -f"'), [' -f', ' /f', ' –f', ' —f', ' ―f']);
});

test('precedence is not, and, or; quantifiers take patterns and them', () => {
  const detection = (condition: string): Predicate =>
    predicateOf(load(`a: {A: x}\nb: {B: y}\nb_two: {C: z}\n_hidden: {D: w}\ncondition: ${condition}`));
  const [a, b, b2] = [equals('A', 'x'), equals('B', 'y'), equals('C', 'z')];
  assert.deepEqual(detection('a or b and not b_two'), {
    kind: 'or',
    of: [a, { kind: 'and', of: [b, { kind: 'not', of: b2 }] }],
  });
  assert.deepEqual(detection('(a or b) and b_two'), { kind: 'and', of: [{ kind: 'or', of: [a, b] }, b2] });
  assert.deepEqual(detection('1 of b*'), { kind: 'or', of: [b, b2] });
  assert.deepEqual(detection('all of them'), { kind: 'and', of: [a, b, b2] });
  assert.deepEqual(detection('not not a'), a);
  assert.deepEqual(detection('[a, b]'), { kind: 'or', of: [a, b] });
  assert.deepEqual(detection('a AND b'), { kind: 'and', of: [a, b] });
});

test('what cannot be compiled is an error with its line, and the rule is left out', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['s: {A|unknown: x}\ncondition: s', 'error sigma.unknown_modifier 5'],
    ['s: {A|re: "(?=x)y"}\ncondition: s', 'error sigma.regex 5'],
    ['s: {A|re: "(a)\\\\1"}\ncondition: s', 'error sigma.regex 5'],
    ['s: {A|cidr: 10.0.0.0/33}\ncondition: s', 'error sigma.cidr 5'],
    ['s: {A|exists: maybe}\ncondition: s', 'error sigma.value 5'],
    ['s: {A|gt: many}\ncondition: s', 'error sigma.value 5'],
    ['s: {A|expand: "%x%y%z%"}\ncondition: s', 'error sigma.placeholder 5'],
    ['s: {A|base64: "a*b"}\ncondition: s', 'error sigma.wildcard_encoded 5'],
    ['s: {A|cidr|contains: x}\ncondition: s', 'error sigma.modifier_combination 5'],
    ['s: {}\ncondition: s', 'error sigma.empty 5'],
    ['s: {A: []}\ncondition: s', 'error sigma.empty 5'],
    ['s: {A: {b: c}}\ncondition: s', 'error sigma.value 5'],
    ['s: {A: x}\ncondition: s and', 'error sigma.condition_syntax 6'],
    ['s: {A: x}\ncondition: (s', 'error sigma.condition_syntax 6'],
    ['s: {A: x}\ncondition: s s', 'error sigma.condition_syntax 6'],
    ['s: {A: x}\ncondition: t', 'error sigma.unknown_selection 6'],
    ['s: {A: x}\ncondition: 1 of t*', 'error sigma.unknown_selection 6'],
    ['s: {A: x}\ncondition: 2 of them', 'error sigma.unsupported 6'],
    ['s: {A: x}\ncondition: s | count() > 5', 'error sigma.unsupported 6'],
    ['s: {A: x}', 'error sigma.no_condition 5'],
    ['condition: s', 'error sigma.no_selection 5'],
  ];
  for (const [detection, expected] of cases) {
    const set = load(detection);
    const errors = codes(set.problems).filter((code) => code.startsWith('error'));
    assert.deepEqual(errors, [expected], detection);
    assert.equal(set.rules.length, 0, detection);
  }
});

test('a selection that no condition uses is pointed out', () => {
  const set = load('s: {A: x}\nt: {B: y}\ncondition: s');
  assert.deepEqual(codes(set.problems), ['warning sigma.unused_selection 6']);
  assert.equal(set.rules.length, 1);
});

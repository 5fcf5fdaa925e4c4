// Sigma 2.1.0, appendix «Sigma Modifiers», and «Value Modifiers» of the rules specification.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Predicate } from '../predicate.ts';
import { codes, load, selection } from './support.test-support.ts';

const testsOf = (line: string): Omit<Extract<Predicate, { kind: 'field' }>, 'kind' | 'field'> => {
  const predicate = selection(line);
  assert.equal(predicate.kind, 'field', line);
  const { kind: _, field: __, ...rest } = predicate as Extract<Predicate, { kind: 'field' }>;
  return rest;
};
const errorOf = (line: string): string => {
  const { problems, rules } = load(`s: {${line}}\ncondition: s`);
  assert.equal(rules.length, 0, line);
  return codes(problems.filter(({ severity }) => severity === 'error')).join();
};
const valuesOf = (line: string): readonly unknown[] => {
  const predicate = selection(line);
  return predicate.kind === 'field' && 'values' in predicate ? predicate.values : [];
};

test('Value Modifiers: applied in the order given, so that wildcards of an anchor are never encoded', () => {
  for (const encoder of ['base64', 'base64offset']) {
    assert.equal(errorOf(`"A|contains|${encoder}": foobar`), 'error sigma.modifier_order 5');
    assert.equal(testsOf(`A|${encoder}|contains: foobar`).test, 'contains');
  }
  assert.deepEqual(testsOf('A|wide|base64: ab'), testsOf('A|utf16le|base64: ab'));
  assert.notDeepEqual(testsOf('A|wide|base64: ab'), testsOf('A|base64|wide: ab'));
  // Where the order cannot matter any is taken.
  assert.deepEqual(testsOf('A|contains|windash: " -f"'), testsOf('A|windash|contains: " -f"'));
  assert.deepEqual(testsOf('A|contains|fieldref: B'), testsOf('A|fieldref|contains: B'));
});

test('Generic Modifiers: cased is for text alone', () => {
  assert.deepEqual(testsOf('A|cased: X'), { test: 'equals', values: ['X'], cased: true });
  assert.deepEqual(testsOf('A|cased|contains: X'), { test: 'contains', values: ['X'], cased: true });
  for (const mode of ['re', 'cidr', 'fieldref', 'exists', 'gt', 'hour', 'expand']) {
    assert.equal(errorOf(`"A|${mode}|cased": "1"`), 'error sigma.modifier_combination 5');
  }
});

test('Generic Modifiers: neq negates text, numbers, and all that the other modifiers say', () => {
  for (const [line, plain] of [
    ['A|neq: x', 'A: x'],
    ['A|neq: [1, 2]', 'A: [1, 2]'],
    ['A|contains|all|neq: [x, y]', 'A|contains|all: [x, y]'],
    ['A|fieldref|neq: B', 'A|fieldref: B'],
    ['A|neq: null', 'A: null'],
    ['A|neq|hour: 3', 'A|hour: 3'],
  ]) {
    assert.deepEqual(selection(line), { kind: 'not', of: selection(plain) }, line);
  }
});

test('Regular Expression: case-sensitive unless i, anchored by startswith and endswith, linear time only', () => {
  assert.deepEqual(testsOf('A|re: a|b'), { test: 'regex', source: 'a|b', flags: '' });
  assert.deepEqual(testsOf('A|re|s|i|m: a'), { test: 'regex', source: 'a', flags: 'ims' });
  assert.deepEqual(testsOf('A|re|contains: a|b'), { test: 'regex', source: 'a|b', flags: '' });
  assert.deepEqual(testsOf('A|re|startswith: a|b'), { test: 'regex', source: '\\A(?:a|b)', flags: '' });
  assert.deepEqual(testsOf('A|re|endswith: a|b'), { test: 'regex', source: '(?:a|b)\\z', flags: '' });
  // Backslashes of expressions are theirs, not Sigma's.
  assert.deepEqual(testsOf(`A|re: '\\\\\\*'`), { test: 'regex', source: '\\\\\\*', flags: '' });
  for (const source of ['(?=a)b', '(?<!a)b', '(a)\\1', 'a*+', '((a{100}){100}){100}', '(', `${'a'.repeat(4097)}`]) {
    assert.equal(errorOf(`"A|re": '${source}'`), 'error sigma.regex 5', source.slice(0, 20));
  }
  assert.equal(errorOf('"A|re": null'), 'error sigma.value 5');
  assert.equal(errorOf('"A|i": x'), 'error sigma.modifier_combination 5');
  assert.equal(errorOf('"A|windash|re": x'), 'error sigma.modifier_combination 5');
});

test('Encoding: UTF-16 keeps wildcards, Base64 cannot have them', () => {
  assert.deepEqual(testsOf('A|wide|contains: ab'), { test: 'contains', values: ['a\0b\0'], cased: false });
  assert.deepEqual(testsOf("A|wide: 'ab*'"), { test: 'startswith', values: ['a\0b\0'], cased: false });
  assert.deepEqual(testsOf("A|utf16be: '*ab'"), { test: 'endswith', values: ['\0a\0b'], cased: false });
  assert.deepEqual(valuesOf('A|utf16|cased: c'), ['\u00ff\u00fec\0']);
  assert.deepEqual(valuesOf('A|base64|cased: "ü"'), [Buffer.from('ü').toString('base64')]);
  assert.equal(errorOf(`"A|base64": 'a*b'`), 'error sigma.wildcard_encoded 5');
  assert.equal(errorOf(`"A|wide|base64": 'a*b'`), 'error sigma.wildcard_encoded 5');
  assert.deepEqual(valuesOf(`A|base64|cased: 'a\\*b'`), [Buffer.from('a*b').toString('base64')]);
});

test('Encoding: a value too short for an alignment is refused, or it would match everything', () => {
  assert.equal(errorOf('"A|base64offset|contains": a'), 'error sigma.value 5');
  assert.equal(errorOf(`"A|base64": ''`), 'error sigma.value 5');
  assert.equal(valuesOf('A|base64offset|contains|cased: abc').length, 3);
});

test('String Modifiers: windash makes each of the five dashes of every other', () => {
  const dashes = ['-', '/', '–', '—', '―'];
  for (const dash of dashes) {
    const values = valuesOf(`A|windash|contains: ' ${dash}f'`);
    assert.deepEqual([...values].sort(), dashes.map((other) => ` ${other}f`).sort());
  }
  assert.equal(valuesOf("A|windash|contains: '-a -b'").length, 25);
  // Only what begins an option.
  assert.deepEqual(valuesOf('A|windash: a-b'), ['a-b']);
  assert.equal(errorOf(`"A|windash": '-a -b -c -d -e'`), 'error sigma.unsupported 5');
});

test('Numeric Modifiers: numbers, also in quotes; nothing else', () => {
  for (const op of ['gt', 'gte', 'lt', 'lte']) {
    assert.deepEqual(testsOf(`A|${op}: 5`), { test: 'number', op, value: 5 });
    assert.deepEqual(testsOf(`A|${op}: '-1.5e3'`), { test: 'number', op, value: -1500 });
    for (const value of ['x', "''", 'null', 'true', '.nan', '.inf']) {
      assert.equal(errorOf(`"A|${op}": ${value}`), 'error sigma.value 5', value);
    }
    assert.equal(errorOf(`"A|contains|${op}": 5`), 'error sigma.modifier_combination 5');
  }
});

test('Time Modifiers: whole numbers within their bounds', () => {
  const bounds = { minute: [0, 59], hour: [0, 23], day: [1, 31], week: [1, 53], month: [1, 12] };
  for (const [part, [first, last]] of Object.entries(bounds)) {
    assert.deepEqual(testsOf(`A|${part}: [${first}, ${last}]`), { test: 'time', part, values: [first, last] });
    for (const value of [first - 1, last + 1, first + 0.5, 'x']) {
      assert.equal(errorOf(`"A|${part}": ${value}`), 'error sigma.value 5');
    }
  }
  assert.deepEqual(testsOf('A|year: 2025'), { test: 'time', part: 'year', values: [2025] });
});

test('IP Modifiers: IPv4 and IPv6 networks, of unmodified values', () => {
  assert.deepEqual(testsOf('A|cidr: ["10.0.0.0/8", "2001:db8::/32"]'), {
    test: 'cidr',
    prefixes: ['10.0.0.0/8', '2001:db8::/32'],
  });
  for (const value of ['10.0.0.0/33', '10.0.0/8', '"::/129"', "''"]) {
    assert.equal(errorOf(`"A|cidr": ${value}`), 'error sigma.cidr 5');
  }
  assert.equal(errorOf('"A|cidr": null'), 'error sigma.value 5');
  assert.equal(errorOf('"A|cidr|startswith": 10.0.0.0/8'), 'error sigma.modifier_combination 5');
});

test('Specific Modifiers: fieldref names a field, without wildcards', () => {
  assert.deepEqual(testsOf('A|fieldref: B.c'), { test: 'fieldref', other: 'B.c', mode: 'equals' });
  assert.deepEqual(testsOf('A|fieldref|startswith: B'), { test: 'fieldref', other: 'B', mode: 'startswith' });
  for (const value of ["'B*'", "''", 'null']) assert.equal(errorOf(`"A|fieldref": ${value}`), 'error sigma.value 5');
});

test('Field Existence: true or false, of a field', () => {
  assert.deepEqual(testsOf('A|exists: true'), { test: 'exists', value: true });
  assert.deepEqual(testsOf('A|exists: false'), { test: 'exists', value: false });
  for (const value of ["'true'", '1', 'null']) assert.equal(errorOf(`"A|exists": ${value}`), 'error sigma.value 5');
  assert.equal(errorOf('"|exists": true'), 'error sigma.modifier_combination 5');
  assert.equal(errorOf('"A|contains|exists": true'), 'error sigma.modifier_combination 5');
});

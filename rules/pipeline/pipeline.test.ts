import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadRules } from '../index.ts';
import type { RuleSet } from '../model.ts';
import type { Pipeline } from './model.ts';
import { readPipeline } from './read.ts';

function pipe(text: string): Pipeline {
  const { pipeline, problems } = readPipeline('p.yml', text);
  assert.deepEqual(problems, []);
  assert.ok(pipeline);
  return pipeline;
}

function load(selection: string, pipelines: readonly Pipeline[], product = 'windows'): RuleSet {
  const text = `title: T
id: 00000000-0000-4000-8000-000000000001
tags: [attack.t1110]
logsource: { product: ${product} }
detection: { s: ${selection}, condition: s }
`;
  return loadRules([{ path: 'r.yml', text }], pipelines);
}

/** Compared by what the rule says, whatever log source the step left. */
const detection = (set: RuleSet): unknown => set.rules[0]?.detection;
const same = (selection: string, as: string, ...pipelines: string[]): void =>
  assert.deepEqual(detection(load(selection, pipelines.map(pipe))), detection(load(as, [])));

const MAP = 'transformations: [{ type: field_name_mapping, mapping: { A: x, B: [y, z] } }]';

test('a name becomes another, or one of several', () => {
  same('{ A: 1, C: 2 }', '{ x: 1, C: 2 }', MAP);
  same('{ B|contains: v }', '[{ y|contains: v }, { z|contains: v }]', MAP);
  same('{ A|fieldref: C, C|fieldref: A }', '{ x|fieldref: C, C|fieldref: x }', MAP);
  same('[keyword]', '[keyword]', MAP);
});

test('steps see what the steps before them left, lower priorities first', () => {
  const first = 'priority: 10\ntransformations: [{ type: field_name_mapping, mapping: { A: B } }]';
  const second = 'priority: 20\ntransformations: [{ type: field_name_mapping, mapping: { B: C } }]';
  same('{ A: v }', '{ C: v }', second, first);
  same(
    '{ A: v, D: w }',
    '{ pre.A: v, D: w }',
    'transformations: [{ type: field_name_prefix, prefix: pre., field_name_conditions: [{ type: include_fields, fields: [A] }] }]',
  );
  same(
    '{ A: v, D: w }',
    '{ A.s: v, D: w }',
    'transformations: [{ type: field_name_suffix, suffix: .s, field_name_conditions: [{ type: exclude_fields, fields: [D] }] }]',
  );
});

test('a step is about the log sources that its conditions name, as steps before it left them', () => {
  const step = (more: string): string =>
    `transformations: [{ type: field_name_mapping, mapping: { A: x }, rule_conditions: [{ type: logsource, product: linux }, { type: logsource, product: windows }]${more} }]`;
  same('{ A: v }', '{ A: v }', step(''));
  same('{ A: v }', '{ x: v }', step(', rule_cond_op: or'));
  same('{ A: v }', '{ x: v }', step(', rule_cond_not: true'));
  const moved = load('{ A: v }', [
    pipe(
      'transformations: [{ type: change_logsource, category: c }, { type: rule_failure, message: no, rule_conditions: [{ type: logsource, product: windows }] }]',
    ),
  ]);
  assert.deepEqual(moved.rules[0]?.logsource, { product: '', category: 'c', service: '' });
});

test('conditions are added, also negated, and later steps rename them', () => {
  const added = load('{ A: v }', [
    pipe(`transformations: [{ type: add_condition, conditions: { Q: w }, negated: true }, ${MAP.slice(18, -1)}]`),
  ]);
  assert.deepEqual(detection(added), {
    kind: 'and',
    of: [detection(load('{ x: v }', [])), { kind: 'not', of: detection(load('{ Q: w }', [])) }],
  });
});

test('a rule that a pipeline refuses is left out, with the reason', () => {
  const { rules, problems } = load('{ A: v }', [pipe('transformations: [{ type: rule_failure, message: not here }]')]);
  assert.equal(rules.length, 0);
  assert.deepEqual(
    problems.map(({ file, line, code, message }) => [file, line, code, message]),
    [['r.yml', 1, 'pipeline.rule_failure', 'A pipeline refuses the rule: not here']],
  );
});

test('what is not supported is refused with its place', () => {
  for (const [line, more] of [
    [2, '- { type: replace_string, regex: a, replacement: b }'],
    [2, '- { type: field_name_prefix, prefix: p, detection_item_conditions: [] }'],
    [2, '- { type: field_name_prefix, prefix: p, rule_conditions: [{ type: processing_state, key: k, val: v }] }'],
    [2, '- { type: change_logsource, product: p, rule_cond_expression: a }'],
    [
      2,
      '- { type: field_name_prefix, prefix: p, field_name_conditions: [{ type: include_fields, fields: [a], mode: re }] }',
    ],
    [3, '- { type: rule_failure, message: m }\nvars: { a: b }'],
  ] as const) {
    const { pipeline, problems } = readPipeline('p.yml', `transformations:\n${more}\n`);
    assert.equal(pipeline, null);
    assert.deepEqual([problems[0].line, problems[0].code], [line, 'pipeline.unsupported'], more);
  }
});

test('any mapping of names equals a rule written with those names', () => {
  const name = fc.constantFrom('A', 'B', 'C', 'D', 'E');
  const items = fc.uniqueArray(fc.tuple(name, fc.constantFrom('', '|contains', '|startswith', '|neq'), fc.integer()), {
    selector: ([field, modifier]) => field + modifier,
    minLength: 1,
  });
  const mapping = fc.uniqueArray(fc.tuple(name, fc.integer({ min: 0, max: 9 })), {
    selector: ([from]) => from,
    minLength: 1,
  });
  fc.assert(
    fc.property(items, mapping, (tests, pairs) => {
      const names = new Map(pairs.map(([from, to]) => [from as string, `${from}_${to}`]));
      const write = (rename: (name: string) => string): string =>
        JSON.stringify(Object.fromEntries(tests.map(([field, mod, value]) => [rename(field) + mod, `v${value}`])));
      const step = { type: 'field_name_mapping', mapping: Object.fromEntries(names) };
      const piped = load(
        write((field) => field),
        [pipe(JSON.stringify({ transformations: [step] }))],
      );
      const written = load(
        write((field) => names.get(field) ?? field),
        [],
      );
      assert.deepEqual(piped.rules, written.rules); // the hashes too
    }),
    { numRuns: 100 },
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadRules } from './index.ts';
import { codes, ruleNamed } from './sigma/support.test-support.ts';

const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const base = (n: number, name: string, value = 'x', more = ''): string =>
  `title: ${name}\nid: ${id(n)}\nname: ${name}\nlogsource: {product: p}\ndetection:\n  s: {A: ${value}}\n  condition: s\n${more}`;
const counting = (n: number, name: string, rules: string, more = ''): string =>
  `title: ${name}\nid: ${id(n)}\nname: ${name}\ncorrelation:\n  type: event_count\n  rules: [${rules}]\n  group-by: [A]\n  timespan: 5m\n  condition: {gte: 3}\n${more}`;
const file = (path: string, ...documents: string[]): { path: string; text: string } => ({
  path,
  text: documents.join('\n---\n'),
});

test('rules come in order of path and document, however the files are given', () => {
  const files = [file('b.yml', base(3, 'three')), file('a.yml', base(1, 'one'), base(2, 'two'))];
  const names = (set: ReturnType<typeof loadRules>): string[] => set.rules.map(({ index, name }) => `${index} ${name}`);
  assert.deepEqual(names(loadRules(files)), ['0 one', '1 two', '2 three']);
  assert.deepEqual(loadRules(files), loadRules([...files].reverse()));
});

test('a broken document never stops the others', () => {
  const set = loadRules([
    file('a.yml', base(1, 'one'), 'title: [broken', base(2, 'two')),
    file('b.yml', '- not\n- a mapping'),
    file('c.yml', base(3, 'three')),
    file('d.yml', ''),
  ]);
  assert.ok(set.rules.some(({ name }) => name === 'one'));
  assert.ok(set.rules.some(({ name }) => name === 'three'));
  assert.ok(set.problems.some(({ file: at, code, line }) => at === 'a.yml' && code === 'yaml.syntax' && line > 8));
  assert.ok(set.problems.some(({ file: at, code }) => at === 'b.yml' && code === 'yaml.not_a_mapping'));
});

test('hostile files are refused, not followed', () => {
  const bomb = `a: &a [x, x]\n${'bcdefghijklmnopq'
    .split('')
    .map((name, i) => `${name}: &${name} [${Array(8).fill(`*${'abcdefghijklmnopq'[i]}`).join(', ')}]`)
    .join('\n')}`;
  const deep = `title: ${'['.repeat(5000)}${']'.repeat(5000)}`;
  const names = '__proto__: {polluted: 1}\nconstructor: {prototype: {polluted: 1}}\n';
  const set = loadRules([
    file('bomb.yml', bomb),
    file('circle.yml', 'a: &a [*a]'),
    file('deep.yml', deep),
    file('large.yml', `title: ${'x'.repeat(1_100_000)}`),
    file('names.yml', names + base(1, 'one')),
    file('twice.yml', `title: a\n${base(2, 'two')}`),
  ]);
  const found = (path: string): readonly string[] =>
    set.problems.filter(({ file: at }) => at === path).map(({ code }) => code);
  assert.ok(found('bomb.yml').some((code) => code.startsWith('yaml.too_')));
  assert.ok(found('circle.yml').some((code) => code.startsWith('yaml.too_')));
  assert.ok(found('deep.yml').length > 0 && found('deep.yml').every((code) => code === 'yaml.too_deep'));
  assert.deepEqual(found('large.yml'), ['yaml.too_large']);
  assert.deepEqual(found('twice.yml'), ['yaml.duplicate_key']);
  assert.deepEqual(
    set.rules.map(({ name }) => name),
    ['one'],
  );
  assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
});

test('the first rule of an id or name stays, the other is an error', () => {
  const set = loadRules([
    file('a.yml', base(1, 'one')),
    file('b.yml', base(1, 'other')),
    file('c.yml', base(2, 'one')),
  ]);
  assert.equal(set.rules.length, 1);
  assert.deepEqual(
    set.problems.map(({ file: at, code }) => `${at} ${code}`),
    ['b.yml rule.duplicate_id', 'c.yml rule.duplicate_name'],
  );
});

test('correlations refer by name or id, across files, and silence what feeds them', () => {
  const set = loadRules([
    file('a.yml', counting(9, 'count', `one, ${id(2)}`)),
    file('b.yml', base(1, 'one'), base(2, 'two'), base(3, 'loud', 'x', 'weir: {alert: true}'), base(4, 'quiet')),
    file('c.yml', counting(8, 'generating', 'quiet').replace('  timespan', '  generate: true\n  timespan')),
    file('d.yml', counting(7, 'chain', 'count, loud')),
  ]);
  assert.deepEqual(codes(set.problems), []);
  const count = ruleNamed(set, 'count');
  assert.deepEqual(
    count.correlation?.rules.map((index) => set.rules[index].name),
    ['one', 'two'],
  );
  assert.equal(count.correlation?.timespanMs, 300_000);
  const alerting = set.rules.filter((rule) => rule.alerting).map(({ name }) => name);
  assert.deepEqual(alerting.sort(), ['chain', 'generating', 'loud', 'quiet']);
});

test('a broken correlation leaves its feeding rules silent', () => {
  const set = loadRules([
    file('a.yml', base(1, 'one'), base(2, 'two')),
    file('b.yml', counting(8, 'bad', 'one').replace('5m', 'soon'), counting(9, 'missing', 'two, nobody')),
  ]);
  assert.deepEqual(
    set.rules.map(({ name, alerting }) => `${name} ${alerting}`),
    ['one false', 'two false'],
  );
  assert.deepEqual(codes(set.problems), ['error rule.duration 8', 'error sigma.unknown_rule 17']);
});

test('correlations that feed each other in a circle are refused', () => {
  const set = loadRules([file('a.yml', counting(1, 'one', 'two'), counting(2, 'two', 'one'), base(3, 'fine'))]);
  assert.deepEqual(
    set.rules.map(({ name }) => name),
    ['fine'],
  );
  assert.ok(set.problems.some(({ code }) => code === 'sigma.cycle'));
});

test('what Sigma allows and Weir cannot do is an error, never ignored', () => {
  const rule = (change: (text: string) => string): readonly string[] =>
    loadRules([file('a.yml', base(1, 'one'), change(counting(2, 'count', 'one')))]).problems.map(({ code }) => code);
  assert.deepEqual(
    rule((text) => text.replace('event_count', 'value_percentile')),
    ['sigma.no_field'],
  );
  assert.deepEqual(
    rule((text) => text.replace('event_count', 'nonsense')),
    ['sigma.correlation_type'],
  );
  assert.deepEqual(
    rule((text) => text.replace('{gte: 3}', '{gte: 3, lte: 9}')),
    [],
  );
  assert.deepEqual(
    rule((text) => text.replace('{gte: 3}', '{gte: 3, lte: 9, neq: 5}')),
    ['sigma.unsupported'],
  );
  assert.deepEqual(
    rule((text) => text.replace('{gte: 3}', '{lt: 3}')),
    [],
  );
  assert.deepEqual(
    rule((text) => text.replace('event_count', 'value_count')),
    ['sigma.no_field'],
  );
  assert.deepEqual(
    rule((text) => text.replace('  timespan: 5m\n', '')),
    ['sigma.no_timespan'],
  );
  const alias = (target: string): string => `  aliases: {A: {one: user, two: ${target}}}\n`;
  assert.deepEqual(
    rule((text) => text + alias('user')),
    [],
  );
  assert.deepEqual(
    rule((text) => text + alias('account')),
    ['sigma.alias_rule'],
  );
});

test('the hash follows behaviour, not words or place', () => {
  const hash = (text: string): string =>
    loadRules([file('a.yml', text)])
      .rules.map((rule) => rule.hash)
      .join();
  const one = hash(base(1, 'one'));
  assert.match(one, /^[0-9a-f]{32}$/);
  assert.equal(hash(base(7, 'seven', 'x', 'description: words\nlevel: high\n')), one);
  assert.notEqual(hash(base(1, 'one', 'y')), one);
  assert.notEqual(hash(base(1, 'one', 'x', 'weir: {suppression: 2h}\n')), one);
  const of = (documents: string[], name: string): string =>
    ruleNamed(loadRules([file('a.yml', ...documents)]), name).hash;
  const count = counting(5, 'count', 'one');
  assert.equal(of([base(1, 'one'), count], 'count'), of([base(2, 'zero', 'z'), base(1, 'one'), count], 'count'));
  assert.notEqual(of([base(1, 'one'), count], 'count'), of([base(1, 'one', 'y'), count], 'count'));
});

test('filters narrow the rules that they name', () => {
  const filter = `title: f\nlogsource: {product: p}\nfilter:\n  rules: [one]\n  known: {B: y}\n  condition: not known\n`;
  const set = loadRules([file('a.yml', base(1, 'one'), base(2, 'two')), file('f.yml', filter)]);
  assert.deepEqual(codes(set.problems), []);
  assert.equal(ruleNamed(set, 'one').detection?.kind, 'and');
  assert.equal(ruleNamed(set, 'two').detection?.kind, 'field');
  const unknown = loadRules([file('a.yml', base(1, 'one')), file('f.yml', filter.replace('[one]', '[nobody]'))]);
  assert.deepEqual(codes(unknown.problems), ['error sigma.unknown_rule 4']);
});

test('ATT&CK tags: unknown ones are errors, old ones warnings that name the replacement; the rule works on', () => {
  const set = loadRules([file('a.yml', base(1, 'one', 'x', 'tags: [attack.t9999, attack.t1562.001, attack.t1110]\n'))]);
  assert.deepEqual(
    set.problems.map(({ severity, code }) => `${severity} ${code}`),
    ['warning mitre.retired_technique', 'error mitre.unknown_technique'],
  );
  assert.match(set.problems[0].message, /T1685/);
  assert.deepEqual(set.rules[0].techniques, ['T1685', 'T1110']);
});

test('a rule without an id gets one from its name, and is told so', () => {
  const text = base(1, 'one').replace(/^id: .*\n/m, '');
  const [first, second] = [loadRules([file('a.yml', text)]), loadRules([file('z.yml', text)])];
  assert.deepEqual(codes(first.problems), ['warning rule.no_id 1']);
  assert.match(first.rules[0].id, /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(first.rules[0].id, second.rules[0].id);
});

test("Weir's own keys: wrong ones are errors", () => {
  const weir = (keys: string): readonly string[] =>
    codes(loadRules([file('a.yml', base(1, 'one', 'x', `weir: ${keys}\n`))]).problems);
  assert.deepEqual(weir('{supression: 1h}'), ['error weir.unknown_key 8']);
  assert.deepEqual(weir('{suppression: soon}'), ['error rule.duration 8']);
  assert.deepEqual(weir('{confidence: total}'), ['error rule.confidence 8']);
  assert.deepEqual(weir("{reason: '{nothing}'}"), ['warning weir.placeholder 8']);
  assert.deepEqual(weir("{suppression: 90m, confidence: high, reason: '{source_ip}'}"), []);
});

test('test cases are written short and expanded on loading', () => {
  const more = `weir:
  tests:
    - name: many
      alerts: 1
      start: 2026-02-01T00:00:00Z
      given: {lists: {known: [10.0.0.1]}, policies: [{name: p, action: Block, conditions: []}]}
      events:
        - {A: first, __proto__: {x: 1}}
        - {A: second, after: 10m}
        - repeat:
            count: 3
            every: [1s, 2s]
            set:
              port: {from: 10, step: 5}
              ip: {from: 10.0.0.255, step: 1}
              user: {values: [a, b]}
              name: {from: 7, text: 'n{}.example'}
            event: {A: third, port: 0}
        - {A: last, timestamp: 2026-03-01T00:00:00Z}
`;
  const [rule] = loadRules([file('a.yml', base(1, 'one', 'x', more))]).rules;
  const [{ events, given }] = rule.tests;
  assert.deepEqual(given?.lists, { known: ['10.0.0.1'] });
  assert.equal(given?.policies[0].action, 'Block');
  assert.equal(events[0].timestamp, '2026-02-01T00:00:00.000Z');
  assert.deepEqual(Object.getOwnPropertyNames(events[0]), ['A', '__proto__', 'timestamp']);
  assert.deepEqual(
    events.slice(1).map(({ timestamp }) => timestamp),
    [
      '2026-02-01T00:10:00.000Z',
      '2026-02-01T00:10:01.000Z',
      '2026-02-01T00:10:02.000Z',
      '2026-02-01T00:10:04.000Z',
      '2026-03-01T00:00:00Z',
    ],
  );
  assert.deepEqual(
    events.slice(2, 5).map(({ port, ip, user, name }) => [port, ip, user, name]),
    [
      [10, '10.0.0.255', 'a', 'n7.example'],
      [15, '10.0.1.0', 'b', 'n8.example'],
      [20, '10.0.1.1', 'a', 'n9.example'],
    ],
  );
  const huge = more.replace('count: 3', 'count: 200000');
  assert.deepEqual(
    loadRules([file('a.yml', base(1, 'one', 'x', huge))]).problems.map(({ code }) => code),
    ['weir.test'],
  );
});

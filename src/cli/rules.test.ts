import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { rules } from './rules.ts';
import { UsageError, type Values } from './verb.ts';

const ID = '00000000-0000-4000-8000-00000000000';

async function run(values: Values, positionals: readonly string[], input: string | Buffer = '') {
  let out = '';
  let err = '';
  const status = await rules.run(values, positionals, {
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (err += text) },
    stdin: Readable.from([Buffer.from(input)]),
    env: {},
  });
  return { status, out, err };
}

function folderOf(t: TestContext, files: Readonly<Record<string, string | Buffer>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'weir-rules-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

const rule = (digit: number, detection: string, more = ''): string => `title: Rule ${digit}
id: ${ID}${digit}
level: high
tags: [attack.t1110]
logsource: { product: windows, category: process_creation }
detection:
${detection}
${more}`;
const WHOAMI = rule(1, '  sel:\n    CommandLine|contains: whoami\n  condition: sel');
const event = (command: string, second = 0): string =>
  JSON.stringify({
    '@timestamp': `2026-07-28T09:00:0${second}Z`,
    Channel: 'Microsoft-Windows-Sysmon/Operational',
    EventID: 1,
    Image: 'C:\\x.exe',
    CommandLine: command,
  });
const hitsOf = (out: string): unknown[] =>
  out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

test('list counts the files of the folder and says of each refused one where and why; the others load', async (t) => {
  const folder = folderOf(t, {
    'rules/good.yml': WHOAMI,
    'rules/sub/other.yaml': rule(2, '  sel: { Image: a }\n  condition: sel'),
    'rules/syntax.yml': 'title: [\n',
    'rules/two.yml': `${rule(3, '  sel: { A|nosuch: a }\n  condition: nobody')}---\n${rule(4, '  sel: { A: 1 }\n  condition: sel')}`,
    'rules/big.yml': `# ${'x'.repeat(11 << 20)}`,
    'rules/folder.yml/README': 'no rule',
  });
  symlinkSync(join(folder, 'gone'), join(folder, 'rules', 'dangling.yml'));
  const { status, out } = await run({ rules: [join(folder, 'rules')], json: true }, ['list']);
  const report = JSON.parse(out);
  assert.equal(status, 1);
  assert.equal(report.files, 6);
  assert.equal(report.loaded, 3);
  const refused = report.refused.map((r: { file: string; line: number; code: string; reason: string }) => {
    assert.deepEqual(Object.keys(r), ['file', 'line', 'code', 'reason']);
    return `${r.file.split('/').pop()}:${r.line} ${r.code}`;
  });
  assert.deepEqual(refused, [
    'big.yml:1 yaml.too_large',
    'dangling.yml:1 rule.unreadable',
    'syntax.yml:2 yaml.syntax',
    'two.yml:7 sigma.unknown_modifier',
  ]);
});

test('match says which record a rule hit, in whatever way the records come', async (t) => {
  const lines = [event('dir'), '', event('whoami /all'), 'no json', event('WHOAMI')].join('\n');
  const folder = folderOf(t, { 'rules/a.yml': WHOAMI, 'a.ndjson': lines, 'b.ndjson.gz': gzipSync(lines) });
  const values = { rules: [join(folder, 'rules')], json: true };
  const wanted = [3, 5].map((record) => ({ record, rule: `${ID}1` }));
  const before = readdirSync(folder);
  for (const input of ['a.ndjson', 'b.ndjson.gz']) {
    const { status, out, err } = await run({ ...values, input: [join(folder, input)] }, ['match']);
    assert.deepEqual(hitsOf(out), wanted);
    assert.match(err, /record 4: not read/);
    assert.equal(status, 0);
  }
  const piped = await run({ ...values, input: ['-'] }, ['match'], lines);
  assert.deepEqual(hitsOf(piped.out), wanted);
  assert.deepEqual(readdirSync(folder), before);
  const strict = await run({ ...values, input: ['-'], strict: true }, ['match'], lines);
  assert.equal(strict.status, 1);
});

test('an event without a time is matched too', async (t) => {
  const folder = folderOf(t, { 'rules/whoami.yml': WHOAMI });
  const values = { rules: [join(folder, 'rules')], input: ['-'], json: true };
  const untimed = JSON.stringify({ ...JSON.parse(event('whoami /all')), '@timestamp': undefined });
  const { out, err } = await run(values, ['match'], `${untimed}\n`);
  assert.deepEqual(hitsOf(out), [{ record: 1, rule: `${ID}1` }], err);
});

test('match shows a rule only the log sources that it names; --logsource says what records do not', async (t) => {
  const folder = folderOf(t, { 'a.yml': WHOAMI });
  const bare = JSON.stringify({ timestamp: '2026-07-28T09:00:00Z', message: 'x', CommandLine: 'whoami' });
  const values = { rules: [folder], json: true, input: ['-'] };
  assert.deepEqual(hitsOf((await run(values, ['match'], bare)).out), []);
  const told = await run({ ...values, logsource: 'windows/process_creation/' }, ['match'], bare);
  assert.deepEqual(hitsOf(told.out), [{ record: 1, rule: `${ID}1` }]);
});

test('tenants need no configuration, and stay apart in correlations', async (t) => {
  const correlation = `title: Often
id: ${ID}9
level: high
correlation:
  type: event_count
  rules: ['${ID}1']
  group-by: [Image]
  timespan: 1m
  condition: { gte: 3 }
`;
  const folder = folderOf(t, { 'a.yml': `${WHOAMI}---\n${correlation}` });
  const of = (tenant: string, second: number): string =>
    JSON.stringify({ ...JSON.parse(event('whoami', second)), tenant_id: tenant });
  const lines = [of('a', 0), of('b', 1), of('a', 2), of('b', 3), of('a', 4), event('whoami', 5)].join('\n');
  const { out } = await run({ rules: [folder], json: true, input: ['-'] }, ['match'], lines);
  assert.deepEqual(hitsOf(out), [{ record: 5, rule: `${ID}9` }]);
});

test('lint finds all errors of a file and warns of what cannot decide', async (t) => {
  const folder = folderOf(t, {
    'a.yml': rule(1, '  sel:\n    A|nosuch: a\n    B|nosuch: b\n  condition: sel'),
    'b.yml': rule(2, "  sel:\n    ComandLine: '*'\n  unused:\n    Image: x\n  condition: sel and not sel"),
    'c.yml': rule(3, '  sel:\n    Image: x\n  condition: sel'),
    'd.yml': rule(4, '  sel:\n    Image: x\n    User: y\n  condition: sel'),
    'bb.yml': rule(6, '  sel:\n    Image: x\n    Company: y\n  condition: sel'),
    'e.yml': rule(3, '  sel:\n    Image|re: .+\n  condition: sel').replace('tags: [attack.t1110]\n', ''),
    'f.yml': rule(5, '  sel:\n    User|re: .+\n  condition: not sel').replace('tags: [attack.t1110]\n', ''),
  });
  const { status, out } = await run({ rules: [folder], json: true }, ['lint']);
  assert.equal(status, 1);
  const { problems } = JSON.parse(out);
  const found = problems.map(
    (p: { file: string; line: number; column: number; code: string }) =>
      `${p.file.split('/').pop()}:${p.line}:${p.column} ${p.code}`,
  );
  for (const wanted of [
    'a.yml:8:5 sigma.unknown_modifier',
    'a.yml:9:5 sigma.unknown_modifier',
    'b.yml:8:5 lint.unknown_field',
    'b.yml:8:17 lint.wildcard',
    'b.yml:9:3 sigma.unused_selection',
    'b.yml:11:3 lint.always_false',
    'bb.yml:1:1 lint.shadowed',
    'd.yml:1:1 lint.shadowed',
    'e.yml:1:1 rule.duplicate_id',
    'f.yml:1:1 lint.no_tags',
    'f.yml:7:14 lint.regex',
    'f.yml:8:3 lint.no_index',
  ])
    assert.ok(found.includes(wanted), `${wanted} in ${found.join('\n')}`);
  const clean = folderOf(t, { 'c.yml': rule(3, '  sel:\n    Image: x\n  condition: sel') });
  assert.equal((await run({ rules: [clean], strict: true }, ['lint'])).status, 0);
});

test('list and lint show rules that cannot alert as inactive, with the reason', async (t) => {
  const folder = folderOf(t, {
    'a.yml': rule(1, "  sel:\n    User|expand: '%nobody_has%'\n  condition: sel"),
    'b.yml': rule(
      2,
      "  sel:\n    Image: x\n  not_me:\n    User|expand: '%nobody_has%'\n  condition: sel and not not_me",
    ),
    'c.yml': rule(3, '  sel:\n    Image: y\n  condition: sel').replace('level:', 'status: unsupported\nlevel:'),
  });
  const listed = JSON.parse((await run({ rules: [folder], json: true }, ['list'])).out);
  assert.equal(listed.inactive, 2);
  assert.deepEqual(
    listed.rules.map(({ alerts, inactive }: { alerts: boolean; inactive: string }) => [alerts, inactive]),
    [
      [false, "there is no list 'nobody_has'"],
      [true, ''],
      [false, 'its status is unsupported'],
    ],
  );
  assert.match(
    (await run({ rules: [folder] }, ['list'])).out,
    /inactive: there is no list.*3 rules loaded, 2 of them inactive/s,
  );
  const { problems } = JSON.parse((await run({ rules: [folder], json: true }, ['lint'])).out);
  const codes = problems.map(({ code }: { code: string }) => code);
  assert.equal(codes.filter((code: string) => code === 'lint.inactive').length, 2);
});

test('explain shows the values and which part decided', async (t) => {
  const detection = '  sel:\n    CommandLine|contains: whoami\n    User: bob\n  condition: sel';
  const folder = folderOf(t, {
    'rules/a.yml': rule(1, detection),
    'e.ndjson': `${event('dir')}\n${event('whoami')}\n`,
  });
  const values = { rules: [join(folder, 'rules')] };
  const { out } = await run(values, ['explain', `${ID}1`, `${join(folder, 'e.ndjson')}:2`]);
  assert.match(out, /does not match/);
  assert.match(out, / {4} {2}yes CommandLine contains "whoami": is "whoami"/);
  assert.match(out, /▸ no {2}User equals "bob": is absent/);
  const given = JSON.stringify({ ...JSON.parse(event('whoami')), User: 'BOB' });
  const json = JSON.parse((await run({ ...values, json: true }, ['explain', 'Rule 1', given])).out);
  assert.equal(json.matched, true);
  assert.ok(json.tree.of.every((part: { decides: boolean }) => part.decides));
});

test('test writes what failed as JUnit XML', async (t) => {
  const cases = `weir:
  tests:
    - { name: 'a <b> & "c"', alerts: 1, events: [{ product: windows, category: process_creation, CommandLine: whoami }] }
    - { name: wrong, alerts: 2, events: [{ product: windows, category: process_creation, CommandLine: whoami }] }
`;
  const folder = folderOf(t, { 'rules/a.yml': `${WHOAMI}${cases}` });
  const junit = join(folder, 'junit.xml');
  const { status, out } = await run({ rules: [join(folder, 'rules')], junit }, ['test']);
  assert.equal(status, 1);
  assert.match(out, /1 of 2 cases pass/);
  const text = readFileSync(junit, 'utf8');
  assert.match(text, /<testsuites name="weir rules test" tests="2" failures="1">/);
  assert.match(text, /name="a &lt;b&gt; &amp; &quot;c&quot;"\/>/);
  assert.match(text, /<failure message="1 alerts, expected 2"\/>/);
});

test('coverage counts rules a technique and writes a layer for the Navigator', async (t) => {
  const folder = folderOf(t, {
    'rules/a.yml': WHOAMI,
    'rules/b.yml': rule(2, '  sel: { Image: a }\n  condition: sel'),
  });
  const layer = join(folder, 'layer.json');
  const { out } = await run({ rules: [join(folder, 'rules')], layer, json: true }, ['coverage']);
  const [technique] = JSON.parse(out).techniques;
  assert.equal(technique.technique, 'T1110');
  assert.deepEqual(technique.rules, [`${ID}1`, `${ID}2`]);
  const written = JSON.parse(readFileSync(layer, 'utf8'));
  assert.equal(written.versions.layer, '4.5');
  assert.deepEqual(
    written.techniques.map((one: { techniqueID: string; score: number }) => [one.techniqueID, one.score]),
    [['T1110', 2]],
  );
});

test('options of other actions are wrong usage', async () => {
  await assert.rejects(run({ input: ['x'] }, ['list']), UsageError);
  await assert.rejects(run({}, ['nonsense']), UsageError);
  await assert.rejects(run({}, ['match']), UsageError);
});

test('rules go through the pipelines that are given', async (t) => {
  const folder = folderOf(t, {
    'rules/a.yml': rule(1, '  s: { Tool: mimikatz }\n  condition: s'),
    'map.yml': 'transformations: [{ type: field_name_mapping, mapping: { Tool: [our.tool, tool_name] } }]',
    'bad.yml': 'name: bad\ntransformations:\n- { type: hashes_fields }\n',
    'events.ndjson': '{"our":{"tool":"mimikatz"}}\n{"tool_name":"Mimikatz"}\n{"Tool":"mimikatz"}\n',
  });
  const values = {
    rules: [join(folder, 'rules')],
    input: [join(folder, 'events.ndjson')],
    logsource: 'windows/process_creation/',
    json: true,
  };
  const records = (out: string): readonly number[] =>
    [...out.matchAll(/"record":(\d+)/g)].map(([, record]) => Number(record));
  assert.deepEqual(records((await run(values, ['match'])).out), [3]);
  assert.deepEqual(records((await run({ ...values, pipeline: [join(folder, 'map.yml')] }, ['match'])).out), [1, 2]);
  const bad = { ...values, pipeline: [join(folder, 'bad.yml')] };
  await assert.rejects(run(bad, ['match']), /bad\.yml:3.*pipeline\.unsupported|pipeline\.unsupported.*bad\.yml:3/s);
  const { input: _, logsource: __, ...common } = bad;
  await assert.rejects(run(common, ['test']), UsageError);
});

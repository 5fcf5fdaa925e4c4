// Mutants of the compiled matcher: one wrong operator, bound, negation or fold at a time, each put before the proof's tests.
// `npm run proof:mutants [-- --count N] [--seed N] [--only FILE]`. Sites are found by their shape, so that a rewritten matcher
// is mutated as well. Works on a copy of dist/; says which mutants nobody noticed.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PACKAGE_ROOT } from '../../src/root.ts';
import { DATA } from './corpus.ts';

interface Operator {
  readonly name: string;
  readonly find: RegExp;
  readonly replace: string;
}

const OPERATORS: readonly Operator[] = [
  { name: 'no folding', find: /\.toLowerCase\(\)/g, replace: '' },
  { name: 'equality turned', find: /(?<=[^=!])===/g, replace: '!==' },
  { name: 'inequality turned', find: /!==/g, replace: '===' },
  { name: 'bound included', find: /(?<= )< /g, replace: '<= ' },
  { name: 'bound excluded', find: /(?<= )>= /g, replace: '> ' },
  { name: 'bound excluded', find: /(?<= )<= /g, replace: '< ' },
  { name: 'bound included', find: /(?<= )> /g, replace: '>= ' },
  { name: 'and for or', find: /\|\|/g, replace: '&&' },
  { name: 'or for and', find: /&&/g, replace: '||' },
  { name: 'negation lost', find: /(?<=[ (])!(?=[a-zA-Z(])/g, replace: '' },
  { name: 'true for false', find: /\bfalse\b/g, replace: 'true' },
  { name: 'false for true', find: /\btrue\b/g, replace: 'false' },
  { name: 'off by one', find: / \+ 1\b/g, replace: '' },
  { name: 'off by one', find: / - 1\b/g, replace: '' },
  { name: 'one more', find: /\.length\b(?! *=[^=])/g, replace: '.length + 1' },
  { name: 'some for every', find: /\.every\(/g, replace: '.some(' },
  { name: 'every for some', find: /\.some\(/g, replace: '.every(' },
  { name: 'start for end', find: /\.endsWith\(/g, replace: '.startsWith(' },
  { name: 'end for start', find: /\.startsWith\(/g, replace: '.endsWith(' },
  { name: 'anywhere', find: /\.startsWith\(/g, replace: '.includes(' },
  { name: "'and' for 'or'", find: /'or'/g, replace: "'and'" },
  { name: "'or' for 'and'", find: /'and'/g, replace: "'or'" },
  { name: 'nothing continues', find: /\bcontinue( next)?;/g, replace: ';' },
];

/** What log events do not pass through: plans over flows have their own fuzz (workers/match/flow-plan.test.ts). */
const LEFT_OUT = /test-support|\.test\.|index\.js|(?<!key-)table|dimension|group|address-test|row-test/;
/** What decides how a text is read as a rule; only the second oracle can notice mistakes there. */
const READING = ['condition.js', 'detection.js', 'modifiers.js', 'transform.js', 'value.js', 'wildcard.js'];

interface Mutant {
  readonly file: string;
  readonly line: number;
  readonly operator: string;
  readonly text: string;
  readonly before: string;
}

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'weir-mutants-'));
try {
  process.exitCode = run(join(folder, 'weir'));
} finally {
  rmSync(folder, { recursive: true });
}

function run(copy: string): number {
  cpSync(join(PACKAGE_ROOT, 'dist'), join(copy, 'dist'), { recursive: true });
  for (const entry of readdirSync(PACKAGE_ROOT)) {
    if (entry === 'dist') continue;
    // package.json says where the package lies, so it must not lead back to the original.
    if (entry === 'package.json') cpSync(join(PACKAGE_ROOT, entry), join(copy, entry));
    else symlinkSync(join(PACKAGE_ROOT, entry), join(copy, entry));
  }
  symlinkSync(join(DATA, '..'), join(copy, '..', 'shared'));
  const unmutated = probe(copy, true);
  if (unmutated !== '') throw new Error(`the tests fail without any mutant: ${unmutated}`);
  const chosen = sample(sites(join(copy, 'dist')), Number(values.count), Number(values.seed));
  let caught = 0;
  let tried = 0;
  for (const mutant of chosen) {
    const path = join(copy, 'dist', mutant.file);
    const original = readFileSync(path, 'utf8');
    writeFileSync(path, mutant.text);
    const parses = spawnSync(process.execPath, ['--check', path]).status === 0;
    const by = parses ? probe(copy, mutant.file.includes('sigma')) : null;
    writeFileSync(path, original);
    if (by === null) continue;
    tried++;
    if (by !== '') caught++;
    const what = `${mutant.file}:${mutant.line} ${mutant.operator}`;
    process.stdout.write(
      by === '' ? `SURVIVED ${what}\n    ${mutant.before}\n` : `caught ${what} by ${by.slice(0, 100)}\n`,
    );
  }
  const share = (100 * caught) / Math.max(1, tried);
  process.stdout.write(`${caught} of ${tried} mutants caught (${share.toFixed(1)} %)\n`);
  return caught === tried ? 0 : 1;
}

/** What noticed the mutant, '' when nothing did. Whatever hangs or crashes is noticed. */
function probe(copy: string, reading: boolean): string {
  const script = join(copy, 'dist', 'test', 'rules', 'probe.js');
  const ran = spawnSync(process.execPath, [script, ...(reading ? ['oracle'] : [])], {
    encoding: 'utf8',
    timeout: 300_000,
  });
  if (ran.status !== 0) return `status ${ran.status ?? 'none'}`;
  return ran.stdout.trim();
}

function sites(dist: string): Mutant[] {
  const folders: readonly (readonly [string, (file: string) => boolean])[] = [
    ['rules/plan', (file) => !LEFT_OUT.test(file)],
    ['rules/sigma', (file) => READING.includes(file)],
  ];
  return folders.flatMap(([inside, wanted]) =>
    readdirSync(join(dist, inside))
      .filter((file) => file.endsWith('.js') && wanted(file) && `${inside}/${file}`.includes(values.only))
      .sort()
      .flatMap((file) => mutantsOf(`${inside}/${file}`, readFileSync(join(dist, inside, file), 'utf8'))),
  );
}

function mutantsOf(file: string, text: string): Mutant[] {
  const made: Mutant[] = [];
  for (const { name, find, replace } of OPERATORS) {
    for (const { index, 0: found } of text.matchAll(find)) {
      const start = text.lastIndexOf('\n', index) + 1;
      const end = text.indexOf('\n', index);
      const before = text.slice(start, end < 0 ? text.length : end).trim();
      // Comments, imports and errors that tell a bug do nothing.
      if (/^(\/\/|\*|\/\*|import|export \{|throw)/.test(before)) continue;
      made.push({
        file,
        line: text.slice(0, index).split('\n').length,
        operator: name,
        text: text.slice(0, index) + replace + text.slice(index + found.length),
        before,
      });
    }
  }
  return made;
}

/** Evenly over all sites, so that every file has its share. */
function sample(all: readonly Mutant[], count: number, seed: number): Mutant[] {
  const step = all.length / Math.min(count, all.length);
  return Array.from({ length: Math.min(count, all.length) }, (_, i) => all[(Math.floor(i * step) + seed) % all.length]);
}

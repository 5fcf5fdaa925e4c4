// What decides which rules an event is shown to: a literal, key or regular expression that was missed would be a rule that is silent.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KeyTable } from './key-table.ts';
import { type Literal, LiteralSearch } from './literal-search.ts';
import { RawSearch } from './raw-search.ts';
import { compileRegex } from './regex.ts';
import { literalsOfRegex } from './regex-literals.ts';
import { SkipSearch } from './skip-search.ts';

/** Few characters, so that they meet: with case, beyond ASCII, two units long, and lower case that is longer or another. */
const character = fc.constantFrom(...'aAbBsSkK\\.-_ 1/ßéÉİıſK😀Σσς'.match(/./gu)!);
const textOf = (most: number): fc.Arbitrary<string> =>
  fc.array(character, { maxLength: most }).map((parts) => parts.join(''));
const literal: fc.Arbitrary<Literal> = fc
  .record({ text: textOf(6), start: fc.boolean(), end: fc.boolean() })
  .map((one) => ({ ...one, text: one.text.toLowerCase() }))
  .filter(({ text }) => text !== '');

function holds({ text: wanted, start, end }: Literal, text: string): boolean {
  if (start && end) return text === wanted;
  if (start) return text.startsWith(wanted);
  return end ? text.endsWith(wanted) : text.includes(wanted);
}

test('the search finds exactly the literals that are there', () => {
  fc.assert(
    fc.property(fc.array(literal, { minLength: 1, maxLength: 12 }), fc.array(textOf(24)), (literals, texts) => {
      const search = new LiteralSearch(literals);
      for (const text of texts) {
        const folded = text.toLowerCase();
        const found = new Set<number>();
        const ascii = search.scan(text, (one) => found.add(one));
        assert.equal(ascii, /^[\0-\x7f]*$/.test(text));
        if (!ascii) search.scanFolded(folded, (one) => found.add(one));
        const wanted = literals.flatMap((one, i) => (holds(one, folded) ? [i] : []));
        assert.deepEqual(
          [...found].sort((a, b) => a - b),
          wanted,
          JSON.stringify({ text, literals }),
        );
      }
    }),
    { numRuns: 1000 },
  );
});

/** The text as it stands in JSON: bytes, start, end. */
function written(text: string): [Uint8Array, number, number] {
  const bytes = Buffer.from(JSON.stringify(text));
  return [bytes, 1, bytes.length - 1];
}

function foundBy(search: RawSearch | SkipSearch, text: string): number[] {
  const found = new Set<number>();
  search.scan(...written(text), (i) => found.add(i));
  return [...found].sort((a, b) => a - b);
}

function thereOf(literals: readonly Literal[], text: string): number[] {
  const folded = text.toLowerCase();
  return literals.flatMap((one, i) => (holds(one, folded) ? [i] : []));
}

test('in JSON the searches find the same literals, however they are escaped', () => {
  const ascii = fc.array(fc.constantFrom(...'aAbBsS\\"n. 1/'), { maxLength: 24 }).map((parts) => parts.join(''));
  const short = fc
    .record({ text: ascii, start: fc.boolean(), end: fc.boolean() })
    .map((one) => ({ ...one, text: one.text.slice(0, 5).toLowerCase() }));
  const some = fc.array(
    fc.oneof(literal, short).filter(({ text }) => text !== ''),
    { minLength: 1, maxLength: 12 },
  );
  fc.assert(
    fc.property(some, fc.array(ascii), (wanted, texts) => {
      const long = wanted.map((one) => ({ ...one, text: `${one.text}${one.text}as"s`.slice(0, 8).toLowerCase() }));
      const skipping = SkipSearch.of(long);
      assert.equal(
        skipping === null,
        long.every(({ text }) => /[^\0-\x7f]/.test(text)),
      );
      for (const text of texts) {
        assert.deepEqual(foundBy(new RawSearch(wanted), text), thereOf(wanted, text), JSON.stringify([text, wanted]));
        if (skipping !== null)
          assert.deepEqual(foundBy(skipping, text), thereOf(long, text), JSON.stringify([text, long]));
      }
    }),
    { numRuns: 2000 },
  );
});

test('the table finds exactly the keys that a text is, whatever its case', () => {
  fc.assert(
    fc.property(fc.array(textOf(4)), fc.array(textOf(4)), (keys, texts) => {
      const table = new KeyTable<number>();
      for (const [i, key] of keys.entries()) table.at(key.toLowerCase(), () => i);
      for (const text of texts) {
        const folded = text.toLowerCase();
        const wanted = keys.findIndex((key) => key.toLowerCase() === folded);
        const ascii = /^[\0-\x7f]*$/.test(text);
        assert.equal(table.get(ascii ? text : folded) ?? -1, wanted);
        if (wanted >= 0) assert.ok(text.length <= table.longest);
        if (ascii) assert.equal(table.getRaw(...written(text)) ?? -1, wanted);
      }
    }),
    { numRuns: 1000 },
  );
});

const atom = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...'abBsSkK1 -_/é') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('.', '\\.', '\\\\', '\\d', '\\w', '\\s', '\\b', '^', '$', '[ab]', '[^a\\]]', '[]a]'),
  },
);
const { expression } = fc.letrec((tie) => ({
  part: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    atom,
    tie('expression').map((inner) => `(${inner})`),
    tie('expression').map((inner) => `(?:${inner})`),
    tie('expression').map((inner) => `(?i:${inner})`),
  ),
  counted: fc
    .tuple(tie('part'), fc.constantFrom('', '', '', '?', '*', '+', '+?', '{2}', '{0,1}', '{1,2}'))
    .map(([part, count]) => (/^(?:\^|\$|\\b)$/.test(String(part)) ? String(part) : `${part}${count}`)),
  sequence: fc.array(tie('counted'), { minLength: 1, maxLength: 5 }).map((parts) => parts.join('')),
  expression: fc.oneof(
    { weight: 3, arbitrary: tie('sequence') },
    { weight: 1, arbitrary: fc.tuple(tie('sequence'), tie('sequence')).map(([a, b]) => `${a}|${b}`) },
  ),
})) as { expression: fc.Arbitrary<string> };

test('whatever a regular expression matches has one of its literals', () => {
  let matched = 0;
  let known = 0;
  fc.assert(
    fc.property(
      expression,
      fc.constantFrom('', 'i'),
      fc.array(fc.array(fc.constantFrom(...'abBsSkK1 -_/.\\éſK'), { maxLength: 10 }), { minLength: 20, maxLength: 20 }),
      (source, flags, texts) => {
        const regex = compileRegex(source, flags);
        const literals = literalsOfRegex(source, flags);
        if (regex === null || literals === null) return;
        known++;
        for (const text of texts.map((parts) => parts.join(''))) {
          if (!regex.test(text)) continue;
          matched++;
          const folded = text.toLowerCase();
          assert.ok(
            literals.some((one) => folded.includes(one)),
            JSON.stringify({ source, flags, text, literals }),
          );
        }
      },
    ),
    { numRuns: 3000 },
  );
  assert.ok(known > 500 && matched > 500, `${known} expressions, ${matched} matches`);
});

test('literals of regular expressions as rules have them', () => {
  const of = (source: string, flags = ''): readonly string[] | null => literalsOfRegex(source, flags);
  assert.deepEqual(of('^rundll32\\.exe\\s+C:\\\\temp'), ['rundll32.exe']);
  assert.deepEqual(of('(?:mimikatz|lazagne)\\.exe'), ['mimikatz', 'lazagne']);
  assert.deepEqual(of('abc?d{2,}'), ['ab']);
  assert.deepEqual(of('(?i)pass'), ['pa'], 's stands for ſ as well');
  assert.deepEqual(of('[a-z]+\\d*'), null);
  assert.deepEqual(of('foo(bar'), null, 'what cannot be read promises nothing');
});

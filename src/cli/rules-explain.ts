// weir rules explain: why a rule matches a record, or does not.

import { existsSync } from 'node:fs';
import type { Rule } from '../../rules/model.ts';
import type { FieldTest } from '../../rules/predicate.ts';
import { type ExplainedPart, type Explanation, explainRule } from '../../workers/rule-explain.ts';
import { framingOf, type RawBatch } from '../model/batch.ts';
import { inputForVerb } from './rules-input.ts';
import { rulesForVerb, tellErrors } from './rules-load.ts';
import { printable } from './table.ts';
import { type Io, UsageError, type Values } from './verb.ts';

const SHOWN_VALUES = 6;
const SHOWN_CHARACTERS = 200;

export async function explainVerb(values: Values, io: Io, [wanted, event]: readonly string[]): Promise<number> {
  const loaded = await rulesForVerb(values);
  tellErrors(loaded.problems, io);
  const rule = find(loaded.rules, wanted);
  if (rule.detection === null)
    throw new UsageError(
      `'${rule.title}' is a correlation: explain the rules that feed it, and run it with 'rules match'`,
    );
  const { text, path, record } = eventOf(event);
  const input = await inputForVerb({ ...values, input: [path ?? '-'] }, loaded, io, text);
  let found: Explanation | null = null;
  let before = 0;
  for await (const batch of input.batches()) {
    for (const segment of found === null ? batch.segments : []) {
      if (framingOf(segment.format) !== 'lines') throw new UsageError('explain reads formats of lines; give JSON text');
      const lines = linesOf(batch.bytes, segment.start, segment.end);
      const line = lines[record - 1 - before];
      before += lines.length;
      if (line === undefined) continue;
      const [start, end] = line;
      const one: RawBatch = {
        bytes: batch.bytes,
        segments: [{ ...segment, start, end, base: segment.base + start - segment.start }],
        appendedAtMs: batch.ranges[0]?.appendedAtMs ?? 0,
      };
      found = explainRule(input.snapshot, rule, one);
    }
    batch.release();
  }
  if (found === null) throw new UsageError(`the input has no record ${record}`);
  const { refused, ...explained } = found;
  if (values.json) io.stdout.write(`${JSON.stringify({ rule: rule.id, title: rule.title, refused, ...explained })}\n`);
  else io.stdout.write(textOf(rule, found));
  return refused === '' ? 0 : 1;
}

function find(rules: readonly Rule[], wanted: string): Rule {
  const rule = rules.find(({ id, name, title }) => id === wanted.toLowerCase() || name === wanted || title === wanted);
  if (rule === undefined) throw new UsageError(`there is no rule with the id, name or title '${wanted}'`);
  return rule;
}

/** JSON text, or FILE, or FILE:RECORD. */
function eventOf(event: string): { text: string | null; path: string | null; record: number } {
  if (event.trimStart().startsWith('{')) return { text: `${event.replaceAll('\n', ' ')}\n`, path: null, record: 1 };
  if (event === '-') return { text: null, path: '-', record: 1 };
  const numbered = existsSync(event) ? null : /^(.+):([1-9]\d{0,14})$/.exec(event);
  return { text: null, path: numbered?.[1] ?? event, record: numbered ? Number(numbered[2]) : 1 };
}

function linesOf(bytes: Uint8Array, from: number, to: number): (readonly [number, number])[] {
  const lines: (readonly [number, number])[] = [];
  for (let start = from; start < to; ) {
    const newline = bytes.indexOf(10, start);
    const end = newline < 0 || newline >= to ? to : newline + 1;
    lines.push([start, end]);
    start = end;
  }
  return lines;
}

function textOf(rule: Rule, { refused, record, logsource, routed, matched, tree }: Explanation): string {
  if (refused !== '') return `the record cannot be read: ${printable(refused)}\n`;
  const source = ({ product, category, service }: Rule['logsource']): string =>
    [product, category, service].map((part) => part || '-').join('/');
  const lines = [
    `${rule.title}: ${matched ? 'matches' : 'does not match'}`,
    `  ${record} of ${logsource === null ? 'no log source' : source(logsource)}; the rule is for ${source(rule.logsource)}${routed ? '' : ': it is never asked'}`,
    ...(tree === null ? [] : treeLines(tree, 1)),
  ];
  return lines.map((line) => `${printable(line)}\n`).join('');
}

function treeLines(part: ExplainedPart, depth: number): string[] {
  const mark = part.decides ? '▸' : ' ';
  const start = `${'  '.repeat(depth)}${mark} ${part.held ? 'yes' : 'no '} `;
  if (part.test !== undefined) return [`${start}${testText(part.test)}: is ${actualText(part.actual ?? [])}`];
  const names = { and: 'all of', or: 'one of', not: 'not', constant: 'always so', test: '' };
  return [`${start}${names[part.kind]}`, ...(part.of ?? []).flatMap((inner) => treeLines(inner, depth + 1))];
}

function actualText(actual: readonly string[]): string {
  if (actual.length === 0) return 'absent';
  const shown = actual.slice(0, SHOWN_VALUES).map((text) => JSON.stringify(text.slice(0, SHOWN_CHARACTERS)));
  return `${shown.join(', ')}${actual.length > SHOWN_VALUES ? ', …' : ''}`;
}

function testText({ kind: _, field, test, ...rest }: FieldTest): string {
  const name = field === '' ? 'any text' : field;
  if ('values' in rest) {
    const { values } = rest;
    const shown = values.slice(0, SHOWN_VALUES).map((value) => JSON.stringify(value));
    return `${name} ${test} ${shown.join(' | ')}${values.length > SHOWN_VALUES ? ` | … (${values.length})` : ''}`;
  }
  if ('pattern' in rest)
    return `${name} like ${JSON.stringify(rest.pattern.map((p) => (typeof p === 'string' ? p : p.wildcard)).join(''))}`;
  const about = Object.values(rest).filter((value) => value !== '');
  return `${name} ${test}${about.length > 0 ? ` ${about.map((value) => JSON.stringify(value)).join(' ')}` : ''}`;
}

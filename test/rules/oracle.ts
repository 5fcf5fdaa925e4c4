// Weir's hits against those of pySigma's SQLite backend, over plain events: what a table of columns can hold.

import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RuleText } from '../../rules/index.ts';
import type { Rule, RuleLogSource } from '../../rules/model.ts';
import type { Predicate } from '../../rules/predicate.ts';
import { PACKAGE_ROOT } from '../../src/root.ts';
import { LISTS } from './lists.ts';
import { EVENT_MS } from './production.ts';
import { isShown, RecordSubject } from './record.ts';

const SCRIPT = join(PACKAGE_ROOT, 'test', 'rules', 'oracle', 'pysigma_oracle.py');
/** Status of the script when pySigma cannot be imported. */
const ABSENT = 3;

/** An event that the product was shown, and what hit it there. */
export interface ShownEvent {
  readonly record: Readonly<Record<string, unknown>>;
  readonly source: RuleLogSource;
  readonly hits: readonly number[];
}

export interface Difference {
  readonly rule: Rule;
  readonly event: ShownEvent;
  /** True when Weir alone hits, false when pySigma alone does. */
  readonly weir: boolean;
}

export interface Verdict {
  readonly pairs: number;
  readonly bothHit: number;
  readonly differences: readonly Difference[];
  /** Rules that pySigma or SQLite refuses, with the reason. */
  readonly refused: ReadonlyMap<number, string>;
}

/** null when Python or pySigma is absent, which the caller must say. */
export function askOracle(
  rules: readonly Rule[],
  files: readonly RuleText[],
  events: readonly ShownEvent[],
): Verdict | null {
  const python = process.env.PYTHON ?? 'python3';
  const folder = mkdtempSync(join(tmpdir(), 'weir-oracle-'));
  try {
    const question = join(folder, 'question.jsonl');
    write(question, rules, files, events);
    const answer = join(folder, 'answer.jsonl');
    const input = openSync(question, 'r');
    const output = openSync(answer, 'w');
    const ran = spawnSync(python, [SCRIPT], { stdio: [input, output, 'inherit'] });
    closeSync(input);
    closeSync(output);
    if (ran.error !== undefined || ran.status === ABSENT) return null;
    if (ran.status !== 0) throw new Error(`the oracle ended with status ${ran.status}`);
    return judge(rules, events, readFileSync(answer, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function write(path: string, rules: readonly Rule[], files: readonly RuleText[], events: readonly ShownEvent[]): void {
  const texts = new Map(files.map(({ path: file, text }) => [file, text]));
  const file = openSync(path, 'w');
  const say = (line: unknown): void => void writeSync(file, `${JSON.stringify(line)}\n`);
  say({ lists: Object.fromEntries(LISTS.map(({ name, values }) => [name, values])) });
  for (const { index, file: from } of rules) say({ rule: index, yaml: texts.get(from) });
  for (const [name, numbers] of bySource(events)) {
    const { source } = events[numbers[0]];
    const plan = rules.filter(({ logsource }) => isShown(logsource, source));
    const fields = [...new Set(plan.flatMap(({ detection }) => (detection === null ? [] : fieldsOf(detection))))];
    say({ source: name, fields, rules: plan.map(({ index }) => index) });
    for (const number of numbers) {
      const subject = new RecordSubject(events[number].record, source, EVENT_MS);
      // Fields as Weir understands their names, so that only what rules say of values is compared.
      const values = fields.map((field) => columnOf(subject.field(field).values[0]));
      say({ event: number, values, text: messageOf(events[number].record) });
    }
  }
  closeSync(file);
}

/** The values of the record as texts. */
function messageOf(record: Readonly<Record<string, unknown>>): string {
  const texts = (value: unknown): string[] =>
    typeof value === 'object' && value !== null
      ? Object.values(value).flatMap(texts)
      : value === null || value === undefined
        ? []
        : [String(value)];
  return texts(record).join('\n');
}

/** Zircolite keeps booleans as these texts. */
function columnOf(value: string | number | boolean | undefined): string | number | null {
  return typeof value === 'boolean' ? String(value) : (value ?? null);
}

function fieldsOf(predicate: Predicate): string[] {
  if (predicate.kind === 'and' || predicate.kind === 'or') return predicate.of.flatMap(fieldsOf);
  if (predicate.kind === 'not') return fieldsOf(predicate.of);
  if (predicate.kind !== 'field' || predicate.field === '') return [];
  return predicate.test === 'fieldref' ? [predicate.field, predicate.other] : [predicate.field];
}

function bySource(events: readonly ShownEvent[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const [number, { source }] of events.entries()) {
    const name = `${source.product}/${source.category}/${source.service}`;
    const numbers = found.get(name);
    if (numbers === undefined) found.set(name, [number]);
    else numbers.push(number);
  }
  return found;
}

interface Answer {
  readonly source?: string;
  readonly rule: number;
  readonly hits?: readonly number[];
  readonly error?: string;
}

function judge(rules: readonly Rule[], events: readonly ShownEvent[], text: string): Verdict {
  const refused = new Map<number, string>();
  const differences: Difference[] = [];
  const sources = bySource(events);
  const byIndex = new Map(rules.map((rule) => [rule.index, rule]));
  const own = events.map(({ hits }) => new Set(hits));
  let pairs = 0;
  let bothHit = 0;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const { source = '', rule, hits, error } = JSON.parse(line) as Answer;
    if (error !== undefined || hits === undefined) {
      refused.set(rule, error ?? '');
      continue;
    }
    const theirs = new Set(hits);
    for (const number of sources.get(source) ?? []) {
      pairs++;
      const weir = own[number].has(rule);
      if (weir && theirs.has(number)) bothHit++;
      const differs = weir !== theirs.has(number) ? byIndex.get(rule) : undefined;
      if (differs !== undefined) differences.push({ rule: differs, event: events[number], weir });
    }
  }
  return { pairs, bothHit, differences, refused };
}

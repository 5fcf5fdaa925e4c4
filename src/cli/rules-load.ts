// Which rules a subcommand of `weir rules` is about, and what became of their files.

import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { loadRules } from '../../rules/index.ts';
import type { Problem, RuleSet } from '../../rules/model.ts';
import type { Pipeline } from '../../rules/pipeline/model.ts';
import { readPipeline } from '../../rules/pipeline/read.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { type FoundRuleFile, readRuleFiles } from '../control/index.ts';
import { loadForVerb, problemText } from './prepare.ts';
import { type Io, type Option, UsageError, type Values } from './verb.ts';

export const RULES_OPTIONS = {
  rules: {
    type: 'string',
    multiple: true,
    argument: 'DIR',
    help: 'the rules of this folder (repeatable) in place of those in force',
  },
  pipeline: {
    type: 'string',
    multiple: true,
    argument: 'FILE',
    help: 'a Sigma processing pipeline that the rules go through (repeatable)',
  },
  packs: { type: 'boolean', help: 'with --rules: the shipped rules as well' },
  'no-packs': { type: 'boolean', help: 'leave the shipped rules out' },
} as const satisfies Record<string, Option>;

export interface LoadedRules extends RuleSet {
  /** As loaded; the rules are those of `config`. */
  readonly loaded: LoadedConfig;
  readonly config: Config;
  readonly files: readonly FoundRuleFile[];
}

/**
 * `--rules DIR` is about exactly those folders, so that counts and hits are theirs; `--packs` adds the shipped rules (which
 * own correlations may refer to). Without it the rules are those that a run would have in force.
 */
export async function rulesForVerb(values: Values): Promise<LoadedRules> {
  if (values.packs && values['no-packs']) throw new UsageError('--packs and --no-packs contradict each other');
  const loaded = await loadForVerb(values);
  const own = Array.isArray(values.rules);
  const packs = values['no-packs'] ? false : own ? values.packs === true : loaded.config.rules.packs;
  const config = { ...loaded.config, rules: { ...loaded.config.rules, packs } };
  const files = await readRuleFiles(config);
  const { rules, problems } = loadRules(files, await pipelinesOf(values));
  const origins = new Map(files.map(({ path, origin }) => [path, near(origin)]));
  return {
    loaded,
    config,
    files,
    rules,
    problems: problems.map((p) => ({ ...p, file: origins.get(p.file) ?? p.file })),
  };
}

/** A pipeline that cannot be read as a whole stops the verb: rules without it would mean something else. */
async function pipelinesOf(values: Values): Promise<readonly Pipeline[]> {
  const pipelines: Pipeline[] = [];
  for (const value of Array.isArray(values.pipeline) ? values.pipeline : []) {
    const path = String(value);
    const text = await readFile(path, 'utf8').catch((error: Error) => {
      throw new UsageError(`the pipeline '${path}' cannot be read: ${error.message}`);
    });
    const { pipeline, problems } = readPipeline(near(path), text);
    if (pipeline === null) throw new UsageError(problems.map(problemText).join('\n'));
    pipelines.push(pipeline);
  }
  return pipelines;
}

/** Paths as short as they can be. */
export function near(path: string): string {
  const shorter = relative(process.cwd(), path);
  return shorter.startsWith('..') || shorter === '' ? path : shorter;
}

/** Errors to standard error, a line each; true when there was one. */
export function tellErrors(problems: readonly Problem[], io: Io): boolean {
  const errors = problems.filter(({ severity }) => severity === 'error');
  for (const problem of errors) io.stderr.write(`${problemText(problem)}\n`);
  return errors.length > 0;
}

export interface Refusal {
  readonly file: string;
  readonly line: number;
  readonly code: string;
  readonly reason: string;
}

/** Errors that leave the rule at work. */
const FLAWS = new Set(['mitre.unknown_technique']);

/** What was refused: one entry a rule (or file), with the first of its errors. */
export function refusalsOf({ files, problems }: LoadedRules): readonly Refusal[] {
  const texts = new Map(files.map(({ origin, text }) => [near(origin), text]));
  const first = new Map<string, Refusal>();
  for (const { file, line, severity, code, message } of problems) {
    if (severity !== 'error' || FLAWS.has(code)) continue;
    const key = `${documentAt(texts.get(file) ?? '', line)} ${file}`;
    if (!first.has(key)) first.set(key, { file, line: Math.max(1, line), code, reason: message });
  }
  return [...first.values()];
}

/** Which document of a file a line belongs to. */
function documentAt(text: string, line: number): number {
  let document = 0;
  let started = false;
  for (const content of text.split('\n', line)) {
    if (!/^---(\s|$)/.test(content)) started ||= /^[^#\s]/.test(content);
    else if (started) document++;
  }
  return document;
}

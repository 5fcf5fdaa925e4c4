// weir.yaml, the environment and the command line → one configuration. Later ones win: defaults, file, environment
// (WEIR_STORE_THREADS=4 for store.threads), command line.

import { readFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import type { Problem } from '../../rules/model.ts';
import { parseYaml, Reporter, type YamlMap } from '../../rules/yaml.ts';
import type { Fields, Leaf, ListNode, Node } from './node.ts';
import { readScalar } from './scalar.ts';
import { type Config, SCHEMA } from './schema.ts';
import { nearest } from './suggest.ts';
import { anchored, Origins, Validator } from './validate.ts';

/** A configuration or inventory may be this large; beyond it, tenants belong into a database. */
const BOUNDS = { bytes: 64 << 20, nodes: 5_000_000 };

export interface LoadedConfig {
  readonly config: Config;
  readonly problems: readonly Problem[];
  /** Where the sections of `config` stand. */
  readonly origins: Origins;
  /** There is a file, and nothing in it. */
  readonly empty: boolean;
}

/** Dotted key → value, as the command line has them: `{ 'store.kind': 'null', workers: 2 }`. Undefined leaves a key alone. */
export type Overrides = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/**
 * Reads a configuration file (or none, for the defaults). Never throws for what a user wrote: see `problems`; with an
 * error among them, the configuration must not be used. Paths in it are absolute.
 */
export function loadConfig(
  path: string | null,
  overrides: Overrides = {},
  environment: NodeJS.ProcessEnv = process.env,
): LoadedConfig {
  const origins = new Origins();
  const read = path === null ? { map: null, report: new Reporter('') } : readYamlMap(path);
  const anchor = path ?? 'weir.yaml';
  const config = new Validator(read.report, origins, anchor).read(SCHEMA, read.map, '') as Config;
  const problems = [...read.report.problems];
  const leaves = new Map(leavesOf(SCHEMA.fields, ''));
  applyEnvironment(config, leaves, environment, problems);
  for (const [key, value] of Object.entries(overrides)) {
    const leaf = leaves.get(key);
    if (value === undefined) continue;
    if (!leaf) throw new Error(`no configuration key '${key}'`);
    apply(config, key, leaf, value, 'command line', problems);
  }
  return { config, problems, origins, empty: path !== null && read.map === null };
}

/** Reads one YAML file that must hold one mapping; its problems are in `report`. */
export function readYamlMap(path: string): { map: YamlMap | null; report: Reporter } {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const report = new Reporter(path);
    report.error(0, 'config.unreadable', `The file cannot be read: ${(error as Error).message}`);
    return { map: null, report };
  }
  const { documents, report } = parseYaml(path, text, BOUNDS);
  if (documents.length > 1) report.error(documents[1].at, 'config.documents', 'The file must hold one document.');
  return { map: documents[0] ?? null, report };
}

type Settable = Leaf | ListNode<Leaf>;

/** Keys that environment and command line can set: single values, and lists of them. */
function* leavesOf(fields: Fields, path: string): Generator<[string, Settable]> {
  for (const [key, node] of Object.entries(fields) as [string, Node][]) {
    const full = path === '' ? key : `${path}.${key}`;
    if (node.kind === 'section') yield* leavesOf(node.fields, full);
    else if (node.kind === 'leaf') yield [full, node];
    else if (node.kind === 'list' && node.of.kind === 'leaf') yield [full, node as ListNode<Leaf>];
  }
}

export function environmentName(key: string): string {
  return `WEIR_${key.replaceAll('.', '_').toUpperCase()}`;
}

function applyEnvironment(
  config: Config,
  leaves: ReadonlyMap<string, Settable>,
  environment: NodeJS.ProcessEnv,
  problems: Problem[],
): void {
  const byName = new Map([...leaves.keys()].map((key) => [environmentName(key), key]));
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith('WEIR_') || value === undefined) continue;
    const key = byName.get(name);
    if (key !== undefined) apply(config, key, leaves.get(key) as Settable, value, `environment ${name}`, problems);
    else {
      // Names that resemble no key are somebody else's.
      const near = nearest(name, [...byName.keys()]);
      if (near)
        problems.push(problem('environment', 'warning', 'config.unknown_key', `${name}: did you mean ${near}?`));
    }
  }
}

function apply(
  config: Config,
  key: string,
  node: Settable,
  value: string | number | boolean | readonly string[],
  from: string,
  problems: Problem[],
): void {
  const leaf = node.kind === 'leaf' ? node : node.of;
  const single = (raw: string | number | boolean): string | number | boolean | undefined => {
    const read = readScalar(leaf, raw);
    if ('value' in read) return leaf.scalar === 'path' ? anchored(process.cwd(), String(read.value)) : read.value;
    problems.push(problem(from, 'error', 'config.wrong_value', `'${key}' is '${raw}': ${read.error}.`));
    return undefined;
  };
  let result: unknown;
  if (node.kind === 'list') {
    const parts = Array.isArray(value) ? value : String(value).split(leaf.scalar === 'path' ? delimiter : ','); // host:port has colons
    result = parts.filter((part) => part !== '').map(single);
  } else result = single(value as string);
  if (result !== undefined) assign(config, key, result);
}

/** Sets a key of a configuration that is still being built. Keys come from the schema, never from input. */
function assign(config: Config, key: string, value: unknown): void {
  const path = key.split('.');
  let target = config as unknown as Record<string, unknown>;
  for (const part of path.slice(0, -1)) target = target[part] as Record<string, unknown>;
  target[path[path.length - 1]] = value;
}

function problem(file: string, severity: Problem['severity'], code: string, message: string): Problem {
  return { file, line: 0, column: 0, severity, code, message };
}

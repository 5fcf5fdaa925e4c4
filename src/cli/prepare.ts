// Command line and configuration file → what a run is made from.

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadRules } from '../../rules/index.ts';
import type { Problem } from '../../rules/model.ts';
import { type LoadedConfig, loadConfig, type Overrides } from '../config/load.ts';
import { wrongText } from '../config/scalar.ts';
import { type Config, NO_TOPIC, type SourceConfig } from '../config/schema.ts';
import {
  type ControlDocuments,
  type ControlRepository,
  createTenant,
  createYamlRepository,
  readRuleFiles,
} from '../control/index.ts';
import { FORMATS } from '../model/batch.ts';
import type { Tenant } from '../model/control.ts';
import { checkPolicy } from './policy-check.ts';
import { printable } from './table.ts';
import { UsageError, type Values } from './verb.ts';

export interface PreparedRun {
  readonly config: Config;
  readonly documents: ControlDocuments;
  readonly repository: ControlRepository;
  /** Warnings, and rules that were left out: one printable line each. */
  readonly problems: readonly string[];
  /** Tenants that no configuration knows, made for this run. */
  readonly created: readonly { readonly slug: string; readonly id: string }[];
  /** Adds the created tenants to reloaded documents. */
  withCreated(documents: ControlDocuments): ControlDocuments;
}

const DEFAULT_FILE = 'weir.yaml';

/** Path of the configuration: --config, or ./weir.yaml when it is there, or null. */
export function configPath(values: Values): string | null {
  if (typeof values.config === 'string') return values.config;
  return existsSync(DEFAULT_FILE) ? DEFAULT_FILE : null;
}

export function problemText({ file, line, column, message, code }: Problem): string {
  const place = line > 0 ? `${file}:${line}${column > 0 ? `:${column}` : ''}` : file;
  return `${place}: ${message} [${code}]`;
}

/** Throws UsageError with every error of the list; returns the others. */
export function withoutErrors(problems: readonly Problem[]): readonly Problem[] {
  const errors = problems.filter((problem) => problem.severity === 'error');
  if (errors.length > 0)
    throw new UsageError(`the configuration cannot be used:\n${errors.map((e) => `  ${problemText(e)}`).join('\n')}`);
  return problems;
}

/** Options that every verb understands, as keys of the configuration. */
function overridesOf(values: Values): Overrides {
  const text = (name: string): string | undefined =>
    typeof values[name] === 'string' ? (values[name] as string) : undefined;
  const overrides: Record<string, Overrides[string]> = {
    data: text('data') === undefined ? undefined : resolve(text('data') as string),
    workers: text('workers'),
    'rules.directories': Array.isArray(values.rules)
      ? values.rules.map((folder) => resolve(String(folder)))
      : undefined,
  };
  for (const setting of Array.isArray(values.set) ? values.set : []) {
    const [key, ...rest] = String(setting).split('=');
    if (rest.length === 0) throw new UsageError(`--set takes KEY=VALUE, not '${setting}'`);
    overrides[key] = rest.join('=');
  }
  return overrides;
}

/** The configuration under the options that every verb understands. */
export async function loadForVerb(values: Values): Promise<LoadedConfig> {
  try {
    const loaded = loadConfig(configPath(values), overridesOf(values));
    withoutErrors(loaded.problems);
    return loaded;
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('no configuration key'))
      throw new UsageError(`--set: ${error.message}`);
    throw error;
  }
}

/** The tenants of the configuration, those of `tenants_file` included. Throws UsageError where they cannot be used. */
export async function tenantsForVerb(values: Values): Promise<readonly Tenant[]> {
  const loaded = await loadForVerb(values);
  const { tenants, problems } = await createYamlRepository(() => loaded, configPath(values), checkPolicy).load();
  withoutErrors(problems);
  return tenants;
}

export async function prepareRun(values: Values): Promise<PreparedRun> {
  const loaded = await loadForVerb(values);
  const config: Config = { ...loaded.config, sources: sourcesOf(values, loaded.config) };
  // Found once: a configuration that is deleted later is unreadable, not absent.
  const path = configPath(values);
  const overrides = overridesOf(values);
  const repository = createYamlRepository(() => loadConfig(path, overrides), path, checkPolicy);
  const found = await repository.load();
  withoutErrors(found.problems);
  const known = new Set(found.tenants.flatMap((tenant) => [tenant.slug, tenant.id.toLowerCase()]));
  const created = [...new Set(config.sources.map((source) => source.tenant))]
    .filter((slug) => slug !== '' && !known.has(slug.toLowerCase()))
    .map((slug) => createTenant(slug));
  const withCreated = (documents: ControlDocuments): ControlDocuments => ({
    ...documents,
    tenants: [
      ...documents.tenants,
      ...created.filter((tenant) => !documents.tenants.some((t) => t.slug === tenant.slug)),
    ],
  });
  const rules = loadRules(await readRuleFiles(config));
  return {
    config,
    documents: withCreated(found),
    repository,
    problems: [...found.problems, ...rules.problems].map(problemText),
    created,
    withCreated,
  };
}

/** --input and the options around it describe one source, in place of the configured ones. */
function sourcesOf(values: Values, config: Config): readonly SourceConfig[] {
  const inputs = Array.isArray(values.input) ? values.input.map(String) : [];
  const own = ['format', 'tenant', 'pop', 'order', 'timezone', 'year'].filter((name) => values[name] !== undefined);
  const follow = values.follow === true;
  if (inputs.length === 0) {
    if (own.length > 0) throw new UsageError(`--${own[0]} needs --input; configured sources have their own`);
    if (config.sources.length === 0) throw new UsageError('nothing to read: give --input, or sources in weir.yaml');
    return follow ? config.sources.map(followed) : config.sources;
  }
  if (inputs.some((input) => input === '')) throw new UsageError('--input must not be empty');
  const text = (name: string, fallback: string): string =>
    typeof values[name] === 'string' ? (values[name] as string) : fallback;
  const format = oneOf(text('format', 'auto'), 'format', ['auto', ...FORMATS]);
  const order = oneOf(text('order', 'arrival'), 'order', ['arrival', 'event-time']);
  const year = Number(text('year', '0'));
  if (!Number.isInteger(year) || year < 0 || year > 2100)
    throw new UsageError(`--year takes a year, not '${text('year', '')}'`);
  for (const [option, format] of [
    ['timezone', 'zone'],
    ['pop', 'pop'],
  ] as const) {
    const wrong = wrongText(format, text(option, ''));
    if (wrong !== '') throw new UsageError(`--${option}: ${wrong}, not '${printable(text(option, ''))}'`);
  }
  if (follow && order === 'event-time')
    throw new UsageError('--order event-time needs an input that ends; it cannot go with --follow');
  return inputs.map((input, i) => ({
    // The name is part of the identity of files: the same command finds what it has read.
    name: i === 0 ? 'input' : `input-${i + 1}`,
    input: input === '-' ? '-' : resolve(input),
    format: format as SourceConfig['format'],
    tenant: text('tenant', ''),
    pop: text('pop', ''),
    order: order === 'event-time' ? 'event-time' : 'arrival',
    lateness: -1, // the global one
    follow,
    timezone: text('timezone', '') || 'UTC',
    year,
    logsource: { product: '', category: '', service: '' },
    ...NO_TOPIC,
  }));
}

function followed(source: SourceConfig): SourceConfig {
  if (source.order === 'event-time')
    throw new UsageError(
      `--follow: source '${source.name}' has order: event-time, which needs an input that ends; it cannot be followed`,
    );
  return { ...source, follow: true };
}

function oneOf(value: string, option: string, known: readonly string[]): string {
  if (!known.includes(value)) throw new UsageError(`--${option} takes one of ${known.join(', ')}, not '${value}'`);
  return value;
}

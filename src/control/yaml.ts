// Tenants, policies and lists from weir.yaml and the files that it names.

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem } from '../../rules/model.ts';
import { type LoadedConfig, readYamlMap } from '../config/load.ts';
import { list, section } from '../config/node.ts';
import { POLICIES, type PolicyConfig, type SourceConfig, TENANT, type TenantConfig } from '../config/schema.ts';
import { type Origins, Validator } from '../config/validate.ts';
import type { PolicyDocument, Tenant } from '../model/control.ts';
import { checkLists, countList } from './lists.ts';
import type { ControlDocuments, ControlRepository } from './repository.ts';
import { listOf, tenantsOf } from './tenants.ts';
import { unique } from './unique.ts';

const POLL_MS = 2000;
const TENANTS_FILE = section('A file of tenants.', { tenants: list('Tenants.', TENANT) });
const POLICIES_FILE = section('A file of policies.', { policies: POLICIES });

/** Finds what is wrong with a policy's conditions; a problem's message begins with the JSON path, `$[0].op: …`. */
export type PolicyCheck = (policy: PolicyDocument) => readonly Problem[];

const unchecked: PolicyCheck = () => [];

/**
 * `read` loads the configuration anew each time, `() => loadConfig(path, overrides)`; `path` is watched too. Documents come
 * with the problems of the configuration itself: with an error among them they must not be put in force.
 */
export function createYamlRepository(
  read: () => LoadedConfig,
  path: string | null = null,
  checkPolicy: PolicyCheck = unchecked,
): ControlRepository {
  let files: readonly string[] = path === null ? [] : [path];
  let emptyAtStart: ReadonlySet<string> | null = null;
  const load = async (): Promise<ControlDocuments> => {
    const loaded = read();
    const { documents, tenants, empty } = await readDocuments(loaded, checkPolicy);
    const problems = [...loaded.problems, ...documents.problems];
    if (loaded.empty && path !== null) empty.push(path);
    emptyAtStart ??= new Set(empty);
    const emptied = empty.filter((file) => !emptyAtStart?.has(file));
    problems.push(...emptied.map(emptiedProblem));
    // What a broken file no longer names is watched on: its repair must be seen.
    const found = filesOf(loaded, tenants, path);
    files = problems.some(({ severity }) => severity === 'error') ? [...new Set([...files, ...found])] : found;
    return { ...documents, problems };
  };
  return { load, watch: (onChange) => watchFiles(() => files, onChange) };
}

/** An editor empties a file before it writes it: that must never mean "no tenants", "no policies". */
function emptiedProblem(file: string): Problem {
  const message = 'The file was emptied. To have none, write an empty list: tenants: []';
  return { file, line: 1, column: 1, severity: 'error', code: 'config.emptied', message };
}

/** Documents of a configuration that was read already. Problems of the configuration itself are not repeated. */
export async function loadDocuments(
  loaded: LoadedConfig,
  checkPolicy: PolicyCheck = unchecked,
): Promise<ControlDocuments> {
  return (await readDocuments(loaded, checkPolicy)).documents;
}

async function readDocuments(
  { config, origins }: LoadedConfig,
  checkPolicy: PolicyCheck,
): Promise<{ documents: ControlDocuments; tenants: readonly TenantConfig[]; empty: string[] }> {
  const problems: Problem[] = [];
  const empty: string[] = [];
  const mapOf: ReadMap = (path) => {
    const { map, report } = readYamlMap(path);
    if (map === null) empty.push(path);
    return { map, report };
  };
  const configs = [...config.tenants, ...tenantsOfFile(config.tenants_file, origins, problems, mapOf)];
  const fromFiles = new Map(configs.map((tenant) => [tenant, policiesOfFiles(tenant, origins, problems, mapOf)]));
  const { tenants, policies, ...found } = tenantsOf(
    configs,
    (tenant) => [...tenant.policies, ...(fromFiles.get(tenant) ?? [])],
    origins,
  );
  problems.push(...found.problems, ...checkLists(config.lists, origins));
  for (const policy of policies) {
    for (const { severity, code, message } of checkPolicy(policy)) {
      const path = message.split(': ', 1)[0];
      problems.push(origins.problem(policy, 'conditions', severity, code, `Policy '${policy.id}': ${message}`, path));
    }
  }
  unique(
    config.sources,
    ({ name }) => name,
    (source, name) => {
      problems.push(origins.problem(source, 'name', 'error', 'config.duplicate', `Source '${name}' appears twice.`));
    },
  );
  for (const source of config.sources) {
    if ((source.input === '') === (source.topic === '')) {
      const message = `Source '${source.name}' needs an input or a topic, and not both.`;
      problems.push(origins.problem(source, 'name', 'error', 'config.source_input', message));
    }
    problems.push(...exporterProblems(source, tenants, origins));
    if (source.topic !== '' && config.kafka.brokers.length === 0) {
      const message = `Source '${source.name}' has a topic, but kafka.brokers names no broker.`;
      problems.push(origins.problem(source, 'topic', 'error', 'config.no_brokers', message));
    }
  }
  for (const lists of [config.lists, ...configs.map((tenant) => tenant.lists)]) {
    for (const entry of lists) problems.push(...(await fileProblems(entry, origins)));
  }
  return { documents: { tenants, policies, lists: config.lists.map(listOf), problems }, tenants: configs, empty };
}

type ReadMap = typeof readYamlMap;

function tenantsOfFile(path: string, origins: Origins, problems: Problem[], mapOf: ReadMap): readonly TenantConfig[] {
  if (path === '') return [];
  const { map, report } = mapOf(path);
  const read = new Validator(report, origins, path).read(TENANTS_FILE, map, '') as { tenants: TenantConfig[] };
  problems.push(...report.problems);
  return read.tenants;
}

function policiesOfFiles(
  tenant: TenantConfig,
  origins: Origins,
  problems: Problem[],
  mapOf: ReadMap,
): readonly PolicyConfig[] {
  return tenant.policies_files.flatMap((path) => {
    const { map, report } = mapOf(path);
    const read = new Validator(report, origins, path).read(POLICIES_FILE, map, '') as { policies: PolicyConfig[] };
    problems.push(...report.problems);
    return read.policies;
  });
}

async function fileProblems(entry: TenantConfig['lists'][number], origins: Origins): Promise<Problem[]> {
  if (entry.file === '') return [];
  try {
    const { values, bad, firstBad } = await countList(entry);
    if (firstBad !== null) {
      const message = `${bad} lines are no ${entry.kind} and are left out, first '${firstBad.text}'.`;
      const place = { file: entry.file, line: firstBad.line, column: 1 };
      return [{ ...place, severity: 'warning', code: 'list.bad_value', message }];
    }
    if (values > 0) return [];
    return [origins.problem(entry, 'file', 'warning', 'list.empty', `The file of list '${entry.name}' has no value.`)];
  } catch (error) {
    const message = `List '${entry.name}': ${(error as Error).message}`;
    return [origins.problem(entry, 'file', 'error', 'list.unreadable', message)];
  }
}

function filesOf({ config }: LoadedConfig, tenants: readonly TenantConfig[], path: string | null): readonly string[] {
  const lists = [...config.lists, ...tenants.flatMap((tenant) => tenant.lists)].map(({ file }) => file);
  const files = [path ?? '', config.tenants_file, ...tenants.flatMap((tenant) => tenant.policies_files), ...lists];
  return [...files.filter((file) => file !== ''), ...config.rules.directories];
}

function filesBelow(path: string): string[] {
  try {
    return [path, ...readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name))];
  } catch {
    return [path]; // a file, or a folder that is gone by now
  }
}

/** Looks at sizes and times every two seconds: works over network file systems and through editors' renames. */
function watchFiles(files: () => readonly string[], onChange: () => void): () => void {
  const look = (): string =>
    files()
      .flatMap(filesBelow)
      .map((file) => {
        const stat = statSync(file, { throwIfNoEntry: false });
        return `${file} ${stat?.mtimeMs} ${stat?.size} ${stat?.ino}`;
      })
      .join('\n');
  let seen = look();
  const timer = setInterval(() => {
    const now = look();
    if (now === seen) return;
    seen = now;
    onChange();
  }, POLL_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** Formats whose every record is a flow of an exporter that it names. */
const EXPORTED = ['goflow2-json', 'goflow2-protobuf', 'akvorado-json'];

function exporterProblems(source: SourceConfig, tenants: readonly Tenant[], origins: Origins): Problem[] {
  const { name, exporters, format, tenant_from: from } = source;
  if (from !== 'exporter') return [];
  const problem = (key: string, message: string): Problem =>
    origins.problem(source, key, 'error', 'config.exporters', `Source '${name}': ${message}`);
  const known = new Set(tenants.flatMap(({ id, slug }) => [id, slug]));
  const strangers = exporters.filter(({ tenant }) => !known.has(tenant) && !known.has(tenant.toLowerCase()));
  return [
    ...strangers.map((exporter) => {
      const message = `Source '${name}': the exporters in ${exporter.prefix} are of the tenant '${exporter.tenant}', which is not configured.`;
      return origins.problem(exporter, 'tenant', 'error', 'config.unknown_tenant', message);
    }),
    ...(exporters.length === 0 ? [problem('tenant_from', 'tenant_from: exporter needs exporters.')] : []),
    ...(EXPORTED.includes(format)
      ? []
      : [problem('format', `tenant_from: exporter needs a format that names exporters: ${EXPORTED.join(', ')}.`)]),
  ];
}

// The control snapshot: documents, rules and settings in one canonical form, named by the hash of its content. Equal
// content has an equal hash on every machine: paths are left out of it, files are in it by their own hashes.

import { open, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { OperationalError } from '../cli/verb.ts';
import type { Config, SourceConfig } from '../config/schema.ts';
import { utf8 } from '../model/bytes.ts';
import {
  type ControlSnapshot,
  type Detour,
  type ListDocument,
  type PolicyDocument,
  plainSource,
  type RuleFile,
  type SourceDefinition,
  type Tenant,
} from '../model/control.ts';
import { hashHex } from '../model/hash.ts';
import { exists, keepFile } from './files.ts';
import { databasesOf, keepDatabases } from './geo.ts';
import { keepList } from './lists.ts';
import type { ControlDocuments } from './repository.ts';
import { limitedBy } from './tenants.ts';

/**
 * Builds the snapshot of a configuration, in canonical order; `sources` stay in the configuration's order, since batches
 * refer to them by position. With a data directory, lists and databases are copied there; without one (for a check)
 * lists are held in memory. `lanes`: partitions of the input topics. Throws OperationalError('control_unreadable') when a list or database cannot be read.
 */
export async function buildSnapshot(
  config: Config,
  documents: Pick<ControlDocuments, 'tenants' | 'policies' | 'lists'>,
  rules: readonly RuleFile[],
  root: string | null,
  lanes = 0,
): Promise<ControlSnapshot> {
  const { limits, enrich, correlate } = config;
  try {
    const keep = async (lists: readonly ListDocument[]): Promise<readonly ListDocument[]> => {
      const kept: ListDocument[] = [];
      for (const list of lists) kept.push(await keepList(list, root));
      return kept.sort((a, b) => compare(a.name, b.name));
    };
    const tenants: Tenant[] = [];
    for (const tenant of documents.tenants)
      tenants.push({ ...limitedBy(config.quota), ...tenant, lists: await keep(tenant.lists) });
    const body: Omit<ControlSnapshot, 'hash'> = {
      tenants: tenants.sort((a, b) => compare(a.id, b.id)),
      sources: [
        ...config.sources.map((source) => sourceDefinition(source, config, lanes)),
        ...divertedSources(config, lanes),
      ],
      policies: [...documents.policies].sort(byDecision),
      rules: rules.map(({ path, text }) => ({ path, text })),
      lists: await keep(documents.lists),
      categories: enrich.categories,
      limits: { recordBytes: limits.record_bytes, depth: limits.depth, keys: limits.keys },
      enrich: { geo: await keepDatabases(databasesOf(enrich.geo), root), communityId: enrich.community_id },
      correlate: {
        groupsPerRule: correlate.groups_per_rule,
        valuesPerGroup: correlate.values_per_group,
        suppressionMs: correlate.suppression,
        evidence: correlate.evidence,
      },
    };
    return { hash: hashOf(body), ...body };
  } catch (error) {
    const message = `a list or database cannot be read: ${(error as Error).message}`;
    throw new OperationalError('control_unreadable', message, error);
  }
}

export function sourceDefinition(
  source: SourceConfig,
  config: Pick<Config, 'lateness' | 'kafka'>,
  lanes: number,
): SourceDefinition {
  const { name, tenant, pop, format, logsource, timezone, year, lateness } = source;
  const latenessMs = lateness < 0 ? config.lateness : lateness;
  const definition = { name, tenant, pop, format, logsource, timezone, year, latenessMs };
  if (source.topic === '') return definition;
  const { prefix, partitioner } = config.kafka;
  const { tenant_from: tenantFrom, tenant_header: tenantHeader, pop_header: popHeader, exporters } = source;
  const topic = `${prefix}${source.topic}`;
  return { ...definition, kafka: { topic, tenantFrom, tenantHeader, popHeader, exporters, partitioner, lanes } };
}

/** Names of the sources that are topics of diverted records; no configured name has a colon. */
export const DETOURS: Readonly<Record<Detour, string>> = { repartition: 'weir:repartition', overflow: 'weir:overflow' };

/** Detours that records may take; without a partitioner every lane will do. */
export function detoursOf({ kafka, sources }: Pick<Config, 'kafka' | 'sources'>): readonly Detour[] {
  if (sources.every(({ topic }) => topic === '')) return [];
  return kafka.partitioner === 'any' ? ['overflow'] : ['repartition', 'overflow'];
}

/** Diverted records come back by sources of their own, behind the configured ones. */
export function divertedSources(config: Config, lanes: number): SourceDefinition[] {
  const { partitioner } = config.kafka;
  const rule = {
    topic: '',
    tenantFrom: 'record',
    tenantHeader: '',
    popHeader: '',
    exporters: [],
    partitioner,
    lanes,
  } as const;
  return detoursOf(config).map((diverted) => ({ ...plainSource(DETOURS[diverted]), kafka: { ...rule, diverted } }));
}

/** Writes `<root>/control/<hash>.json` unless it is there; it is complete whenever it has its name. */
export async function saveSnapshot(root: string, snapshot: ControlSnapshot): Promise<void> {
  const path = snapshotPath(root, snapshot.hash);
  if (await exists(path)) return;
  await keepFile(dirname(path), '.json', async (temporary) => {
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(canonicalJson({ ...withoutPaths(snapshot), hash: snapshot.hash }));
      await file.sync();
    } finally {
      await file.close();
    }
    return snapshot.hash;
  });
}

/** Throws OperationalError('snapshot_missing' | 'snapshot_damaged'). */
export async function loadSnapshot(root: string, hash: string): Promise<ControlSnapshot> {
  const path = snapshotPath(root, hash);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new OperationalError('snapshot_missing', `control snapshot ${path} cannot be read`, error);
  });
  let snapshot: ControlSnapshot;
  try {
    snapshot = JSON.parse(text) as ControlSnapshot;
    if (hashOf(snapshot) !== hash) throw new Error('its content does not have its hash');
  } catch (error) {
    throw new OperationalError('snapshot_damaged', `control snapshot ${path} is damaged`, error);
  }
  return withPaths(snapshot, root);
}

function snapshotPath(root: string, hash: string): string {
  return join(root, 'control', `${hash}.json`);
}

function hashOf(snapshot: Omit<ControlSnapshot, 'hash'>): string {
  return hashHex(utf8(canonicalJson(withoutPaths(snapshot))));
}

/** Files by their content hash alone. */
function withoutPaths(snapshot: Omit<ControlSnapshot, 'hash'>): Omit<ControlSnapshot, 'hash'> {
  const { tenants, sources, policies, rules, lists, categories, limits, enrich, correlate } = snapshot;
  const bare = (list: ListDocument): ListDocument => ({ ...list, file: basename(list.file) });
  return {
    tenants: tenants.map((tenant) => ({ ...tenant, lists: tenant.lists.map(bare) })),
    sources,
    policies,
    rules,
    lists: lists.map(bare),
    categories,
    limits,
    enrich: { ...enrich, geo: enrich.geo.map(({ hash }) => ({ path: '', hash })) },
    correlate,
  };
}

function withPaths(snapshot: ControlSnapshot, root: string): ControlSnapshot {
  const full = (list: ListDocument): ListDocument => ({
    ...list,
    file: list.file === '' ? '' : join(root, 'lists', list.file),
  });
  const geo = snapshot.enrich.geo.map(({ hash }) => ({ path: join(root, 'geo', `${hash}.mmdb`), hash }));
  return {
    ...snapshot,
    tenants: snapshot.tenants.map((tenant) => ({ ...tenant, lists: tenant.lists.map(full) })),
    lists: snapshot.lists.map(full),
    enrich: { ...snapshot.enrich, geo },
  };
}

/** JSON with sorted keys and no spaces: one text for one content. Undefined members are left out, as by JSON.stringify. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => compare(a, b))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

function byDecision(a: PolicyDocument, b: PolicyDocument): number {
  return compare(a.tenant, b.tenant) || a.priority - b.priority || compare(a.id, b.id);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

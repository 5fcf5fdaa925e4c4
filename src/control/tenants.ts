// Tenant configurations → tenants and policies of the model, checked as a whole: unique ids, sites that exist.

import type { Problem } from '../../rules/model.ts';
import { UsageError } from '../cli/verb.ts';
import type { PolicyConfig, TenantConfig } from '../config/schema.ts';
import type { Origins } from '../config/validate.ts';
import { type ListDocument, type PolicyDocument, plainTenant, type Quota, type Tenant } from '../model/control.ts';
import { isUuid, uuidFrom } from '../model/hash.ts';
import { checkLists } from './lists.ts';
import { unique } from './unique.ts';

/** A tenant that no configuration knows: its UUID follows from its name, so every run and verb derives the same one. */
export function createTenant(slug: string): Tenant {
  if (!isUuid(slug) && !/^[a-z0-9][a-z0-9-]{0,99}$/.test(slug)) {
    throw new UsageError(`tenant '${slug}': expected a UUID, or at most 100 lower-case letters, digits and hyphens`);
  }
  const id = isUuid(slug) ? slug.toLowerCase() : tenantId(slug);
  return { ...plainTenant(id, slug.toLowerCase()), name: slug };
}

/** UUID of a tenant that was given none. */
export function tenantId(slug: string): string {
  return uuidFrom('tenant', slug);
}

export interface TenantDocuments {
  readonly tenants: readonly Tenant[];
  readonly policies: readonly PolicyDocument[];
  readonly problems: readonly Problem[];
}

/** `policiesOf` gives all policies of a tenant: its own and those of its files. */
export function tenantsOf(
  configs: readonly TenantConfig[],
  policiesOf: (tenant: TenantConfig) => readonly PolicyConfig[],
  origins: Origins,
): TenantDocuments {
  const problems: Problem[] = [];
  const duplicate = (section: object, key: string, message: string): void => {
    problems.push(origins.problem(section, key, 'error', 'config.duplicate', message));
  };
  unique(
    configs,
    ({ slug }) => slug,
    (config, slug) => duplicate(config, 'slug', `Tenant '${slug}' appears twice.`),
  );
  const idOf = ({ id, slug }: TenantConfig): string => (id === '' ? tenantId(slug) : id.toLowerCase());
  unique(configs, idOf, (config, id) => duplicate(config, 'id', `Tenant id ${id} appears twice.`));

  const policies: PolicyDocument[] = [];
  const tenants = configs.map((config): Tenant => {
    const own = policiesOf(config);
    unique(
      own,
      ({ id }) => id,
      (policy, id) => duplicate(policy, 'id', `Policy '${id}' appears twice.`),
    );
    for (const policy of own) {
      const document = policyOf(idOf(config), policy);
      origins.copied(policy, document);
      policies.push(document);
    }
    for (const kind of ['sites', 'devices', 'users'] as const) {
      const what = kind.slice(0, -1);
      unique(
        config[kind] as readonly { id: string }[],
        ({ id }) => id,
        (entry, id) => {
          duplicate(entry, 'id', `The ${what} '${id}' appears twice.`);
        },
      );
    }
    problems.push(...unknownSites(config, origins), ...checkLists(config.lists, origins));
    return tenantOf(config, idOf(config));
  });
  return { tenants, policies, problems };
}

function tenantOf(config: TenantConfig, id: string): Tenant {
  const { slug, status, timezone, internal, sites, devices, users, categories, lists } = config;
  return {
    id,
    slug,
    name: config.name === '' ? slug : config.name,
    status,
    timezone,
    internal,
    sites: sites.map((site) => ({ ...site, timezone: site.timezone === '' ? timezone : site.timezone })),
    devices,
    users,
    categories,
    lists: lists.map(listOf),
    ...limitedBy(config.quota),
  };
}

const DEFAULT_BURST_SECONDS = 10;

/** Nothing where there is no limit, so that a tenant without one is what it always was. */
export function limitedBy({ rate, burst }: Quota): { readonly quota?: Quota } {
  return rate === 0 ? {} : { quota: { rate, burst: burst === 0 ? rate * DEFAULT_BURST_SECONDS : burst } };
}

function policyOf(tenant: string, policy: PolicyConfig): PolicyDocument {
  const { id, name, enabled, priority, action, version, conditions } = policy;
  return {
    id,
    tenant,
    name: name === '' ? id : name,
    enabled,
    priority,
    action,
    version,
    conditions: conditions ?? [],
  };
}

export function listOf(config: TenantConfig['lists'][number]): ListDocument {
  const { name, kind, threat, values, file } = config;
  return { name, kind, threat, values, file };
}

function unknownSites(config: TenantConfig, origins: Origins): Problem[] {
  const known = new Set(config.sites.map(({ id }) => id));
  return [...config.devices, ...config.users]
    .filter(({ site }) => site !== '' && !known.has(site))
    .map((entry) => {
      const message = `'${entry.id}' is at site '${entry.site}', which the tenant does not have.`;
      return origins.problem(entry, 'site', 'error', 'config.unknown_site', message);
    });
}

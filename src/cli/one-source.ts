// What verbs run under that look at records and store nothing: the configuration, with one source in place of its own.

import type { LoadedConfig } from '../config/load.ts';
import { NO_TOPIC, type SourceConfig } from '../config/schema.ts';
import { buildSnapshot, createTenant, loadDocuments } from '../control/index.ts';
import type { ControlSnapshot, RuleFile } from '../model/control.ts';
import { checkPolicy } from './policy-check.ts';
import { withoutErrors } from './prepare.ts';

export interface OneSource {
  readonly source: Pick<SourceConfig, 'name' | 'input' | 'format' | 'pop'> & Partial<Pick<SourceConfig, 'logsource'>>;
  /** Tenant of records that name none; undefined: the only one that is configured, else `nobody`. */
  readonly tenant: string | undefined;
  /** '' where records must name their own. */
  readonly nobody: string;
  readonly rules: readonly RuleFile[];
}

/** A tenant that is not configured is made. Throws UsageError with every error of the documents. */
export async function snapshotOfOne(loaded: LoadedConfig, one: OneSource): Promise<ControlSnapshot> {
  const documents = await loadDocuments(loaded, checkPolicy);
  withoutErrors(documents.problems);
  const known = documents.tenants;
  const tenant = one.tenant ?? (known.length === 1 ? known[0].slug : one.nobody);
  const isKnown = tenant === '' || known.some(({ id, slug }) => slug === tenant || id === tenant.toLowerCase());
  const source: SourceConfig = {
    tenant,
    order: 'arrival',
    lateness: -1,
    follow: false,
    timezone: 'UTC',
    year: 0,
    logsource: { product: '', category: '', service: '' },
    ...NO_TOPIC,
    ...one.source,
  };
  const tenants = isKnown ? known : [...known, createTenant(tenant)];
  return buildSnapshot({ ...loaded.config, sources: [source] }, { ...documents, tenants }, one.rules, null);
}

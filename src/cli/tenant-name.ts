// The tenant that an option or argument names: by UUID or by slug.

import { createTenant } from '../control/index.ts';
import { isUuid } from '../model/hash.ts';
import { tenantsForVerb } from './prepare.ts';
import type { Values } from './verb.ts';

export interface NamedTenant {
  readonly id: string;
  readonly slug: string;
  /** A configuration has it. Otherwise the id is what a run derives from the slug. */
  readonly known: boolean;
}

/** Throws UsageError for what can be no tenant's name. With `--data` alone no configuration is read. */
export async function tenantNamed(name: string, values: Values): Promise<NamedTenant> {
  const derived = createTenant(name);
  const unread = typeof values.data === 'string' && values.set === undefined && values.config === undefined;
  if (isUuid(name) && unread) return { id: derived.id, slug: derived.slug, known: false };
  const tenants = unread ? [] : await tenantsForVerb(values);
  const found = tenants.find(({ id, slug }) => id === name.toLowerCase() || slug === name.toLowerCase());
  return found ? { id: found.id, slug: found.slug, known: true } : { id: derived.id, slug: derived.slug, known: false };
}

// Names of all lists, shared and of tenants, that placeholders of rules may mean.

import type { LoadedConfig } from '../config/load.ts';
import { type ControlDocuments, loadDocuments } from '../control/index.ts';
import { checkPolicy } from './policy-check.ts';

export function listNames({ lists, tenants }: Pick<ControlDocuments, 'lists' | 'tenants'>): ReadonlySet<string> {
  return new Set([...lists, ...tenants.flatMap((tenant) => tenant.lists)].map(({ name }) => name));
}

/** What is wrong with the documents is told by `weir check`. */
export async function knownLists(loaded: LoadedConfig): Promise<ReadonlySet<string>> {
  return listNames(await loadDocuments(loaded, checkPolicy));
}

// The lists that the corpus' placeholders name. Without values no `expand` could ever hold, and half of its meaning would
// stay unproved.

import type { ListDocument } from '../../src/model/control.ts';

const NAMES = [
  'known_cdcs',
  'Legitimate_Countries',
  'Legitimate_IP_Ranges',
  'ApprovedUserUpn',
  'Approved_Inviters',
  'Important_AppIds',
  'Known_Location',
  'KNOWN_LOCATION',
  'UnLegitCountries',
  'UnApprovedIp',
  'UnApprovedDevice',
  'HomeTenantID',
  'legtimate_identifiers',
  'Admins_Workstations',
  'dc_machine_accounts',
  'dc_ip_addresses',
  'DC-MACHINE-NAME',
  'DomainControllers',
  'domain_controller_hostnames',
  'userdomain',
  'Administrators',
  'Workstations',
  'ServerSystems',
  'internal_domains',
  'legit_ips',
];

const VALUES = new Map<string, readonly string[]>([
  ...NAMES.map((name, i) => [name, [`one-${i}.member.test`, `two-${i}.member.test`]] as const),
  // Those that random predicates ask for.
  ['bad', ['8.8.8.8', 'ssh', 'evil.test']],
  ['mine', ['anna', 'bob', '443']],
]);

/**
 * In lower case, as lists keep them; no value is a part of another. A list that nobody named is empty. Rules ask for
 * `%name%`, and then without case; what stands around a placeholder does not occur here.
 */
export function listValues(name: string): readonly string[] {
  return VALUES.get(name.replace(/^%(.*)%$/, '$1')) ?? [];
}

export const LISTS: readonly ListDocument[] = [...VALUES].map(([name, values]) => ({
  name,
  kind: 'string',
  threat: false,
  values,
  file: '',
}));

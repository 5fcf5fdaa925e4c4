// The lists that the corpus' placeholders name. Without values no `expand` could ever hold, and half of its meaning would
// stay unproved.

import type { ListDocument } from '../../src/model/control.ts';

/** In lower case, as lists keep them. No value is a part of another, nor of what the synthesiser fills in. */
const VALUES = ['member-one.test', 'member-two.test'];

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
  'Administrators',
  'Workstations',
  'ServerSystems',
  'internal_domains',
  'legit_ips',
];

/** The lists left out (`userdomain` and the like) do not exist: tests of them never hold. */
export function listValues(name: string): readonly string[] {
  return NAMES.includes(name) ? VALUES : [];
}

export const LISTS: readonly ListDocument[] = NAMES.map((name) => ({
  name,
  kind: 'string',
  threat: false,
  values: VALUES,
  file: '',
}));

// What is known of an address for a tenant: inside or outside, country, autonomous system, site, device, user, threat.
// Computed once and kept in a direct-mapped table of 64-byte entries, so that a flow costs two probes instead of a dozen
// searches. The table is a cache: it changes speed, never a result, and its size is fixed (guarantee 4).

import type { ControlSnapshot, InventoryEntry, Tenant } from '../../src/model/control.ts';
import type { Dictionary } from '../../src/model/dictionary.ts';
import { parsePrefix } from '../../src/model/ip.ts';
import { GeoDatabase, lookupPlace, NOWHERE } from './geo.ts';
import { compileThreatLists, type ThreatLists } from './lists.ts';
import { type PrefixTable, PrefixTableBuilder } from './lpm.ts';

const ENTRIES = 1 << 15;
const WORDS = 16;
// Words 0–3 of an entry are the address, 4 is tenant + 1 (0 = empty). The rest is what callers read:
export const COUNTRY = 5;
export const ASN = 6;
export const SITE = 7;
export const DEVICE = 8;
export const USER = 9;
export const THREAT = 10;
export const INSIDE = 11;

/** Space of private networks: inside unless the tenant lists its own prefixes. 100.64.0.0/10 is carrier-grade NAT and
 * the overlay space of SD-WANs. */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'];

/** Space that never leaves a site: always inside. */
const LOCAL = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '255.255.255.255/32',
  '::/128',
  '::1/128',
  'fe80::/10',
  'ff00::/8',
];

/** Space that no registry gave to a country, beside the two above. */
const RESERVED = ['192.0.0.0/24', '192.0.2.0/24', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '240.0.0.0/4'];
const RESERVED6 = ['2001:db8::/32', '100::/64'];

interface TenantTables {
  readonly inside: PrefixTable;
  readonly sites: Lookup;
  readonly devices: Lookup;
  readonly users: Lookup;
  readonly threats: ThreatLists | null;
}

/** A prefix table over inventory entries; a hit is 1 + the entry's place. */
interface Lookup {
  readonly table: PrefixTable;
  readonly ids: readonly string[];
  /** The site that the entry names, '' for none. */
  readonly sites: readonly string[];
}

export class AddressFacts {
  /** Entries; read `entries[at + COUNTRY]` and so on. Strings are dictionary ids of the current generation. */
  readonly entries = new Uint32Array(ENTRIES * WORDS);
  private readonly dictionary: Dictionary;
  /** Dictionary ids of what inventory, lists and databases say; as many entries as those have names. */
  private readonly ids = new Map<string, number>();
  private readonly databases: readonly GeoDatabase[];
  private readonly unrouted: PrefixTable;
  private readonly tenants: readonly TenantTables[];
  private readonly threats: ThreatLists | null;
  /** By tenant: 1 when of an address nothing can be known but whether it is inside. */
  private readonly bare: Uint8Array;

  constructor(snapshot: ControlSnapshot, dictionary: Dictionary) {
    this.dictionary = dictionary;
    this.databases = snapshot.enrich.geo.map(({ path }) => new GeoDatabase(path));
    this.unrouted = tableOf([...PRIVATE, ...LOCAL, ...RESERVED, ...RESERVED6]);
    const usual = tableOf([...PRIVATE, ...LOCAL]);
    this.tenants = snapshot.tenants.map((tenant) => compileTenant(tenant, usual));
    this.threats = compileThreatLists(snapshot.lists);
    const silent = this.databases.length === 0 && this.threats === null;
    this.bare = Uint8Array.from(this.tenants, ({ sites, devices, users, threats }) =>
      silent && threats === null && [sites, devices, users].every(({ table }) => table.empty) ? 1 : 0,
    );
  }

  /** True when entries of this tenant's would hold nothing but INSIDE: `isInside` says that without a probe. */
  isBare(tenant: number): boolean {
    return this.bare[tenant] === 1;
  }

  /** What INSIDE of the entry says. */
  isInside(tenant: number, words: Uint32Array, at: number): boolean {
    return this.tenants[tenant].inside.lookup(words, at) !== 0;
  }

  /** Forgets everything: the dictionary has begun anew, so the ids in the entries mean nothing now. */
  clear(): void {
    this.entries.fill(0);
    this.ids.clear();
  }

  /** Where the entry of an address starts in `entries`. It holds until the next call. */
  find(tenant: number, words: Uint32Array, at: number): number {
    const w0 = words[at];
    const w1 = words[at + 1];
    const w2 = words[at + 2];
    const w3 = words[at + 3];
    let hash = Math.imul(w3 ^ (tenant * 0x27d4eb2f), 0x9e3779b1) ^ Math.imul(w1 ^ (w2 << 7), 0x85ebca6b) ^ w0;
    hash ^= hash >>> 16;
    hash = Math.imul(hash, 0xc2b2ae35);
    const entry = ((hash >>> 12) & (ENTRIES - 1)) * WORDS;
    const entries = this.entries;
    if (
      entries[entry + 3] === w3 &&
      entries[entry + 4] === tenant + 1 &&
      entries[entry + 2] === w2 &&
      entries[entry + 1] === w1 &&
      entries[entry] === w0
    ) {
      return entry;
    }
    this.fill(entry, tenant, words, at);
    return entry;
  }

  /** Name of the list that a domain is on ('' for none): the tenant's own lists before those for everyone. */
  threatOfName(tenant: number, bytes: Uint8Array, start: number, end: number): string {
    for (const lists of [this.tenants[tenant].threats, this.threats]) {
      const hit = lists === null ? 0 : lists.domains.lookup(bytes, start, end);
      if (hit !== 0) return lists?.names[hit - 1] ?? '';
    }
    return '';
  }

  /** True when no list can match a name, for this tenant. */
  hasNoNames(tenant: number): boolean {
    return (this.tenants[tenant].threats?.domains.size ?? 0) + (this.threats?.domains.size ?? 0) === 0;
  }

  /** True when no list can match an address, for this tenant. */
  hasNoThreats(tenant: number): boolean {
    return this.threats === null && this.tenants[tenant].threats === null;
  }

  private fill(entry: number, tenant: number, words: Uint32Array, at: number): void {
    const { entries } = this;
    const tables = this.tenants[tenant];
    for (let w = 0; w < 4; w++) entries[entry + w] = words[at + w];
    entries[entry + 4] = tenant + 1;
    const routed = this.databases.length > 0 && this.unrouted.lookup(words, at) === 0;
    const place = routed ? lookupPlace(this.databases, words, at) : NOWHERE;
    entries[entry + COUNTRY] = this.idOf(place.country);
    entries[entry + ASN] = place.asn;
    const device = tables.devices.table.lookup(words, at);
    const user = tables.users.table.lookup(words, at);
    const site = tables.sites.table.lookup(words, at);
    let siteName = site === 0 ? '' : tables.sites.ids[site - 1];
    if (siteName === '' && device !== 0) siteName = tables.devices.sites[device - 1];
    if (siteName === '' && user !== 0) siteName = tables.users.sites[user - 1];
    entries[entry + SITE] = this.idOf(siteName);
    entries[entry + DEVICE] = device === 0 ? 0 : this.idOf(tables.devices.ids[device - 1]);
    entries[entry + USER] = user === 0 ? 0 : this.idOf(tables.users.ids[user - 1]);
    entries[entry + THREAT] = this.idOf(this.threatOf(tables, words, at));
    entries[entry + INSIDE] = tables.inside.lookup(words, at) === 0 ? 0 : 1;
  }

  private idOf(text: string): number {
    if (text === '') return 0;
    let id = this.ids.get(text);
    if (id === undefined) {
      id = this.dictionary.internText(text);
      this.ids.set(text, id);
    }
    return id;
  }

  private threatOf(tables: TenantTables, words: Uint32Array, at: number): string {
    for (const lists of [tables.threats, this.threats]) {
      const hit = lists === null ? 0 : lists.prefixes.lookup(words, at);
      if (hit !== 0) return lists?.names[hit - 1] ?? '';
    }
    return '';
  }
}

/** `usual` is what is inside for tenants that say nothing of it, shared by them. */
function compileTenant(tenant: Tenant, usual: PrefixTable): TenantTables {
  const own = tenant.internal.length > 0 ? tenant.internal : PRIVATE;
  const sites = tenant.sites.flatMap((site) => site.prefixes);
  return {
    inside: own === PRIVATE && sites.length === 0 ? usual : tableOf([...own, ...LOCAL, ...sites]),
    sites: lookupOf(tenant.sites.map((site) => ({ ...site, site: '' }))),
    devices: lookupOf(tenant.devices),
    users: lookupOf(tenant.users),
    threats: compileThreatLists(tenant.lists),
  };
}

function lookupOf(entries: readonly InventoryEntry[]): Lookup {
  const builder = new PrefixTableBuilder();
  entries.forEach((entry, index) => {
    for (const text of entry.prefixes) addTo(builder, text, index + 1);
  });
  return { table: builder.build(), ids: entries.map(({ id }) => id), sites: entries.map(({ site }) => site) };
}

function tableOf(prefixes: readonly string[]): PrefixTable {
  const builder = new PrefixTableBuilder();
  for (const text of prefixes) addTo(builder, text, 1);
  return builder.build();
}

function addTo(builder: PrefixTableBuilder, text: string, value: number): void {
  const prefix = parsePrefix(text);
  if (prefix !== null) builder.add(prefix.words, prefix.bits, value);
}

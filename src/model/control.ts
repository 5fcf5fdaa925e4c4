// The control snapshot: everything outside the input that the output depends on. Plain JSON, content-hashed,
// sent to the workers once per hash; workers compile it. Kept on disk while uncommitted offsets refer to it.

import type { Partitioner } from './kafka/partitioner.ts';

export const ACTIONS = ['Allow', 'Block', 'Isolate', 'Log'] as const;
export type PolicyAction = (typeof ACTIONS)[number];

export interface Site {
  readonly id: string;
  readonly name: string;
  readonly prefixes: readonly string[];
  readonly timezone: string;
}

export interface InventoryEntry {
  readonly id: string;
  readonly name: string;
  /** Addresses and prefixes; longest match wins. */
  readonly prefixes: readonly string[];
  readonly site: string;
}

/** A named list for rules and threat intelligence. Inline values, or a content-addressed copy of a file. */
export interface ListDocument {
  readonly name: string;
  /** address and prefix lists match addresses, domain lists match a name and all below it, string lists are exact. */
  readonly kind: 'prefix' | 'domain' | 'string';
  /** Threat lists stamp `threat` on what they match. */
  readonly threat: boolean;
  readonly values: readonly string[];
  /** Path of the content-addressed copy (one value a line), or ''. */
  readonly file: string;
}

/** A token bucket over append time: a tenant that is over it waits for itself, not others for it. */
export interface Quota {
  /** Records a second. */
  readonly rate: number;
  /** Records that may come at once. */
  readonly burst: number;
}

export interface Tenant {
  /** UUID. */
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly status: 'active' | 'inactive';
  /** IANA time zone for policies' time of day. */
  readonly timezone: string;
  /** Prefixes that count as inside; the default is private and link-local space. */
  readonly internal: readonly string[];
  readonly sites: readonly Site[];
  readonly devices: readonly InventoryEntry[];
  readonly users: readonly InventoryEntry[];
  /** application → category, over the built-in table. */
  readonly categories: Readonly<Record<string, string>>;
  readonly lists: readonly ListDocument[];
  /** Of each lane; absent for none. */
  readonly quota?: Quota;
}

/** An active tenant of which nothing but its name is known. */
export function plainTenant(id: string, slug: string): Tenant {
  return {
    id,
    slug,
    name: slug,
    status: 'active',
    timezone: 'UTC',
    internal: [],
    sites: [],
    devices: [],
    users: [],
    categories: {},
    lists: [],
  };
}

export interface SourceDefinition {
  readonly name: string;
  /** Slug or UUID of the tenant of every record, or '' when records name their own. */
  readonly tenant: string;
  readonly pop: string;
  /** 'auto' or a FormatName. */
  readonly format: string;
  /** Over the derived one: e.g. {product:'linux', category:'', service:'sshd'}; '' keeps what was derived. */
  readonly logsource: { readonly product: string; readonly category: string; readonly service: string };
  /** IANA zone or fixed offset for timestamps that carry none (syslog 3164, httpd error). */
  readonly timezone: string;
  /** For syslog RFC 3164; 0 = assume, and journal the assumption. */
  readonly year: number;
  /** Allowed lateness in event time, ms. */
  readonly latenessMs: number;
  /** Set for a source that is a Kafka topic. */
  readonly kafka?: KafkaRule;
}

/** A source of which nothing but its name is known. */
export function plainSource(name: string): SourceDefinition {
  return {
    name,
    tenant: '',
    pop: '',
    format: 'auto',
    logsource: { product: '', category: '', service: '' },
    timezone: 'UTC',
    year: 0,
    latenessMs: 0,
  };
}

/** Why a record was sent to another topic: it came in by another lane than its tenant's, or its tenant is parked. */
export type Detour = 'repartition' | 'overflow';

/** How a topic's records say whose they are, and where they belong. */
export interface KafkaRule {
  /** With its prefix. */
  readonly topic: string;
  readonly tenantFrom: 'record' | 'key' | 'header' | 'exporter';
  readonly tenantHeader: string;
  /** '' for none. */
  readonly popHeader: string;
  /** Longest prefix first match by the exporter's address. */
  readonly exporters: readonly { readonly prefix: string; readonly tenant: string; readonly pop: string }[];
  /** How a tenant's partition follows from its UUID; 'any' accepts every partition. */
  readonly partitioner: 'any' | Partitioner;
  /** Partitions of every input topic. */
  readonly lanes: number;
  /** Set for topics of diverted records, which say themselves what they are. */
  readonly diverted?: Detour;
}

export interface PolicyDocument {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly priority: number;
  readonly action: PolicyAction;
  readonly version: number;
  /** JSON as in the policies table. */
  readonly conditions: unknown;
}

export interface RuleFile {
  /** Path shown to users, relative to the rule folder. */
  readonly path: string;
  readonly text: string;
}

export interface Limits {
  readonly recordBytes: number;
  readonly depth: number;
  readonly keys: number;
}

export interface ControlSnapshot {
  /** 32 hex digits over everything below. */
  readonly hash: string;
  readonly tenants: readonly Tenant[];
  readonly sources: readonly SourceDefinition[];
  /** Sorted by tenant, priority, id: first match decides. */
  readonly policies: readonly PolicyDocument[];
  readonly rules: readonly RuleFile[];
  /** Lists for every tenant (each tenant has its own besides). */
  readonly lists: readonly ListDocument[];
  readonly categories: Readonly<Record<string, string>>;
  readonly limits: Limits;
  readonly enrich: {
    /** MaxMind-format databases (country and ASN may be one or two files) and the hash of each one's content. */
    readonly geo: readonly { readonly path: string; readonly hash: string }[];
    /** Store a Community ID on every flow (alerts always have one). */
    readonly communityId: boolean;
  };
  readonly correlate: {
    /** State entries (groups) per tenant and rule. */
    readonly groupsPerRule: number;
    /** Distinct values remembered per group. */
    readonly valuesPerGroup: number;
    /** Default suppression window of an alert, ms of event time. */
    readonly suppressionMs: number;
    readonly evidence: number;
  };
}

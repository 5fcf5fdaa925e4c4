// Every configuration key: path, type, default, bounds, unit and one sentence. `docs/configuration.md` and the JSON Schema
// are generated from this file and servers-schema.ts; `Config` is its type (sizes in bytes, durations in milliseconds).

import { FORMATS } from '../model/batch.ts';
import { ACTIONS } from '../model/control.ts';
import { any, choice, duration, flag, type Infer, integer, list, map, path, section, size, text } from './node.ts';
import { CLICKHOUSE, KAFKA, SCYLLA } from './servers-schema.ts';
import { DAY, GIB, HOUR, KIB, MIB, MINUTE, SECOND } from './units.ts';

const retention = (days: number, what: string) =>
  integer(
    days,
    { minimum: 1, maximum: 36_500, unit: 'days' },
    `Days that ${what} are kept, counted from their ingestion.`,
  );

const prefixes = list('Addresses and prefixes.', text(undefined, 'An address or a prefix.', 'prefix'));

const LIST = section('A named list.', {
  name: text(undefined, 'Name that rules and alerts use.', 'name'),
  kind: choice(
    ['prefix', 'domain', 'string'],
    'prefix',
    'prefix lists match addresses, domain lists a name and all names below it, string lists are exact.',
  ),
  threat: flag(false, 'Stamp the name of this list on every flow and log event that it matches; not for string lists.'),
  values: list('Values written here.', text(undefined, 'A value.')),
  file: path('', 'A file with one value a line (# and ; begin comments); may hold a million.'),
});

const POLICY = section('A policy; the first that matches decides.', {
  id: text(undefined, 'Stable identifier, stamped on flows; unique in the tenant.', 'name'),
  name: text('', 'Name for people.'),
  description: text('', 'What the policy is for.'),
  enabled: flag(true, 'A disabled policy is checked but never decides.'),
  priority: integer(100, { minimum: 0, maximum: 1_000_000 }, 'Lower decides first; ties are decided by id.'),
  action: choice(ACTIONS, 'Log', 'What the policy decides.'),
  version: integer(1, { minimum: 1, maximum: 4_294_967_295 }, 'Stamped on flows; raise it with each change.'),
  conditions: any('Conditions as in the policies table: see docs/policies.md. Empty matches every flow.'),
});

const inventory = (what: string) =>
  section(`A ${what} of the tenant.`, {
    id: text(undefined, `Identifier that is stored with flows.`, 'name'),
    name: text('', 'Name for people.'),
    prefixes,
    site: text('', 'Id of its site, where no prefix of a site says so.'),
  });

const quota = (what: string) =>
  section(what, {
    rate: integer(
      0,
      { minimum: 0, maximum: 100_000_000, unit: 'records a second' },
      'Records a second; 0 for no limit.',
    ),
    burst: integer(
      0,
      { minimum: 0, maximum: 1_000_000_000, unit: 'records' },
      'Records that may come at once before the tenant is parked; 0 takes ten seconds of the rate.',
    ),
  });

/** A tenant, in weir.yaml or in `tenants_file`. */
export const TENANT = section('A tenant.', {
  id: text('', 'UUID; derived from the slug when it is left out.', 'uuid'),
  slug: text(
    undefined,
    'Short name: lower-case letters, digits and hyphens. Records may name the tenant by it.',
    'slug',
  ),
  name: text('', 'Name for people; the slug when it is left out.'),
  status: choice(['active', 'inactive'], 'active', 'Records of an inactive tenant are rejected.'),
  timezone: text('UTC', 'IANA time zone for times of day in policies.', 'timezone'),
  internal: list(
    'Prefixes inside the tenant’s networks. Default: private space (RFC 1918, 100.64.0.0/10, fc00::/7). Prefixes of sites always count as inside.',
    text(undefined, 'An address or a prefix.', 'prefix'),
  ),
  sites: list(
    'Sites; the longest prefix that holds the source (else the destination) of a flow names its site.',
    section('A site.', {
      id: text(undefined, 'Identifier that is stored with flows.', 'name'),
      name: text('', 'Name for people.'),
      prefixes,
      timezone: text('', 'IANA time zone; the tenant’s when it is left out.', 'timezone'),
    }),
  ),
  devices: list('Devices, found by address as sites are.', inventory('device')),
  users: list('Users, found by address as sites are.', inventory('user')),
  categories: map('application → category, over the built-in table and the global one.'),
  lists: list('Lists that only this tenant’s rules and flows see.', LIST),
  quota: quota('What the tenant may send through one lane of Kafka; 0 takes the global `quota`.'),
  policies: list('Policies of the tenant.', POLICY),
  policies_files: list('YAML or JSON files with further `policies:`, written as here.', path(undefined, 'A file.')),
});

export const POLICIES = list('Policies.', POLICY);

const SOURCE = section('An input.', {
  name: text(undefined, 'Unique name; part of the identity of its files, so renaming it reads them again.', 'name'),
  input: path('', 'A file, a glob (files in name order; .gz and .zst are unpacked) or - for standard input.'),
  topic: text('', 'A Kafka topic, without the prefix; in place of input.', 'topic'),
  format: choice(['auto', ...FORMATS], 'auto', 'Format of the records; auto looks at the first bytes of each file.'),
  tenant: text('', 'Slug or UUID of the tenant of every record; empty when records name their own.'),
  pop: text('', 'PoP of every record that names none; at most 128 characters.', 'pop'),
  tenant_from: choice(
    ['record', 'key', 'header', 'exporter'],
    'record',
    'Where a Kafka record says whose it is: in a field of its own, in its key, in a header, or by its exporter’s address. What the record itself names must agree.',
  ),
  tenant_header: text('weir-tenant', 'Header that names the tenant, with tenant_from: header.'),
  pop_header: text('', 'Header that names the PoP of a Kafka record that names none itself.'),
  exporters: list(
    'Exporters by address, with tenant_from: exporter; the longest prefix decides.',
    section('Exporters.', {
      prefix: text(undefined, 'An address or a prefix.', 'prefix'),
      tenant: text(undefined, 'Slug or UUID of their tenant.'),
      pop: text('', 'PoP of their records.', 'pop'),
    }),
  ),
  order: choice(
    ['arrival', 'event-time'],
    'arrival',
    'event-time sorts a bounded input by event time within the memory budget, so that nothing comes late.',
  ),
  lateness: duration(
    -1,
    { minimum: 0, maximum: 7 * DAY, standIn: 'the global `lateness`' },
    'How far an event of this source may lag behind the newest one before it counts as late.',
  ),
  follow: flag(false, 'Keep reading as files grow, are rotated or truncated.'),
  timezone: text(
    'UTC',
    'IANA zone or fixed offset (+02:00) of timestamps that carry none (syslog RFC 3164, httpd error logs).',
    'zone',
  ),
  year: integer(
    0,
    { minimum: 0, maximum: 2100 },
    'Year of timestamps without one (syslog RFC 3164); 0 assumes the year that puts them closest before now, and journals it.',
  ),
  logsource: section('What the records are, where their format cannot tell; empty keeps what was derived.', {
    product: text('', 'Sigma product.'),
    category: text('', 'Sigma category.'),
    service: text('', 'Sigma service.'),
  }),
});

const HTTP = section('Health and metrics over HTTP: /healthz, /readyz and /metrics.', {
  host: text(
    '127.0.0.1',
    'Address to listen at; 0.0.0.0 or :: for all. There is no authentication: keep it inside, or behind a proxy.',
  ),
  port: integer(0, { minimum: 0, maximum: 65_535 }, 'Port to listen at; 0 for none.'),
});

const METRICS = section('What metrics tell apart; the rest is counted as one, "other".', {
  tenants: integer(100, { minimum: 0, maximum: 10_000, unit: 'tenants' }, 'Tenants, in the order of their ids.'),
  exporters: integer(
    200,
    { minimum: 0, maximum: 10_000, unit: 'exporters' },
    'Exporters, those most recently seen; the series of others end.',
  ),
});

export const SCHEMA = section('Configuration of Weir (weir.yaml).', {
  data: path('weir-data', 'Directory of stores, journal, snapshots and dead letters; one process at a time uses it.'),
  workers: integer(0, { minimum: 0, maximum: 256, unit: 'threads' }, 'Worker threads; 0 takes one a core.'),
  batch: section('What a worker gets at once.', {
    bytes: size(4 * MIB, { minimum: 4 * KIB, maximum: 64 * MIB }, 'Bytes of raw records in a batch.'),
    records: integer(
      0,
      { minimum: 0, maximum: 1_000_000, unit: 'records' },
      'Records in a batch; 0 leaves it to the bytes.',
    ),
  }),
  budget: section('Memory in flight.', {
    bytes: size(
      64 * MIB,
      { minimum: MIB, maximum: 16 * GIB },
      'Bytes read and not yet acknowledged; above it the source is paused.',
    ),
  }),
  block: section('What is written to a store at once: whichever comes first.', {
    rows: integer(100_000, { minimum: 1, maximum: 1_000_000, unit: 'rows' }, 'Rows in a block.'),
    seconds: integer(1, { minimum: 1, maximum: 300, unit: 'seconds' }, 'Seconds that a record waits for its block.'),
  }),
  snapshot: section('How often rollups are written and the state of correlations is saved: whichever comes first.', {
    blocks: integer(32, { minimum: 1, maximum: 10_000, unit: 'blocks' }, 'Blocks between snapshots.'),
    seconds: integer(10, { minimum: 1, maximum: 3600, unit: 'seconds' }, 'Seconds between snapshots.'),
  }),
  store: section('Where results go.', {
    kind: choice(
      ['chdb', 'servers', 'null'],
      'chdb',
      'chdb is ClickHouse in this process; servers is ScyllaDB (or Cassandra) and ClickHouse; null throws results away (for measuring).',
    ),
    memory_bytes: size(GIB, { minimum: 128 * MIB, maximum: 1024 * GIB }, 'Memory that the embedded store may use.'),
    threads: integer(2, { minimum: 1, maximum: 256, unit: 'threads' }, 'Threads of the embedded store.'),
  }),
  retention: section('How long things are kept.', {
    flows: retention(7, 'flows'),
    logs: retention(30, 'log events'),
    sessions: retention(1, 'session events'),
    tunnel_stats: retention(30, 'tunnel statistics'),
    traffic_analytics: retention(365, 'rollups'),
    threat_analytics: retention(365, 'alerts'),
    rejects: retention(30, 'rejected records'),
  }),
  limits: section('What a record may be; anything beyond is rejected.', {
    record_bytes: size(MIB, { minimum: KIB, maximum: 64 * MIB }, 'Longest record.'),
    depth: integer(32, { minimum: 2, maximum: 256, unit: 'levels' }, 'Deepest nesting of a record.'),
    keys: integer(512, { minimum: 16, maximum: 65_536, unit: 'keys' }, 'Most keys of a record, nested ones included.'),
  }),
  enrich: section('Enrichment.', {
    geo: list(
      'Country and ASN databases in MaxMind format, asked in this order; the built-in country database when none is given.',
      path(undefined, 'An .mmdb file.'),
    ),
    community_id: flag(false, 'Store a Community ID on every flow; alerts have one either way.'),
    categories: map('application → category for all tenants, over the built-in table.'),
  }),
  correlate: section('State of correlations, per tenant and rule.', {
    groups_per_rule: integer(
      100_000,
      { minimum: 1, maximum: 100_000_000, unit: 'groups' },
      'Groups remembered; beyond it the oldest by event time go.',
    ),
    values_per_group: integer(
      10_000,
      { minimum: 1, maximum: 10_000_000, unit: 'values' },
      'Distinct values remembered in a group.',
    ),
    suppression: duration(
      HOUR,
      { minimum: 0, maximum: 30 * DAY },
      'Event time in which an alert that fired gathers further events instead of firing again; rules may set their own.',
    ),
    evidence: integer(5, { minimum: 0, maximum: 100, unit: 'events' }, 'Events kept with an alert.'),
  }),
  roles: list(
    'What this instance does: detect raises alerts and keeps rollups, store keeps flows, sessions and tunnel statistics. Empty: both, as one consumer group.',
    choice(['detect', 'store'], 'detect', 'A role.'),
  ),
  kafka: KAFKA,
  scylla: SCYLLA,
  clickhouse: CLICKHOUSE,
  shutdown: duration(
    30 * SECOND,
    { minimum: 0, maximum: HOUR },
    'How long a run that is asked to end (SIGTERM, SIGINT) may take to store and commit what it has read.',
  ),
  http: HTTP,
  metrics: METRICS,
  lateness: duration(
    5 * MINUTE,
    { minimum: 0, maximum: 7 * DAY },
    'How far an event may lag behind the newest of its tenant before it counts as late.',
  ),
  rules: section('Detection rules.', {
    packs: flag(true, 'Use the rules that Weir ships.'),
    directories: list('Folders with further rules (*.yml, *.yaml, also in subfolders).', path(undefined, 'A folder.')),
  }),
  log: section('The program’s own log, JSON on standard error.', {
    level: choice(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      'info',
      'Least level that is written.',
    ),
  }),
  sources: list('Inputs that `weir run` reads when no --input is given.', SOURCE),
  quota: quota('Quota of tenants that have none of their own: how much one may send before its records wait apart.'),
  tenants: list('Tenants.', TENANT),
  tenants_file: path('', 'A file with further `tenants:`, written as here.'),
  lists: list('Lists for all tenants.', LIST),
});

export type Config = Infer<typeof SCHEMA>;
export type SourceConfig = Config['sources'][number];

/** What only a source with a topic has, left out. */
export const NO_TOPIC = {
  topic: '',
  tenant_from: 'record',
  tenant_header: '',
  pop_header: '',
  exporters: [],
} as const satisfies Partial<SourceConfig>;
export type TenantConfig = Infer<typeof TENANT>;
export type PolicyConfig = TenantConfig['policies'][number];
export type ListConfig = Config['lists'][number];

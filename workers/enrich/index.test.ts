import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ControlSnapshot, ListDocument, Tenant } from '../../src/model/control.ts';
import { Dictionary } from '../../src/model/dictionary.ts';
import {
  clearRow,
  createFlowColumns,
  DIRECTIONS,
  FLOW_FLAG,
  type FlowColumns,
  nextFlow,
} from '../../src/model/flow.ts';
import { parseIp } from '../../src/model/ip.ts';
import type { LogEvent } from '../../src/model/records.ts';
import { snapshotOf as decoderSnapshot } from '../decode/fixture.test-support.ts';
import { createEnricher } from './index.ts';

const DATABASE = join(
  dirname(createRequire(import.meta.url).resolve('@ip-location-db/geo-whois-asn-country-mmdb/package.json')),
  'geo-whois-asn-country.mmdb',
);

const TENANT: Tenant = {
  id: '11111111-1111-8111-8111-111111111111',
  slug: 'acme',
  name: 'Acme',
  status: 'active',
  timezone: 'UTC',
  internal: [],
  sites: [
    { id: 'berlin', name: 'Berlin', prefixes: ['10.1.0.0/16', '198.51.100.0/24'], timezone: 'Europe/Berlin' },
    { id: 'berlin-lab', name: 'Lab', prefixes: ['10.1.9.0/24'], timezone: 'Europe/Berlin' },
  ],
  devices: [{ id: 'laptop-7', name: 'Laptop', prefixes: ['10.1.2.3'], site: '' }],
  users: [{ id: 'ada', name: 'Ada', prefixes: ['10.1.2.3', '10.200.0.0/24'], site: 'home' }],
  categories: { PayRoll: 'finance' },
  lists: [],
};

const list = (name: string, kind: ListDocument['kind'], values: readonly string[], threat = true): ListDocument => ({
  name,
  kind,
  threat,
  values,
  file: '',
});

const snapshotOf = (change: Partial<ControlSnapshot> = {}): ControlSnapshot =>
  decoderSnapshot({
    tenants: [
      TENANT,
      { ...TENANT, id: '22222222-2222-8222-8222-222222222222', slug: 'globex', categories: {}, sites: [] },
    ],
    sources: [],
    ...change,
  });

interface FlowInput {
  tenant?: number;
  source?: string;
  destination?: string;
  sourcePort?: number;
  destinationPort?: number;
  protocol?: number;
  flags?: number;
  texts?: Partial<Record<'service' | 'host' | 'application' | 'user' | 'site' | 'category', string>>;
}

function addFlow(flows: FlowColumns, dictionary: Dictionary, input: FlowInput): void {
  const i = nextFlow(flows);
  clearRow(flows, i);
  flows.tenant[i] = input.tenant ?? 0;
  assert.ok(parseIp(input.source ?? '10.1.2.3', flows.source, i * 4));
  assert.ok(parseIp(input.destination ?? '8.8.8.8', flows.destination, i * 4));
  flows.sourcePort[i] = input.sourcePort ?? 50_000;
  flows.destinationPort[i] = input.destinationPort ?? 443;
  flows.protocol[i] = input.protocol ?? 6;
  flows.flags[i] = input.flags ?? 0;
  for (const [name, text] of Object.entries(input.texts ?? {})) {
    flows[name as 'service'][i] = dictionary.internText(text);
  }
  flows.length = i + 1;
}

function enriched(input: FlowInput, change: Partial<ControlSnapshot> = {}) {
  const dictionary = new Dictionary();
  const flows = createFlowColumns(4);
  addFlow(flows, dictionary, input);
  createEnricher(snapshotOf(change), dictionary).flows(flows);
  return rowOf(flows, dictionary, 0);
}

function rowOf(flows: FlowColumns, dictionary: Dictionary, i: number) {
  return {
    site: dictionary.text(flows.site[i]),
    device: dictionary.text(flows.device[i]),
    user: dictionary.text(flows.user[i]),
    application: dictionary.text(flows.application[i]),
    category: dictionary.text(flows.category[i]),
    threat: dictionary.text(flows.threat[i]),
    countries: `${dictionary.text(flows.sourceCountry[i])}>${dictionary.text(flows.destinationCountry[i])}`,
    direction: DIRECTIONS[flows.direction[i]],
  };
}

test('site, device and user come from the source, else from the destination, by the longest prefix', () => {
  const out = enriched({ source: '10.1.2.3' });
  assert.deepEqual([out.site, out.device, out.user], ['berlin', 'laptop-7', 'ada']);
  assert.equal(enriched({ source: '10.1.9.1' }).site, 'berlin-lab');
  assert.equal(enriched({ source: '8.8.8.8', destination: '10.1.2.3' }).device, 'laptop-7');
  assert.equal(enriched({ source: '10.200.0.9' }).site, 'home', "the user's site, where no site's prefix fits");
});

test('what the record itself says is kept', () => {
  const out = enriched({ texts: { user: 'bob', site: 'munich', application: 'erp', category: 'own' } });
  assert.deepEqual([out.user, out.site, out.application, out.category], ['bob', 'munich', 'erp', 'own']);
});

test('another tenant’s inventory is never seen', () => {
  const out = enriched(
    { tenant: 1, source: '10.1.2.3' },
    { tenants: [TENANT, { ...TENANT, sites: [], devices: [], users: [] }] },
  );
  assert.deepEqual([out.site, out.device, out.user], ['', '', '']);
});

test('direction follows the prefixes of the tenant, and the producer before them', () => {
  assert.equal(enriched({ source: '10.0.0.1', destination: '8.8.8.8' }).direction, 'outbound');
  assert.equal(enriched({ source: '8.8.8.8', destination: 'fd00::1' }).direction, 'inbound');
  assert.equal(enriched({ source: '10.0.0.1', destination: '224.0.0.251' }).direction, 'internal');
  assert.equal(enriched({ source: '8.8.8.8', destination: '1.1.1.1' }).direction, 'transit');
  assert.equal(enriched({ source: '8.8.8.8', destination: '198.51.100.7' }).direction, 'inbound', 'a site is inside');
  const { localKnown, destinationLocal } = FLOW_FLAG;
  const known = enriched({ source: '8.8.8.8', destination: '1.1.1.1', flags: localKnown | destinationLocal });
  assert.equal(known.direction, 'inbound');
  const tenants = [{ ...TENANT, internal: ['64.225.56.201'] }];
  assert.equal(enriched({ source: '8.8.8.8', destination: '64.225.56.201' }, { tenants }).direction, 'inbound');
  assert.equal(enriched({ source: '10.200.0.1', destination: '8.8.8.8' }, { tenants }).direction, 'transit');
});

test('application: the service, a known host over a carrier, the port, the protocol', () => {
  const named = (input: FlowInput) => {
    const { application, category } = enriched(input);
    return `${application}/${category}`;
  };
  assert.equal(named({ texts: { service: 'ssl' } }), 'tls/web');
  assert.equal(named({ texts: { service: 'ssl', host: 'tenant.sharepoint.com' } }), 'office365/collaboration');
  assert.equal(named({ texts: { service: 'ssh', host: 'github.com' }, destinationPort: 22 }), 'ssh/remote-access');
  assert.equal(named({ texts: { service: 'gssapi,smb' } }), 'smb/file-transfer');
  assert.equal(named({ texts: { service: 'failed' }, destinationPort: 3389 }), 'rdp/remote-access');
  assert.equal(named({ protocol: 17, destinationPort: 53 }), 'dns/dns');
  assert.equal(named({ protocol: 17, destinationPort: 443 }), 'quic/web');
  assert.equal(named({ protocol: 1, destinationPort: 0 }), 'icmp/infrastructure');
  assert.equal(named({ destinationPort: 50_001 }), '/');
  assert.equal(named({ texts: { application: 'PAYROLL' } }), 'PAYROLL/finance');
  assert.equal(named({ texts: { application: 'HTTPS' } }), 'HTTPS/web');
  const answer = { protocol: 17, sourcePort: 53, destinationPort: 50_001 };
  assert.equal(named({ ...answer, flags: FLOW_FLAG.unidirectional }), 'dns/dns');
  assert.equal(named(answer), '/');
});

test('countries of public addresses, none for private ones', (t) => {
  if (!existsSync(DATABASE)) return t.skip('the country database is absent');
  const enrich = { geo: [{ path: DATABASE, hash: '' }], communityId: false };
  assert.equal(enriched({ source: '10.0.0.1', destination: '8.8.8.8' }, { enrich }).countries, '>US');
  assert.equal(enriched({ source: '2001:4860:4860::8888', destination: '193.0.6.139' }, { enrich }).countries, 'US>NL');
});

test('threat lists stamp their name: source, destination, then host; the tenant’s own lists first', () => {
  const lists = [
    list('bad-nets', 'prefix', ['203.0.113.0/24', '2001:db8:bad::/48']),
    list('bad-names', 'domain', ['Evil.example']),
  ];
  assert.equal(enriched({ source: '203.0.113.9' }, { lists }).threat, 'bad-nets');
  assert.equal(enriched({ destination: '2001:db8:bad::1' }, { lists }).threat, 'bad-nets');
  assert.equal(enriched({ texts: { host: 'c2.EVIL.example:8443' } }, { lists }).threat, 'bad-names');
  assert.equal(enriched({ texts: { host: 'notevil.example' } }, { lists }).threat, '');
  const tenants = [
    { ...TENANT, lists: [list('own', 'prefix', ['203.0.113.9'])] },
    { ...TENANT, id: 'other' },
  ];
  assert.equal(enriched({ destination: '203.0.113.9' }, { lists, tenants }).threat, 'own');
  assert.equal(enriched({ tenant: 1, destination: '203.0.113.9' }, { lists: [], tenants }).threat, '');
  const quiet = [list('plain', 'prefix', ['203.0.113.0/24'], false)];
  assert.equal(enriched({ source: '203.0.113.9' }, { lists: quiet }).threat, '');
});

const octet = fc.constantFrom(0, 1, 2, 9, 10, 198, 200);
const anyFlow = fc.record({
  tenant: fc.integer({ min: 0, max: 1 }),
  source: fc.tuple(octet, octet, octet, octet).map((bytes) => bytes.join('.')),
  destination: fc.tuple(octet, octet, octet, octet).map((bytes) => bytes.join('.')),
  destinationPort: fc.constantFrom(22, 53, 443, 60_000),
  protocol: fc.constantFrom(1, 6, 17),
  texts: fc.record({
    service: fc.constantFrom('', 'ssl', 'ssh'),
    host: fc.constantFrom('', 'evil.example', 'slack.com'),
  }),
});

test('what came before never shows: batches, a warm cache and a new dictionary generation change nothing', () => {
  const lists = [list('bad', 'domain', ['evil.example']), list('nets', 'prefix', ['9.0.0.0/8'])];
  fc.assert(
    fc.property(fc.array(anyFlow, { minLength: 1, maxLength: 30 }), (inputs) => {
      const dictionary = new Dictionary();
      const enricher = createEnricher(snapshotOf({ lists }), dictionary);
      const flows = createFlowColumns(4);
      for (const input of inputs) addFlow(flows, dictionary, input);
      enricher.flows(flows);
      const together = inputs.map((_, i) => rowOf(flows, dictionary, i));
      // Outgrow the dictionary, so that every id means something else from here on.
      for (let i = 0; i < 1 << 16; i++) dictionary.intern(Uint8Array.of(i & 255, i >> 8, 1), 0, 3);
      dictionary.trim();
      inputs.forEach((input, i) => {
        flows.length = 0;
        addFlow(flows, dictionary, input);
        enricher.flows(flows);
        assert.deepEqual(rowOf(flows, dictionary, 0), together[i]);
      });
    }),
    { numRuns: 20 },
  );
});

function logOf(change: Partial<LogEvent>): LogEvent {
  return {
    ms: 0,
    ns: 0,
    segment: 0,
    rawStart: 0,
    rawLength: 0,
    tenant: 0,
    pop: '',
    id: '',
    logsource: { product: 'zeek', category: '', service: 'dns' },
    sourceIp: '',
    destinationIp: '',
    host: '',
    user: '',
    severity: '',
    message: '',
    fields: {},
    fieldsJson: '{}',
    clockSkew: false,
    threat: '',
    ...change,
  };
}

test('log events: threats by address and by any name they carry', () => {
  const lists = [list('nets', 'prefix', ['203.0.113.0/24']), list('names', 'domain', ['evil.example'])];
  const enricher = createEnricher(snapshotOf({ lists }), new Dictionary());
  const threatOf = (change: Partial<LogEvent>): string => {
    const event = logOf(change);
    enricher.logs([event]);
    return event.threat;
  };
  assert.equal(threatOf({ destinationIp: '203.0.113.5' }), 'nets');
  assert.equal(threatOf({ fields: { query: 'a.b.evil.example' } }), 'names');
  assert.equal(threatOf({ fields: { server_name: 'evil.example' } }), 'names');
  assert.equal(threatOf({ fields: { http: { hostname: 'evil.example:8080' } } }), 'names');
  assert.equal(threatOf({ fields: { tls: { sni: 'x.evil.example.' } } }), 'names');
  assert.equal(threatOf({ fields: { dns: { queries: [{ rrname: 'evil.example' }] } } }), 'names');
  assert.equal(threatOf({ fields: { query: 7, tls: null, http: 'x' }, sourceIp: 'nonsense' }), '');
});

test('DNS events gain derived fields, and what is stored stays as it was', () => {
  const enricher = createEnricher(snapshotOf(), new Dictionary());
  const event = logOf({ fields: { query: 'aGVsbG8.t.example.co.uk' }, fieldsJson: '{"query":"…"}' });
  enricher.logs([event]);
  assert.equal(event.derived?.['dns.registered_domain'], 'example.co.uk');
  assert.equal(event.derived?.['dns.subdomain'], 'agvsbg8.t');
  assert.equal(event.derived?.['dns.subdomain_length'], 9);
  assert.equal(event.derived?.['dns.entropy'], 2.75);
  assert.equal(event.fieldsJson, '{"query":"…"}');
  const other = logOf({
    logsource: { product: 'zeek', category: '', service: 'http' },
    fields: { query: 'a.b.example' },
  });
  enricher.logs([other]);
  assert.equal(other.derived, undefined);
});

// Random flows as plain objects, the same as columns, and a control snapshot to match them under.

import fc from 'fast-check';
import type { FieldPool } from '../../rules/plan/arbitrary.test-support.ts';
import type { Subject, SubjectField, Value } from '../../rules/plan/interpret.test-support.ts';
import type { ControlSnapshot, PolicyDocument, Tenant } from '../../src/model/control.ts';
import type { Dictionary } from '../../src/model/dictionary.ts';
import { clearRow, DIRECTIONS, FLOW_FLAG, type FlowColumns, nextFlow, setCounter } from '../../src/model/flow.ts';
import { parseIp } from '../../src/model/ip.ts';

export interface TestFlow {
  tenant: number;
  timeMs: number;
  source_ip: string;
  destination_ip: string;
  source_port: number;
  destination_port: number;
  protocol: number;
  bytes_sent: number;
  bytes_received: number;
  packets_sent: number;
  duration_ms: number;
  application: string;
  action: string;
  user_id: string;
  host: string;
  threat: string;
  direction: number;
  destination_asn: number;
  counter_fault: boolean;
  unidirectional: boolean;
}

const ADDRESSES = [
  '10.0.0.1',
  '10.0.0.2',
  '10.1.2.3',
  '192.168.1.5',
  '8.8.8.8',
  '64.225.56.201',
  '2001:db8::1',
  '2001:db8:1::2',
  'fe80::1',
];
const APPLICATIONS = ['', 'ssh', 'https', 'dns', 'rdp', 'SMB'];
const HOSTS = ['', 'www.example.com', 'api.example.com', 'Example.org', 'evil.test'];
const USERS = ['', 'anna', 'Bob', '1001', 'root'];
const PORTS = [0, 22, 53, 80, 443, 3389, 8080, 50123];
const BYTES = [0, 1, 100, 1500, 1_000_000, 5_000_000_000];
const NAMES = new Map([
  [1, 'icmp'],
  [6, 'tcp'],
  [17, 'udp'],
]);

export const FLOW_POOLS: readonly FieldPool[] = [
  { name: 'source_ip', kind: 'address', values: ADDRESSES },
  { name: 'id.resp_h', kind: 'address', values: ADDRESSES },
  { name: 'source_port', kind: 'number', values: PORTS },
  { name: 'DestinationPort', kind: 'number', values: PORTS },
  { name: 'destination_port', kind: 'number', values: PORTS },
  { name: 'protocol', kind: 'text', values: ['tcp', 'udp', '6', '17', '1'] },
  { name: 'bytes_sent', kind: 'number', values: BYTES },
  { name: 'bytes_total', kind: 'number', values: BYTES },
  { name: 'packets_sent', kind: 'number', values: [0, 1, 10] },
  { name: 'duration_ms', kind: 'number', values: [0, 0.5, 1000] },
  { name: 'application', kind: 'text', values: ['ssh', 'https', 'dns', 'smb'] },
  { name: 'action', kind: 'text', values: ['Allow', 'Block'] },
  { name: 'user', kind: 'text', values: ['anna', 'bob', '1001'] },
  { name: 'host', kind: 'text', values: HOSTS.slice(1) },
  { name: 'threat', kind: 'text', values: ['feed'] },
  { name: 'direction', kind: 'text', values: [...DIRECTIONS] },
  { name: 'destination_asn', kind: 'number', values: [15169, 64512] },
  { name: 'counter_fault', kind: 'flag', values: [true, false] },
  { name: 'unidirectional', kind: 'flag', values: [true, false] },
  { name: 'no_such_key', kind: 'text', values: ['x'] },
  { name: 'tenant_id', kind: 'text', values: ['acme', 'globex'] },
];

const pick = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

export const arbitraryFlow: fc.Arbitrary<TestFlow> = fc.record({
  tenant: fc.nat(1),
  timeMs: fc.integer({ min: Date.UTC(2023, 0, 1), max: Date.UTC(2025, 11, 31) }),
  source_ip: pick(ADDRESSES),
  destination_ip: pick(ADDRESSES),
  source_port: pick(PORTS),
  destination_port: pick(PORTS),
  protocol: pick([1, 6, 6, 17, 200]),
  bytes_sent: pick(BYTES),
  bytes_received: pick(BYTES),
  packets_sent: pick([0, 1, 10, 11]),
  duration_ms: pick([-1, 0, 0.5, 1000, 1001]),
  application: pick(APPLICATIONS),
  action: pick(['', 'Allow', 'Block', 'reset']),
  user_id: pick(USERS),
  host: pick(HOSTS),
  threat: pick(['', '', 'feed']),
  direction: fc.nat(DIRECTIONS.length - 1),
  destination_asn: pick([0, 15169, 64512]),
  counter_fault: pick([false, false, true]),
  unidirectional: fc.boolean(),
});

export function writeFlow(flows: FlowColumns, dictionary: Dictionary, flow: TestFlow): void {
  const i = nextFlow(flows);
  clearRow(flows, i);
  flows.length++;
  flows.tenant[i] = flow.tenant;
  flows.timeMs[i] = flow.timeMs;
  parseIp(flow.source_ip, flows.source, i * 4);
  parseIp(flow.destination_ip, flows.destination, i * 4);
  flows.sourcePort[i] = flow.source_port;
  flows.destinationPort[i] = flow.destination_port;
  flows.protocol[i] = flow.protocol;
  setCounter(flows.bytesSent, i, flow.bytes_sent);
  setCounter(flows.bytesReceived, i, flow.bytes_received);
  setCounter(flows.packetsSent, i, flow.packets_sent);
  flows.durationMs[i] = flow.duration_ms;
  flows.application[i] = dictionary.internText(flow.application);
  flows.action[i] = dictionary.internText(flow.action);
  flows.user[i] = dictionary.internText(flow.user_id);
  flows.host[i] = dictionary.internText(flow.host);
  flows.threat[i] = dictionary.internText(flow.threat);
  flows.direction[i] = flow.direction;
  flows.destinationAsn[i] = flow.destination_asn;
  flows.flags[i] =
    (flow.counter_fault ? FLOW_FLAG.counterFault : 0) | (flow.unidirectional ? FLOW_FLAG.unidirectional : 0);
}

function valuesOf(flow: TestFlow, name: string): Value[] {
  const text = (value: string): Value[] => (value === '' ? [] : [value]);
  const bytes = (value: number): Value[] => (flow.counter_fault ? [] : [value]);
  switch (name) {
    case 'source_ip':
      return [flow.source_ip];
    case 'destination_ip':
    case 'id.resp_h':
      return [flow.destination_ip];
    case 'source_port':
      return [flow.source_port];
    case 'DestinationPort':
    case 'dst_port':
    case 'destination_port':
      return [flow.destination_port];
    case 'protocol':
      return [flow.protocol, ...text(NAMES.get(flow.protocol) ?? '')];
    case 'bytes_sent':
      return bytes(flow.bytes_sent);
    case 'bytes_total':
      return bytes(flow.bytes_sent + flow.bytes_received);
    case 'packets_sent':
      return [flow.packets_sent];
    case 'duration_ms':
      return flow.duration_ms < 0 ? [] : [flow.duration_ms];
    case 'application':
      return text(flow.application);
    case 'action':
      return text(flow.action);
    case 'user_id':
    case 'user':
      return text(flow.user_id);
    case 'host':
      return text(flow.host);
    case 'threat':
      return text(flow.threat);
    case 'direction':
      return [DIRECTIONS[flow.direction]];
    case 'destination_asn':
      return flow.destination_asn === 0 ? [] : [flow.destination_asn];
    case 'counter_fault':
      return [flow.counter_fault];
    case 'unidirectional':
      return [flow.unidirectional];
    case 'tenant_id':
      return [TENANTS[flow.tenant].id, TENANTS[flow.tenant].slug];
    case '':
      return [
        flow.source_ip,
        flow.destination_ip,
        flow.application,
        flow.action,
        flow.user_id,
        flow.host,
        flow.threat,
      ].filter((value) => value !== '');
    default:
      return [];
  }
}

/** How the interpreter sees a flow. */
export function subjectOf(flow: TestFlow): Subject {
  return {
    field: (name): SubjectField => {
      const values = valuesOf(flow, name);
      const address = name === 'source_ip' || name === 'destination_ip' || name === 'id.resp_h';
      return { present: values.length > 0, hasNull: false, hasObject: false, values, typed: true, address };
    },
    member: (list, mode, text) => memberOf(flow.tenant, list, mode, text),
    local: () => localDate(TENANTS[flow.tenant].timezone, flow.timeMs),
  };
}

/** The wall clock by way of text, as a person would look it up. */
export function localDate(zone: string, ms: number): Date {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
    formats.set(zone, format);
  }
  return new Date(`${format.format(ms).replace(' ', 'T')}Z`);
}

const formats = new Map<string, Intl.DateTimeFormat>();

const LISTS: Readonly<Record<string, readonly string[]>> = {
  bad: ['8.8.8.8', 'ssh', 'evil.test'],
  mine: ['anna', 'bob', '443'],
};

/** `bad` is for every tenant, `mine` is the first tenant's own; both hold plain strings. */
export function memberOf(tenant: number, list: string, mode: string, text: string): boolean {
  const values = list === 'bad' || (list === 'mine' && tenant === 0) ? LISTS[list] : [];
  const folded = text.toLowerCase();
  if (mode === 'contains') return values.some((value) => folded.includes(value));
  if (mode === 'startswith') return values.some((value) => folded.startsWith(value));
  if (mode === 'endswith') return values.some((value) => folded.endsWith(value));
  return values.includes(text);
}

const listDocument = (name: string) => ({
  name,
  kind: 'string' as const,
  threat: false,
  values: LISTS[name],
  file: '',
});

function tenant(id: string, slug: string, timezone: string, lists: readonly string[]): Tenant {
  return {
    id,
    slug,
    name: slug,
    status: 'active',
    timezone,
    internal: [],
    sites: [],
    devices: [],
    users: [],
    categories: {},
    lists: lists.map(listDocument),
  };
}

export const TENANTS: readonly Tenant[] = [
  tenant('11111111-1111-4111-8111-111111111111', 'acme', 'Europe/Berlin', ['mine']),
  tenant('22222222-2222-4222-8222-222222222222', 'globex', 'America/St_Johns', []),
];

export function snapshotOf(policies: readonly PolicyDocument[] = []): ControlSnapshot {
  return {
    hash: '0'.repeat(32),
    tenants: TENANTS,
    sources: [],
    policies,
    rules: [],
    lists: [listDocument('bad')],
    categories: {},
    limits: { recordBytes: 1 << 20, depth: 32, keys: 512 },
    enrich: { geo: [], communityId: false },
    correlate: { groupsPerRule: 1000, valuesPerGroup: 1000, suppressionMs: 3_600_000, evidence: 5 },
  };
}

// The fields of flows and log events as rules, policies and queries may name them: the native name, the column behind it,
// and what Sigma, ECS, OCSF, Zeek and Suricata call the same thing.

import { FIELD_FAMILIES } from './field-families.ts';
import { FLOW_FLAG, type FlowCounter, type FlowString } from './flow.ts';
import type { LogEvent } from './records.ts';

/** Columns of small integers that stand for themselves. */
type PortColumn = 'sourcePort' | 'destinationPort';
/** Columns of larger integers in which 0 means "not known". */
type WordColumn = 'tcpFlags' | 'samplingRate' | 'inputInterface' | 'outputInterface' | 'sourceAsn' | 'destinationAsn';

/** Where a field's values come from. */
export type FlowFieldSource =
  | { readonly kind: 'string'; readonly column: FlowString }
  | { readonly kind: 'port'; readonly column: PortColumn }
  | { readonly kind: 'word'; readonly column: WordColumn }
  /** The sum of counters; absent on rows flagged counter_fault where it holds bytes. */
  | { readonly kind: 'counter'; readonly columns: readonly FlowCounter[]; readonly bytes: boolean }
  | { readonly kind: 'address'; readonly column: 'source' | 'destination' }
  | { readonly kind: 'flag'; readonly bit: number }
  /** durationMs in ms, or in seconds. */
  | { readonly kind: 'duration'; readonly scale: number }
  | { readonly kind: 'time' }
  | { readonly kind: 'protocol' | 'direction' | 'tenant' | 'id' }
  | { readonly kind: 'policy'; readonly part: 'id' | 'name' | 'action' | 'version' };

export interface FlowField {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly source: FlowFieldSource;
}

const names = (text: string): string[] => text.split(' ').filter((name) => name !== '');
const field = (name: string, source: FlowFieldSource, aliases = ''): FlowField => ({
  name,
  source,
  aliases: names(aliases),
});
const text = (name: string, column: FlowString, aliases = ''): FlowField =>
  field(name, { kind: 'string', column }, aliases);
const word = (name: string, column: WordColumn, aliases = ''): FlowField =>
  field(name, { kind: 'word', column }, aliases);
const flag = (name: string, bit: number): FlowField => field(name, { kind: 'flag', bit });
const counter = (name: string, columns: readonly FlowCounter[], aliases = ''): FlowField =>
  field(name, { kind: 'counter', columns, bytes: columns.some((column) => /bytes/i.test(column)) }, aliases);

export const FLOW_FIELDS: readonly FlowField[] = [
  field('tenant_id', { kind: 'tenant' }, 'tenant organization.id'),
  text('pop_id', 'pop', 'pop observer.name'),
  field('timestamp', { kind: 'time' }, '@timestamp ts event.start'),
  field('flow_id', { kind: 'id' }, 'event.id'),
  field(
    'source_ip',
    { kind: 'address', column: 'source' },
    'src_ip src src_addr SourceIp SourceIP SourceAddress id.orig_h source.ip source.address client.ip src_endpoint.ip',
  ),
  field(
    'destination_ip',
    { kind: 'address', column: 'destination' },
    'dst_ip dest_ip dst dst_addr DestinationIp DestinationIP DestAddress id.resp_h destination.ip destination.address server.ip dst_endpoint.ip',
  ),
  field(
    'source_port',
    { kind: 'port', column: 'sourcePort' },
    'src_port SourcePort id.orig_p source.port client.port src_endpoint.port',
  ),
  field(
    'destination_port',
    { kind: 'port', column: 'destinationPort' },
    'dst_port dest_port DestinationPort id.resp_p destination.port server.port dst_endpoint.port',
  ),
  field(
    'protocol',
    { kind: 'protocol' },
    'proto Protocol ip_proto network.transport network.iana_number connection_info.protocol_num connection_info.protocol_name',
  ),
  counter('bytes_sent', ['bytesSent'], 'orig_bytes source.bytes client.bytes traffic.bytes_out bytes_out'),
  counter('bytes_received', ['bytesReceived'], 'resp_bytes destination.bytes server.bytes traffic.bytes_in bytes_in'),
  counter('bytes_total', ['bytesSent', 'bytesReceived'], 'network.bytes traffic.bytes'),
  counter('packets_sent', ['packetsSent'], 'orig_pkts source.packets client.packets traffic.packets_out'),
  counter('packets_received', ['packetsReceived'], 'resp_pkts destination.packets server.packets traffic.packets_in'),
  counter('packets_total', ['packetsSent', 'packetsReceived'], 'network.packets traffic.packets'),
  counter('ip_bytes_sent', ['ipBytesSent'], 'orig_ip_bytes'),
  counter('ip_bytes_received', ['ipBytesReceived'], 'resp_ip_bytes'),
  text('application', 'application', 'app_proto app_name network.application'),
  text('action', 'action', 'event.action disposition'),
  text('user_id', 'user', 'user User user.id user.name UserName actor.user.name'),
  text('device_id', 'device', 'device device.id device.uid'),
  text('site_id', 'site', 'site'),
  text('session_id', 'session', 'session session.id session.uid'),
  field('duration_ms', { kind: 'duration', scale: 1 }, 'event.duration_ms'),
  field('duration', { kind: 'duration', scale: 0.001 }),
  word('tcp_flags', 'tcpFlags', 'connection_info.tcp_flags'),
  text(
    'host',
    'host',
    'hostname server_name sni tls.sni tls.client.server_name DestinationHostname destination.domain url.domain dst_endpoint.hostname',
  ),
  text('ja3', 'ja3', 'ja3.hash tls.ja3.hash tls.client.ja3'),
  text('ja4', 'ja4', 'tls.client.ja4'),
  word('sampling_rate', 'samplingRate'),
  text('exporter', 'exporter', 'exporter_address sampler_address observer.ip'),
  word('input_interface', 'inputInterface', 'in_if observer.ingress.interface.id'),
  word('output_interface', 'outputInterface', 'out_if observer.egress.interface.id'),
  text('service', 'service', 'network.protocol'),
  text('producer_id', 'producerId', 'uid'),
  text('connection_state', 'connectionState', 'conn_state'),
  text('history', 'history'),
  text('category', 'category'),
  field('direction', { kind: 'direction' }, 'network.direction connection_info.direction'),
  text('source_country', 'sourceCountry', 'source.geo.country_iso_code src_endpoint.location.country'),
  text('destination_country', 'destinationCountry', 'destination.geo.country_iso_code dst_endpoint.location.country'),
  word('source_asn', 'sourceAsn', 'source.as.number src_endpoint.autonomous_system.number'),
  word('destination_asn', 'destinationAsn', 'destination.as.number dst_endpoint.autonomous_system.number'),
  text('threat', 'threat', 'threat.indicator.name'),
  field('policy_id', { kind: 'policy', part: 'id' }, 'rule.id'),
  field('policy_name', { kind: 'policy', part: 'name' }, 'rule.name'),
  field('policy_action', { kind: 'policy', part: 'action' }),
  field('policy_version', { kind: 'policy', part: 'version' }),
  flag('unidirectional', FLOW_FLAG.unidirectional),
  flag('counter_fault', FLOW_FLAG.counterFault),
  flag('clock_skew', FLOW_FLAG.clockSkew),
  flag('sampled', FLOW_FLAG.sampled),
  flag('reoriented', FLOW_FLAG.reoriented),
  flag('late', FLOW_FLAG.late),
];

const BY_NAME = new Map(FLOW_FIELDS.flatMap((entry) => [entry.name, ...entry.aliases].map((name) => [name, entry])));

/** The field of a flow by its native name or any alias; undefined when flows have no such column. */
export function flowField(name: string): FlowField | undefined {
  return BY_NAME.get(name);
}

/** Canonical columns of a log event: name, how to read it ('' is absent), and other names of it. */
export interface LogField {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly read: ((event: LogEvent) => string) | null;
}

const LOG_FIELDS: readonly LogField[] = [
  ...['source_ip', 'destination_ip', 'source_port', 'destination_port', 'protocol'].map((name) => ({
    name,
    aliases: flowField(name)?.aliases ?? [],
    read:
      name === 'source_ip'
        ? (event: LogEvent) => event.sourceIp
        : name === 'destination_ip'
          ? (event: LogEvent) => event.destinationIp
          : null,
  })),
  {
    name: 'host',
    aliases: names('hostname host.name Computer computer_name ComputerName'),
    read: (event) => event.host,
  },
  {
    name: 'user',
    aliases: names('user_id user.name user.id UserName User TargetUserName actor.user.name'),
    read: (event) => event.user,
  },
  { name: 'message', aliases: names('msg Message event.original'), read: (event) => event.message },
  { name: 'severity', aliases: names('log.level level'), read: (event) => event.severity },
  { name: 'product', aliases: [], read: (event) => event.logsource.product },
  { name: 'category', aliases: [], read: (event) => event.logsource.category },
  { name: 'service', aliases: [], read: (event) => event.logsource.service },
  { name: 'threat', aliases: names('threat.indicator.name'), read: (event) => event.threat },
  { name: 'pop_id', aliases: names('pop'), read: (event) => event.pop },
];

const LOG_BY_NAME = new Map([
  ...FIELD_FAMILIES.flatMap(([name, ...aliases]) =>
    [name, ...aliases].map((any) => [any, { name, aliases, read: null } satisfies LogField] as const),
  ),
  ...LOG_FIELDS.flatMap((entry) => [entry.name, ...entry.aliases].map((name) => [name, entry] as const)),
]);

/** The canonical log field behind a name or alias. */
export function logField(name: string): LogField | undefined {
  return LOG_BY_NAME.get(name);
}

/** Fields whose values are addresses, or numbers, whatever form a log keeps them in: group keys of logs and flows then agree. */
export function canonicalKind(name: string): 'address' | 'number' | 'text' {
  const kind = flowField(name)?.source.kind;
  if (kind === 'address') return 'address';
  return kind === 'port' || kind === 'word' || kind === 'counter' || kind === 'duration' ? 'number' : 'text';
}

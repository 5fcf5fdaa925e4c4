// The keys that the native format reads. Flow keys come first: their index is a bit of the fast scanner's mask.

import { PathPlan } from './path-plan.ts';

export const FLOW_KEYS = [
  'tenant_id',
  'pop_id',
  'timestamp',
  'flow_id',
  'source_ip',
  'destination_ip',
  'source_port',
  'destination_port',
  'protocol',
  'bytes_sent',
  'bytes_received',
  'packets_sent',
  'packets_received',
  'application',
  'action',
  'user_id',
  'device_id',
  'site_id',
  'session_id',
  'duration_ms',
  'tcp_flags',
  'host',
  'ja3',
  'ja4',
  'sampling_rate',
  'exporter',
  'input_interface',
  'output_interface',
] as const;

const OTHER_KEYS = [
  // sessions
  'started_at',
  'last_activity',
  'status',
  'metadata',
  // tunnel statistics
  'tunnel_id',
  'latency_ms',
  'jitter_ms',
  'packet_loss_percent',
  'rx_bytes',
  'tx_bytes',
  'uptime_seconds',
  // log events: when, what kind, who
  '@timestamp',
  'ts',
  'time',
  'UtcTime',
  'EventTime',
  'eventTime',
  'product',
  'category',
  'service',
  'logsource.product',
  'logsource.category',
  'logsource.service',
  'message',
  'msg',
  'severity',
  'level',
  'log.level',
  'hostname',
  'Computer',
  'host.name',
  'node',
  'user',
  'User',
  'user.name',
  'username',
  'src_ip',
  'SourceIp',
  'SourceIP',
  'source.ip',
  'dst_ip',
  'dest_ip',
  'DestinationIp',
  'DestinationIP',
  'destination.ip',
  'Channel',
  'EventID',
  'type',
  // marks of other dialects
  'id.orig_h',
  '_path',
  'event_type',
  'sampler_address',
  'time_received_ns',
  'ExporterAddress',
  'SrcAddr',
] as const;

export const NATIVE_KEYS = [...FLOW_KEYS, ...OTHER_KEYS] as const;
export type NativeKey = (typeof NATIVE_KEYS)[number];

/** Index of every key: `K.source_ip`. */
export const K = Object.fromEntries(NATIVE_KEYS.map((key, index) => [key, index])) as Readonly<
  Record<NativeKey, number>
>;

/** Nested keys that are read joined by a dot (`logsource.product`), and the keys themselves; a Map: input chooses the name. */
export const KEY_INDEX: ReadonlyMap<string, number> = new Map(NATIVE_KEYS.map((key, index) => [key, index]));

export const NATIVE_PLAN = new PathPlan(NATIVE_KEYS);

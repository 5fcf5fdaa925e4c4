// The columns of the CQL tables in the order in which rows are bound, and the statements that write them. Names and types agree
// with schema/scylla (a test compares them).

/** Seed columns first; the rest is additive. */
export const FLOW_COLUMNS = [
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
  'ip_bytes_sent',
  'ip_bytes_received',
  'service',
  'producer_id',
  'connection_state',
  'history',
  'category',
  'direction',
  'source_country',
  'destination_country',
  'source_asn',
  'destination_asn',
  'threat',
  'policy_id',
  'policy_version',
  'flags',
  'timestamp_ns',
] as const;

/** The time bucket is the last column where there is one. */
export const BUCKET_COLUMN = 'bucket';

export const SESSION_COLUMNS = [
  'tenant_id',
  'session_id',
  'user_id',
  'device_id',
  'source_ip',
  'last_activity',
  'status',
  'metadata',
  'user_name',
  'device_name',
] as const;

export const TUNNEL_COLUMNS = [
  'tunnel_id',
  'timestamp',
  'latency_ms',
  'jitter_ms',
  'packet_loss_percent',
  'rx_bytes',
  'tx_bytes',
  'uptime_seconds',
  'tenant_id',
  'pop_id',
  'timestamp_ns',
] as const;

/** Numbers of the prepared statements. */
export const QUERY = { flow: 0, session: 1, sessionStart: 2, tunnel: 3 } as const;

/** The statements by number. `bucketed`: flows have a time bucket in their key. */
export function queries(keyspace: string, bucketed: boolean): readonly string[] {
  const insert = (table: string, columns: readonly string[], stamped: boolean): string =>
    `INSERT INTO ${keyspace}.${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})${stamped ? ' USING TIMESTAMP ?' : ''}`;
  return [
    insert('flows', bucketed ? [...FLOW_COLUMNS, BUCKET_COLUMN] : FLOW_COLUMNS, false),
    insert('sessions', SESSION_COLUMNS, true),
    insert('sessions', ['tenant_id', 'session_id', 'started_at'], true),
    insert('tunnel_stats', TUNNEL_COLUMNS, true),
  ];
}

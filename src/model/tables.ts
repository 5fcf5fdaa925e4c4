// The stored tables: column names and ClickHouse types, in the order in which blocks carry them. schema/clickhouse has
// the DDL (a test compares both). Seed columns keep the seed's names; everything after them is additive.
// `ingested_at` is filled by the store (DEFAULT now64) and is never part of a block.

import type { OutputName } from './outputs.ts';

export interface Column {
  readonly name: string;
  readonly type: string;
}

const columns = (text: string): readonly Column[] =>
  text
    .trim()
    .split('\n')
    .map((line) => {
      const [name, ...type] = line.trim().split(' ');
      return { name, type: type.join(' ') };
    });

export const TABLES = {
  flows: columns(`
    tenant_id UUID
    pop_id LowCardinality(String)
    timestamp DateTime64(9, 'UTC')
    flow_id UUID
    source_ip IPv6
    destination_ip IPv6
    source_port UInt16
    destination_port UInt16
    protocol UInt8
    bytes_sent UInt64
    bytes_received UInt64
    packets_sent UInt64
    packets_received UInt64
    application LowCardinality(String)
    action LowCardinality(String)
    user_id LowCardinality(String)
    device_id LowCardinality(String)
    site_id LowCardinality(String)
    session_id LowCardinality(String)
    duration_ms Float64
    tcp_flags UInt16
    host LowCardinality(String)
    ja3 LowCardinality(String)
    ja4 LowCardinality(String)
    sampling_rate UInt32
    exporter LowCardinality(String)
    input_interface UInt32
    output_interface UInt32
    ip_bytes_sent UInt64
    ip_bytes_received UInt64
    service LowCardinality(String)
    producer_id LowCardinality(String)
    connection_state LowCardinality(String)
    history LowCardinality(String)
    category LowCardinality(String)
    direction LowCardinality(String)
    source_country LowCardinality(String)
    destination_country LowCardinality(String)
    source_asn UInt32
    destination_asn UInt32
    threat LowCardinality(String)
    policy_id LowCardinality(String)
    policy_version UInt32
    flags UInt16
    community_id String`),
  session_events: columns(`
    tenant_id UUID
    session_id UUID
    event_id UUID
    timestamp DateTime64(9, 'UTC')
    version UInt64
    user_id String
    device_id String
    source_ip IPv6
    started_at DateTime64(3, 'UTC')
    status LowCardinality(String)
    metadata Map(String, String)`),
  tunnel_stats: columns(`
    tunnel_id UUID
    timestamp DateTime64(9, 'UTC')
    latency_ms Int32
    jitter_ms Int32
    packet_loss_percent Float32
    rx_bytes UInt64
    tx_bytes UInt64
    uptime_seconds UInt64
    tenant_id UUID
    pop_id LowCardinality(String)
    event_id UUID`),
  logs: columns(`
    tenant_id UUID
    pop_id LowCardinality(String)
    timestamp DateTime64(9, 'UTC')
    log_id UUID
    product LowCardinality(String)
    category LowCardinality(String)
    service LowCardinality(String)
    source_ip IPv6
    destination_ip IPv6
    host LowCardinality(String)
    user LowCardinality(String)
    severity LowCardinality(String)
    message String
    fields String
    threat LowCardinality(String)
    flags UInt16`),
  traffic_analytics: columns(`
    tenant_id UUID
    pop_id String
    timestamp DateTime
    total_bytes UInt64
    total_requests UInt64
    blocked_requests UInt64
    application String
    category String`),
  threat_analytics: columns(`
    tenant_id UUID
    timestamp DateTime
    threat_category String
    severity String
    source_ip IPv4
    destination_ip IPv4
    mitre_technique String
    alert_id UUID
    details String
    source_ip6 IPv6
    destination_ip6 IPv6
    rule_id String
    title String
    first_seen DateTime64(9, 'UTC')`),
  alerts: columns(`
    tenant_id UUID
    alert_id UUID
    revision UInt64
    first_seen DateTime64(9, 'UTC')
    last_seen DateTime64(9, 'UTC')
    rule_id String
    rule_version String
    rule_hash String
    title String
    reason String
    severity LowCardinality(String)
    confidence LowCardinality(String)
    tactics Array(String)
    techniques Array(String)
    source_ip String
    destination_ip String
    user_id String
    device_id String
    site_id String
    pop_id String
    count UInt64
    details String`),
  rejects: columns(`
    reject_id UUID
    tenant_id UUID
    source String
    file String
    position UInt64
    length UInt64
    code LowCardinality(String)
    detail String
    format LowCardinality(String)
    raw String`),
} as const;

export type TableName = keyof typeof TABLES;

/** Columns of a table, as its blocks carry them. Throws for an output that is no table. */
export function columnsOf(output: OutputName): readonly Column[] {
  if (!Object.hasOwn(TABLES, output)) throw new Error(`${output} is no table`);
  return TABLES[output as TableName];
}

/** Rows of one output: a Native block for one table, packed messages, or a parcel. */
export interface TableRows {
  readonly table: OutputName;
  readonly rows: number;
  /** Empty for a parcel. */
  readonly bytes: Uint8Array;
  /** The worker that encoded the rows keeps them and writes them itself once it is told to. */
  readonly parcel?: Parcel;
}

/** Rows that a worker keeps. */
export interface Parcel {
  /** Set by the router. */
  readonly worker: number;
  /** The worker's own number for it. */
  readonly id: number;
  readonly rows: number;
  readonly bytes: number;
}

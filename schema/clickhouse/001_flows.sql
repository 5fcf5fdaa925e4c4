-- One row a flow. Columns up to `action` are the seed's; the rest is additive.
-- No time partition: a producer's clock may name any day, and a partition a day would then be a part a row. A partition by
-- ingestion time would let a repeated insert land in another partition, where its token is not known.
CREATE TABLE IF NOT EXISTS flows
(
    tenant_id UUID,
    pop_id LowCardinality(String),
    timestamp DateTime64(9, 'UTC'),
    flow_id UUID,
    source_ip IPv6,
    destination_ip IPv6,
    source_port UInt16,
    destination_port UInt16,
    protocol UInt8,
    bytes_sent UInt64,
    bytes_received UInt64,
    packets_sent UInt64,
    packets_received UInt64,
    application LowCardinality(String),
    action LowCardinality(String),
    user_id LowCardinality(String),
    device_id LowCardinality(String),
    site_id LowCardinality(String),
    session_id LowCardinality(String),
    duration_ms Float64,
    tcp_flags UInt16,
    host LowCardinality(String),
    ja3 LowCardinality(String),
    ja4 LowCardinality(String),
    sampling_rate UInt32,
    exporter LowCardinality(String),
    input_interface UInt32,
    output_interface UInt32,
    ip_bytes_sent UInt64,
    ip_bytes_received UInt64,
    service LowCardinality(String),
    producer_id LowCardinality(String),
    connection_state LowCardinality(String),
    history LowCardinality(String),
    category LowCardinality(String),
    direction LowCardinality(String),
    source_country LowCardinality(String),
    destination_country LowCardinality(String),
    source_asn UInt32,
    destination_asn UInt32,
    threat LowCardinality(String),
    policy_id LowCardinality(String),
    policy_version UInt32,
    flags UInt16,
    community_id String,
    ingested_at DateTime DEFAULT now()
)
ENGINE = MergeTree
ORDER BY (tenant_id, pop_id, timestamp)
TTL ingested_at + toIntervalSecond(604800)
SETTINGS non_replicated_deduplication_window = 10000;

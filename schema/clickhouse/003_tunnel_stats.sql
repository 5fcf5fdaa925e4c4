-- Columns up to `uptime_seconds` are the seed's.
CREATE TABLE IF NOT EXISTS tunnel_stats
(
    tunnel_id UUID,
    timestamp DateTime64(9, 'UTC'),
    latency_ms Int32,
    jitter_ms Int32,
    packet_loss_percent Float32,
    rx_bytes UInt64,
    tx_bytes UInt64,
    uptime_seconds UInt64,
    tenant_id UUID,
    pop_id LowCardinality(String),
    event_id UUID,
    ingested_at DateTime DEFAULT now()
)
ENGINE = MergeTree
ORDER BY (tunnel_id, timestamp)
TTL ingested_at + toIntervalSecond(2592000)
SETTINGS non_replicated_deduplication_window = 10000;

-- The seed's table. Several rows may carry one key (late arrivals, restarts between blocks): sum over them.
CREATE TABLE IF NOT EXISTS traffic_analytics
(
    tenant_id UUID,
    pop_id String,
    timestamp DateTime,
    total_bytes UInt64,
    total_requests UInt64,
    blocked_requests UInt64,
    application String,
    category String,
    ingested_at DateTime DEFAULT now()
)
ENGINE = MergeTree()
PARTITION BY toYYYYMM(timestamp)
ORDER BY (tenant_id, pop_id, timestamp)
TTL ingested_at + toIntervalSecond(31536000)
SETTINGS non_replicated_deduplication_window = 10000;

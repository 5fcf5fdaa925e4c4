-- What 'weir rebuild traffic-analytics' works with (docs/decisions/0015). `target` is 'flows' for sums as stored flows give them, else the
-- table that a row corrects: then counters are what has to be added, modulo 2^64, and `counted_at` is the row's ingestion time there.
CREATE TABLE IF NOT EXISTS traffic_rebuild_rows
(
    rebuild_id UUID,
    tenant_id UUID,
    target LowCardinality(String),
    pop_id String,
    timestamp DateTime,
    application String,
    category String,
    total_bytes UInt64,
    total_requests UInt64,
    blocked_requests UInt64,
    counted_at DateTime,
    ingested_at DateTime DEFAULT now()
)
ENGINE = MergeTree
ORDER BY (tenant_id, rebuild_id, target, pop_id, timestamp)
TTL ingested_at + toIntervalSecond(2592000);

-- The journal: a rebuild is `planned` once all its corrections are in the table above, and `done` once they are in their targets.
CREATE TABLE IF NOT EXISTS traffic_rebuilds
(
    rebuild_id UUID,
    tenant_id UUID,
    hour_from DateTime,
    hour_to DateTime,
    state LowCardinality(String),
    ingested_at DateTime DEFAULT now()
)
ENGINE = MergeTree
ORDER BY (tenant_id, rebuild_id)
TTL ingested_at + toIntervalSecond(31536000);

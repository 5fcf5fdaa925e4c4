-- Coarser sums of traffic_analytics, kept longer. A view pushes every inserted block on; the targets deduplicate blocks as the
-- source does, so an insert that is tried again counts once there too. Sum over rows of a key: merging is not immediate.
CREATE TABLE IF NOT EXISTS traffic_analytics_5m
(
    tenant_id UUID,
    pop_id String,
    timestamp DateTime,
    application String,
    category String,
    total_bytes UInt64,
    total_requests UInt64,
    blocked_requests UInt64,
    ingested_at DateTime DEFAULT now()
)
ENGINE = SummingMergeTree((total_bytes, total_requests, blocked_requests))
PARTITION BY toYYYYMM(timestamp)
ORDER BY (tenant_id, pop_id, timestamp, application, category)
TTL ingested_at + toIntervalSecond(63072000)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS traffic_analytics_1h
(
    tenant_id UUID,
    pop_id String,
    timestamp DateTime,
    application String,
    category String,
    total_bytes UInt64,
    total_requests UInt64,
    blocked_requests UInt64,
    ingested_at DateTime DEFAULT now()
)
ENGINE = SummingMergeTree((total_bytes, total_requests, blocked_requests))
PARTITION BY toYYYYMM(timestamp)
ORDER BY (tenant_id, pop_id, timestamp, application, category)
TTL ingested_at + toIntervalSecond(157680000)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS traffic_analytics_to_5m TO traffic_analytics_5m AS
SELECT
    tenant_id,
    pop_id,
    toStartOfFiveMinutes(timestamp) AS timestamp,
    application,
    category,
    sum(total_bytes) AS total_bytes,
    sum(total_requests) AS total_requests,
    sum(blocked_requests) AS blocked_requests
FROM traffic_analytics
GROUP BY tenant_id, pop_id, timestamp, application, category;

CREATE MATERIALIZED VIEW IF NOT EXISTS traffic_analytics_to_1h TO traffic_analytics_1h AS
SELECT
    tenant_id,
    pop_id,
    toStartOfHour(timestamp) AS timestamp,
    application,
    category,
    sum(total_bytes) AS total_bytes,
    sum(total_requests) AS total_requests,
    sum(blocked_requests) AS blocked_requests
FROM traffic_analytics
GROUP BY tenant_id, pop_id, timestamp, application, category;

-- One row a log event. `fields` is its own JSON, field names kept.
CREATE TABLE IF NOT EXISTS logs
(
    tenant_id UUID,
    pop_id LowCardinality(String),
    timestamp DateTime64(9, 'UTC'),
    log_id UUID,
    product LowCardinality(String),
    category LowCardinality(String),
    service LowCardinality(String),
    source_ip IPv6,
    destination_ip IPv6,
    host LowCardinality(String),
    user LowCardinality(String),
    severity LowCardinality(String),
    message String,
    fields String,
    threat LowCardinality(String),
    flags UInt16,
    ingested_at DateTime DEFAULT now()
)
ENGINE = MergeTree
ORDER BY (tenant_id, product, service, timestamp)
TTL ingested_at + toIntervalSecond(2592000)
SETTINGS non_replicated_deduplication_window = 10000;

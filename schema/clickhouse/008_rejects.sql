-- Dead letters: records that were refused, with their bytes, position and reason.
CREATE TABLE IF NOT EXISTS rejects
(
    reject_id UUID,
    tenant_id UUID,
    source String,
    file String,
    position UInt64,
    length UInt64,
    code LowCardinality(String),
    detail String,
    format LowCardinality(String),
    raw String,
    ingested_at DateTime DEFAULT now()
)
ENGINE = MergeTree
ORDER BY (code, source, file, position)
TTL ingested_at + toIntervalSecond(2592000)
SETTINGS non_replicated_deduplication_window = 10000;

-- Revisions of alerts; the highest revision is the alert.
CREATE TABLE IF NOT EXISTS alerts
(
    tenant_id UUID,
    alert_id UUID,
    revision UInt64,
    first_seen DateTime64(9, 'UTC'),
    last_seen DateTime64(9, 'UTC'),
    rule_id String,
    rule_version String,
    rule_hash String,
    title String,
    reason String,
    severity LowCardinality(String),
    confidence LowCardinality(String),
    tactics Array(String),
    techniques Array(String),
    source_ip String,
    destination_ip String,
    user_id String,
    device_id String,
    site_id String,
    pop_id String,
    count UInt64,
    details String,
    ingested_at DateTime DEFAULT now()
)
ENGINE = MergeTree
ORDER BY (tenant_id, alert_id, revision)
TTL ingested_at + toIntervalSecond(31536000)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE OR REPLACE VIEW alerts_latest AS
SELECT *
FROM alerts
ORDER BY tenant_id, alert_id, revision DESC
LIMIT 1 BY tenant_id, alert_id;

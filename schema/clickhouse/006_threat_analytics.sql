-- The seed's table: one immutable row an alert, written when it first fires. IPv6 endpoints are 0.0.0.0 in the seed's
-- IPv4 columns and stand in the additive ones, which are :: for IPv4.
CREATE TABLE IF NOT EXISTS threat_analytics
(
    tenant_id UUID,
    timestamp DateTime,
    threat_category String,
    severity String,
    source_ip IPv4,
    destination_ip IPv4,
    mitre_technique String,
    alert_id UUID,
    details String,
    source_ip6 IPv6,
    destination_ip6 IPv6,
    rule_id String,
    title String,
    first_seen DateTime64(9, 'UTC'),
    ingested_at DateTime DEFAULT now()
)
ENGINE = MergeTree()
PARTITION BY toYYYYMM(timestamp)
ORDER BY (tenant_id, timestamp)
TTL ingested_at + toIntervalSecond(31536000)
SETTINGS non_replicated_deduplication_window = 10000;

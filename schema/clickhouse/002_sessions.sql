-- Every observation of a session; `sessions` folds them into the seed's row. The fold does not depend on the order of arrival.
CREATE TABLE IF NOT EXISTS session_events
(
    tenant_id UUID,
    session_id UUID,
    event_id UUID,
    timestamp DateTime64(9, 'UTC'),
    version UInt64,
    user_id String,
    device_id String,
    source_ip IPv6,
    started_at DateTime64(3, 'UTC'),
    status LowCardinality(String),
    metadata Map(String, String),
    ingested_at DateTime DEFAULT now()
)
ENGINE = MergeTree
ORDER BY (tenant_id, session_id, version)
TTL ingested_at + toIntervalSecond(86400)
SETTINGS non_replicated_deduplication_window = 10000;

-- A field that an observation leaves out keeps its last known value; the earliest start stays.
CREATE OR REPLACE VIEW sessions AS
SELECT
    tenant_id,
    session_id,
    argMaxIf(e.user_id, (e.version, e.event_id), e.user_id != '') AS user_id,
    argMaxIf(e.device_id, (e.version, e.event_id), e.device_id != '') AS device_id,
    argMaxIf(e.source_ip, (e.version, e.event_id), e.source_ip != toIPv6('::')) AS source_ip,
    if(
        countIf(toUnixTimestamp64Milli(e.started_at) != 0) > 0,
        minIf(e.started_at, toUnixTimestamp64Milli(e.started_at) != 0),
        toDateTime64(min(e.timestamp), 3, 'UTC')
    ) AS started_at,
    max(e.timestamp) AS last_activity,
    argMaxIf(e.status, (e.version, e.event_id), e.status != '') AS status,
    argMaxIf(e.metadata, (e.version, e.event_id), notEmpty(e.metadata)) AS metadata
FROM session_events AS e
GROUP BY tenant_id, session_id;

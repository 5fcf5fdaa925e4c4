// The metric catalogue: every metric is declared once here. docs/metrics.md, the dashboard and the checks of the alert rules are
// made from it. All are counted per batch or block, or asked for when they are scraped; never per event.

import type { PanelName } from './panels.ts';

/** How a metric of several instances (or streams) is put together. */
type Across = 'sum' | 'max';

interface Spec<L extends readonly string[] = readonly string[]> {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: L;
  readonly panel: PanelName;
  readonly help: string;
  readonly across: Across;
}

const counter = <const L extends readonly string[]>(labels: L, panel: PanelName, help: string): Spec<L> => ({
  type: 'counter',
  labels,
  panel,
  help,
  across: 'sum',
});
const gauge = <const L extends readonly string[]>(
  labels: L,
  panel: PanelName,
  across: Across,
  help: string,
): Spec<L> => ({ type: 'gauge', labels, panel, help, across });
const histogram = <const L extends readonly string[]>(labels: L, panel: PanelName, help: string): Spec<L> => ({
  type: 'histogram',
  labels,
  panel,
  help,
  across: 'sum',
});

export const METRICS = {
  // Intake
  weir_records_total: counter(
    ['source', 'outcome'],
    'records',
    'Records read, by source and outcome: accepted, rejected or skipped.',
  ),
  weir_read_bytes_total: counter(
    ['source'],
    'bytes',
    'Bytes handed to the workers, by source; compressed ones of Kafka as they came.',
  ),
  weir_rejects_total: counter(['code'], 'rejects', 'Rejected records by code (docs/rejects.md).'),
  weir_unknown_keys_total: counter([], 'rejects', 'Keys of native records that no column holds.'),
  weir_input_bytes: gauge([], 'progress', 'sum', 'Input bytes consumed, as they lie on disk.'),
  weir_paused_sources: gauge(
    ['what'],
    'pauses',
    'sum',
    'Sources that wait because the budget of bytes in flight is used up.',
  ),

  // Lag and freshness
  weir_kafka_lag_records: gauge(
    ['topic', 'partition'],
    'lag',
    'sum',
    'High watermark less position: records of a partition of ours that are in the topic and were not read.',
  ),
  weir_kafka_behind_seconds: gauge(
    ['topic', 'partition'],
    'behind',
    'max',
    'How long ago what is read now was appended, by the time stamp of its record batch; 0 once all is read.',
  ),
  weir_newest_event_timestamp_seconds: gauge(
    ['tenant'],
    'freshness',
    'max',
    'Event time of the newest stored record, by tenant; tenants beyond metrics.tenants are together one, "other".',
  ),
  weir_watermark_timestamp_seconds: gauge(
    ['tenant'],
    'watermark',
    'max',
    'Event-time watermark (newest event less lateness) of what is stored, by tenant as above; absent without the role detect.',
  ),
  weir_late_records_total: counter([], 'late', 'Records behind the watermark, which correlations did not see.'),
  weir_lanes_owned: gauge([], 'lanes', 'sum', 'Lanes that are open in this process.'),
  weir_lanes_assigned: gauge([], 'lanes', 'sum', 'Lanes of Kafka that the group has given to this process.'),
  weir_rebalances_total: counter([], 'moves', 'Times that the consumer group gave out its lanes.'),
  weir_fencings_total: counter(
    [],
    'moves',
    'Lanes given up because another owner has them, or their log could not be written.',
  ),

  // Quotas
  weir_parked_tenants: gauge(
    [],
    'quotas',
    'sum',
    'Tenants over their quota, lane by lane: their records wait in the overflow topic, whose lag says how many.',
  ),
  weir_parked_records_total: counter([], 'parked', 'Records sent to the overflow topic.'),

  // Stages
  weir_stage_tasks_total: counter(
    ['stage'],
    'tasks',
    'Batches (match, correlate) and blocks (close, journal, write, commit) that a stage has done; attempts of a write count each.',
  ),
  weir_stage_seconds_total: counter(
    ['stage'],
    'time',
    'Seconds from handing a task to a stage to its answer, waiting included; tasks overlap, so more than one a second is usual.',
  ),
  weir_main_thread_busy_seconds_total: counter(
    [],
    'mainThread',
    'Seconds in which the event loop of the main thread was busy.',
  ),
  weir_open_blocks: gauge([], 'blocks', 'sum', 'Lanes with a block that takes records.'),
  weir_unwritten_blocks: gauge([], 'blocks', 'sum', 'Closed blocks that not every sink has acknowledged.'),

  // Sinks
  weir_stored_rows_total: counter(['table'], 'rows', 'Rows that the store has acknowledged.'),
  weir_insert_duration_seconds: histogram(
    ['sink', 'table'],
    'inserts',
    'Duration of inserts that were acknowledged, by sink and table; failed attempts before are not in it.',
  ),
  weir_sink_errors_total: counter(
    ['sink', 'kind', 'code'],
    'failures',
    'Attempts that a sink refused: kind retryable passes by itself, poison and fatal end the run; code is the server’s.',
  ),
  weir_sink_retries_total: counter(['sink'], 'failures', 'Attempts after a refused one of the same sink and table.'),
  weir_sink_failing_seconds: gauge(
    ['sink'],
    'failing',
    'max',
    'Seconds since a table of the sink was last written; 0 while all can be.',
  ),

  // Alerts
  weir_alerts_total: counter(['severity'], 'alerts', 'Alerts that fired for the first time.'),
  weir_evicted_groups_total: counter([], 'evictions', 'Correlation groups dropped because a budget was used up.'),

  // Exporters
  weir_exporter_records_total: counter(
    ['exporter'],
    'exporters',
    'Flows by exporter address; the metrics.exporters most recently seen have series of their own.',
  ),
  weir_exporter_decode_failures_total: counter(
    ['exporter'],
    'exporters',
    'Rejected records that name their exporter all the same (goflow2, Akvorado), by its address.',
  ),
  weir_exporter_last_seen_timestamp_seconds: gauge(
    ['exporter'],
    'silence',
    'max',
    'When a batch last held a flow of the exporter.',
  ),
  weir_exporter_clock_skew_seconds: gauge(
    ['exporter'],
    'silence',
    'max',
    'Newest flow end less append time of its batch in Kafka: above 0 the exporter’s clock is ahead, below minus its active time-out behind.',
  ),
  weir_exporter_lost_total: counter(
    ['tenant', 'exporter', 'unit'],
    'gaps',
    'What never came of what exporters sent, by their sequence numbers (goflow2): flows of NetFlow v5 and IPFIX, packets of NetFlow v9 and sFlow. Options, templates and counters are in it, for they leave no flow behind.',
  ),
  weir_exporter_numbered_total: counter(
    ['tenant', 'exporter', 'unit'],
    'gaps',
    'Flows and packets as above that came: lost ÷ (lost + numbered) is the share that did not.',
  ),
  weir_exporter_restarts_total: counter(
    ['tenant', 'exporter'],
    'gaps',
    'Times that the sequence numbers of an exporter began anew.',
  ),

  // Memory and process
  weir_in_flight_bytes: gauge(
    ['what'],
    'inFlight',
    'sum',
    'Bytes in memory on their way: slabs at work, fetched from Kafka and waiting.',
  ),
  weir_budget_bytes: gauge(
    ['what'],
    'inFlight',
    'sum',
    'Most that weir_in_flight_bytes may be before sources are paused.',
  ),
  weir_memory_bytes: gauge(
    ['what'],
    'memory',
    'sum',
    'Memory of the process: resident, heap of the main thread, external, array_buffers.',
  ),
  weir_cpu_seconds_total: counter(['mode'], 'cpu', 'CPU time of the process, all threads: user and system.'),
  weir_start_timestamp_seconds: gauge([], 'uptime', 'max', 'When the process was started.'),
  weir_log_messages_total: counter(
    ['level'],
    'log',
    'Messages of the program’s own log, those included that were held back as repeats.',
  ),
} as const satisfies Record<string, Spec>;

export type MetricName = keyof typeof METRICS;
export type MetricSpec = Spec;

/** Labels that go with a metric; nothing where it has none. */
export type LabelsOf<N extends MetricName> = (typeof METRICS)[N]['labels'] extends readonly []
  ? []
  : [labels: Readonly<Record<(typeof METRICS)[N]['labels'][number], string>>];

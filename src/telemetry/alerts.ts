// The alert rules for Prometheus. Each says what to do; a test holds that they name declared metrics only.

import { stringify } from 'yaml';

interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  /** How long it must hold. */
  readonly for: string;
  readonly severity: 'critical' | 'warning';
  readonly summary: string;
  /** What to do. */
  readonly description: string;
}

export const ALERTS: readonly AlertRule[] = [
  {
    alert: 'WeirLagGrowing',
    expr: 'sum by (topic) (deriv(weir_kafka_lag_records[15m])) > 0 and max by (topic) (weir_kafka_behind_seconds) > 120',
    for: '10m',
    severity: 'warning',
    summary: 'Topic {{ $labels.topic }} comes in faster than it is read.',
    description:
      'See the row Stages: a stage whose tasks under way have risen is the bottleneck. Main thread or CPU near the number of cores: add instances (at most one a partition is of use). Stage write: see the row Sinks for the slow table. Alerts and rollups are late meanwhile; nothing is lost while the topic keeps its records (compare its retention with the seconds behind).',
  },
  {
    alert: 'WeirTenantParked',
    expr: 'sum by (instance) (weir_parked_tenants) > 0',
    for: '30m',
    severity: 'warning',
    summary: '{{ $value }} tenants have been over their quota for half an hour.',
    description:
      'The log names them ("tenants over their quota"). Their records wait in the overflow topic, whose lag says how many; their alerts come late, others are not concerned. Raise the quota if the tenant is entitled to it, and give the instances CPU for it; otherwise find out what floods.',
  },
  {
    alert: 'WeirNoProgress',
    expr: '(sum by (instance) (weir_kafka_lag_records) > 0 or sum by (instance) (weir_unwritten_blocks) > 0) unless sum by (instance) (increase(weir_stage_tasks_total{stage="commit"}[5m])) > 0',
    for: '5m',
    severity: 'critical',
    summary: '{{ $labels.instance }} has work and has committed nothing for 10 minutes.',
    description:
      'GET /readyz of the instance names the reason. A sink that fails: bring it back, Weir goes on by itself. Nothing named there: GET /healthz; where that says lane_stuck, restart the instance (what is not committed is read again) and report its log.',
  },
  {
    alert: 'WeirSinkFailing',
    expr: 'max by (instance, sink) (weir_sink_failing_seconds) > 120',
    for: '0m',
    severity: 'critical',
    summary: '{{ $labels.sink }} has taken nothing from {{ $labels.instance }} for two minutes.',
    description:
      'The log says "the store cannot take a block now" with the server’s code. Bring the server back, or give it disk or memory; Weir repeats the block under its token until it is acknowledged, and pauses its sources meanwhile. Nothing is lost or doubled.',
  },
  {
    alert: 'WeirSinkRefuses',
    expr: 'sum by (sink, kind, code) (increase(weir_sink_errors_total{kind=~"poison|fatal"}[15m])) > 0',
    for: '0m',
    severity: 'critical',
    summary: '{{ $labels.sink }} refuses for good: {{ $labels.code }}.',
    description:
      'An authorization, schema or configuration error ends the run; it drops nothing. fatal: check user, password, permissions and `weir migrate --dry-run`. poison: the message on standard error names table and token of the block; report it.',
  },
  {
    alert: 'WeirRejectsHigh',
    expr: 'sum by (source) (rate(weir_records_total{outcome="rejected"}[10m])) / sum by (source) (rate(weir_records_total[10m])) > 0.01',
    for: '10m',
    severity: 'warning',
    summary: '{{ $value | humanizePercentage }} of the records of source {{ $labels.source }} are rejected.',
    description:
      '`weir rejects list` shows the codes with position and bytes (with Kafka: the topic dead-letters, reasons in its headers); docs/rejects.md says what to do for each. Most often a producer has changed its format, or a tenant is unknown or inactive.',
  },
  {
    alert: 'WeirWatermarkStuck',
    expr: 'max by (tenant) (changes(weir_watermark_timestamp_seconds[30m])) == 0 and max by (tenant) (changes(weir_watermark_timestamp_seconds[1d])) > 0',
    for: '5m',
    severity: 'warning',
    summary: 'Event time of tenant {{ $labels.tenant }} has stood still for half an hour.',
    description:
      'Correlations of the tenant wait, and new alerts on absence cannot fire. Either nothing comes from it (see its exporters and producers), or what comes is older than what came: a device with its clock ahead moved the watermark (see the clock skew of exporters, and weir_late_records_total).',
  },
  {
    alert: 'WeirRestarts',
    expr: 'changes(weir_start_timestamp_seconds[30m]) > 2',
    for: '0m',
    severity: 'critical',
    summary: '{{ $labels.instance }} was started more than twice in half an hour.',
    description:
      'The last line on standard error of the run before has a code in brackets: docs/operations.md and the failure model say what it means. Killed without a line: look for the kernel’s memory killer, and lower budget.bytes, workers or store.memory_bytes.',
  },
  {
    alert: 'WeirFencings',
    expr: 'sum by (instance) (increase(weir_fencings_total[30m])) > 3 or sum by (instance) (increase(weir_rebalances_total[30m])) > 10',
    for: '0m',
    severity: 'warning',
    summary: 'Lanes keep moving between instances.',
    description:
      'An instance that is too busy or paused (steal, swap, long pauses of a virtual machine) misses its session: raise kafka.session_timeout, or give it CPU. Autoscalers that go up and down do the same: widen their window. Kafka’s own log tells whether its coordinator moves.',
  },
  {
    alert: 'WeirLanesNotOpen',
    expr: 'sum by (instance) (weir_lanes_assigned) > sum by (instance) (weir_lanes_owned)',
    for: '10m',
    severity: 'critical',
    summary: '{{ $labels.instance }} cannot open lanes that the group has given to it.',
    description:
      'The log says "a lane cannot be opened now" with the reason: most often the state topic has no leader, or may not be written by this user.',
  },
  {
    alert: 'WeirSourcesPaused',
    expr: 'min_over_time(weir_paused_sources[15m]) > 0',
    for: '0m',
    severity: 'warning',
    summary: '{{ $labels.instance }} has had sources waiting for memory for 15 minutes.',
    description:
      'What was read cannot be got rid of as fast as it comes: see the stages and sinks. If they keep pace, and latency is high, raise budget.bytes.',
  },
  {
    alert: 'WeirStateEvicted',
    expr: 'sum by (instance) (increase(weir_evicted_groups_total[30m])) > 0',
    for: '0m',
    severity: 'warning',
    summary: 'Correlations have dropped groups for want of budget: attacks may be missed.',
    description:
      'Raise correlate.groups_per_rule if memory allows it, narrow the rule’s group-by, or look for a scan or spoofed addresses that make groups without end.',
  },
  {
    alert: 'WeirExporterSilent',
    expr: 'time() - max by (exporter) (weir_exporter_last_seen_timestamp_seconds) > 900 and max by (exporter) (weir_exporter_last_seen_timestamp_seconds) > time() - 86400',
    for: '0m',
    severity: 'warning',
    summary: 'Exporter {{ $labels.exporter }} has sent nothing for 15 minutes.',
    description:
      'Check the device, its route to the collector, and the collector’s own metrics. Ends by itself after a day.',
  },
  {
    alert: 'WeirExporterClock',
    expr: 'max by (exporter) (weir_exporter_clock_skew_seconds) > 60',
    for: '15m',
    severity: 'warning',
    summary: 'The clock of exporter {{ $labels.exporter }} is {{ $value | humanizeDuration }} ahead.',
    description:
      'Its flows move the watermark of their tenant ahead, so that those of others count as late; more than 5 minutes ahead they are flagged and ignored as clocks. Set the device’s NTP.',
  },
  {
    alert: 'WeirExporterLoss',
    expr: 'sum by (tenant, exporter) (rate(weir_exporter_lost_total{unit="flows"}[30m])) / (sum by (tenant, exporter) (rate(weir_exporter_lost_total{unit="flows"}[30m])) + sum by (tenant, exporter) (rate(weir_exporter_numbered_total{unit="flows"}[30m]))) > 0.02 or sum by (tenant, exporter) (rate(weir_exporter_lost_total{unit="packets"}[30m])) / (sum by (tenant, exporter) (rate(weir_exporter_lost_total{unit="packets"}[30m])) + sum by (tenant, exporter) (rate(weir_exporter_numbered_total{unit="packets"}[30m]))) > 0.2',
    for: '15m',
    severity: 'warning',
    summary:
      '{{ $value | humanizePercentage }} of what exporter {{ $labels.exporter }} of {{ $labels.tenant }} sends does not come.',
    description:
      'Its sequence numbers have gaps: packets were dropped on the way to the collector, or by it (see its metrics, its socket’s receive buffer, and the network path), or records between it and Weir. Packets that hold only templates, options or counters are in the number: compare with the days before. docs/operations.md says what it cannot tell.',
  },
];

/** deploy/observability/prometheus/alerts.yml */
export function alertsFile(): string {
  const rules = ALERTS.map(({ alert, expr, for: held, severity, summary, description }) => ({
    alert,
    expr,
    ...(held === '0m' ? {} : { for: held }),
    labels: { severity },
    annotations: { summary, description },
  }));
  const text = stringify({ groups: [{ name: 'weir', rules }] }, { lineWidth: 0 });
  return `# Generated by \`weir docs\` from src/telemetry/alerts.ts; change that instead.\n${text}`;
}

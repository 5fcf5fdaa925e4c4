// The panels of the dashboard, by row. Every metric of the catalogue names the one it is shown in.

export interface Panel {
  readonly row: Row;
  readonly title: string;
  /** Grafana's name of the unit. */
  readonly unit: 'short' | 'ops' | 'rps' | 'Bps' | 'bytes' | 's' | 'percentunit' | 'none';
}

export const ROWS = ['Intake', 'Lag and freshness', 'Stages', 'Sinks', 'Alerts', 'Memory and process'] as const;
export type Row = (typeof ROWS)[number];

const panel = (row: Row, title: string, unit: Panel['unit']): Panel => ({ row, title, unit });

export const PANELS = {
  records: panel('Intake', 'Records read', 'rps'),
  bytes: panel('Intake', 'Bytes read', 'Bps'),
  rejects: panel('Intake', 'Rejects and unknown keys', 'rps'),
  progress: panel('Intake', 'Input consumed', 'bytes'),
  pauses: panel('Intake', 'Paused sources', 'none'),
  exporters: panel('Intake', 'Flows and decode failures by exporter', 'rps'),
  silence: panel('Intake', 'Exporters: time since last seen, clock skew', 's'),
  gaps: panel('Intake', 'Exporters: gaps in sequence numbers, restarts', 'ops'),
  lag: panel('Lag and freshness', 'Records not yet read (Kafka)', 'short'),
  behind: panel('Lag and freshness', 'Seconds behind', 's'),
  freshness: panel('Lag and freshness', 'Age of the newest stored event', 's'),
  watermark: panel('Lag and freshness', 'Watermark behind now', 's'),
  late: panel('Lag and freshness', 'Late records', 'rps'),
  quotas: panel('Lag and freshness', 'Tenants over their quota', 'none'),
  parked: panel('Lag and freshness', 'Records parked', 'rps'),
  lanes: panel('Lag and freshness', 'Lanes', 'none'),
  moves: panel('Lag and freshness', 'Rebalances and fencings', 'ops'),
  tasks: panel('Stages', 'Batches and blocks through the stages', 'ops'),
  time: panel('Stages', 'Tasks under way (average)', 'none'),
  mainThread: panel('Stages', 'Main thread', 'percentunit'),
  blocks: panel('Stages', 'Blocks', 'none'),
  rows: panel('Sinks', 'Rows acknowledged', 'rps'),
  inserts: panel('Sinks', 'Insert latency (99th percentile)', 's'),
  failures: panel('Sinks', 'Errors and repeats', 'ops'),
  failing: panel('Sinks', 'Seconds without success', 's'),
  alerts: panel('Alerts', 'Alerts fired', 'ops'),
  evictions: panel('Alerts', 'State dropped for want of budget', 'ops'),
  inFlight: panel('Memory and process', 'Bytes in flight and budget', 'bytes'),
  memory: panel('Memory and process', 'Memory', 'bytes'),
  cpu: panel('Memory and process', 'CPU', 'percentunit'),
  uptime: panel('Memory and process', 'Time since start', 's'),
  log: panel('Memory and process', 'Log messages', 'ops'),
} as const satisfies Record<string, Panel>;

export type PanelName = keyof typeof PANELS;

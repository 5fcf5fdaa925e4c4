// Counts of a run: what was read, stored and refused. Feeds the progress line, the summary and the metrics.

import type { Alert } from '../model/alert.ts';
import type { TableName } from '../model/tables.ts';
import type { BlockEffects, Matched, TenantProgress } from '../model/work.ts';
import type { SourceBatch } from '../sources/source.ts';
import { Exporters } from '../telemetry/exporters.ts';
import { Gaps } from '../telemetry/gaps.ts';
import { Telemetry } from '../telemetry/telemetry.ts';
import type { LaneObserver } from './lane.ts';

/** As `weir run --json` prints it. */
export interface RunSummary {
  readonly records: {
    readonly read: number;
    readonly accepted: number;
    readonly rejected: number;
    readonly skipped: number;
  };
  readonly rejects: Readonly<Record<string, number>>;
  readonly stored: Readonly<
    Record<'flows' | 'sessions' | 'tunnel_stats' | 'logs' | 'alerts' | 'traffic_analytics', number>
  >;
  readonly late: number;
  /** State entries dropped because a rule's budget was used up. */
  readonly evicted: number;
  /** Keys that no column holds, kept for rules. */
  readonly unknown_keys: number;
  readonly elapsed_s: number;
  readonly records_per_s: number;
  readonly workers: number;
}

/** Table that a stored count of the summary comes from. */
const STORED: Readonly<Record<keyof RunSummary['stored'], TableName>> = {
  flows: 'flows',
  sessions: 'session_events',
  tunnel_stats: 'tunnel_stats',
  logs: 'logs',
  alerts: 'threat_analytics',
  traffic_analytics: 'traffic_analytics',
};

/** Topic and partition that a batch is of; files follow each other, so all of them are ''. */
function partitionOf({ segments }: SourceBatch): string {
  const file = segments[0]?.file ?? '';
  return file.includes('/') ? file : '';
}

export class RunCounts implements LaneObserver {
  read = 0;
  accepted = 0;
  rejected = 0;
  skipped = 0;
  unknownKeys = 0;
  late = 0;
  evicted = 0;
  alerts = 0;
  readonly telemetry = new Telemetry();
  readonly metrics = this.telemetry.metrics;
  /** Bytes on disk consumed, by lane stream; the progress line adds them up. */
  readonly bytes = new Map<string, number>();
  readonly rejects = new Map<string, number>();
  /** How far each lane's tenants have come in what is stored. */
  readonly progress = new Map<string, readonly TenantProgress[]>();
  readonly gaps: Gaps;
  private readonly exporters: Exporters;
  private readonly rows = new Map<string, number>();
  private readonly startedAt = performance.now();
  private readonly onAlert: (alert: Alert) => void;

  /** `exporters`: most that metrics tell apart. */
  constructor(onAlert: (alert: Alert) => void, exporters = 0) {
    this.onAlert = onAlert;
    this.exporters = new Exporters(this.metrics, exporters);
    this.gaps = new Gaps(this.metrics, exporters);
  }

  /** The observer of one lane. */
  batch(matched: Matched, batch: SourceBatch, source: string): void {
    const { counts } = matched;
    this.read += counts.read;
    this.accepted += counts.accepted;
    this.rejected += counts.rejected;
    this.skipped += counts.skipped;
    this.unknownKeys += counts.unknownKeys;
    for (const [code, count] of Object.entries(counts.rejects))
      this.rejects.set(code, (this.rejects.get(code) ?? 0) + count);
    for (const outcome of ['accepted', 'rejected', 'skipped'] as const) {
      this.metrics.add('weir_records_total', counts[outcome], { source, outcome });
    }
    const bytes = batch.segments.reduce((sum, { start, end }) => sum + end - start, 0);
    this.metrics.add('weir_read_bytes_total', bytes, { source });
    const parked = matched.rows.find(({ table }) => table === 'overflow')?.rows ?? 0;
    this.metrics.add('weir_parked_records_total', parked);
    this.exporters.note(matched.exporters, batch.appendedMs);
    if (matched.sequences.length > 0) this.gaps.note(matched.sequences, partitionOf(batch));
    for (const [code, count] of Object.entries(counts.rejects)) this.metrics.add('weir_rejects_total', count, { code });
    this.metrics.add('weir_unknown_keys_total', counts.unknownKeys);
    this.bytes.set(source, batch.progressBytes);
    this.metrics.set('weir_input_bytes', this.progressBytes);
  }

  stored(effects: BlockEffects, rows: ReadonlyMap<string, number>, lane: string): void {
    if (effects.progress.length > 0) this.progress.set(lane, effects.progress);
    this.late += effects.late;
    this.evicted += effects.evicted;
    for (const [table, count] of rows) {
      this.rows.set(table, (this.rows.get(table) ?? 0) + count);
      this.metrics.add('weir_stored_rows_total', count, { table });
    }
    this.metrics.add('weir_late_records_total', effects.late);
    this.metrics.add('weir_evicted_groups_total', effects.evicted);
    for (const alert of effects.fired) {
      this.alerts++;
      this.metrics.add('weir_alerts_total', 1, { severity: alert.severity });
      this.onAlert(alert);
    }
  }

  refused(count: number): void {
    this.accepted -= count;
    this.rejected += count;
    this.rejects.set('store_refused', (this.rejects.get('store_refused') ?? 0) + count);
    this.metrics.add('weir_rejects_total', count, { code: 'store_refused' });
  }

  get elapsedSeconds(): number {
    return (performance.now() - this.startedAt) / 1000;
  }

  get progressBytes(): number {
    return [...this.bytes.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  summary(workers: number): RunSummary {
    const { read, accepted, rejected, skipped, late, evicted, unknownKeys } = this;
    const elapsed = this.elapsedSeconds;
    const stored = Object.fromEntries(Object.entries(STORED).map(([name, table]) => [name, this.rows.get(table) ?? 0]));
    return {
      records: { read, accepted, rejected, skipped },
      rejects: Object.fromEntries([...this.rejects].sort()),
      stored: stored as RunSummary['stored'],
      late,
      evicted,
      unknown_keys: unknownKeys,
      elapsed_s: Math.round(elapsed * 1000) / 1000,
      records_per_s: Math.round(read / elapsed),
      workers,
    };
  }
}

// Suppression: the open alerts of one tenant and rule. At most one alert a group and suppression window; what follows the
// first firing only raises its count, and is written as revisions.

import type { Alert, AlertEvidence } from '../../src/model/alert.ts';
import { hash128, hashWords } from '../../src/model/hash.ts';
import type { Clock } from './clock.ts';
import { GroupTable } from './group-table.ts';
import { LATE, NORMAL, type OpenAlert, revisionAfter, SKEWED, type Timeliness } from './open-alert.ts';
import { type Row, revisionOf, revisionRow, threatRow } from './rows.ts';

/** What falls due between two `take`s. */
export interface Output {
  threat: Row[];
  alerts: Row[];
  fired: { alert: Alert }[];
  late: number;
  evicted: number;
}

export interface BookLimits {
  /** Open alerts of a tenant and rule. */
  readonly alerts: number;
  /** Events with raw bytes an alert. */
  readonly samples: number;
  /** Bytes of raw evidence that the open alerts of a tenant and rule hold; beyond it they keep positions only. */
  readonly rawBytes: number;
}

/** An event that makes a rule fire. `first` and `evidence` are only called when they are needed. */
export interface Occurrence {
  readonly key: Uint8Array;
  readonly timeMs: number;
  readonly late: boolean;
  readonly skewed: boolean;
  readonly clock: Clock;
  /** Events that a new alert starts with, and the time of the first. */
  readonly count: number;
  readonly firstMs: number;
  first(untilMs: number): Alert;
  evidence(withRaw: boolean): AlertEvidence | null;
}

export class AlertBook {
  readonly table = new GroupTable<OpenAlert>();
  private rawBytes = 0;

  fire(occurrence: Occurrence, suppressionMs: number, latenessMs: number, limits: BookLimits, output: Output): void {
    const row = this.find(occurrence, output);
    if (row >= 0) this.join(row, occurrence, limits, output);
    else this.begin(occurrence, suppressionMs, latenessMs, limits, output);
  }

  /** The alert's clock says that its window is over: writes a last revision when the count has changed, and forgets it. */
  close(alert: OpenAlert, output: Output): void {
    for (let i = 0; i < 4; i++) hashWords[i] = alert.key[i];
    this.drop(this.table.find(), output);
  }

  /** The rule is gone: as `close`, for every alert. */
  closeAll(output: Output): void {
    for (let row = this.table.size - 1; row >= 0; row--) this.closeRow(row, output);
  }

  /** Revisions of every alert whose count changed; they stay open. */
  flush(output: Output): void {
    for (const alert of this.table.items) revise(alert, output);
  }

  /** Takes over an alert from a snapshot. */
  adopt(alert: OpenAlert): void {
    for (let i = 0; i < 4; i++) hashWords[i] = alert.key[i];
    this.table.add(alert, alert.lastMs);
    this.rawBytes += alert.rawBytes;
    alert.clock.watch(alert);
  }

  /** The row of the alert that the occurrence belongs to; -1 when it starts a new one (an ended one is closed first). */
  private find(occurrence: Occurrence, output: Output): number {
    const { timeMs } = occurrence;
    if (occurrence.late && !occurrence.skewed) {
      // A late event joins the alert of its time if that is still open.
      this.hash(occurrence.key, NORMAL);
      const row = this.table.find();
      if (row >= 0 && timeMs >= this.table.items[row].openedMs && timeMs < this.table.items[row].untilMs) return row;
    }
    this.hash(occurrence.key, timelinessOf(occurrence));
    const row = this.table.find();
    if (row < 0 || timeMs < this.table.items[row].untilMs) return row;
    this.closeRow(row, output);
    return -1;
  }

  private begin(
    occurrence: Occurrence,
    suppressionMs: number,
    latenessMs: number,
    limits: BookLimits,
    output: Output,
  ): void {
    const { timeMs, clock, count } = occurrence;
    const timeliness = timelinessOf(occurrence);
    const untilMs = timeMs + suppressionMs;
    const alert = occurrence.first(untilMs);
    // Late and skewed events are not on the clock's time: their alerts close a window's length after it now.
    const end = timeliness === NORMAL ? untilMs : clock.maxMs + suppressionMs;
    this.hash(occurrence.key, timeliness);
    const open: OpenAlert = {
      alert: { ...alert, evidence: [] },
      book: this,
      clock,
      timeliness,
      openedMs: timeMs,
      untilMs,
      closeMs: end === -Infinity ? Infinity : end + latenessMs,
      key: [hashWords[0], hashWords[1], hashWords[2], hashWords[3]],
      count,
      written: count,
      nextRevision: revisionAfter(count),
      firstMs: Math.min(timeMs, occurrence.firstMs),
      lastMs: timeMs,
      evidence: [...alert.evidence],
      rawBytes: 0,
      samples: 1,
      open: true,
    };
    output.threat.push(threatRow(open));
    output.alerts.push(revisionRow(open));
    output.fired.push({ alert: revisionOf(open) });
    this.keepWithinBytes(open, limits);
    this.table.add(open, timeMs);
    clock.watch(open);
    if (this.table.size > limits.alerts) this.evict(limits, output);
  }

  private join(row: number, occurrence: Occurrence, limits: BookLimits, output: Output): void {
    const open = this.table.items[row];
    const { timeMs } = occurrence;
    open.count++;
    if (timeMs > open.lastMs) this.table.last[row] = open.lastMs = timeMs;
    if (timeMs < open.firstMs) open.firstMs = timeMs;
    if (open.samples < limits.samples) {
      open.samples++;
      const evidence = occurrence.evidence(this.rawBytes < limits.rawBytes);
      if (evidence !== null) {
        open.evidence.push(evidence);
        this.account(open, evidence);
      }
    }
    if (open.count < open.nextRevision) return;
    revise(open, output);
    open.nextRevision = revisionAfter(open.count);
  }

  private keepWithinBytes(open: OpenAlert, limits: BookLimits): void {
    if (this.rawBytes >= limits.rawBytes) {
      for (let i = 0; i < open.evidence.length; i++) open.evidence[i] = withoutRaw(open.evidence[i]);
    }
    for (const evidence of open.evidence) this.account(open, evidence);
  }

  private account(open: OpenAlert, evidence: AlertEvidence): void {
    const bytes = evidence.raw?.length ?? 0;
    open.rawBytes += bytes;
    this.rawBytes += bytes;
  }

  private evict(limits: BookLimits, output: Output): void {
    const rows = this.table.oldest(this.table.size - Math.max(1, Math.floor((limits.alerts * 15) / 16)));
    for (const row of rows) this.closeRow(row, output);
    output.evicted += rows.length;
  }

  private closeRow(row: number, output: Output): void {
    const { clock } = this.drop(row, output);
    clock.forget();
  }

  private drop(row: number, output: Output): OpenAlert {
    const open = this.table.items[row];
    revise(open, output);
    open.open = false;
    this.rawBytes -= open.rawBytes;
    this.table.remove(row);
    return open;
  }

  private hash(key: Uint8Array, timeliness: Timeliness): void {
    hash128(key, 0, key.length, 0);
    hashWords[3] ^= timeliness;
  }
}

function timelinessOf(occurrence: Occurrence): Timeliness {
  if (occurrence.skewed) return SKEWED;
  return occurrence.late ? LATE : NORMAL;
}

function revise(open: OpenAlert, output: Output): void {
  if (open.count === open.written) return;
  output.alerts.push(revisionRow(open));
  open.written = open.count;
}

function withoutRaw({ event_id, timestamp, stream, position }: AlertEvidence): AlertEvidence {
  return { event_id, timestamp, stream, position };
}

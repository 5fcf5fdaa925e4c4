// What a run says: an alert as it fires, the progress line, the summary at the end.

import type { Verdict } from '../../bench/generate/truth.ts';
import type { RunCounts, RunSummary } from '../delivery/summary.ts';
import type { Alert } from '../model/alert.ts';
import { REJECT_ADVICE, type RejectCode } from '../model/reject.ts';
import type { SourceNote } from '../sources/index.ts';
import { count, paint, seconds } from './progress.ts';
import { printable } from './table.ts';

const COLOUR = { critical: 'red', high: 'red', medium: 'yellow', low: 'cyan', informational: 'dim' } as const;

/** Notes of one kind that are shown one by one. */
const SHOWN_NOTES = 3;

export function alertLine(alert: Alert, colours: boolean): string {
  const level = paint(COLOUR[alert.severity], alert.severity.toUpperCase().padEnd(8), colours);
  const technique = alert.attack.techniques[0]?.id ?? '';
  const about = `${alert.first_seen.slice(0, 16).replace('T', ' ')} ${alert.tenant} ${technique ? `${technique} ` : ''}${alert.title}`;
  return `${level} ${printable(`${about}: ${alert.reason}`)}`;
}

export function progressLine(counts: RunCounts, totalBytes: number): string {
  const elapsed = counts.elapsedSeconds;
  const parts = [
    `${count(counts.read)} records`,
    `${count(counts.read / elapsed)}/s`,
    `${count(counts.alerts)} alerts`,
  ];
  if (counts.rejected > 0) parts.push(`${count(counts.rejected)} rejected`);
  const done = totalBytes > 0 ? counts.progressBytes / totalBytes : 0;
  if (done > 0.01 && done <= 1)
    parts.push(`${Math.floor(done * 100)}%`, `${seconds((elapsed / done) * (1 - done))} left`);
  return parts.join('  ');
}

export interface SummaryParts {
  readonly summary: RunSummary;
  readonly notes: readonly SourceNote[];
  readonly verdict: Verdict | null;
  /** Tenants that no configuration knows: slug and UUID. */
  readonly created: readonly { readonly slug: string; readonly id: string }[];
  readonly data: string;
  readonly hints: readonly string[];
  /** Every source was sorted by event time. */
  readonly ordered: boolean;
}

export function summaryText({ summary, notes, verdict, created, data, hints, ordered }: SummaryParts): string {
  const { records, stored } = summary;
  const lines: string[] = [];
  if (records.read === 0) lines.push('Nothing is new: all input was read before.');
  else {
    lines.push(
      `${count(records.read)} records in ${seconds(summary.elapsed_s)} (${count(summary.records_per_s)}/s, ${summary.workers} workers): ` +
        `${count(records.accepted)} accepted, ${count(records.rejected)} rejected, ${count(records.skipped)} skipped`,
      `stored: ${
        Object.entries(stored)
          .filter(([, rows]) => rows > 0)
          .map(([name, rows]) => `${count(rows)} ${name}`)
          .join(', ') || 'nothing'
      }`,
    );
  }
  if (summary.rejects.tenant_unknown > 0 && records.accepted === 0) lines.push('', ...NOBODY_KNOWN, '');
  for (const [code, rejected] of Object.entries(summary.rejects)) {
    lines.push(`rejected ${code}: ${count(rejected)}. ${REJECT_ADVICE[code as RejectCode]}`);
  }
  if (summary.late > 0) lines.push(lateText(summary.late, records.accepted, ordered));
  if (summary.evicted > 0)
    lines.push(`${count(summary.evicted)} state entries were dropped: see correlate.groups_per_rule.`);
  for (const { slug, id } of created) lines.push(`tenant ${slug} (not configured) is stored as ${id}`);
  lines.push(...noteLines(notes));
  if (verdict) lines.push('', ...verdictLines(verdict));
  const next = [
    `weir alerts --data ${data}`,
    `weir query "${stored.flows === 0 && stored.logs > 0 ? LOGS_QUERY : FLOWS_QUERY}" --data ${data}`,
    ...(records.rejected > 0 ? [`weir rejects list --data ${data}`] : []),
    ...hints,
  ];
  lines.push('', 'next:', ...next.map((line) => `  npx ${line}`), '');
  return lines.join('\n');
}

/** Of each kind the first few, and how many more: a glob over an archive may give thousands. */
export function noteLines(notes: readonly SourceNote[]): readonly string[] {
  const kinds = new Map<SourceNote['code'], SourceNote[]>();
  for (const note of notes) {
    const alike = kinds.get(note.code) ?? [];
    kinds.set(note.code, alike);
    alike.push(note);
  }
  return [...kinds].flatMap(([code, all]) => {
    const shown = all.length > SHOWN_NOTES + 1 ? all.slice(0, SHOWN_NOTES) : all;
    const lines = shown.map(({ path, message }) => printable(`${path}: ${message}`));
    const more = all.length - shown.length;
    return more > 0 ? [...lines, `${count(more)} more files: ${code}`] : lines;
  });
}

const FLOWS_QUERY =
  'SELECT application, count() AS flows, sum(bytes_sent + bytes_received) AS bytes FROM flows GROUP BY application ORDER BY bytes DESC LIMIT 10';
const LOGS_QUERY = 'SELECT product, service, count() AS events FROM logs GROUP BY ALL ORDER BY events DESC LIMIT 10';

/** Nothing of a whole run was stored: a line among others would be overlooked. */
const NOBODY_KNOWN = [
  'NOTHING WAS STORED: the records name tenants that no configuration knows. Run again with a fresh --data and',
  '  --config FILE   whose `tenants` has the slugs or UUIDs of the records (generated telemetry: examples/demo.yaml), or',
  '  --tenant SLUG   when all records are of the one tenant that they name',
];

/** What to do about late records: sort, or, where that was done, keep older history apart. */
function lateText(late: number, accepted: number, ordered: boolean): string {
  const share = Math.min(100, Math.round((late / Math.max(1, accepted)) * 100));
  const what = `${count(late)} records (${share}%) came late: they are stored, but correlations did not see them`;
  return ordered
    ? `${what}. They are older than what this data directory has already seen of the tenant; examine history in a data directory of its own.`
    : `${what}. Files of one period, or records out of order, want --order event-time (in a data directory that has not read them).`;
}

function verdictLines(verdict: Verdict): string[] {
  const rows = verdict.stories.map(
    ({ story, found, alerts, false_alerts, precision, recall }) =>
      `  ${story.padEnd(22)} ${found ? 'found ' : 'MISSED'}  ${String(alerts).padStart(4)} alerts  ${String(false_alerts).padStart(3)} false  precision ${precision.toFixed(2)}  recall ${recall.toFixed(2)}`,
  );
  const wrong = Object.entries(verdict.false_by_rule).map(([rule, n]) => `  false: ${n} × ${rule}`);
  return [`ground truth: ${verdict.alerts} alerts, ${verdict.false_alerts} of them false`, ...rows, ...wrong];
}

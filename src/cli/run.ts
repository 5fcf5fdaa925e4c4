// weir run: telemetry in; flows, sessions, rollups and alerts stored.

import { readFile } from 'node:fs/promises';
import { type JudgedAlert, judge, type Truth, type Verdict } from '../../bench/generate/truth.ts';
import { secretsOf } from '../config/secrets.ts';
import { RunCounts } from '../delivery/summary.ts';
import { startRun } from '../main.ts';
import type { Alert } from '../model/alert.ts';
import { FORMATS } from '../model/batch.ts';
import type { Reader } from '../sinks/sink.ts';
import { createLog } from '../telemetry/log.ts';
import { prepareRun } from './prepare.ts';
import { createProgress } from './progress.ts';
import { rowsOf } from './reader.ts';
import { alertLine, progressLine, summaryText } from './report.ts';
import { stopOnSignal } from './stop.ts';
import { type Io, OperationalError, UsageError, type Values, type Verb } from './verb.ts';
import { watchControl } from './watch.ts';

export const run: Verb = {
  name: 'run',
  usage: "--input 'PATH-OR-GLOB' --tenant SLUG --pop NAME [--data DIR] [--config weir.yaml] [--follow] [--json]",
  summary: 'Reads telemetry, stores flows, sessions, logs and rollups, and raises alerts. Resumes where it stopped.',
  options: {
    input: {
      type: 'string',
      multiple: true,
      argument: 'PATH',
      help: 'file, glob (.gz and .zst are unpacked), or - for standard input; over the sources of the configuration',
    },
    format: { type: 'string', argument: 'NAME', help: `auto, ${FORMATS.join(', ')} (default auto)` },
    tenant: {
      type: 'string',
      argument: 'SLUG',
      help: 'tenant of every record; created when no configuration knows it; left out, records name their own',
    },
    pop: { type: 'string', argument: 'NAME', help: 'PoP of records that name none' },
    data: {
      type: 'string',
      argument: 'DIR',
      help: 'data directory (default: WEIR_DATA, else data of the configuration, else weir-data)',
    },
    config: {
      type: 'string',
      argument: 'FILE',
      help: 'configuration: sources, tenants, policies, lists (default ./weir.yaml if there is one)',
    },
    workers: { type: 'string', argument: 'N', help: 'worker threads (default: one a core)' },
    order: { type: 'string', argument: 'ORDER', help: 'event-time sorts a bounded input by event time first' },
    follow: {
      type: 'boolean',
      help: 'keep reading as files grow and rotate; without --input, every configured source',
    },
    timezone: { type: 'string', argument: 'ZONE', help: 'zone of timestamps that carry none (default UTC)' },
    year: { type: 'string', argument: 'YYYY', help: 'year of timestamps that carry none (syslog RFC 3164)' },
    rules: { type: 'string', multiple: true, argument: 'DIR', help: 'folder with further rules' },
    strict: { type: 'boolean', help: 'rejected records, or rules that cannot be loaded, make the run fail (exit 1)' },
    truth: { type: 'string', argument: 'FILE', help: 'ground truth of `weir generate`: prints precision and recall' },
    set: { type: 'string', multiple: true, argument: 'KEY=VALUE', help: 'any configuration key, e.g. store.kind=null' },
    json: { type: 'boolean', help: 'one JSON document with the counts on standard output' },
  },
  examples: [
    "weir run --input '/var/log/zeek/conn.*.log.gz' --tenant acme --pop fra1",
    'zcat eve.json.gz | weir run --input - --tenant acme --pop fra1 --data /tmp/d',
    'weir run --config weir.yaml --follow',
  ],
  run: (values, positionals, io) => {
    if (positionals.length > 0)
      throw new UsageError(`run takes no argument: '${positionals[0]}'. Did you mean --input?`);
    return runAndReport(values, io);
  },
};

/** Runs and prints; `hints` end the summary with what to type next. */
export async function runAndReport(values: Values, io: Io, hints: readonly string[] = []): Promise<number> {
  const truth = typeof values.truth === 'string' ? (JSON.parse(await readFile(values.truth, 'utf8')) as Truth) : null;
  const prepared = await prepareRun(values);
  const { config, documents } = prepared;
  const json = values.json === true;
  const progress = createProgress(io, !json);
  const colours = io.stderr.isTTY === true;
  const raised: JudgedAlert[] = [];
  let verdict: Verdict | null = null;
  let judgedFlows = 0;
  const counts = new RunCounts((alert) => {
    if (truth) raised.push(judgedAlert(alert));
    if (counts.alerts <= MAX_SHOWN) progress.say(alertLine(alert, colours));
    else if (counts.alerts === MAX_SHOWN + 1)
      progress.say(`further alerts are stored: weir alerts --data ${config.data}`);
  }, config.metrics.exporters);
  const log = createLog(config.log.level, {
    secrets: secretsOf(config),
    counted: (level) => counts.metrics.add('weir_log_messages_total', 1, { level }),
  });
  for (const problem of prepared.problems) progress.say(problem);
  if (values.strict && prepared.problems.length > 0)
    throw new OperationalError('strict', 'there are problems, and --strict was given');
  const stop = stopOnSignal({ io, json, deadlineMs: config.shutdown, say: progress.say });
  let watcher: (() => void) | null = null;
  let ticker: NodeJS.Timeout | null = null;
  try {
    const { summary, notes } = await startRun({
      config,
      documents,
      stdin: io.stdin,
      counts,
      log,
      signal: stop.signal,
      deadline: stop.deadline,
      started: (started) => {
        ticker = setInterval(() => progress.show(progressLine(counts, started.totalBytes)), 200);
        if (config.sources.some(({ follow, topic }) => follow || topic !== ''))
          watcher = watchControl(prepared, started, log);
      },
      // What an earlier run has found is as true: everything stored is judged.
      finishing: async (reader) => {
        if (!truth) return;
        const stored = reader && (await storedAlerts(reader));
        verdict = judge(truth, stored?.alerts ?? raised);
        judgedFlows = stored?.flows ?? 0;
      },
    });
    progress.clear();
    if (json) io.stdout.write(`${JSON.stringify(verdict ? { ...summary, verdict } : summary)}\n`);
    else {
      const ordered = config.sources.every((source) => source.order === 'event-time');
      io.stdout.write(
        summaryText({ summary, notes, verdict, created: prepared.created, data: config.data, hints, ordered }),
      );
    }
    const failed = values.strict && summary.records.rejected > 0;
    return failed || (verdict && !passed(verdict, Math.max(judgedFlows, summary.stored.flows))) ? 1 : 0;
  } finally {
    progress.clear();
    if (ticker) clearInterval(ticker);
    (watcher as (() => void) | null)?.();
    stop.dispose();
  }
}

const MAX_SHOWN = 40;

/** Every story found, and at most one false alert in 50,000 flows. */
export function passed(verdict: Verdict, flows: number): boolean {
  return verdict.stories.every((story) => story.found) && verdict.false_alerts <= Math.ceil(flows / 50_000);
}

async function storedAlerts(reader: Reader): Promise<{ alerts: JudgedAlert[]; flows: number }> {
  const alerts = await rowsOf<{ details: string }>(reader, 'SELECT details FROM alerts_latest');
  const [{ n }] = await rowsOf<{ n: number }>(reader, 'SELECT toUInt32(count()) AS n FROM flows');
  return { alerts: alerts.map(({ details }) => judgedAlert(JSON.parse(details) as Alert)), flows: n };
}

function judgedAlert(alert: Alert): JudgedAlert {
  const { entities, group, rule, attack } = alert;
  const names = [
    ...Object.values(group),
    ...Object.values(entities).filter((value) => typeof value === 'string' && value !== ''),
  ] as string[];
  return {
    tenant_id: alert.tenant_id,
    rule: `${alert.title} (${rule.id})`,
    techniques: attack.techniques.map((t) => t.id),
    names,
  };
}

// weir bench: how fast the worker path is on this machine, as ratios to JSON.parse.

import { availableParallelism } from 'node:os';
import { benchPipeline, type PipelineReport } from '../../bench/pipeline.ts';
import { benchServers, MEASUREMENTS, type Measurement } from '../../bench/servers/index.ts';
import { textOf } from '../../bench/servers/text.ts';
import { benchStages, type StageReport } from '../../bench/stages.ts';
import { wholeNumber } from './generate.ts';
import { CONFIG_OPTION, UsageError, type Values, type Verb } from './verb.ts';

export const bench: Verb = {
  name: 'bench',
  usage: '[--pipeline | --servers --config FILE [--only NAMES]] [--json] [--records N] [--rules N] [--rounds N]',
  summary: 'Measures each stage of the worker path against JSON.parse of the same records, in one process.',
  options: {
    json: { type: 'boolean', help: 'one JSON document on standard output' },
    pipeline: { type: 'boolean', help: 'whole runs instead: 1 and 2 workers into nothing, 1 into the embedded store' },
    records: {
      type: 'string',
      argument: 'N',
      help: 'records a round (default 40000), or of a whole run (default 1000000)',
    },
    batch: { type: 'string', default: '2000', argument: 'N', help: 'records a batch' },
    rules: { type: 'string', default: '500', argument: 'N', help: 'synthetic flow rules' },
    servers: {
      type: 'boolean',
      help: 'against the Kafka, ScyllaDB and ClickHouse of --config, in topics, keyspace and database of its own',
    },
    config: CONFIG_OPTION,
    only: {
      type: 'string',
      argument: 'NAMES',
      help: `of --servers: ${MEASUREMENTS.join(', ')} (all but soak)`,
    },
    rate: { type: 'string', default: '0', argument: 'N', help: 'of --servers: records/s (half of the throughput)' },
    seconds: { type: 'string', default: '30', argument: 'N', help: 'of --servers: of each measurement of latencies' },
    quota: { type: 'string', default: '2000', argument: 'N', help: 'of --servers: records/s of the noisy tenant' },
    minutes: { type: 'string', default: '3', argument: 'N', help: 'of --servers, soak' },
    stall: {
      type: 'string',
      default: '0.5',
      argument: 'N',
      help: 'of --servers, soak: minutes that ClickHouse stalls',
    },
    workers: { type: 'string', default: '1', argument: 'N', help: 'of --servers: worker threads of Weir' },
    countries: {
      type: 'boolean',
      help: 'enrich with the built-in country database as well (worst case: every address is new)',
    },
    rounds: { type: 'string', default: '9', argument: 'N', help: 'rounds; medians are shown' },
  },
  examples: [
    'weir bench',
    'weir bench --rules 3000 --json',
    'weir bench --pipeline --records 2000000',
    'weir bench --servers --config weir.yaml',
    'weir bench --servers --config weir.yaml --only soak --minutes 30 --stall 5 --rate 20000',
  ],
  async run(values, _positionals, io) {
    const rules = wholeNumber(values.rules, 'rules', 1, 20_000);
    if (values.servers) {
      const report = await benchServers(serversOptions(values, rules, (line) => io.stderr.write(`${line} …\n`)));
      io.stdout.write(values.json ? `${JSON.stringify(report)}\n` : textOf(report));
      return 0;
    }
    if (values.pipeline) {
      const records = wholeNumber(values.records ?? '1000000', 'records', 1000, 1e9);
      const report = await benchPipeline(records, rules, (line) => io.stderr.write(`${line} …\n`));
      io.stdout.write(values.json ? `${JSON.stringify(report)}\n` : pipelineText(report));
      return 0;
    }
    const rounds = wholeNumber(values.rounds, 'rounds', 7, 1000);
    const report = benchStages({
      records: wholeNumber(values.records ?? '40000', 'records', 1000, 1e7),
      batchRecords: wholeNumber(values.batch, 'batch', 1, 1e6),
      rules,
      countries: values.countries === true,
      rounds,
      onRound: (round) => {
        if (io.stderr.isTTY && !values.json) io.stderr.write(`\rround ${round} of ${rounds} `);
      },
    });
    if (io.stderr.isTTY && !values.json) io.stderr.write('\r\x1b[K');
    io.stdout.write(values.json ? `${JSON.stringify(report)}\n` : text(report));
    return 0;
  },
};

function serversOptions(values: Values, rules: number, say: (line: string) => void) {
  if (typeof values.config !== 'string')
    throw new UsageError('bench --servers needs --config: it says where the servers are');
  const only = typeof values.only === 'string' ? values.only.split(',') : [];
  const unknown = only.find((name) => !(MEASUREMENTS as readonly string[]).includes(name));
  if (unknown !== undefined)
    throw new UsageError(`--only takes names of ${MEASUREMENTS.join(', ')}, separated by commas; not '${unknown}'`);
  const minutesOf = (name: string): number => {
    const value = Number(values[name]);
    if (!(value > 0 && value <= 10_000))
      throw new UsageError(`--${name} takes a number of minutes, not '${values[name]}'`);
    return value;
  };
  return {
    config: values.config,
    rules,
    workers: wholeNumber(values.workers, 'workers', 1, 64),
    say,
    only: only as Measurement[],
    records: wholeNumber(values.records ?? '400000', 'records', 1000, 1e8),
    rate: wholeNumber(values.rate, 'rate', 0, 1e7),
    seconds: wholeNumber(values.seconds, 'seconds', 1, 36_000),
    minutes: minutesOf('minutes'),
    stallMinutes: minutesOf('stall'),
    quota: wholeNumber(values.quota, 'quota', 10, 1e7),
  };
}

const BAR = 40;

function text(report: StageReport): string {
  const rows = Object.entries(report.stages).map(([name, { x, low, high, cumulative_x }]) => {
    const share = name === 'correlate' ? '' : '#'.repeat(Math.round((BAR * report.full_path_x) / x));
    return `  ${name.padEnd(10)} ${x.toFixed(2).padStart(7)}x  ${`${low.toFixed(2)}–${high.toFixed(2)}`.padStart(14)}  ${cumulative_x.toFixed(2).padStart(10)}x  ${share}`;
  });
  return [
    `calibration: JSON.parse of the standard record, ${report.calibration_per_s.toLocaleString('en')} records/s (1.00x)`,
    `${report.rules} rules, ${report.countries ? 'with' : 'without'} a country database, ${report.records_per_round.toLocaleString('en')} records a round, medians of ${report.rounds} rounds, one of ${availableParallelism()} cores`,
    '',
    '  stage         alone          spread  cumulative  share of the path',
    ...rows,
    '',
    `full worker path: ${report.full_path_x.toFixed(2)}x (${report.full_path_low.toFixed(2)}–${report.full_path_high.toFixed(2)})`,
    'correlate is measured apart, at one hit in ten flows.',
    '',
  ].join('\n');
}

function pipelineText(report: PipelineReport): string {
  const rows = report.runs.map(
    (run) =>
      `  ${run.name.padEnd(26)} ${run.x.toFixed(2).padStart(6)}x  ${Math.round(run.records / run.seconds)
        .toLocaleString('en')
        .padStart(9)}/s  ` +
      `${(run.records / run.cpu_seconds / report.calibration_per_s).toFixed(2).padStart(5)}x a CPU-second  main thread ${Math.round(run.main_us_per_1000)} µs per 1,000  peak ${Math.round(run.peak_rss_bytes / 2 ** 20)} MiB`,
  );
  return [
    `calibration: JSON.parse of the same ${report.record_bytes}-byte records, ${report.calibration_per_s.toLocaleString('en')}/s; ${report.rules} rules`,
    ...rows,
    `two workers against one: ${report.scaling.toFixed(2)}; the embedded store against none: ${report.store_share.toFixed(2)}`,
    '',
  ].join('\n');
}

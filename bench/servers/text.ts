// The report for people.

import type { ServersReport } from './index.ts';
import type { Latency, Soak } from './runs.ts';

const number = (value: number): string => Math.round(value).toLocaleString('en');
const mib = (bytes: number): string => `${number(bytes / 2 ** 20)} MiB`;
const ms = (value: number): string => (Number.isFinite(value) ? `${number(value)} ms` : 'never');

export function textOf(report: ServersReport): string {
  const { throughput, latency, roles, isolation, soak } = report;
  return [
    `${report.rules} rules and a probe; flows to ScyllaDB as ${report.encoding}, rollups and alerts to ClickHouse`,
    ...(throughput
      ? [
          '',
          `throughput: ${number(throughput.records)} records of a filled topic, all servers on this machine`,
          `  ${throughput.x.toFixed(2)}x: ${number(throughput.records_per_cpu_s)} records a CPU-second of Weir; JSON.parse in the same process ${number(throughput.calibration_per_s)}`,
          `  ${number(throughput.records_per_s)} records/s; main thread ${(throughput.main_share * 100).toFixed(1)}% of a core for 100,000/s; peak ${mib(throughput.peak_rss_bytes)}`,
          `  lost or doubled: ${throughput.lost}`,
        ]
      : []),
    ...(latency
      ? ['', ...latencyLines('latency, from before a record is sent until its alert can be read', latency)]
      : []),
    ...(roles ? ['', ...latencyLines('the same with the roles apart, ScyllaDB taking nothing', roles)] : []),
    ...(isolation
      ? [
          '',
          `isolation: a tenant at half of its quota of ${number(isolation.quota)}/s, then at ${number(isolation.noisy_rate)}/s, ${isolation.quiet_p99.length} turns`,
          `  99th percentile of the other tenants' alerts, quiet: ${isolation.quiet_p99.map(ms).join(', ')}`,
          `  and loud: ${isolation.noisy_p99.map(ms).join(', ')}`,
          `  median of the ratios ${isolation.ratio.toFixed(2)}; ${number(isolation.parked)} records were parked; lost or doubled: ${isolation.lost}`,
        ]
      : []),
    ...(soak ? ['', ...soakLines(soak)] : []),
    '',
  ].join('\n');
}

function latencyLines(title: string, { rate, seconds, probes, p50_ms, p99_ms, max_ms, lost }: Latency): string[] {
  return [
    `${title}: ${number(rate)} records/s for ${seconds} s, ${probes} probes`,
    `  median ${ms(p50_ms)}, 99th percentile ${ms(p99_ms)}, most ${ms(max_ms)}; never seen: ${lost}`,
  ];
}

const ROWS = 30;
const WIDTH = 40;

function soakLines({ rate, minutes, stalled_s, rss_bytes, backlog, drained_s, lost, points }: Soak): string[] {
  const { before, during, after } = rss_bytes;
  const most = Math.max(1, ...points.map((point) => point.backlog));
  const every = Math.max(1, Math.ceil(points.length / ROWS));
  const plot = points
    .filter((_, i) => i % every === 0)
    .map(({ s, rss, backlog: waiting, stalled }) => {
      const bar = '#'.repeat(Math.round((WIDTH * waiting) / most));
      return `  ${String(s).padStart(5)} s ${mib(rss).padStart(10)} ${stalled ? 'stalled' : '       '} ${bar}`;
    });
  return [
    `soak: ${number(rate)} records/s for ${minutes} minutes, ClickHouse stalled for ${number(stalled_s)} s`,
    `  peak memory before ${mib(before)}, during ${mib(during)}, after ${mib(after)}`,
    `  ${number(backlog)} records waited at the end of the stall, read ${drained_s} s later; lost or doubled: ${lost}`,
    '   time     memory         records waiting',
    ...plot,
  ];
}

// The bench against real servers: which measurements there are, in which order, and what is put together of them.

import {
  type Isolation,
  isolation,
  type Latency,
  latency,
  rolesApart,
  type ServersOptions,
  type Soak,
  soak,
  type Throughput,
  throughput,
} from './runs.ts';

export const MEASUREMENTS = ['throughput', 'latency', 'roles', 'isolation', 'soak'] as const;
export type Measurement = (typeof MEASUREMENTS)[number];

export interface ServersBench extends ServersOptions {
  readonly only: readonly Measurement[];
  /** Of the filled topic. */
  readonly records: number;
  /** Records a second of latency, roles and soak; 0 takes half of the measured throughput. */
  readonly rate: number;
  /** Of each measurement of latencies. */
  readonly seconds: number;
  readonly minutes: number;
  readonly stallMinutes: number;
  readonly quota: number;
}

export interface ServersReport {
  readonly rules: number;
  /** How rows get into ScyllaDB. */
  readonly encoding: string;
  readonly throughput?: Throughput;
  readonly latency?: Latency;
  readonly roles?: Latency;
  readonly isolation?: Isolation;
  readonly soak?: Soak;
}

/** Where nothing was measured that tells what this machine can do. */
const MODEST_RATE = 10_000;

export async function benchServers(options: ServersBench): Promise<ServersReport> {
  const { only, records, seconds, minutes, stallMinutes, quota } = options;
  const wants = (name: Measurement): boolean => only.length === 0 || only.includes(name);
  const drained = wants('throughput') ? await throughput(options, records) : undefined;
  const half = drained ? Math.round(drained.records_per_s / 2) : MODEST_RATE;
  const rate = options.rate || half;
  return {
    rules: options.rules,
    encoding: 'whole batch frames',
    ...(drained ? { throughput: drained } : {}),
    ...(wants('latency') ? { latency: await latency(options, rate, seconds) } : {}),
    ...(wants('roles') ? { roles: await rolesApart(options, rate, seconds) } : {}),
    ...(wants('isolation') ? { isolation: await isolation(options, quota, seconds) } : {}),
    ...(only.includes('soak') ? { soak: await soak(options, rate, minutes, stallMinutes) } : {}),
  };
}

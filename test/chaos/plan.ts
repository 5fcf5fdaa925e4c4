// What goes wrong in a schedule, decided by its seed alone: the same number gives the same faults at the same moments.

import { Random } from '../../bench/generate/random.ts';
import { CRASH_POINTS, type CrashPoint } from '../../src/delivery/crashpoints.ts';

export const SERVERS = ['kafka', 'cassandra', 'clickhouse'] as const;
export type ServerName = (typeof SERVERS)[number];
/** Servers that Weir reaches through a proxy. */
export const PROXIED = SERVERS;
export type ProxiedName = (typeof PROXIED)[number];

export interface Death {
  readonly point: CrashPoint;
  readonly nth: number;
}

export type Fault = { readonly atMs: number } & (
  | { readonly kind: 'kill-instance'; readonly instance: number }
  | { readonly kind: 'freeze-instance'; readonly instance: number; readonly forMs: number }
  | { readonly kind: 'restart-instance'; readonly instance: number }
  | { readonly kind: 'rebalance-storm' }
  | { readonly kind: 'kill-server'; readonly server: ServerName; readonly forMs: number }
  | { readonly kind: 'freeze-server'; readonly server: ServerName; readonly forMs: number }
  | {
      readonly kind: 'cut-network' | 'stall-network' | 'slow-network';
      readonly server: ProxiedName;
      readonly forMs: number;
    }
  | { readonly kind: 'change-control' }
  /** Of the state directories; meanwhile the configuration changes, so that there is something to write. */
  | { readonly kind: 'full-disk'; readonly forMs: number }
);

export interface Schedule {
  readonly seed: number;
  /** What `deaths` were picked from: with the seed, all that decides. */
  readonly points: readonly CrashPoint[];
  readonly instances: number;
  /** Where instances die by themselves, one after the other, whichever is started. */
  readonly deaths: readonly Death[];
  readonly faults: readonly Fault[];
  /** Of every tenant, in every other schedule: what comes beyond it waits apart. */
  readonly quota: { readonly rate: number; readonly burst: number } | null;
  /** How far the clock of every second start of an instance is off, ms. */
  readonly clockOffMs: number;
}

/** Session of the consumer group: an instance that is frozen for longer comes back as a zombie. */
export const SESSION_MS = 3000;
/** Records arrive for about so long. */
export const FEED_MS = 8000;

const INSTANCE_FAULTS = ['kill-instance', 'freeze-instance', 'restart-instance', 'rebalance-storm'] as const;
const OTHER_FAULTS = [
  'kill-server',
  'freeze-server',
  'cut-network',
  'stall-network',
  'slow-network',
  'change-control',
  'full-disk',
] as const;

/** At least five faults. `points`: where instances are to die, those that are still wanted; `deaths`: how often. */
export function planOf(seed: number, points: readonly CrashPoint[] = CRASH_POINTS, deaths = 2): Schedule {
  const random = new Random(seed, 'chaos');
  const instances = random.int(1, 4);
  const fault = (kinds: readonly Fault['kind'][]): Fault => {
    const atMs = random.int(500, FEED_MS);
    const kind = random.pick(kinds);
    const instance = random.int(0, instances);
    if (kind === 'kill-instance' || kind === 'restart-instance') return { atMs, kind, instance };
    if (kind === 'freeze-instance') return { atMs, kind, instance, forMs: SESSION_MS * 2 };
    if (kind === 'kill-server') return { atMs, kind, server: random.pick(SERVERS), forMs: random.int(200, 3000) };
    if (kind === 'freeze-server') return { atMs, kind, server: random.pick(SERVERS), forMs: random.int(500, 4000) };
    if (kind === 'full-disk') return { atMs, kind, forMs: random.int(1000, 5000) };
    if (kind === 'rebalance-storm' || kind === 'change-control') return { atMs, kind };
    return { atMs, kind, server: random.pick(PROXIED), forMs: random.int(500, 4000) };
  };
  const faults = [fault(INSTANCE_FAULTS), fault(INSTANCE_FAULTS), fault(OTHER_FAULTS), fault(OTHER_FAULTS)];
  return {
    seed,
    points,
    instances,
    deaths: Array.from({ length: deaths }, () => {
      const point = random.pick(points);
      const often = point === 'after-match' || point === 'block-closed' || point.endsWith('-insert');
      return { point, nth: point === 'final-flush' ? 1 : random.int(1, often ? 7 : 4) };
    }),
    faults: faults.sort((a, b) => a.atMs - b.atMs),
    quota: seed % 2 === 0 ? { rate: random.int(100, 500), burst: random.int(200, 1500) } : null,
    clockOffMs: random.pick([0, -3_600_000, 3_600_000, 120_000]),
  };
}

export function describe(fault: Fault): string {
  const { atMs, kind, ...rest } = fault;
  return `${(atMs / 1000).toFixed(1)} s ${kind} ${Object.values(rest).join(' ')}`.trim();
}

// The measurements, one function each. Every one uses topics, keyspace and database of its own.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Values } from '../../src/cli/verb.ts';
import { uuidFrom } from '../../src/model/hash.ts';
import { syntheticRules } from '../rules.ts';
import { standardRecords } from '../standard.ts';
import { Eye, Instance, Load } from './actors.ts';
import type { InstanceFigures } from './child.ts';
import { median, type Quantiles, quantiles } from './figures.ts';
import { PROBE, type Stretch } from './orders.ts';
import { Place, type Sections } from './place.ts';

const PROBE_RULE = uuidFrom('bench', 'probe');
const PROBES_PER_SECOND = 20;
const POOL = 100_000;
const SETTLE_MS = 120_000;

export interface ServersOptions {
  /** Names Kafka, ScyllaDB or Cassandra, and ClickHouse. */
  readonly config: string;
  readonly rules: number;
  readonly workers: number;
  readonly say: (line: string) => void;
}

/** A bench's own place, with its rules written; closed whatever happens. */
async function inPlace<T>(options: ServersOptions, work: (place: Place, start: Start) => Promise<T>): Promise<T> {
  const place = await Place.open(options.config);
  const instances: Instance[] = [];
  try {
    const rules = join(place.folder, 'rules');
    mkdirSync(rules);
    for (const { text } of syntheticRules(options.rules)) writeFileSync(join(rules, 'synthetic.yml'), text);
    writeFileSync(join(rules, 'probe.yml'), PROBE_TEXT);
    const start: Start = async (name, more = {}) => {
      const config = place.configuration(name, { rules: { packs: false, directories: [rules] }, ...TENANTS, ...more });
      const values: Values = { config, workers: String(options.workers) };
      const instance = await Instance.start(values);
      instances.push(instance);
      return instance;
    };
    return await work(place, start);
  } finally {
    await Promise.all(instances.map((instance) => instance.stop()));
    await place.close();
  }
}

type Start = (name: string, more?: Sections) => Promise<Instance>;

const TENANTS = { tenants: standardRecords(1).tenants.map((id, i) => ({ id, slug: `tenant-${i}` })) };

const PROBE_TEXT = `title: Bench probe
id: ${PROBE_RULE}
status: test
level: high
logsource: { category: network, service: connection }
detection:
  probe: { application: ${PROBE} }
  condition: probe
`;

export interface Throughput {
  readonly records: number;
  /** Records that are not in ScyllaDB and ClickHouse, or are there twice. */
  readonly lost: number;
  readonly records_per_s: number;
  readonly records_per_cpu_s: number;
  readonly calibration_per_s: number;
  /** Records a CPU-second of Weir against JSON.parse of the same in the same process, a CPU-second likewise. */
  readonly x: number;
  /** Of one core, at 100,000 records a second. */
  readonly main_share: number;
  readonly peak_rss_bytes: number;
}

/** A filled topic, drained into both stores. Speeds are those of the last three quarters. */
export function throughput(options: ServersOptions, records: number): Promise<Throughput> {
  return inPlace(options, async (place, start) => {
    options.say(`filling the topic with ${records} records`);
    const config = place.configuration('load', {});
    const stretches = [{ records, rate: 0, probesPerSecond: 0 }];
    const load = new Load({ config, topic: place.topic, pool: records, stretches, tenants: [] });
    await load.done;
    options.say('draining it');
    const weir = await start('weir');
    let peak = 0;
    const each = ({ rss_bytes }: { rss_bytes: number }): void => {
      peak = Math.max(peak, rss_bytes);
    };
    // Code is cold at first: the first quarter does not count.
    const warm = await weir.until(({ stored }) => stored >= records / 4, { withinMs: 600_000, each });
    const done = await weir.until(({ stored }) => stored >= records, { withinMs: 600_000, each });
    const used = (of: (figures: InstanceFigures) => number): number =>
      (of(done) - of(warm)) / (done.stored - warm.stored);
    const { calibration_per_s: calibration } = await weir.calibrated(); // the machine is shared: before and after
    await weir.stop(); // the last rollups come with the last commit
    const [stored, counted] = [await place.flows(), await place.counted()];
    const perCpu = 1 / used(({ cpu_seconds }) => cpu_seconds);
    return {
      records,
      lost: Math.abs(records - stored) + Math.abs(records - counted),
      records_per_s: Math.round(1 / used(({ seconds }) => seconds)),
      records_per_cpu_s: Math.round(perCpu),
      calibration_per_s: Math.round(calibration),
      x: round(perCpu / calibration),
      main_share: round(used(({ main_seconds }) => main_seconds) * 100_000),
      peak_rss_bytes: peak,
    };
  });
}

export interface Latency extends Quantiles {
  readonly rate: number;
  readonly seconds: number;
  readonly probes: number;
}

/** From before a record is sent until its alert can be read in ClickHouse. */
export function latency(options: ServersOptions, rate: number, seconds: number): Promise<Latency> {
  return inPlace(options, async (place, start) => {
    await start('weir');
    return await probed(options, place, rate, seconds);
  });
}

/** The same with the roles in two processes, while ScyllaDB takes nothing. */
export function rolesApart(options: ServersOptions, rate: number, seconds: number): Promise<Latency> {
  return inPlace(options, async (place, start) => {
    await start('detect', { roles: ['detect'] });
    const store = await start('store', { roles: ['store'] });
    const figures = await probed(options, place, rate, seconds, () => place.proxies.scylla.stall());
    place.proxies.scylla.heal();
    const { accepted } = await store.figures();
    await store.until(({ stored }) => stored >= accepted, { withinMs: SETTLE_MS }); // it goes on by itself
    return figures;
  });
}

async function probed(
  { say }: ServersOptions,
  place: Place,
  rate: number,
  seconds: number,
  warm: () => void = () => {},
): Promise<Latency> {
  const config = place.configuration('load', {});
  const stretches = [
    { records: rate * 10, rate, probesPerSecond: 0 },
    { records: rate * seconds, rate, probesPerSecond: PROBES_PER_SECOND },
  ];
  const load = new Load({ config, topic: place.topic, pool: POOL, stretches, tenants: [] }, (stretch) => {
    if (stretch === 0) warm();
  });
  const eye = new Eye(place, PROBE_RULE);
  try {
    await load.ready;
    say(`sending ${rate} records/s for ${seconds} s`);
    await load.done;
    await eye.until(load.probes.size, SETTLE_MS);
    return { rate, seconds, probes: load.probes.size, ...quantiles(eye.latencies(load.probes)) };
  } finally {
    load.end();
    await eye.close();
  }
}

export interface Soak {
  readonly rate: number;
  readonly minutes: number;
  /** ClickHouse took nothing for so long, s. */
  readonly stalled_s: number;
  /** Highest resident memory before, during and after the stall, bytes. */
  readonly rss_bytes: { readonly before: number; readonly during: number; readonly after: number };
  /** Records not yet stored when the stall ended, and how long they took, s. */
  readonly backlog: number;
  readonly drained_s: number;
  readonly lost: number;
  /** Resident memory and backlog over time, a point every two seconds. */
  readonly points: readonly {
    readonly s: number;
    readonly rss: number;
    readonly backlog: number;
    readonly stalled: boolean;
  }[];
}

const POINT_MS = 2000;
/** A backlog of less than this many seconds of load counts as none. */
const CAUGHT_UP_S = 3;

/** A constant load, and ClickHouse stalled for a while in the middle. */
export function soak(options: ServersOptions, rate: number, minutes: number, stallMinutes: number): Promise<Soak> {
  return inPlace(options, async (place, start) => {
    const weir = await start('weir');
    const config = place.configuration('load', {});
    const total = rate * minutes * 60;
    const load = new Load({
      config,
      topic: place.topic,
      pool: POOL,
      stretches: [{ records: total, rate, probesPerSecond: 0 }],
      tenants: [],
    });
    await load.ready;
    options.say(`sending ${rate} records/s for ${minutes} minutes; ClickHouse stalls for ${stallMinutes} of them`);
    const began = Date.now();
    const [from, to] = [(minutes / 3) * 60, (minutes / 3 + stallMinutes) * 60];
    const points: Soak['points'][number][] = [];
    const peak = { before: 0, during: 0, after: 0 };
    let stalled = false;
    let backlog = 0;
    let drainedAt = 0;
    await weir.until(({ stored }) => stored >= total, {
      withinMs: (minutes + 10) * 60_000,
      everyMs: POINT_MS,
      each: ({ rss_bytes: rss, stored }) => {
        const s = (Date.now() - began) / 1000;
        const waiting = load.sent - stored;
        if (!stalled && s >= from && s < to) place.proxies.clickhouse.stall();
        if (stalled && s >= to) {
          place.proxies.clickhouse.heal();
          backlog = waiting;
        }
        stalled = s >= from && s < to;
        const phase = s < from ? 'before' : s < to ? 'during' : 'after';
        peak[phase] = Math.max(peak[phase], rss);
        if (s >= to && drainedAt === 0 && waiting < rate * CAUGHT_UP_S) drainedAt = s;
        points.push({ s: Math.round(s), rss, backlog: waiting, stalled });
      },
    });
    await load.done;
    await weir.stop();
    const lost = Math.abs(total - (await place.counted()));
    const drained = round(Math.max(0, drainedAt - to));
    return { rate, minutes, stalled_s: to - from, rss_bytes: peak, backlog, drained_s: drained, lost, points };
  });
}

export interface Isolation {
  readonly quota: number;
  readonly noisy_rate: number;
  /** Of the other tenants' alerts, ms, run by run. */
  readonly quiet_p99: readonly number[];
  readonly noisy_p99: readonly number[];
  /** Median of the runs' ratios. */
  readonly ratio: number;
  readonly parked: number;
  readonly lost: number;
}

const RUNS = 7;
const OTHERS = 9;

/** A tenant at its quota and at ten times its quota, turn by turn; how long the others' alerts take. */
export function isolation(options: ServersOptions, quota: number, seconds: number): Promise<Isolation> {
  return inPlace(options, async (place, start) => {
    const others = Array.from({ length: OTHERS }, (_, i) => uuidFrom('bench', `other-${i}`));
    const noisy = uuidFrom('bench', 'noisy');
    const tenants = [
      ...others.map((id, i) => ({ id, slug: `other-${i}` })),
      { id: noisy, slug: 'noisy', quota: { rate: quota, burst: quota } },
    ];
    const weir = await start('weir', { tenants });
    const rate = quota;
    const stretch = (noise: number): Stretch => ({
      records: rate * seconds,
      rate,
      probesPerSecond: PROBES_PER_SECOND,
      extra: { tenant: noisy, rate: noise },
    });
    const pause: Stretch = { records: rate * 5, rate, probesPerSecond: 0 };
    const stretches = [
      pause,
      ...Array.from({ length: RUNS }, () => [stretch(quota / 2), stretch(quota * 10), pause]),
    ].flat();
    const ends: number[] = [];
    const config = place.configuration('load', {});
    const load = new Load({ config, topic: place.topic, pool: POOL, stretches, tenants: others }, () =>
      ends.push(load.probes.size),
    );
    const eye = new Eye(place, PROBE_RULE);
    try {
      await load.ready;
      options.say(
        `${RUNS} turns of ${seconds} s each: a tenant at half of its quota of ${quota}/s, then at ten times it`,
      );
      await load.done;
      await weir.until(({ stored }) => stored >= load.sent, { withinMs: 600_000 });
      await eye.until(load.probes.size, SETTLE_MS);
    } finally {
      load.end();
      await eye.close();
    }
    const p99 = (at: number): number => quantiles(eye.latencies(load.probes, ends[at - 1], ends[at])).p99_ms;
    const turns = Array.from({ length: RUNS }, (_, i) => [p99(1 + i * 3), p99(2 + i * 3)]);
    await weir.stop();
    return {
      quota,
      noisy_rate: quota * 10,
      quiet_p99: turns.map(([quiet]) => quiet),
      noisy_p99: turns.map(([, loud]) => loud),
      ratio: round(median(turns.map(([quiet, loud]) => loud / quiet))),
      parked: await place.parked(),
      lost: Math.abs(load.sent - (await place.counted())),
    };
  });
}

const round = (value: number): number => Math.round(value * 1000) / 1000;

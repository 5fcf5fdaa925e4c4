// Real servers, proxies before them, instances of Weir, and records on their way: the place where schedules run.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import { stringify } from 'yaml';
import { TcpProxy } from '../../bench/servers/proxy.ts';
import { CRASH_POINTS, type CrashPoint } from '../../src/delivery/crashpoints.ts';
import { makeTopics } from '../../src/kafka/topics.ts';
import { ServiceError } from '../services/failure.ts';
import { type Services, startServices } from '../services/index.ts';
import { weir } from '../support/run.ts';
import type { Orders } from '../support/victim.ts';
import { type Dataset, DEMO, datasetOf, type Fields, RECORDS } from './dataset.ts';
import { Instance } from './instance.ts';
import { expectedOf, Stores } from './oracle.ts';
import {
  describe,
  type Fault,
  FEED_MS,
  PROXIED,
  type ProxiedName,
  planOf,
  type Schedule,
  SERVERS,
  SESSION_MS,
  type ServerName,
} from './plan.ts';
import { SmallDisk } from './small-disk.ts';
import { INPUT, type InputTopic, LANES, readAll } from './topics.ts';

export interface Outcome {
  readonly schedule: Schedule;
  /** '' when everything is where it must be, once. */
  readonly wrong: string;
  /** A server of the test did not start, which says nothing of Weir. */
  readonly serverLost: boolean;
  readonly died: readonly CrashPoint[];
  /** What instances that failed said; a supervisor started them again. */
  readonly failures: readonly string[];
  readonly records: number;
  readonly seconds: number;
}

const SETTLE_MS = 240_000;
/** For what is not flows, once all flows are there; then the verdict says what is missing. */
const REST_MS = 15_000;
const STEP_MS = 100;

export class World {
  private readonly services: Services<ServerName>;
  private readonly proxies: Readonly<Record<ProxiedName, TcpProxy>>;
  private readonly folder: string;
  /** Under the state directories of all instances. */
  private readonly disk: SmallDisk;
  private readonly kafka: Kafka;
  private changes = 0;

  private constructor(
    services: Services<ServerName>,
    proxies: Readonly<Record<ProxiedName, TcpProxy>>,
    folder: string,
  ) {
    this.services = services;
    this.proxies = proxies;
    this.folder = folder;
    mkdirSync(join(folder, 'state'));
    this.disk = new SmallDisk(join(folder, 'state'));
    this.kafka = new Kafka({
      brokers: [...services.kafka.brokers],
      logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: 100, maxRetryTime: 1000, retries: 300 },
    });
  }

  /** Throws ServiceError when servers cannot be had. */
  static async open(): Promise<World> {
    const services = await startServices(SERVERS, { isolated: true });
    const { port, advertisedPort } = services.kafka.proxied;
    const portOf = (address: string): number => Number(address.slice(address.lastIndexOf(':') + 1));
    const proxies = {
      kafka: await TcpProxy.open(port, advertisedPort),
      cassandra: await TcpProxy.open(portOf(services.cassandra.contactPoint)),
      clickhouse: await TcpProxy.open(portOf(services.clickhouse.url)),
    };
    return new World(services, proxies, mkdtempSync(join(tmpdir(), 'weir-chaos-')));
  }

  async close(): Promise<void> {
    for (const name of PROXIED) this.proxies[name].close();
    await this.services.stop();
    this.disk.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async run(seed: number, { points = CRASH_POINTS, deaths: times, sabotage }: RunOptions = {}): Promise<Outcome> {
    const schedule = planOf(seed, points, times);
    const started = Date.now();
    const name = `s${seed}_${started.toString(36)}`;
    const dataset = await datasetOf(seed);
    const folder = join(this.folder, name);
    mkdirSync(folder);
    const config = join(folder, 'weir.yaml');
    writeFileSync(config, this.configuration(name, schedule));
    await this.prepare(name, config);
    const deaths = [...schedule.deaths];
    let starts = 0;
    const orders = (instance: number) => (): Orders => {
      const crash = deaths.shift();
      return {
        values: { config, data: join(this.folder, 'state', name, `instance-${instance}`), workers: '1' },
        clockOffMs: starts++ % 2 === 1 ? schedule.clockOffMs : 0,
        ...(crash ? { crash } : {}),
        ...(sabotage ? { sabotage } : {}),
      };
    };
    const instances = Array.from({ length: schedule.instances }, (_, i) => new Instance(orders(i)));
    const stores = new Stores({ services: this.services, kafka: this.kafka, prefix: `${name}-`, keyspace: name });
    let wrong = '';
    let serverLost = false;
    try {
      await Promise.all([
        this.feed(name, dataset.records),
        ...schedule.faults.map((fault) => this.inflict(fault, instances, config)),
      ]);
      const sent = await readAll(
        this.kafka,
        INPUT.map((topic) => `${name}-${topic}`),
      );
      const expected = expectedOf(sent.map(({ value }) => JSON.parse(String(value)) as Fields));
      for (const end = Date.now() + SETTLE_MS; (await stores.counted()) < expected.flows.size; await sleep(300))
        if (Date.now() > end) throw new Error('the lag does not fall');
      for (const end = Date.now() + REST_MS; Date.now() < end; await sleep(300))
        if (await stores.complete(expected).catch(() => false)) break;
      for (let attempt = 1; ; attempt++) {
        await Promise.all(instances.map((instance) => instance.stop(60_000)));
        wrong = await stores.check(expected, dataset.alerts).then(
          () => '',
          (error: unknown) => String(error),
        );
        if (wrong === '' || attempt === 3) break;
        // What died while it ended, or had not read its last sessions, is finished by the next; what is lost or doubled stays so.
        instances.push(new Instance(orders(instances.length)));
        await sleep(SESSION_MS * 3);
      }
    } catch (error) {
      serverLost = error instanceof ServiceError;
      wrong = `the schedule could not be run: ${error instanceof Error ? error.stack : String(error)}`;
    } finally {
      await Promise.all(instances.map((instance) => instance.stop(1000)));
      await stores.close();
      rmSync(folder, { recursive: true, force: true });
      rmSync(join(this.folder, 'state', name), { recursive: true, force: true });
    }
    return {
      schedule,
      wrong,
      serverLost,
      died: instances.flatMap(({ died }) => died),
      failures: instances.flatMap(({ failures }) => failures),
      records: dataset.records.reduce((sum, { length }) => sum + length, 0),
      seconds: (Date.now() - started) / 1000,
    };
  }

  /** The demo's tenants, with topics in place of files and small blocks: many places to die in a short run. */
  private configuration(name: string, { quota }: Schedule): string {
    return `${readFileSync(DEMO, 'utf8')}\n${stringify({
      ...(quota ? { quota } : {}),
      log: { level: 'warn' },
      block: { rows: 700, seconds: 1 },
      snapshot: { blocks: 3, seconds: 2 },
      batch: { bytes: '64KiB' },
      sources: INPUT.map((topic) => ({ name: topic, topic, format: 'native-json' })),
      kafka: {
        brokers: [`127.0.0.1:${this.proxies.kafka.port}`],
        prefix: `${name}-`,
        session_timeout: `${SESSION_MS}ms`,
      },
      store: { kind: 'servers' },
      scylla: {
        contact_points: [`127.0.0.1:${this.proxies.cassandra.port}`],
        keyspace: name,
        local_data_center: this.services.cassandra.localDataCenter,
        request_timeout: '2s',
      },
      clickhouse: {
        url: `http://127.0.0.1:${this.proxies.clickhouse.port}`,
        database: name,
        store_logs: true,
        request_timeout: '5s',
      },
    })}`;
  }

  private async prepare(name: string, config: string): Promise<void> {
    const admin = this.kafka.admin();
    await admin.connect();
    const topics = INPUT.map((topic) => ({ topic: `${name}-${topic}`, numPartitions: LANES }));
    await makeTopics(admin, topics);
    await admin.disconnect();
    // In a process of its own: Weir changes how kafkajs decodes, and what is read here is read with the client as it is.
    const migrated = await weir(['migrate', '--config', config]);
    if (migrated.code !== 0) throw new Error(`weir migrate: ${migrated.stderr}`);
  }

  /** A tenant is a lane: its records keep their order in each topic. */
  private async feed(name: string, records: Dataset['records']): Promise<void> {
    const producer = this.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    const steps = Math.ceil(FEED_MS / STEP_MS);
    const share = Math.ceil(RECORDS / steps);
    const began = Date.now();
    for (let step = 0; step < steps; step++) {
      await Promise.all(
        INPUT.map(async (topic) => {
          const messages = records.flatMap((own, partition) =>
            own
              .slice(step * share, (step + 1) * share)
              .filter((row) => topicOf(row) === topic)
              .map((row) => ({ partition, value: JSON.stringify(row) })),
          );
          if (messages.length > 0) await untilSent(producer, `${name}-${topic}`, messages);
        }),
      );
      await sleep(Math.max(0, began + step * STEP_MS - Date.now()));
    }
    await producer.disconnect();
  }

  private changeControl(config: string): void {
    const text = readFileSync(config, 'utf8');
    writeFileSync(config, text.replace(/name: Globex.*/, `name: Globex ${this.changes++}`));
    utimesSync(config, new Date(), new Date());
  }

  private async inflict(fault: Fault, instances: readonly Instance[], config: string): Promise<void> {
    await sleep(fault.atMs);
    switch (fault.kind) {
      case 'kill-instance':
        instances[fault.instance].signal('SIGKILL');
        return;
      case 'restart-instance':
        instances[fault.instance].signal('SIGTERM');
        return;
      case 'freeze-instance':
        instances[fault.instance].signal('SIGSTOP');
        await sleep(fault.forMs);
        instances[fault.instance].signal('SIGCONT');
        return;
      case 'rebalance-storm':
        for (let i = 0; i < 4; i++) {
          instances[i % instances.length].signal(i % 2 === 0 ? 'SIGTERM' : 'SIGKILL');
          await sleep(1200);
        }
        return;
      case 'kill-server':
        await this.services.kill9(fault.server).catch(() => {}); // another fault may have it down already
        await sleep(fault.forMs);
        await this.services.start(fault.server);
        return;
      case 'freeze-server': {
        const pid = this.services.pid(fault.server);
        if (pid === undefined) return;
        process.kill(pid, 'SIGSTOP');
        await sleep(fault.forMs);
        if (this.services.pid(fault.server) === pid) process.kill(pid, 'SIGCONT');
        return;
      }
      case 'change-control':
        this.changeControl(config);
        return;
      case 'full-disk':
        this.disk.fill();
        await sleep(fault.forMs / 4);
        this.changeControl(config);
        await sleep((fault.forMs * 3) / 4);
        this.disk.free();
        return;
      default: {
        const proxy = this.proxies[fault.server];
        if (fault.kind === 'cut-network') proxy.cut();
        else if (fault.kind === 'stall-network') proxy.stall();
        else proxy.slow(50);
        await sleep(fault.forMs);
        proxy.heal();
      }
    }
  }
}

export interface RunOptions {
  /** Where instances are to die. */
  readonly points?: readonly CrashPoint[];
  /** How often; 2 when it is left out. */
  readonly deaths?: number;
  readonly sabotage?: Orders['sabotage'];
}

export function summaryOf({ schedule, wrong, died, records, seconds, failures }: Outcome): string {
  const { seed, points, instances, faults, quota } = schedule;
  const what = [
    ...(quota ? [`quota ${quota.rate}/s`] : []),
    ...faults.map(describe),
    ...died.map((point) => `died ${point}`),
  ].join('; ');
  const verdict = wrong === '' ? 'equal' : `WRONG ${wrong}`;
  const again = wrong === '' ? '' : `\n  again: --schedules 1 --seed ${seed} --points ${points.join()}`;
  const said = wrong === '' ? '' : failures.map((text) => `\n    ${text.replaceAll('\n', '\n    ')}`).join('');
  return `schedule ${seed}: ${records} records, ${instances} instances, ${seconds.toFixed(0)} s, ${failures.length} restarts after failures: ${verdict}\n  ${what}${again}${said}`;
}

function topicOf(row: Fields): InputTopic {
  if (row.flow_id) return 'flows';
  if (row.tunnel_id) return 'tunnels';
  return row.session_id ? 'sessions' : 'logs';
}

/** Whatever became of an attempt: the oracle reads what the topic holds, so sending twice is no fault of the test. */
async function untilSent(
  producer: Producer,
  topic: string,
  messages: readonly { partition: number; value: string }[],
): Promise<void> {
  for (;;) {
    try {
      await producer.send({ topic, messages: [...messages], acks: -1 });
      return;
    } catch {
      await sleep(200);
    }
  }
}

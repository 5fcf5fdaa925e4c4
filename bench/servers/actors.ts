// The processes of a bench: instances of Weir, the load, and the eye that sees alerts come out.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Values } from '../../src/cli/verb.ts';
import type { InstanceFigures } from './child.ts';
import type { LoadNews, LoadOrders } from './orders.ts';
import type { Place } from './place.ts';

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));
const LOAD = fileURLToPath(new URL('./load.js', import.meta.url));

export class Instance {
  private readonly process: ChildProcess;
  private readonly ended: Promise<unknown>;

  private constructor(values: Values) {
    this.process = fork(CHILD, [JSON.stringify(values)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.ended = once(this.process, 'close');
  }

  static async start(values: Values): Promise<Instance> {
    const instance = new Instance(values);
    const first = await Promise.race([once(instance.process, 'message'), instance.ended.then(() => [])]);
    if (first[0] !== 'started') throw new Error('an instance of Weir did not start: see above');
    return instance;
  }

  figures(): Promise<InstanceFigures> {
    return this.ask('figures');
  }

  /** The figures, with one more calibration in them: for when there is nothing else to do. */
  calibrated(): Promise<InstanceFigures> {
    return this.ask('calibrate');
  }

  private async ask(what: 'figures' | 'calibrate'): Promise<InstanceFigures> {
    const answer = once(this.process, 'message');
    this.process.send(what);
    const [figures] = await Promise.race([answer, this.ended.then(() => Promise.reject(new Error('Weir has ended')))]);
    return figures as InstanceFigures;
  }

  /** Asks every `everyMs` until `enough`; `each` sees all answers. Throws after `withinMs`. */
  async until(
    enough: (figures: InstanceFigures) => boolean,
    { withinMs, everyMs = 200, each = () => {} }: UntilOptions,
  ): Promise<InstanceFigures> {
    for (const end = Date.now() + withinMs; ; await sleep(everyMs)) {
      const figures = await this.figures();
      each(figures);
      if (enough(figures)) return figures;
      if (Date.now() > end)
        throw new Error(`Weir has not come far enough in ${withinMs / 1000} s: ${JSON.stringify(figures)}`);
    }
  }

  async stop(): Promise<void> {
    this.process.kill('SIGTERM');
    const late = setTimeout(() => this.process.kill('SIGKILL'), 60_000);
    await this.ended;
    clearTimeout(late);
  }
}

export interface UntilOptions {
  readonly withinMs: number;
  readonly everyMs?: number;
  readonly each?: (figures: InstanceFigures) => void;
}

export class Load {
  sent = 0;
  /** When each probe was sent, ms since 1970, by its number. */
  readonly probes = new Map<number, number>();
  /** Ends of stretches so far. */
  stretches = 0;
  readonly ready: Promise<void>;
  readonly done: Promise<void>;
  private readonly process: ChildProcess;

  constructor(orders: LoadOrders, stretchEnded: (stretch: number) => void = () => {}) {
    this.process = fork(LOAD, [JSON.stringify(orders)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    let isReady = (): void => {};
    let failed = (_: Error): void => {};
    this.ready = new Promise((resolve, reject) => {
      isReady = resolve;
      failed = reject;
    });
    this.process.on('message', (news: LoadNews) => {
      if (news.kind === 'ready') isReady();
      if (news.kind === 'stretch') stretchEnded(this.stretches++);
      if (news.kind !== 'sent') return;
      this.sent += news.records;
      for (const [id, when] of news.probes) this.probes.set(id, when);
    });
    this.done = once(this.process, 'close').then(([code]) => {
      if (code === 0) return;
      const error = new Error('the load process failed: see above');
      failed(error);
      throw error;
    });
    this.ready.catch(() => {});
    this.done.catch(() => {});
  }

  end(): void {
    this.process.kill('SIGKILL');
  }
}

const LOOK_MS = 50;

/** Looks for the alerts of probes as an analyst would: by asking ClickHouse. Latencies are in ms, from before sending to seen. */
export class Eye {
  /** When each probe's alert was first seen, ms since 1970, by its number. */
  readonly seen = new Map<number, number>();
  private readonly place: Place;
  private readonly rule: string;
  private readonly looking: Promise<void>;
  private open = true;

  constructor(place: Place, rule: string) {
    this.place = place;
    this.rule = rule;
    this.looking = this.look();
  }

  async close(): Promise<void> {
    this.open = false;
    await this.looking;
  }

  /** Waits for the alerts of so many probes, at most so long. */
  async until(probes: number, withinMs: number): Promise<void> {
    for (const end = Date.now() + withinMs; this.seen.size < probes && Date.now() < end; ) await sleep(100);
  }

  /** Latencies of the probes numbered [from, to); Infinity for one whose alert was not seen. */
  latencies(probes: ReadonlyMap<number, number>, from = 0, to = Number.POSITIVE_INFINITY): number[] {
    return [...probes]
      .filter(([id]) => id >= from && id < to)
      .map(([id, sent]) => (this.seen.get(id) ?? Number.POSITIVE_INFINITY) - sent);
  }

  private async look(): Promise<void> {
    const query = `SELECT toString(source_ip) AS ip FROM threat_analytics WHERE rule_id = '${this.rule}'`;
    while (this.open) {
      const rows = await this.place.ask<{ ip: string }>(query).catch(() => []);
      const now = Date.now();
      for (const { ip } of rows) {
        const id = numberOf(ip);
        if (!this.seen.has(id)) this.seen.set(id, now);
      }
      await sleep(LOOK_MS);
    }
  }
}

function numberOf(ip: string): number {
  const [, a, b, c] = ip.split('.').map(Number);
  return (a << 16) | (b << 8) | c;
}

// Lanes that come and go: those that the consumer group gives to this instance. A lane that was taken away stores and commits
// what it has taken, unless its new owner was faster: then it is fenced, and nothing of it has any further effect.

import { setTimeout as sleep } from 'node:timers/promises';
import { OperationalError } from '../cli/verb.ts';
import type { Lane } from './lane.ts';
import type { LaneRun } from './lane-run.ts';

export interface OpenedLane {
  readonly lane: Lane;
  /** Frees what belongs to it. Repeatable. */
  close(): Promise<void>;
}

export interface KafkaLanesOptions {
  /** Opens a lane: from here on an earlier owner of it is fenced. */
  readonly open: (lane: number) => Promise<OpenedLane>;
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

interface Held {
  readonly revoke: AbortController;
  /** Undefined while it is being opened. */
  opened?: OpenedLane;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;

export class KafkaLanes {
  private readonly options: KafkaLanesOptions;
  private assigned: ReadonlySet<number> = new Set();
  private readonly held = new Map<number, Held>();
  private readonly ready: LaneRun[] = [];
  private waiting: (() => void) | null = null;
  private stopping = false;
  private failure: Error | null = null;

  constructor(options: KafkaLanesOptions) {
    this.options = options;
  }

  /** Lanes at work here, those included that are being opened or given up. */
  owned(): number[] {
    return [...this.held.keys()].filter((lane) => this.assigned.has(lane));
  }

  /** How many the group has given to this instance. */
  get assignedLanes(): number {
    return this.assigned.size;
  }

  /** Lanes that are open. */
  open(): Lane[] {
    return [...this.held.values()].flatMap(({ opened }) => opened?.lane ?? []);
  }

  assign(lanes: readonly number[]): void {
    this.assigned = new Set(lanes);
    for (const [lane, { revoke }] of this.held) if (!this.assigned.has(lane)) revoke.abort();
    for (const lane of lanes) if (!this.held.has(lane)) this.take(lane);
  }

  fail(error: Error): void {
    this.failure ??= error;
    this.tell();
  }

  /** Lanes as they are opened, until `signal` aborts. Throws what `fail` was given. */
  async *runs(signal: AbortSignal): AsyncGenerator<LaneRun> {
    const stop = (): void => {
      this.stopping = true;
      this.tell();
    };
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    try {
      while (!this.stopping) {
        if (this.failure) throw this.failure;
        const next = this.ready.shift();
        if (next) yield next;
        else await new Promise<void>((resolve) => (this.waiting = resolve));
      }
    } finally {
      this.stopping = true;
      signal.removeEventListener('abort', stop);
    }
  }

  private take(lane: number, pause = 0): void {
    const held: Held = { revoke: new AbortController() };
    this.held.set(lane, held);
    this.opening(lane, held, pause).catch((error: unknown) => this.fail(error as Error));
  }

  private async opening(lane: number, held: Held, firstPause: number): Promise<void> {
    const { signal } = held.revoke;
    let pause = firstPause;
    const done = (): void => {
      this.held.delete(lane);
      if (this.assigned.has(lane) && !this.stopping) this.take(lane, FIRST_PAUSE_MS); // fenced, or given back meanwhile
    };
    for (;;) {
      if (pause > 0) await sleep(pause, undefined, { signal }).catch(() => {});
      if (signal.aborted || this.stopping) return done();
      try {
        held.opened = await this.options.open(lane);
        break;
      } catch (error) {
        if (error instanceof OperationalError) throw error;
        this.options.warn('a lane cannot be opened now; trying again', { lane, error: String(error) });
        pause = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, pause * 2));
      }
    }
    const { opened } = held;
    const ended = (): void => void opened.close().finally(done);
    this.ready.push({ lane: opened.lane, revoked: signal, ended });
    this.tell();
  }

  private tell(): void {
    this.waiting?.();
    this.waiting = null;
  }
}

// One instance of Weir under a supervisor: whenever it ends, it is started again, as an operator's platform would.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CrashPoint } from '../../src/delivery/crashpoints.ts';
import { TREE } from '../support/run.ts';
import type { Orders } from '../support/victim.ts';

const RESTART_MS = 200;
const KEPT_OUTPUT = 6000;

/** Whoever interrupts the tests wants no instances left, frozen ones least of all. */
const alive = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

export class Instance {
  /** Crash points at which it died, in order. */
  readonly died: CrashPoint[] = [];
  /** How it ended when nobody had asked it to, kills aside: what it said last. */
  readonly failures: string[] = [];
  private readonly ordersOf: () => Orders;
  private child: ChildProcess | null = null;
  private output = '';
  private supervised = true;
  private life: Promise<void>;

  constructor(ordersOf: () => Orders) {
    this.ordersOf = ordersOf;
    this.life = this.live();
  }

  signal(name: NodeJS.Signals): void {
    this.child?.kill(name);
  }

  /** Asks it to end in good order, and not to be started again. Whether it did. */
  async stop(patienceMs: number): Promise<boolean> {
    this.supervised = false;
    this.signal('SIGCONT');
    this.signal('SIGTERM');
    const late = new AbortController();
    const killed = sleep(patienceMs, undefined, { signal: late.signal }).then(
      () => {
        this.failures.push(`did not end within ${patienceMs} ms of SIGTERM:\n${this.output}`);
        this.signal('SIGKILL');
      },
      () => {},
    );
    await this.life;
    late.abort();
    await killed;
    return this.endedWell;
  }

  private endedWell = false;

  private async live(): Promise<void> {
    while (this.supervised) {
      this.output = '';
      const child = spawn(
        process.execPath,
        [join(TREE, 'test', 'support', 'victim.js'), JSON.stringify(this.ordersOf())],
        { stdio: ['ignore', 'pipe', 'pipe'] },
      );
      this.child = child;
      alive.add(child);
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', (chunk: Buffer) => {
          this.output = (this.output + chunk.toString()).slice(-KEPT_OUTPUT);
        });
      const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
      alive.delete(child);
      const point = /^dies at (\S+)$/m.exec(this.output)?.[1];
      if (signal === 'SIGKILL' && point) this.died.push(point as CrashPoint);
      this.endedWell = code === 0;
      if (signal !== 'SIGKILL' && code !== 0) this.failures.push(`ended with ${code ?? signal}:\n${this.output}`);
      if (this.supervised) await sleep(RESTART_MS);
    }
    this.child = null;
  }
}

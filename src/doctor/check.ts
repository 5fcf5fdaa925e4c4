// What an examination finds: one sentence a check, and what to do about it.

export type Status = 'ok' | 'warning' | 'problem' | 'not checked';

export interface Check {
  readonly component: string;
  /** Stable, for scripts: e.g. `schema`, `durability`. */
  readonly name: string;
  readonly status: Status;
  readonly text: string;
  /** What to do; '' where there is nothing to do. */
  readonly todo: string;
}

/** Collects the checks of one component. */
export class Findings {
  readonly checks: Check[] = [];
  private readonly component: string;

  constructor(component: string) {
    this.component = component;
  }

  ok(name: string, text: string): void {
    this.add(name, 'ok', text, '');
  }

  warning(name: string, text: string, todo: string): void {
    this.add(name, 'warning', text, todo);
  }

  problem(name: string, text: string, todo: string): void {
    this.add(name, 'problem', text, todo);
  }

  unchecked(name: string, text: string, todo = ''): void {
    this.add(name, 'not checked', text, todo);
  }

  /** One that cannot be made (a right is missing, a server is too old) keeps no other from being made. */
  async attempt(name: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.unchecked(name, `it cannot be found out: ${message.replace(/\s+/g, ' ').slice(0, 300)}`);
    }
  }

  private add(name: string, status: Status, text: string, todo: string): void {
    this.checks.push({ component: this.component, name, status, text, todo });
  }
}

/** Further off than this, times of different machines contradict each other, ms. */
const SKEW_WARNING = 1000;
/** TTLs, write timestamps and the 5 minutes that records may be ahead are off by then, ms. */
const SKEW_PROBLEM = 30_000;

/** `ask` gives the server's time, ms since 1970. */
export async function checkClock(findings: Findings, server: string, ask: () => Promise<number>): Promise<void> {
  await findings.attempt('clock', async () => {
    const before = Date.now();
    const theirs = await ask();
    const after = Date.now();
    const skew = theirs - (before + after) / 2;
    const uncertain = (after - before) / 2;
    const off = Math.max(0, Math.abs(skew) - uncertain);
    const text = `the clock of ${server} is ${Math.round(Math.abs(skew))} ms ${skew < 0 ? 'behind' : 'ahead of'} this machine's (±${Math.ceil(uncertain)} ms)`;
    const todo = 'synchronise both with NTP: retention, write timestamps and clock_skew depend on it.';
    if (off > SKEW_PROBLEM) findings.problem('clock', text, todo);
    else if (off > SKEW_WARNING) findings.warning('clock', text, todo);
    else findings.ok('clock', text);
  });
}

export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

export function duration(ms: number): string {
  if (ms >= 172_800_000) return `${Math.round(ms / 86_400_000)} days`;
  if (ms >= 7_200_000) return `${Math.round(ms / 3_600_000)} hours`;
  return ms >= 120_000 ? `${Math.round(ms / 60_000)} minutes` : `${Math.round(ms / 1000)} seconds`;
}

export function bytes(number: number): string {
  if (number >= 1e12) return `${(number / 1e12).toFixed(1)} TB`;
  if (number >= 1e9) return `${(number / 1e9).toFixed(1)} GB`;
  return number >= 1e6 ? `${Math.round(number / 1e6)} MB` : `${Math.round(number / 1e3)} kB`;
}

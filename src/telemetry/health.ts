// Whether this process is alive (a restart would not help) and ready (its work gets through), with reasons that people and
// probes can read. Nothing here asks a server: it tells what the run has met lately.

import type { Stages } from './stages.ts';

export type FailureCode = 'kafka_unreachable' | 'lanes_not_open' | 'sink_failing';

export interface Reason {
  /** Stable. */
  readonly code: 'starting' | 'stopping' | 'lane_stuck' | 'not_in_group' | FailureCode;
  readonly message: string;
}

export interface Verdict {
  readonly ok: boolean;
  readonly reasons: readonly Reason[];
}

export type Phase = 'starting' | 'running' | 'stopping';

/**
 * A task of a stage that takes longer than this will never end. Longer than any time-out of a server with its repeats, since a
 * server that is away is no reason to restart Weir.
 */
export const STUCK_MS = 10 * 60_000;

/** What fails for less long passes by itself. */
export const FAILING_MS = 60_000;

export class Health {
  phase: Phase = 'starting';
  private readonly stages: Stages;
  private readonly checks: (() => Reason | null)[] = [];
  private readonly failing = new Map<string, { readonly since: number; readonly code: FailureCode; what: string }>();

  constructor(stages: Stages) {
    this.stages = stages;
  }

  /** A further condition of being ready. */
  check(check: () => Reason | null): void {
    this.checks.push(check);
  }

  /** A part (a sink, a broker) could not do its work; what counts is since when it could not. */
  failed(part: string, code: FailureCode, what: string): void {
    const known = this.failing.get(part);
    if (known) known.what = what;
    else this.failing.set(part, { since: performance.now(), code, what });
  }

  worked(part: string): void {
    this.failing.delete(part);
  }

  /** Seconds since `part` began to fail; 0 while it works. */
  failingSeconds(part: string): number {
    const known = this.failing.get(part);
    return known === undefined ? 0 : (performance.now() - known.since) / 1000;
  }

  /** That this is answered says that the event loop turns. */
  live(): Verdict {
    const { oldest } = this.stages;
    const forMs = oldest === null ? 0 : performance.now() - oldest.since;
    if (oldest === null || forMs < STUCK_MS) return { ok: true, reasons: [] };
    const message = `${oldest.of}: the stage ${oldest.stage} has not ended for ${Math.round(forMs / 1000)} s`;
    return { ok: false, reasons: [{ code: 'lane_stuck', message }] };
  }

  ready(): Verdict {
    const { phase } = this;
    if (phase === 'starting') return not('starting', 'servers are being connected, or the state is being restored');
    if (phase === 'stopping') return not('stopping', 'what was read is being stored');
    const reasons = this.checks.flatMap((check) => check() ?? []);
    for (const [part, { since, code, what }] of this.failing) {
      const forMs = performance.now() - since;
      if (forMs < FAILING_MS) continue;
      reasons.push({ code, message: `${part} has failed for ${Math.round(forMs / 1000)} s: ${what}` });
    }
    return { ok: reasons.length === 0, reasons };
  }
}

function not(code: Reason['code'], message: string): Verdict {
  return { ok: false, reasons: [{ code, message }] };
}

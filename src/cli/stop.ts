// How a run is asked to end: finish and commit, within a deadline; then let go of what cannot be finished; then leave.

import type { Io } from './verb.ts';

export interface StopOptions {
  readonly io: Pick<Io, 'stdout' | 'stderr'>;
  /** The answer on standard output is one JSON document. */
  readonly json: boolean;
  /** How long finishing may take. */
  readonly deadlineMs: number;
  readonly say: (line: string) => void;
}

export interface Stop {
  /** Aborts at the first SIGINT or SIGTERM: nothing more is read, what was read is stored and committed. */
  readonly signal: AbortSignal;
  /** Aborts at the deadline after that: nobody waits any more for a store that cannot take anything. */
  readonly deadline: AbortSignal;
  dispose(): void;
}

/** After the deadline, for connections to be closed and the group to be left in good order. */
const GRACE_MS = 3000;

/** A second signal leaves at once. However a run ends, what is not committed is journaled or still in the input: read again. */
export function stopOnSignal({ io, json, deadlineMs, say }: StopOptions): Stop {
  const stop = new AbortController();
  const deadline = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  const after = (ms: number, work: () => void): void => void timers.push(setTimeout(work, ms).unref());
  const leave = (code: string, why: string): never => {
    const message = `${why}; nothing is lost: what is not committed is read again by the next run.`;
    if (json) io.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
    io.stderr.write(`weir: ${message} [${code}]\n`);
    process.exit(1);
  };
  const onSignal = (): void => {
    if (stop.signal.aborted) leave('interrupted', 'left at once, at a second signal');
    say(`stopping: what was read is being stored, for ${deadlineMs / 1000} s at most (again to leave at once)`);
    stop.abort();
    after(deadlineMs, () => {
      deadline.abort();
      const why = `what was read could not be stored within ${deadlineMs / 1000} s (shutdown)`;
      after(GRACE_MS, () => leave('shutdown_deadline', why));
    });
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: stop.signal,
    deadline: deadline.signal,
    dispose: () => {
      for (const timer of timers) clearTimeout(timer);
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}

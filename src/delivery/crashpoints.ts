// Named places where the crash tests kill the process. In production `reach` is an empty function.

export const CRASH_POINTS = [
  'after-journal',
  'before-insert',
  'after-insert',
  'before-commit',
  'during-commit',
  'after-commit',
  'after-match',
  'block-closed',
  'final-flush',
] as const;

/** Reached only where a store refuses rows for good. */
export const POISON_POINTS = ['refusal-journaled', 'rows-isolated', 'dead-letters-written'] as const;

export type CrashPoint = (typeof CRASH_POINTS)[number] | (typeof POISON_POINTS)[number];

export type Reach = (point: CrashPoint) => void;

export const neverCrash: Reach = () => {};

/** Kills the process (SIGKILL) when `point` is reached for the `nth` time, after `last` has been called. */
export function crashAt(point: CrashPoint, nth: number, last = (): unknown => null): Reach {
  let left = nth;
  return (reached) => {
    if (reached !== point || --left !== 0) return;
    last();
    process.kill(process.pid, 'SIGKILL');
  };
}

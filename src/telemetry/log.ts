// The program's own log: JSON lines on standard error (pino), never on standard output, which belongs to results.

import { type Logger, pino } from 'pino';

export type Log = Logger;

export function createLog(level: string): Log {
  return pino(
    { level, base: undefined, redact: ['password', '*.password', 'secret', '*.secret'] },
    pino.destination({ dest: 2, sync: true }),
  );
}

// The program's own log: JSON lines on standard error (pino), never on standard output, which belongs to results. Repeated warnings
// are held back, and no secret is ever written.

import { type DestinationStream, type LogFn, type Logger, pino } from 'pino';
import { type Fields, Repeats } from './repeats.ts';
import { Scrubber } from './scrub.ts';

export type Log = Logger;

export interface LogOptions {
  /** Values of secret keys of the configuration. */
  readonly secrets?: readonly string[];
  /** Told of every message of a level that is written, those held back included. */
  readonly counted?: (level: string) => void;
  /** Default: standard error. */
  readonly destination?: DestinationStream;
}

export function createLog(level: string, options: LogOptions = {}): Log {
  const { secrets = [], counted = () => {}, destination = pino.destination({ dest: 2, sync: true }) } = options;
  const scrubber = new Scrubber(secrets);
  let write: (fields: Fields, message: string) => void = () => {};
  const repeats = new Repeats((fields, message) => write(fields, message));
  return pino(
    {
      level,
      base: undefined,
      serializers: { err: (error: unknown) => error }, // the scrubber has made it plain
      hooks: {
        logMethod(args, method, number) {
          const { fields, message } = partsOf(args, scrubber);
          const name = pino.levels.labels[number];
          counted(name);
          const say = (all: Fields, text: string): void => method.apply(this, [all, text] as Parameters<LogFn>);
          if (name !== 'warn') return say(fields, message);
          write = say;
          repeats.warn(fields, message);
        },
      },
    },
    destination,
  );
}

/** `log.warn(fields, message)`, `log.warn(message)` and `log.error(error)`, without secrets. */
function partsOf(args: readonly unknown[], scrubber: Scrubber): { fields: Fields; message: string } {
  const [first, second] = args;
  if (typeof first === 'string') return { fields: {}, message: scrubber.text(first) };
  const fields = first instanceof Error ? { err: first } : (first as Fields);
  const message = typeof second === 'string' ? second : first instanceof Error ? first.message : '';
  return { fields: scrubber.fields(fields), message: scrubber.text(message) };
}

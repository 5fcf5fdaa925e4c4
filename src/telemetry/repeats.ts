// A warning that is repeated is said once a minute, with the number of repetitions: a server that is away for a night must not fill
// a disk, and what else is said must still be found.

/** Fields that differ from one repetition to the next. */
const VOLATILE = new Set(['attempt', 'rows', 'error', 'err', 'retryCount', 'retryTime', 'memberId', 'lane']);
const EVERY_MS = 60_000;
/** Different messages that are remembered; beyond it the oldest are forgotten, and said again. */
const MOST = 500;

export type Fields = Readonly<Record<string, unknown>>;

interface Known {
  /** Held back since it was last said. */
  repeated: number;
  latest: Fields;
  readonly timer: NodeJS.Timeout;
}

export class Repeats {
  private readonly known = new Map<string, Known>();
  private readonly say: (fields: Fields, message: string) => void;

  /** `say` writes a message; those that are held back follow later with `repeated` among their fields. */
  constructor(say: (fields: Fields, message: string) => void) {
    this.say = say;
  }

  warn(fields: Fields, message: string): void {
    const key = keyOf(fields, message);
    const known = this.known.get(key);
    if (known !== undefined) {
      known.repeated++;
      known.latest = fields;
      return;
    }
    this.say(fields, message);
    this.remember(key, message, fields);
  }

  private remember(key: string, message: string, latest: Fields): void {
    const timer = setTimeout(() => this.minute(key, message), EVERY_MS).unref();
    this.known.set(key, { repeated: 0, latest, timer });
    if (this.known.size <= MOST) return;
    const [oldest, { timer: its }] = this.known.entries().next().value as [string, Known];
    clearTimeout(its);
    this.known.delete(oldest);
  }

  private minute(key: string, message: string): void {
    const known = this.known.get(key);
    this.known.delete(key);
    if (known === undefined || known.repeated === 0) return;
    this.say({ ...known.latest, repeated: known.repeated }, message);
    this.remember(key, message, known.latest);
  }
}

function keyOf(fields: Fields, message: string): string {
  return JSON.stringify([message, Object.entries(fields).filter(([name]) => !VOLATILE.has(name))]);
}

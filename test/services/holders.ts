// Who uses a server: test files that run at the same time may share one, and the last to go ends it.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Identity, isAlive, SELF } from './process.ts';
import type { ServiceName } from './settings.ts';

const directoryOf = (name: ServiceName, home: string) => join(home, `${name}.holders`);

let serial = 0;

/** Names one use of services by this process. */
export function newHolder(): string {
  return `${process.pid}-${serial++}`;
}

/** Under the server's lock, as the others. */
export function hold(name: ServiceName, home: string, holder: string): void {
  const directory = directoryOf(name, home);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, holder), JSON.stringify(SELF));
}

export function letGo(name: ServiceName, home: string, holder: string): void {
  rmSync(join(directoryOf(name, home), holder), { force: true });
}

/** By a process that lives. */
export function isHeld(name: ServiceName, home: string): boolean {
  const directory = directoryOf(name, home);
  let holders: string[];
  try {
    holders = readdirSync(directory);
  } catch {
    return false; // no test has used it yet
  }
  return holders.some((holder) => isAlive(JSON.parse(readFileSync(join(directory, holder), 'utf8')) as Identity));
}

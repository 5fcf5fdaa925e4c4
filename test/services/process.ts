// Processes by number and start time: a number alone may have passed to a stranger, who must never be signalled.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Identity {
  readonly pid: number;
  /** Of the operating system's own reckoning: equal for the same process, different for every other of that number. */
  readonly startTime: string;
}

interface Entry extends Identity {
  readonly parent: number;
  readonly zombie: boolean;
}

const PROC = process.platform === 'linux';
/** Start times count from it. */
const BOOT = readOr('/proc/sys/kernel/random/boot_id').trim();

/** `undefined`: no such process, or one that has ended and only waits for its parent to hear of it. */
export function identify(pid: number): Identity | undefined {
  const entry = PROC ? fromProc(pid) : fromPs(['-p', String(pid)])[0];
  return entry && !entry.zombie ? { pid: entry.pid, startTime: entry.startTime } : undefined;
}

export const SELF: Identity = identify(process.pid)!;

export function isAlive({ pid, startTime }: Identity): boolean {
  return identify(pid)?.startTime === startTime;
}

/** Sends the signal unless the process has ended. */
export function signal(identity: Identity, name: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it ended in between
  }
}

/** The process and what it started, and those started. */
export function familyOf(identity: Identity): readonly Identity[] {
  const all = PROC ? procs() : fromPs(['-A']);
  const family: Identity[] = [identity];
  for (const member of family) family.push(...all.filter((entry) => entry.parent === member.pid && !entry.zombie));
  return family;
}

/** Whether all have ended within the time. */
export async function ended(family: readonly Identity[], milliseconds: number): Promise<boolean> {
  for (const end = Date.now() + milliseconds; family.some(isAlive); await sleep(20)) if (Date.now() > end) return false;
  return true;
}

/** Resident memory of the family in bytes; 0 where the system does not tell. */
export function memoryOf(identity: Identity): number {
  if (!PROC) return 0;
  let kilobytes = 0;
  for (const { pid } of familyOf(identity)) {
    const line = /^VmRSS:\s+(\d+) kB$/m.exec(readOr(`/proc/${pid}/status`));
    kilobytes += Number(line?.[1] ?? 0);
  }
  return kilobytes * 1024;
}

function fromProc(pid: number): Entry | undefined {
  const text = readOr(`/proc/${pid}/stat`);
  if (text === '') return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' '); // from the third on: the second may hold anything
  const zombie = 'ZX'.includes(fields[0]) && Number(fields[17]) <= 1; // its first thread may end with others still going
  return { pid, parent: Number(fields[1]), zombie, startTime: `${BOOT}/${fields[19]}` };
}

function procs(): Entry[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map((pid) => fromProc(Number(pid))).filter((entry) => entry !== undefined);
}

function fromPs(which: readonly string[]): Entry[] {
  const listed = spawnSync('ps', [...which, '-o', 'pid=,ppid=,stat=,lstart='], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  const lines = (listed.stdout ?? '').split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => {
    const [pid, parent, state, ...startTime] = line.trim().split(/\s+/);
    const zombie = state.startsWith('Z');
    return { pid: Number(pid), parent: Number(parent), zombie, startTime: startTime.join(' ') };
  });
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // the process has ended
  }
}

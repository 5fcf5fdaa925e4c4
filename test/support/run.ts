// Runs Weir, and dumps what it stored, in child processes.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { RunSummary } from '../../src/delivery/summary.ts';
import { PACKAGE_ROOT } from '../../src/root.ts';
import type { Dump } from './dump.ts';
import type { Orders } from './victim.ts';

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The compiled tree that this file is part of, so that children are of the same build as the test. */
export const TREE = join(import.meta.dirname, '..', '..');

export function child(script: string, args: readonly string[], input?: Uint8Array): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const process_ = spawn(process.execPath, [join(TREE, script), ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      cwd: PACKAGE_ROOT,
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    process_.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    process_.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    process_.stdin.on('error', () => {});
    process_.stdin.end(input);
    process_.on('error', reject);
    process_.on('close', (code, signal) =>
      resolve({ code, signal, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
    );
  });
}

/** One run; `null` when it was killed. Throws when it failed in any other way. */
export async function runVictim(orders: Orders): Promise<RunSummary | null> {
  const outcome = await child('test/support/victim.js', [JSON.stringify(orders)]);
  if (outcome.signal === 'SIGKILL') return null;
  if (outcome.code !== 0) throw new Error(`the run failed (${outcome.code ?? outcome.signal}): ${outcome.stderr}`);
  return JSON.parse(outcome.stdout) as RunSummary;
}

export async function dumpOf(directory: string): Promise<Dump> {
  const outcome = await child('test/support/dump.js', [directory]);
  if (outcome.code !== 0) throw new Error(`the dump failed: ${outcome.stderr}`);
  return JSON.parse(outcome.stdout) as Dump;
}

/** The command line itself. */
export function weir(args: readonly string[], input?: Uint8Array): Promise<Outcome> {
  return child('src/cli/weir.js', args, input);
}

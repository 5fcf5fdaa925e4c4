// The command line as its users have it: a scratch folder, commands and what they answer, processes that stay alive.

import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunSummary } from '../../src/delivery/summary.ts';
import { type Outcome, TREE, weir } from './run.ts';

export interface RunAnswer {
  readonly code: number | null;
  readonly stderr: string;
  /** Of a run that ended by itself. */
  readonly summary: RunSummary;
  /** Of one that failed. */
  readonly error: { readonly code: string; readonly message: string };
}

/** `text` as exactly one JSON document. */
export function oneDocument(text: string): unknown {
  assert.match(text, /\n$/, 'a document ends its line');
  return JSON.parse(text);
}

/** `weir run … --json`; standard output must hold exactly one document. */
export async function runJson(args: readonly string[], input?: Uint8Array): Promise<RunAnswer> {
  return answerOf(await weir(['run', ...args, '--json'], input));
}

export function answerOf({ code, stdout, stderr }: Outcome): RunAnswer {
  let document: unknown;
  try {
    document = oneDocument(stdout);
  } catch {
    assert.fail(`no JSON document (exit ${code}): ${stdout}\n${stderr}`);
  }
  const { error } = document as RunAnswer;
  return { code, stderr, summary: document as RunSummary, error };
}

/** `weir query SQL --json`. */
export async function rowsOf<T>(data: string, sql: string): Promise<T[]> {
  const { code, stdout, stderr } = await weir(['query', sql, '--data', data, '--json']);
  assert.equal(code, 0, stderr);
  return oneDocument(stdout) as T[];
}

/** Everything in the first column of a query. */
export async function valuesOf(data: string, sql: string): Promise<unknown[]> {
  const rows = await rowsOf<Record<string, unknown>>(data, sql);
  return rows.map((row) => Object.values(row)[0]);
}

export class Scratch {
  readonly folder: string;

  constructor(name: string) {
    this.folder = mkdtempSync(join(tmpdir(), `weir-${name}-`));
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  write(name: string, content: string | Uint8Array): string {
    const path = this.path(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  /** A file that nobody has written to for an hour, so that a last record without its newline counts as whole. */
  writeOld(name: string, content: string | Uint8Array): string {
    const path = this.write(name, content);
    const then = Date.now() / 1000 - 3600;
    utimesSync(path, then, then);
    return path;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A `weir` that goes on while the test does other things. */
export class LiveWeir {
  readonly process: ChildProcessWithoutNullStreams;
  readonly closed: Promise<Outcome>;
  stdout = '';
  stderr = '';

  /** `before` is a command that starts it, such as setpriv with its options. */
  constructor(args: readonly string[], { before = [] as readonly string[] } = {}) {
    const [command, ...rest] = [...before, process.execPath, join(TREE, 'src', 'cli', 'weir.js'), ...args];
    this.process = spawn(command, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.process.stdout.on('data', (chunk: Buffer) => (this.stdout += chunk));
    this.process.stderr.on('data', (chunk: Buffer) => (this.stderr += chunk));
    this.process.stdin.on('error', () => {}); // it may end before it has read everything
    this.closed = new Promise((resolve, reject) => {
      this.process.on('error', reject);
      this.process.on('close', (code, signal) => resolve({ code, signal, stdout: this.stdout, stderr: this.stderr }));
    });
  }

  /** Ends it if it is still alive. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill('SIGKILL');
    await this.closed;
  }

  async stop(signal: NodeJS.Signals): Promise<Outcome> {
    this.process.kill(signal);
    return this.closed;
  }
}

/** Asks again until `holds`, for a minute at most; then fails and says `what` did not come about, and what `weir` said. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  weir?: Pick<LiveWeir, 'process' | 'stderr'>,
): Promise<void> {
  const until = performance.now() + 60_000;
  while (!(await holds())) {
    const ended = weir !== undefined && weir.process.exitCode !== null;
    if (ended || performance.now() > until)
      assert.fail(`${ended ? 'weir ended, and so ' : ''}never came about: ${what}\n${weir?.stderr ?? ''}`);
    await sleep(100);
  }
}

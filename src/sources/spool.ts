// Standard input on disk: a piece counts as read when it has been written and synced (guarantee 1).

import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { OperationalError } from '../cli/verb.ts';
import { openInput, type RawInput } from './input.ts';

/** Held in memory while earlier pieces are being synced; standard input is paused above it (guarantee 4). */
const PENDING_BYTES = 4 << 20;
/** How far the spool may run ahead of what was read from it. */
const AHEAD_BYTES = 256 << 20;

/** A stream that is being spooled: reads wait for what is durable. */
export class SpoolInput implements RawInput {
  readonly path: string;
  readonly modifiedMs: number;
  readonly inode = 'stdin';
  private readonly stdin: NodeJS.ReadableStream;
  private readonly signal: AbortSignal;
  private readonly handle: FileHandle;
  private pending: Buffer[] = [];
  private pendingBytes = 0;
  private durable = 0;
  private readAt = 0;
  private ended = false;
  private error: unknown = null;
  private pumping = false;
  private wake: (() => void)[] = [];
  private readonly onData = (chunk: Buffer | string): void => this.take(chunk);
  private readonly onEnd = (): void => this.pump(true);
  private readonly onError = (error: unknown): void => this.fail(error);
  private readonly onAbort = (): void => this.ring();
  private stdinEnded = false;

  private constructor(
    path: string,
    handle: FileHandle,
    stdin: NodeJS.ReadableStream,
    nowMs: number,
    signal: AbortSignal,
  ) {
    this.path = path;
    this.handle = handle;
    this.stdin = stdin;
    this.modifiedMs = nowMs;
    this.signal = signal;
    stdin.on('data', this.onData);
    stdin.once('end', this.onEnd);
    stdin.once('close', this.onEnd); // a pipe that breaks may close without an end
    stdin.once('error', this.onError);
    signal.addEventListener('abort', this.onAbort);
  }

  /** Begins to spool into `folder`. */
  static async open(
    folder: string,
    stdin: NodeJS.ReadableStream,
    nowMs: number,
    signal: AbortSignal,
  ): Promise<SpoolInput> {
    await mkdir(folder, { recursive: true });
    const names = (await readdir(folder)).filter((name) => SPOOL.test(name)).sort();
    const next = Number.parseInt(names.at(-1) ?? '0', 10) + 1;
    const path = join(folder, `${String(next).padStart(8, '0')}.part`);
    return new SpoolInput(path, await open(path, 'wx+'), stdin, nowMs, signal);
  }

  /** Until `count` bytes are there, or the end, or `ms` have passed. */
  async available(count: number, ms: number): Promise<void> {
    const until = performance.now() + ms;
    const timer = setTimeout(() => this.ring(), ms + 5);
    while (this.durable < count && !this.over && performance.now() < until) await this.change();
    clearTimeout(timer);
    if (this.error !== null) throw this.error;
  }

  get isEmpty(): boolean {
    return this.durable === 0;
  }

  async writtenMs(): Promise<null> {
    return null;
  }

  /** The final size: waits for the end of standard input. */
  async size(): Promise<number> {
    while (!this.over) {
      this.readAt = this.durable; // whoever asks reads no more: nothing to hold back for
      this.resume();
      await this.change();
    }
    if (this.error !== null) throw this.error;
    return this.durable;
  }

  async read(target: Uint8Array, position: number, wait: boolean): Promise<number> {
    this.readAt = Math.max(this.readAt, position);
    this.resume();
    while (wait && this.durable <= position && !this.over) await this.change();
    if (this.error !== null) throw this.error;
    const most = Math.min(target.length, this.durable - position);
    return most <= 0 ? 0 : (await this.handle.read(target, 0, most, position)).bytesRead;
  }

  endsAt(position: number): boolean {
    return this.over && position >= this.durable;
  }

  /** Stops spooling. What is there stays, as `.spool` if standard input had ended. */
  async close(): Promise<void> {
    this.stdin.off('data', this.onData);
    this.stdin.off('end', this.onEnd);
    this.stdin.off('close', this.onEnd);
    this.stdin.off('error', this.onError);
    this.signal.removeEventListener('abort', this.onAbort);
    this.stdin.pause();
    while (this.pumping) await this.change();
    await this.handle.close();
  }

  /** Path of the spool file, which has another name once it is whole. */
  get finalPath(): string {
    return this.ended ? wholeName(this.path) : this.path;
  }

  private get over(): boolean {
    return this.ended || this.error !== null || this.signal.aborted;
  }

  private take(chunk: Buffer | string): void {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    this.pending.push(bytes);
    this.pendingBytes += bytes.length;
    if (this.isFull) this.stdin.pause();
    this.pump(false);
  }

  private get isFull(): boolean {
    return this.pendingBytes >= PENDING_BYTES || this.durable - this.readAt >= AHEAD_BYTES;
  }

  private resume(): void {
    if (!this.isFull && !this.over) this.stdin.resume();
  }

  private pump(end: boolean): void {
    if (end) this.stdinEnded = true;
    if (this.pumping) return;
    this.pumping = true;
    this.write().then(
      () => {
        this.pumping = false;
        this.ring();
      },
      (error: unknown) => {
        this.pumping = false;
        this.fail(error);
      },
    );
  }

  private async write(): Promise<void> {
    while (this.pending.length > 0) {
      const pieces = this.pending;
      const bytes = this.pendingBytes;
      this.pending = [];
      this.pendingBytes = 0;
      await writeAll(this.handle, Buffer.concat(pieces), this.durable);
      await this.handle.datasync();
      this.durable += bytes;
      this.resume();
      this.ring();
    }
    if (this.stdinEnded && !this.ended) {
      await rename(this.path, wholeName(this.path));
      this.ended = true;
    }
  }

  private fail(error: unknown): void {
    const why = (error as Error).message;
    this.error ??= new OperationalError('stdin_spool_failed', `Standard input cannot be spooled: ${why}.`, error);
    this.stdin.pause();
    this.ring();
  }

  private change(): Promise<void> {
    return new Promise((resolve) => this.wake.push(resolve));
  }

  private ring(): void {
    const waiting = this.wake;
    this.wake = [];
    for (const resolve of waiting) resolve();
  }
}

const SPOOL = /^\d{8}\.(part|spool)$/;

export interface Leftover {
  readonly path: string;
  /** Standard input had ended: what the spool holds is all there was. */
  readonly whole: boolean;
}

/** Spools of interrupted runs, oldest first. */
export async function leftovers(folder: string): Promise<readonly Leftover[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => SPOOL.test(name))
    .sort()
    .map((name) => ({ path: join(folder, name), whole: name.endsWith('.spool') }));
}

export async function openLeftover(leftover: Leftover): Promise<RawInput> {
  return openInput(leftover.path);
}

export async function removeSpool(path: string): Promise<void> {
  await rm(path, { force: true });
  await rm(wholeName(path), { force: true });
}

/** A folder name of its own for each source. */
export function folderOf(stateDirectory: string, kind: string, source: string): string {
  return join(stateDirectory, kind, createHash('sha256').update(source).digest('hex').slice(0, 16));
}

function wholeName(path: string): string {
  return path.replace(/\.part$/, '.spool');
}

async function writeAll(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    at += (await handle.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
  }
}

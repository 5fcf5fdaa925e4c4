// Raw bytes of one input on disk, and what must be known of it: size, time, which inode it is.

import { constants } from 'node:fs';
import { access, type FileHandle, open, stat } from 'node:fs/promises';
import { OperationalError } from '../cli/verb.ts';

/** Positioned reads of an input as it lies on disk (compressed ones as compressed). */
export interface RawInput {
  readonly path: string;
  /** Modification time when it was opened, ms since 1970. */
  readonly modifiedMs: number;
  /** Which file it is, whatever its name: device and inode. */
  readonly inode: string;
  /** Modification time now, or null when nothing can be added any more. */
  writtenMs(): Promise<number | null>;
  /** Bytes on disk now. */
  size(): Promise<number>;
  /** Bytes read into `target`. 0 at the end, or, unless `wait`, when there is nothing yet. */
  read(target: Uint8Array, position: number, wait: boolean): Promise<number>;
  /** Whether nothing will ever come after `position`, as far as is known. */
  endsAt(position: number): boolean;
  close(): Promise<void>;
}

class FileInput implements RawInput {
  readonly path: string;
  readonly modifiedMs: number;
  readonly inode: string;
  private readonly handle: FileHandle;

  constructor(path: string, handle: FileHandle, modifiedMs: number, inode: string) {
    this.path = path;
    this.handle = handle;
    this.modifiedMs = modifiedMs;
    this.inode = inode;
  }

  async writtenMs(): Promise<number> {
    return (await this.handle.stat()).mtimeMs;
  }

  async size(): Promise<number> {
    return (await this.handle.stat()).size;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    return (await this.handle.read(target, 0, target.length, position)).bytesRead;
  }

  endsAt(): boolean {
    return true; // it is asked only after a read that gave nothing
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

/** Opens a file; throws OperationalError (input_missing, input_is_directory, input_unreadable). */
export async function openInput(path: string): Promise<RawInput> {
  try {
    const handle = await open(path, 'r');
    const about = await handle.stat();
    if (about.isDirectory()) {
      await handle.close();
      throw isDirectory(path);
    }
    return new FileInput(path, handle, about.mtimeMs, `${about.dev}:${about.ino}`);
  } catch (error) {
    throw inputError(path, error);
  }
}

/** Fails early, before anything was read, for what could not be read later. */
export async function checkReadable(path: string): Promise<void> {
  try {
    if ((await stat(path)).isDirectory()) throw isDirectory(path);
    await access(path, constants.R_OK);
  } catch (error) {
    throw inputError(path, error);
  }
}

function isDirectory(path: string): OperationalError {
  return new OperationalError(
    'input_is_directory',
    `${path} is a directory; name the files in it, for example '${path.replace(/\/$/, '')}/*.log'.`,
  );
}

function inputError(path: string, error: unknown): unknown {
  if (error instanceof OperationalError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new OperationalError('input_missing', `${path} does not exist.`, error);
  }
  if (code === 'EISDIR') return isDirectory(path);
  const why = code === 'EACCES' || code === 'EPERM' ? 'permission denied' : (error as Error).message;
  return new OperationalError('input_unreadable', `${path} cannot be read: ${why}.`, error);
}

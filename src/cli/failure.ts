// What went wrong, as the user is told it: a stable code, a sentence, an exit status.

import { SinkError } from '../sinks/sink.ts';
import { OperationalError, UsageError } from './verb.ts';

export interface Failure {
  readonly code: string;
  readonly message: string;
  /** 1: something failed; 2: wrong usage or configuration. */
  readonly status: 1 | 2;
  /** Only of bugs: '' for what was expected to happen one day. */
  readonly stack: string;
}

/** Codes of a full disk or quota, wherever it was met: journal, ledger, spool, copies. */
const FULL = new Set(['ENOSPC', 'EDQUOT']);

export function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof UsageError) return { code: 'usage', message, status: 2, stack: '' };
  if (error instanceof SinkError) return { code: error.code, message, status: 1, stack: '' };
  if (isFull(error)) return { code: 'disk_full', message: diskFull(message), status: 1, stack: '' };
  if (error instanceof OperationalError || isErrno(error)) return { code: error.code, message, status: 1, stack: '' };
  const stack = error instanceof Error ? (error.stack ?? message) : message;
  return { code: 'unexpected', message, status: 1, stack };
}

/** A refusal of the operating system: its code is as stable as ours. */
function isErrno(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string';
}

function isFull(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++)
    if (FULL.has((at as NodeJS.ErrnoException).code ?? '')) return true;
  return false;
}

function diskFull(message: string): string {
  return `the disk is full: ${message}. Nothing is lost: free some space and run the same command again.`;
}

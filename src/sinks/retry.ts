// Guarantee 5 around a store: transient errors are tried again for ever, anything else stops the sink loudly and drops nothing.

import { setTimeout as sleep } from 'node:timers/promises';
import { type BlockSink, SinkError, type StoreBlock } from './sink.ts';

export interface RetryOptions {
  /** Ends the waiting: after one more attempt the write rejects with `store_unavailable`. */
  readonly signal: AbortSignal;
  /** Called for the first failure of a block and then at most once in `logEveryMs`. */
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  readonly firstDelayMs?: number;
  readonly maxDelayMs?: number;
  readonly logEveryMs?: number;
}

/** `store`, trying again until the block is stored, however long that takes; poison is the caller's to isolate. */
export function withRetry(store: BlockSink, options: RetryOptions): BlockSink {
  return {
    write: (block) => tryForEver(block, () => store.write(block), options),
    isolate: (block, isolation) => tryForEver(block, () => store.isolate(block, isolation), options),
    close: () => store.close(),
  };
}

async function tryForEver<T>(block: StoreBlock, attemptOnce: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { signal, warn, firstDelayMs = 100, maxDelayMs = 10_000, logEveryMs = 30_000 } = options;
  let delay = firstDelayMs;
  let logged = Number.NEGATIVE_INFINITY;
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptOnce();
    } catch (error) {
      if (!(error instanceof SinkError)) throw error;
      // Asked to stop, Weir still writes what it took, but does not wait for a store that cannot take it: the block stays
      // journaled, and the next run repeats it.
      if (error.kind !== 'retryable') throw error;
      if (signal.aborted) throw unavailable(error);
      const now = performance.now();
      if (now - logged >= logEveryMs) {
        logged = now;
        warn('the store cannot take a block now; trying again', {
          table: block.table,
          rows: block.rows,
          attempt,
          code: error.code,
          error: error.message,
        });
      }
      await sleep(delay, undefined, { signal }).catch(() => {});
      delay = Math.min(delay * 2, maxDelayMs);
    }
  }
}

function unavailable(cause: SinkError): SinkError {
  const what = `stopped while the store could not take a block (${cause.code}: ${cause.message})`;
  const message = `${what}; nothing is lost: the same command goes on from there.`;
  return new SinkError('fatal', 'store_unavailable', message, cause);
}

// What a ClickHouse error means for the block that met it.

import { SinkError, type SinkErrorKind } from '../sink.ts';

/** By the engine's error number. Passing conditions: memory, disk, merges behind, connections. */
const RETRYABLE = new Set([
  75, 76, 159, 160, 173, 198, 202, 209, 210, 225, 236, 241, 242, 243, 252, 279, 297, 319, 394, 439, 473, 999,
]);
/**
 * A row's content is refused: VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE, VIOLATED_CONSTRAINT. Bytes that cannot be read are no row's fault:
 * Weir makes them, so either they were cut on their way, or the table is not what Weir takes it for. Rows may only be isolated
 * when it is certain that nothing of their block was stored.
 */
const POISON = new Set([321, 469]);

/** Node's error codes of spooling and connecting that pass by themselves. */
const PASSING = new Set([
  'ENOSPC',
  'EDQUOT',
  'EMFILE',
  'ENFILE',
  'EAGAIN',
  'EBUSY',
  'ECONNRESET',
  'ECONNREFUSED',
  'ETIMEDOUT',
  'EPIPE',
  'EIO',
]);

/**
 * Classes an error of the engine, the client or the file system. Unknown ones are fatal: stopping loudly loses nothing,
 * while trying for ever would hide them.
 */
export function classify(error: unknown): SinkError {
  if (error instanceof SinkError) return error;
  const { code, type, message } =
    error instanceof Error
      ? (error as NodeJS.ErrnoException & { type?: string })
      : { code: undefined, type: undefined, message: String(error) };
  const engine = /Code: (\d+)\./.exec(message)?.[1] ?? (/^\d+$/.test(String(code)) ? String(code) : undefined);
  if (engine === undefined) {
    const kind: SinkErrorKind = code !== undefined && PASSING.has(code) ? 'retryable' : 'fatal';
    return new SinkError(kind, code ?? 'store_failed', message, error);
  }
  const name = type ?? /\(([A-Z][A-Z0-9_]+)\)\s*$/.exec(message)?.[1] ?? `CLICKHOUSE_${engine}`;
  const number = Number(engine);
  const kind: SinkErrorKind = RETRYABLE.has(number) ? 'retryable' : POISON.has(number) ? 'poison' : 'fatal';
  return new SinkError(kind, name, message, error);
}

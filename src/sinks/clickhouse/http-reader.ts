// Reads a ClickHouse server over HTTP, and can do nothing else: the server itself refuses writes, table functions (file, url,
// remote …) and other settings under `readonly = 1`, and stops what reads, holds or takes too much. The lexer of sql.ts refuses
// before that what `readonly = 1` lets through.

import { type ClickHouseClient, ClickHouseError, type DataFormat } from '@clickhouse/client';
import { OperationalError, UsageError } from '../../cli/verb.ts';
import type { QueryParameters, Reader } from '../sink.ts';
import { SinkError } from '../sink.ts';
import { classify } from './errors.ts';
import { readOnlyStatement } from './sql.ts';

/** Longest that a statement of a reader may run, s. The client waits a little longer, so that the server says why. */
export const READ_SECONDS = 300;

/** What one statement may use on a server that others use too. */
export const READ_LIMITS = {
  readonly: '1',
  max_execution_time: READ_SECONDS,
  max_memory_usage: String(4 * 2 ** 30),
  max_result_rows: '10000000',
  max_result_bytes: String(512 * 2 ** 20),
  result_overflow_mode: 'throw',
  max_rows_to_read: '20000000000',
  read_overflow_mode: 'throw',
  timeout_overflow_mode: 'throw',
  /** The answer comes whole or as an error, never cut. */
  wait_end_of_query: 1,
  cancel_http_readonly_queries_on_client_close: 1,
  output_format_json_quote_64bit_integers: 0,
  output_format_json_array_of_rows: 1,
  output_format_json_validate_utf8: 1,
} as const;

/** `place` names the server in messages. Throws OperationalError: `clickhouse_unreachable`, `query_failed`. */
export function readerOf(client: ClickHouseClient, place: string, close: () => Promise<void>): Reader {
  const ask = async (query: string, format: string, parameters: QueryParameters, limits: object): Promise<string> => {
    const clickhouse_settings = limits as Record<string, string | number>;
    const request = { query, format: format as DataFormat, query_params: parameters, clickhouse_settings };
    return (await client.query(request)).text();
  };
  return {
    async query(sql, format, parameters = {}) {
      const query = readOnlyStatement(sql);
      try {
        return await ask(query, format, parameters, READ_LIMITS);
      } catch (error) {
        if (!(error instanceof Error) || !CANNOT_MODIFY.test(error.message)) throw readFailure(error, place);
        // Either the statement sets something, or the server keeps this user read-only and so refuses our own limits too: then
        // those of its profile are in force.
        try {
          const readonly = (await ask("SELECT getSetting('readonly')", 'TSV', {}, {})).trim();
          if (readonly === '0') throw error;
          const { readonly: _, ...limits } = READ_LIMITS;
          const text = await ask(query, format, parameters, readonly === '1' ? {} : limits);
          return readonly === '1' && format === 'JSONEachRow' ? `[${text.trim().split('\n').join(',')}]` : text;
        } catch (failure) {
          throw readFailure(failure, place);
        }
      }
    },
    close,
  };
}

const CANNOT_MODIFY = /Cannot modify '\w+' setting in readonly mode/;

function readFailure(error: unknown, place: string): Error {
  const { code, message } = classifyHttp(error);
  if ((error as { code?: string }).code === SYNTAX_ERROR) return new UsageError(`the SQL cannot be read: ${message}`);
  if (NETWORK.has(code) || /^(E[A-Z]+|UND_ERR.*)$/.test(code) || message === 'Timeout error.')
    return new OperationalError('clickhouse_unreachable', `ClickHouse at ${place}: ${message || code}`, error);
  return new OperationalError('query_failed', message + (HINTS[code] ?? ''), error);
}

/** What to do about the server's own words, by its error. */
const HINTS: Readonly<Record<string, string>> = {
  READONLY:
    ' Statements run read-only here: without SETTINGS, and without functions that reach outside the stored data.',
  UNKNOWN_DATABASE: " Is clickhouse.database right, and did 'weir migrate' run?",
  UNKNOWN_TABLE: " 'weir query \"SHOW TABLES\"' lists what there is; 'weir migrate' makes what is missing.",
  AUTHENTICATION_FAILED: ' See clickhouse.username and WEIR_CLICKHOUSE_PASSWORD.',
  TOO_MANY_ROWS_OR_BYTES: ' The result is too large; add LIMIT or an aggregation.',
  TOO_MANY_ROWS: ' It would read too many rows; narrow it by tenant or time.',
  TIMEOUT_EXCEEDED: ' It ran too long; narrow it by tenant or time.',
};

/** Whatever the server did not say itself is the way to it: that passes. So do bytes that ended too soon: a connection broke. */
export function classifyHttp(error: unknown): SinkError {
  const found = classify(error);
  const said = error instanceof ClickHouseError || error instanceof SinkError;
  return (said || found.kind !== 'fatal') && !CUT.has(found.code)
    ? found
    : new SinkError('retryable', found.code, found.message, error);
}

const NETWORK = new Set(['ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN']);
/** Of the server's errors; the client takes their names from the message, and not always the right word. */
const SYNTAX_ERROR = '62';

const CUT = new Set(['ATTEMPT_TO_READ_AFTER_EOF', 'CANNOT_READ_ALL_DATA', 'UNEXPECTED_END_OF_FILE']);

// What an error of ScyllaDB, Cassandra or the driver means for the rows that met it.

import type { DeliveryOutcome } from '../../src/model/work.ts';

type Refusal = NonNullable<DeliveryOutcome>;

/** Error codes of the native protocol. */
const CODES: Readonly<Record<number, readonly [kind: Refusal['kind'], name: string]>> = {
  0: ['retryable', 'SERVER_ERROR'],
  10: ['fatal', 'PROTOCOL_ERROR'],
  256: ['fatal', 'BAD_CREDENTIALS'],
  4096: ['retryable', 'UNAVAILABLE'],
  4097: ['retryable', 'OVERLOADED'],
  4098: ['retryable', 'IS_BOOTSTRAPPING'],
  4099: ['retryable', 'TRUNCATE_ERROR'],
  4352: ['retryable', 'WRITE_TIMEOUT'],
  5376: ['retryable', 'WRITE_FAILURE'],
  8192: ['fatal', 'SYNTAX_ERROR'],
  8448: ['fatal', 'UNAUTHORIZED'],
  8704: ['poison', 'INVALID'],
  8960: ['fatal', 'CONFIG_ERROR'],
  9472: ['retryable', 'UNPREPARED'],
};

/** Tables or columns are missing: no row is to blame, and migrating helps. */
const SCHEMA =
  /unconfigured table|Keyspace .* does not exist|Undefined column|Unknown identifier|keyspace .* (does not exist|not found)/i;

export function classifyCql(error: unknown): Refusal {
  const { code, name, message, innerErrors } = Object(error) as {
    code?: unknown;
    name?: string;
    message?: string;
    innerErrors?: Record<string, unknown>;
  };
  const text = message ?? String(error);
  if (SCHEMA.test(text)) return { kind: 'fatal', code: 'SCHEMA', message: `${text}; run 'weir migrate'.` };
  if (typeof code === 'number' && CODES[code]) return { kind: CODES[code][0], code: CODES[code][1], message: text };
  if (name === 'AuthenticationError') return { kind: 'fatal', code: 'BAD_CREDENTIALS', message: text };
  if (name === 'NoHostAvailableError') {
    for (const inner of Object.values(innerErrors ?? {})) {
      if ((inner as { name?: string } | null)?.name === 'AuthenticationError') return classifyCql(inner);
    }
    const reasons = Object.entries(innerErrors ?? {}).map(([host, inner]) => `${host}: ${String(inner)}`);
    return { kind: 'retryable', code: 'NO_HOST', message: `${text} ${reasons.join('; ')}`.trim() };
  }
  if (name === 'OperationTimedOutError') return { kind: 'retryable', code: 'CLIENT_TIMEOUT', message: text };
  if (name === 'ArgumentError') return { kind: 'fatal', code: 'CONFIGURATION', message: text };
  return { kind: 'retryable', code: typeof code === 'string' ? code : (name ?? 'CQL_FAILED'), message: text };
}

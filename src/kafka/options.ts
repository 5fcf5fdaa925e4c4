// From the configuration to what kafkajs wants.

import { readFileSync } from 'node:fs';
import type { KafkaConfig, SASLOptions } from 'kafkajs';
import { UsageError } from '../cli/verb.ts';
import type { Config } from '../config/schema.ts';
import { LOG_LEVEL } from './library.ts';

export type Warn = (message: string, fields: Readonly<Record<string, unknown>>) => void;

/** Throws UsageError for a certificate that cannot be read. */
export function clientOptions(kafka: Config['kafka'], warn: Warn): KafkaConfig {
  const { brokers, tls, sasl, session_timeout: sessionTimeout } = kafka;
  return {
    clientId: 'weir',
    brokers: [...brokers],
    // Long enough for a broker that restarts; callers that must not wait have deadlines of their own.
    retry: { initialRetryTime: 100, maxRetryTime: 2000, retries: 12 },
    requestTimeout: Math.max(5000, sessionTimeout),
    connectionTimeout: 3000,
    logLevel: LOG_LEVEL.WARN,
    logCreator:
      () =>
      ({ namespace, log: { message, error, ...fields } }) => {
        // What its connections say is said again, with what became of it, by whoever asked.
        if (namespace === 'Connection' || NOISE.some((text) => message.startsWith(text))) return;
        warn(`kafka client: ${message}`, { namespace, error: String(error ?? ''), ...plain(fields) });
      },
    ...(tls.enabled ? { ssl: tlsOptions(tls) } : {}),
    ...(sasl.mechanism === 'none' ? {} : { sasl: saslOptions(sasl) }),
  };
}

/** Remarks on settings that are as they are meant to be. */
const NOISE = ['Limiting retries for the idempotent producer', 'KafkaJS v2.0.0 switched default partitioner'];

/** What is worth logging of kafkajs' fields; never its options, which hold the password. */
function plain(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const wanted = ['broker', 'clientId', 'groupId', 'memberId', 'retryCount', 'retryTime', 'topic', 'partition'];
  return Object.fromEntries(Object.entries(fields).filter(([name]) => wanted.includes(name)));
}

function saslOptions({ mechanism, username, password }: Config['kafka']['sasl']): SASLOptions {
  return { mechanism: mechanism as 'plain' | 'scram-sha-256' | 'scram-sha-512', username, password } as SASLOptions;
}

export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** PEM texts of the files that are named. */
export function tlsOptions({ ca, cert, key }: TlsFiles): { ca?: string[]; cert?: string; key?: string } {
  return {
    ...(ca ? { ca: [pem(ca)] } : {}),
    ...(cert ? { cert: pem(cert) } : {}),
    ...(key ? { key: pem(key) } : {}),
  };
}

export function pem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`the certificate file ${path} cannot be read: ${(error as Error).message}`);
  }
}

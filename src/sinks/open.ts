// From the configuration to the sinks of an instance: what goes where, in which form, and how it can be read.

import type { Config } from '../config/schema.ts';
import type { OutputForms, OutputName, WorkerSetup } from '../model/outputs.ts';
import { ROWS_ONLY, SENT_OUTPUTS } from '../model/outputs.ts';
import type { Log } from '../telemetry/log.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { openChdbStore } from './clickhouse/chdb.ts';
import { type Endpoint, serveEndpoint } from './clickhouse/endpoint.ts';
import { openHttpStore } from './clickhouse/http.ts';
import { NullStore } from './null.ts';
import { withRetry } from './retry.ts';
import { RoutedSink } from './routed.ts';
import { scyllaSettings } from './scylla/settings.ts';
import { ScyllaSink } from './scylla/sink.ts';
import type { BlockSink, ParcelCarrier, Reader } from './sink.ts';
import { type SinkName, watched } from './watched.ts';

/** What an instance does; both unless `roles` names one. */
export function rolesOf({ roles }: Config): { readonly detect: boolean; readonly store: boolean } {
  const has = (role: 'detect' | 'store'): boolean => roles.length === 0 || roles.includes(role);
  return { detect: has('detect'), store: has('store') };
}

/** The consumer group and name of the state: instances of one role are a group of their own. */
export function groupOf(config: Config): string {
  const { detect, store } = rolesOf(config);
  return detect && store ? config.kafka.group : `${config.kafka.group}-${detect ? 'detect' : 'store'}`;
}

const DETECTED = ['traffic_analytics', 'threat_analytics', 'alerts'] as const;

/** What workers are to make. `kafka`: there are topics to write to. */
export function workerSetup(config: Config, kafka: boolean): WorkerSetup {
  const { detect, store } = rolesOf(config);
  const servers = config.store.kind === 'servers';
  const forms: Partial<Record<OutputName, OutputForms[OutputName]>> = {};
  if (detect) for (const table of DETECTED) forms[table] = 'native';
  if (store) {
    for (const table of ['flows', 'session_events', 'tunnel_stats'] as const) forms[table] = servers ? 'cql' : 'native';
    if (!servers || config.clickhouse.store_logs) forms.logs = 'native';
    if (!servers || !kafka) forms.rejects = 'native';
  }
  if (kafka && detect) forms.alert_messages = 'messages';
  if (kafka && store) forms.dead_letters = 'messages';
  const scylla = servers && store ? scyllaSettings(config.scylla) : null;
  return { outputs: forms, detect, scylla, told: config.metrics };
}

export interface OpenedSinks {
  readonly sink: BlockSink;
  /** Null: nothing is kept that could be read here. */
  readonly reader: Reader | null;
  readonly endpoint: Endpoint | null;
}

export interface SinkParts {
  readonly config: Config;
  /** The data directory. */
  readonly root: string;
  readonly carrier: ParcelCarrier;
  /** Takes messages; null without Kafka. */
  readonly messages: BlockSink | null;
  readonly log: Log;
  /** Ends the waiting for sinks that cannot take anything now. */
  readonly signal: AbortSignal;
  readonly telemetry: Telemetry;
  /** For the fault tests: a sink between Weir and the real one. */
  readonly wrap?: (sink: BlockSink) => BlockSink;
}

export async function openSinks(parts: SinkParts): Promise<OpenedSinks> {
  const { config, carrier, messages, log, signal, telemetry, wrap = (sink) => sink } = parts;
  const warn = (message: string, fields: Readonly<Record<string, unknown>>): void => log.warn(fields, message);
  const retried = (name: SinkName, sink: BlockSink): BlockSink =>
    wrap(withRetry(watched(sink, name, telemetry), { signal, warn }));
  const byOutput = new Map<OutputName, BlockSink>();
  const route = (outputs: readonly OutputName[], sink: BlockSink): void => {
    for (const output of outputs) byOutput.set(output, sink);
  };
  if (messages) route(SENT_OUTPUTS, retried('kafka', messages));
  const tables = Object.keys(ROWS_ONLY) as OutputName[];
  if (config.store.kind === 'null') {
    route(tables, new NullStore());
    return { sink: new RoutedSink(byOutput), reader: null, endpoint: null };
  }
  if (config.store.kind === 'chdb') {
    const { memory_bytes: memoryBytes, threads } = config.store;
    const { retention } = config;
    const chdb = await openChdbStore({ directory: parts.root, memoryBytes, threads, retention, carrier });
    const opening = chdb.reader();
    const endpoint = await serveEndpoint(parts.root, opening, () => telemetry.metrics.text());
    route(tables, retried('chdb', chdb));
    return { sink: new RoutedSink(byOutput), reader: await opening, endpoint };
  }
  const { detect, store } = rolesOf(config);
  let reader: Reader | null = null;
  if (detect || config.clickhouse.store_logs || !messages) {
    const clickhouse = await openHttpStore(config.clickhouse, carrier);
    route(['traffic_analytics', 'threat_analytics', 'alerts', 'logs', 'rejects'], retried('clickhouse', clickhouse));
    reader = clickhouse.reader();
  }
  if (store) route(['flows', 'session_events', 'tunnel_stats'], retried('scylla', new ScyllaSink(carrier)));
  return { sink: new RoutedSink(byOutput), reader, endpoint: null };
}

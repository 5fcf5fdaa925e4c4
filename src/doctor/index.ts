// Examines what a configuration names: connects to each component, and says of each thing whether it is as it must be. In: the
// configuration. Out: checks. Nothing is changed anywhere.

import type { Config } from '../config/schema.ts';
import type { ScyllaSchemaOptions } from '../sinks/scylla/schema.ts';
import type { Check } from './check.ts';
import { examineClickhouse } from './clickhouse.ts';
import { examineDirectory, examineProcess } from './embedded.ts';
import type { FlowRate } from './flow-key.ts';

export type { Check, Status } from './check.ts';

export interface Examination {
  readonly scylla: ScyllaSchemaOptions;
  /** Flows a second of the busiest tenant and PoP, where somebody says so. */
  readonly rate?: number;
}

export async function examine(config: Config, { scylla, rate }: Examination): Promise<readonly Check[]> {
  const checks: Check[] = [...examineProcess(), ...(await examineDirectory(config))];
  let lanes = 0;
  if (config.sources.some(({ topic }) => topic !== '') || config.kafka.brokers.length > 0) {
    const { examineKafka } = await import('./kafka.ts'); // kafkajs is loaded only where there is Kafka
    const kafka = await examineKafka(config);
    checks.push(...kafka.checks);
    lanes = kafka.lanes;
  }
  if (config.store.kind !== 'servers') return checks;
  const clickhouse = await examineClickhouse(config, lanes);
  checks.push(...clickhouse.checks);
  const { examineScylla } = await import('./scylla.ts');
  const stated: FlowRate | null =
    rate === undefined ? clickhouse.rate : { perSecond: rate, from: 'stated with --rate' };
  checks.push(...(await examineScylla(config, scylla, stated)));
  return checks;
}

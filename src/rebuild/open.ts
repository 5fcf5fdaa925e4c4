// The stores of a configuration, opened for a rebuild.

import { OperationalError } from '../cli/verb.ts';
import type { Config } from '../config/schema.ts';
import { embeddedEngine, serverEngine } from '../purge/open.ts';
import { httpClient } from '../sinks/clickhouse/http.ts';
import { outstanding } from '../sinks/clickhouse/schema.ts';
import { groupOf, rolesOf } from '../sinks/open.ts';
import { scyllaClient } from '../sinks/scylla/client.ts';
import { type Barrier, keepStill, laneBarrier, requireFinished, STILL } from './barrier.ts';
import { embeddedFlows, scyllaFlows } from './flows.ts';
import type { RebuildKit } from './index.ts';
import { takeLock } from './lock.ts';

type Closing = (() => Promise<unknown>)[];

export interface OpenedRebuild extends RebuildKit {
  close(): Promise<void>;
}

/**
 * Throws OperationalError: `rebuild_running`, `rebuild_blocked`, `schema_outdated`, `data_directory_in_use`, and what opening stores
 * throws.
 */
export async function openRebuild(config: Config): Promise<OpenedRebuild> {
  const closing: Closing = [];
  const close = async (): Promise<void> => {
    for (const one of closing.reverse()) await one();
  };
  try {
    if (config.store.kind !== 'servers') {
      const engine = await embeddedEngine(config);
      closing.push(() => engine.close());
      await requireFinished(config.data);
      return { engine, flows: embeddedFlows(engine), barrier: STILL, check: () => {}, close };
    }
    const engine = serverEngine(config);
    closing.push(() => engine.close());
    const lacking = await outstanding((query) => engine.rows(query, {}), config.clickhouse.database);
    if (lacking.length > 0)
      throw new OperationalError('schema_outdated', `ClickHouse lacks ${lacking.join(', ')}: run 'weir migrate'.`);
    // Hours that begin at half past ours would not end with a span.
    const [{ odd }] = await engine.rows(
      'SELECT toUnixTimestamp(toStartOfHour(toDateTime(1714564800))) % 3600 AS odd',
      {},
    );
    if (Number(odd) !== 0)
      throw new OperationalError('time_zone', "ClickHouse's time zone is not whole hours from UTC: set it to UTC.");
    const { keyspace, flow_bucket: bucketMs } = config.scylla;
    const client = await scyllaClient(config.scylla);
    closing.push(() => client.shutdown());
    const lock = await takeLock(client, keyspace);
    closing.push(() => lock.release());
    const inserting = httpClient(config.clickhouse);
    closing.push(() => inserting.close());
    const flows = scyllaFlows({ client, keyspace, bucketMs }, async (table, rows) => {
      await inserting.insert({
        table,
        values: rows,
        format: 'JSONEachRow',
        clickhouse_settings: { async_insert: 0, insert_deduplicate: 0 },
      });
    });
    return { engine, flows, barrier: await barrierOf(config, closing), check: () => lock.check(), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function barrierOf(config: Config, closing: Closing): Promise<Barrier> {
  if (!config.sources.some(({ topic }) => topic !== '')) {
    const release = await keepStill(config);
    closing.push(async () => release());
    return STILL;
  }
  const { openKafka } = await import('../kafka/session.ts'); // kafkajs is loaded only where there is Kafka
  const { topicNames } = await import('../kafka/topics.ts');
  const session = await openKafka(config.kafka);
  closing.push(() => session.close());
  const { detect, store } = rolesOf(config);
  const apart = !(detect && store);
  const stateOf = (role: 'detect' | 'store'): string =>
    topicNames(config.kafka, groupOf(apart ? { ...config, roles: [role] } : config)).state;
  const topics = [...new Set([stateOf('store'), stateOf('detect')])];
  const known = await session.admin.listTopics();
  const missing = topics.filter((topic) => !known.includes(topic));
  if (missing.length > 0)
    throw new OperationalError(
      'rebuild_blocked',
      `Kafka has no ${missing.join(', ')}: whether blocks are under way cannot be known. Is kafka.group right${apart ? ', and did both roles run' : ''}?`,
    );
  return laneBarrier(await session.reader(topics), stateOf('store'), stateOf('detect'));
}

// A ClickHouse server over HTTP. A block is one insert of Native bytes under its token; what several workers encoded is made one
// block by the server first, since it mixes the number of blocks into the token (docs/decisions/0009).

import { Readable } from 'node:stream';
import { type ClickHouseClient, ClickHouseLogLevel, createClient, type DataFormat } from '@clickhouse/client';
import { OperationalError, UsageError } from '../../cli/verb.ts';
import type { Config } from '../../config/schema.ts';
import { bufferOf } from '../../model/bytes.ts';
import type { OutputName } from '../../model/outputs.ts';
import { type Column, columnsOf } from '../../model/tables.ts';
import type { BlockStore, Isolation, ParcelCarrier, QueryParameters, Reader, StoreBlock } from '../sink.ts';
import { bisect, inStreamOrder, rowsBetween } from './bisect.ts';
import { classify } from './errors.ts';
import { classifyHttp, READ_SECONDS, readerOf } from './http-reader.ts';
import { checkSchema } from './schema.ts';

type Settings = Config['clickhouse'];

/** One insert is one block: no setting may split, delay or forget it (guarantee 1). */
const INSERT_SETTINGS = {
  async_insert: 0,
  insert_deduplicate: 1,
  deduplicate_blocks_in_dependent_materialized_views: 1,
  max_block_size: '10000000',
  max_insert_block_size: '10000000',
  min_insert_block_size_rows: '10000000',
  min_insert_block_size_bytes: '4000000000',
  max_insert_threads: '1',
  max_threads: 1,
  max_partitions_per_insert_block: '0',
  wait_end_of_query: 1,
} as const;

export function httpClient(settings: Settings, database = settings.database): ClickHouseClient {
  if (settings.url === '')
    throw new UsageError('store.kind: servers needs clickhouse.url, such as http://clickhouse:8123.');
  const { url, username, password, request_timeout } = settings;
  return createClient({
    url,
    username,
    password,
    database,
    request_timeout,
    max_open_connections: 16,
    log: { level: ClickHouseLogLevel.OFF }, // every failure is thrown, classed and told once
  });
}

/** Opens the store. Throws OperationalError: `clickhouse_unreachable`, `schema_outdated`, `schema_mismatch`. */
export async function openHttpStore(settings: Settings, carrier: ParcelCarrier): Promise<HttpStore> {
  const store = new HttpStore(httpClient(settings), carrier, settings.url);
  try {
    await checkSchema((query) => store.rows(query), settings.database);
    return store;
  } catch (error) {
    await store.close();
    if (error instanceof OperationalError) throw error;
    throw new OperationalError(
      'clickhouse_unreachable',
      `ClickHouse at ${new URL(settings.url).origin}: ${classify(error).message}`,
      error,
    );
  }
}

export class HttpStore implements BlockStore {
  private readonly client: ClickHouseClient;
  private readonly carrier: ParcelCarrier;
  private readonly place: string;

  constructor(client: ClickHouseClient, carrier: ParcelCarrier, place: string) {
    this.client = client;
    this.place = place;
    this.carrier = carrier;
  }

  async write({ table, token, chunks, parcels = [] }: StoreBlock): Promise<void> {
    try {
      const blocks = [...chunks, ...(await this.carrier.collect(parcels))];
      await this.insert(table, token, blocks, blocks.length > 1 ? '' : null);
    } catch (error) {
      throw classifyHttp(error);
    }
  }

  async isolate({ table, token, rows, chunks, parcels = [] }: StoreBlock, isolation: Isolation): Promise<void> {
    const blocks = [...chunks, ...(await inStreamOrder(this.carrier, parcels))];
    await bisect(rows, isolation, async (from, to) => {
      try {
        await this.insert(table, `${token}/${from}-${to}`, blocks, rowsBetween(from, to));
      } catch (error) {
        throw classifyHttp(error);
      }
    });
  }

  /** `where`: which rows, of all blocks made one; null: of the one block all, as it is. */
  private async insert(
    table: OutputName,
    token: string,
    blocks: readonly Uint8Array[],
    where: string | null,
  ): Promise<void> {
    const columns = columnsOf(table);
    const names = columns.map(({ name }) => `\`${name}\``).join(', ');
    const rows =
      where === null
        ? ''
        : ` SELECT ${names} FROM input(${literal(structureOf(columns))})${where} ORDER BY rowNumberInAllBlocks()`;
    const { stream } = await this.client.exec({
      query: `INSERT INTO ${table} (${names})${rows} FORMAT Native`,
      values: Readable.from(blocks.map(bufferOf), { objectMode: false }),
      clickhouse_settings: { ...INSERT_SETTINGS, insert_deduplication_token: token },
    });
    for await (const _ of stream); // the answer is complete when it ends
  }

  async query(sql: string, format: string, parameters?: QueryParameters): Promise<string> {
    try {
      const result = await this.client.query({ query: sql, format: format as DataFormat, query_params: parameters });
      return await result.text();
    } catch (error) {
      throw classifyHttp(error);
    }
  }

  async rows(query: string): Promise<Record<string, unknown>[]> {
    return (await this.client.query({ query, format: 'JSONEachRow' })).json();
  }

  /** Reads, and can do nothing else. Closed with the store. */
  reader(): Reader {
    return readerOf(this.client, this.place, async () => {});
  }

  async close(): Promise<void> {
    await this.client.close();
  }
}

/** A reader on a connection of its own. Throws UsageError without clickhouse.url. */
export function openHttpReader(settings: Settings): Reader {
  const client = httpClient({ ...settings, request_timeout: (READ_SECONDS + 15) * 1000 });
  return readerOf(client, settings.url, () => client.close());
}

function structureOf(columns: readonly Column[]): string {
  return columns.map(({ name, type }) => `${name} ${type}`).join(', ');
}

function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

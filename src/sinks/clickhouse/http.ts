// A ClickHouse server over HTTP. A block is one insert of Native bytes under its token; what several workers encoded is made one
// block by the server first, since it mixes the number of blocks into the token (docs/decisions/0009).

import { Readable } from 'node:stream';
import { type ClickHouseClient, ClickHouseError, createClient, type DataFormat } from '@clickhouse/client';
import { OperationalError, UsageError } from '../../cli/verb.ts';
import type { Config } from '../../config/schema.ts';
import { bufferOf } from '../../model/bytes.ts';
import { type Column, columnsOf } from '../../model/tables.ts';
import type { BlockStore, ParcelCarrier, QueryParameters, Reader, StoreBlock } from '../sink.ts';
import { SinkError } from '../sink.ts';
import { classify } from './errors.ts';
import { checkSchema } from './schema.ts';
import { readOnlyStatement } from './sql.ts';

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
  return createClient({ url, username, password, database, request_timeout, max_open_connections: 16 });
}

/** Opens the store. Throws OperationalError: `clickhouse_unreachable`, `schema_outdated`, `schema_mismatch`. */
export async function openHttpStore(settings: Settings, carrier: ParcelCarrier): Promise<HttpStore> {
  const store = new HttpStore(httpClient(settings), carrier);
  try {
    await checkSchema((query) => store.rows(query), settings.database);
    return store;
  } catch (error) {
    await store.close();
    if (error instanceof OperationalError) throw error;
    throw new OperationalError(
      'clickhouse_unreachable',
      `ClickHouse at ${settings.url}: ${classify(error).message}`,
      error,
    );
  }
}

export class HttpStore implements BlockStore {
  private readonly client: ClickHouseClient;
  private readonly carrier: ParcelCarrier;

  constructor(client: ClickHouseClient, carrier: ParcelCarrier) {
    this.client = client;
    this.carrier = carrier;
  }

  async write({ table, token, chunks, parcels = [] }: StoreBlock): Promise<void> {
    try {
      const blocks = [...chunks, ...(await this.carrier.collect(parcels))];
      const columns = columnsOf(table);
      const names = columns.map(({ name }) => `\`${name}\``).join(', ');
      const rows =
        blocks.length === 1
          ? ''
          : ` SELECT ${names} FROM input(${literal(structureOf(columns))}) ORDER BY rowNumberInAllBlocks()`;
      const { stream } = await this.client.exec({
        query: `INSERT INTO ${table} (${names})${rows} FORMAT Native`,
        values: Readable.from(blocks.map(bufferOf), { objectMode: false }),
        clickhouse_settings: { ...INSERT_SETTINGS, insert_deduplication_token: token },
      });
      for await (const _ of stream); // the answer is complete when it ends
    } catch (error) {
      throw classifyHttp(error);
    }
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
    return readerOf(this.client, async () => {});
  }

  async close(): Promise<void> {
    await this.client.close();
  }
}

/** A reader on a connection of its own. */
export function openHttpReader(settings: Settings): Reader {
  const client = httpClient(settings);
  return readerOf(client, () => client.close());
}

function readerOf(client: ClickHouseClient, close: () => Promise<void>): Reader {
  return {
    async query(sql, format, parameters) {
      const query = readOnlyStatement(sql);
      try {
        const result = await client.query({
          query,
          format: format as DataFormat,
          query_params: parameters,
          clickhouse_settings: {
            readonly: '2',
            max_execution_time: 300,
            output_format_json_quote_64bit_integers: 0,
            output_format_json_array_of_rows: 1,
            output_format_json_validate_utf8: 1,
          } as Record<string, string | number>,
        });
        return await result.text();
      } catch (error) {
        const { message } = classifyHttp(error);
        if ((error as { code?: string }).code === SYNTAX_ERROR)
          throw new UsageError(`the SQL cannot be read: ${message}`);
        throw new OperationalError('query_failed', message, error);
      }
    },
    close,
  };
}

/** Whatever the server did not say itself is the way to it: that passes. */
function classifyHttp(error: unknown): SinkError {
  const found = classify(error);
  const said = error instanceof ClickHouseError || error instanceof SinkError;
  return said || found.kind !== 'fatal' ? found : new SinkError('retryable', found.code, found.message, error);
}

/** Of the server's errors; the client takes their names from the message, and not always the right word. */
const SYNTAX_ERROR = '62';

function structureOf(columns: readonly Column[]): string {
  return columns.map(({ name, type }) => `${name} ${type}`).join(', ');
}

function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

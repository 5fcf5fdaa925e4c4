// The embedded store: ClickHouse's engine inside this process (chDB), on the main thread, since its session cannot be
// closed in a worker. Queries and DDL go through @clickhouse/client; blocks go through a spool file, because that
// connection turns request bodies into text.

import { mkdirSync, rmSync } from 'node:fs';
import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type ClickHouseClient, createClient, type DataFormat } from '@clickhouse/client';
import { OperationalError, UsageError } from '../../cli/verb.ts';
import { dataPaths } from '../../delivery/directory.ts';
import type { OutputName } from '../../model/outputs.ts';
import { columnsOf } from '../../model/tables.ts';
import {
  type BlockStore,
  type Isolation,
  NO_CARRIER,
  type ParcelCarrier,
  type QueryParameters,
  type Reader,
  SinkError,
  type StoreBlock,
} from '../sink.ts';
import { bisect, inStreamOrder, rowsBetween } from './bisect.ts';
import { classify } from './errors.ts';
import { DATABASE, migrate, type Retention } from './schema.ts';
import { readOnlyStatement } from './sql.ts';
import { takeBackUnkeptTokens } from './unkept-tokens.ts';

export interface ChdbOptions {
  /** The data directory; its lock must be held. */
  readonly directory: string;
  /** Cap of the engine's memory, bytes. */
  readonly memoryBytes?: number;
  readonly threads?: number;
  readonly retention?: Retention;
  /** Where rows are that workers keep. */
  readonly carrier?: ParcelCarrier;
}

/** The part of chDB's API that is used; chDB is an optional dependency, so its own types may be absent. */
interface Session {
  queryAsync(sql: string, options: { format: string }): Promise<{ text(): string }>;
  queryBindAsync(sql: string, parameters: object, options: { format: string }): Promise<{ text(): string }>;
  close(): void;
}
interface Chdb {
  Session: new (path: string, options: { connectionArgs: readonly string[] }) => Session;
  drainPending(): Promise<void>;
}
type ConnectionFactory = (options: { path: string }) => never;

/**
 * Opens the store and brings its schema up to date. Throws OperationalError: `chdb_missing`, `schema_mismatch`,
 * `data_directory_in_use`, `data_directory_name`.
 */
export async function openChdbStore(options: ChdbOptions): Promise<ChdbStore> {
  const paths = dataPaths(options.directory);
  if (/[*?{}[\]]/.test(paths.root))
    throw new OperationalError(
      'data_directory_name',
      `${paths.root}: the path must not have any of * ? { } [ ], which chDB reads as patterns.`,
    );
  const { chdb, connect } = await load();
  takeBackUnkeptTokens(paths.store);
  const engine = openEngine(chdb, paths.store, options);
  rmSync(paths.spool, { recursive: true, force: true }); // only now is it certain that nobody else uses it
  mkdirSync(paths.spool, { recursive: true, mode: 0o700 });
  const client = createClient({ connection: connect({ path: paths.store }) });
  const store = new ChdbStore(chdb, engine, client, paths.store, paths.spool, options);
  try {
    for (const setting of sessionSettings(options)) await client.command({ query: `SET ${setting}` });
    await migrate(
      {
        enter: async (database) => {
          await client.command({ query: `CREATE DATABASE IF NOT EXISTS ${database}` });
          await client.command({ query: `USE ${database}` });
        },
        run: async (query) => void (await client.command({ query })),
        rows: async (query) => (await client.query({ query, format: 'JSONEachRow' })).json(),
      },
      options.retention ?? {},
    );
  } catch (error) {
    await store.close();
    throw error instanceof OperationalError
      ? error
      : new OperationalError('store_failed', `the store cannot be opened: ${classify(error).message}`, error);
  }
  return store;
}

async function load(): Promise<{ chdb: Chdb; connect: ConnectionFactory }> {
  const names = ['chdb', 'chdb/connection']; // not literals: the type checker must not need an optional dependency
  try {
    const [chdb, connection] = await Promise.all(names.map((name) => import(name) as Promise<unknown>));
    return {
      chdb: chdb as Chdb,
      connect: (connection as { createChdbConnection: ConnectionFactory }).createChdbConnection,
    };
  } catch (error) {
    throw new OperationalError(
      'chdb_missing',
      "the embedded store needs the optional package chdb (Linux or macOS, glibc): run 'npm install chdb', or use a ClickHouse server.",
      error,
    );
  }
}

const DEFAULT_MEMORY = 1_500_000_000;
const DEFAULT_THREADS = 2;

/** The first session of a process decides the engine's own configuration; it stays open as long as the store. */
function openEngine(chdb: Chdb, path: string, { memoryBytes = DEFAULT_MEMORY }: ChdbOptions): Session {
  const settings = [
    'timezone=UTC', // months and rendered times must not depend on the machine
    `max_server_memory_usage=${memoryBytes}`,
    `mark_cache_size=${Math.floor(memoryBytes / 20)}`,
    'uncompressed_cache_size=0',
    'background_pool_size=2',
    'background_move_pool_size=1',
    'background_fetches_pool_size=1',
    'background_common_pool_size=1',
    'background_schedule_pool_size=2',
    'background_message_broker_schedule_pool_size=1',
    'background_distributed_schedule_pool_size=1',
    'background_buffer_flush_schedule_pool_size=1',
  ];
  try {
    return new chdb.Session(path, { connectionArgs: settings.map((setting) => `--${setting}`) });
  } catch (error) {
    throw new OperationalError(
      'data_directory_in_use',
      `${path} cannot be opened: another process uses it, or it is not readable and writable.`,
      error,
    );
  }
}

function sessionSettings({ memoryBytes = DEFAULT_MEMORY, threads = DEFAULT_THREADS }: ChdbOptions): string[] {
  return [
    `max_memory_usage = ${memoryBytes}`,
    `max_threads = ${threads}`,
    'async_insert = 0',
    'max_insert_threads = 1',
  ];
}

/**
 * One Native file is one part, and its token makes a repeat harmless: no setting here may split or delay it. The engine
 * mixes the number of blocks that reach the insert into the token (measured), and a replay may cut its batches elsewhere;
 * so the rows are "sorted" into the order that they have, which makes one block of them. By the table's key that would take
 * the engine five times the CPU time: blocks whose rows interleave are merged row by row, those that follow each other whole.
 */
const ONE_PART = [
  'max_block_size = 10000000',
  'insert_deduplicate = 1',
  'async_insert = 0',
  'max_insert_threads = 1',
  'max_threads = 1',
  'max_insert_block_size = 10000000',
  'min_insert_block_size_rows = 10000000',
  'min_insert_block_size_bytes = 4000000000',
  'max_partitions_per_insert_block = 0',
  'deduplicate_blocks_in_dependent_materialized_views = 1',
].join(', ');

export class ChdbStore implements BlockStore {
  private readonly chdb: Chdb;
  private readonly engine: Session;
  private readonly client: ClickHouseClient;
  private readonly path: string;
  private readonly spool: string;
  private readonly options: ChdbOptions;
  private spooled = 0;
  private closed: Promise<void> | null = null;
  private readonly writing = new Set<Promise<unknown>>();

  constructor(
    chdb: Chdb,
    engine: Session,
    client: ClickHouseClient,
    path: string,
    spool: string,
    options: ChdbOptions,
  ) {
    this.chdb = chdb;
    this.engine = engine;
    this.client = client;
    this.path = path;
    this.spool = spool;
    this.options = options;
  }

  write(block: StoreBlock): Promise<void> {
    return this.underWay(this.insertAll(block));
  }

  isolate(block: StoreBlock, isolation: Isolation): Promise<void> {
    return this.underWay(this.insertPieces(block, isolation));
  }

  async query(sql: string, format: string, parameters?: QueryParameters): Promise<string> {
    try {
      const result = await this.client.query({ query: sql, format: format as DataFormat, query_params: parameters });
      return await result.text();
    } catch (error) {
      throw classify(error);
    }
  }

  /** A reader in this process, on a connection of its own that the engine keeps read-only. Close it before the store. */
  reader(): Promise<Reader> {
    return openReadOnly(this.chdb, this.path, this.options);
  }

  /** Waits for the writes under way, then closes the engine. Repeatable. */
  close(): Promise<void> {
    this.closed ??= this.shut();
    return this.closed;
  }

  private underWay<T>(work: Promise<T>): Promise<T> {
    this.writing.add(work);
    const done = (): void => void this.writing.delete(work);
    work.then(done, done);
    return work;
  }

  private async insertPieces(
    { table, token, rows, chunks, parcels = [] }: StoreBlock,
    isolation: Isolation,
  ): Promise<void> {
    const path = this.spoolPath();
    try {
      const { carrier = NO_CARRIER } = this.options;
      await spool(`${path}.native`, [...chunks, ...(await inStreamOrder(carrier, parcels))]);
      await bisect(rows, isolation, async (from, to) => {
        await this.insert(table, `${token}/${from}-${to}`, path, rowsBetween(from, to)).catch((error: unknown) => {
          throw classify(error);
        });
      });
    } catch (error) {
      throw classify(error);
    } finally {
      await unlink(`${path}.native`).catch(() => {});
    }
  }

  private async insertAll({ table, token, chunks, parcels = [] }: StoreBlock): Promise<void> {
    const path = this.spoolPath();
    const files: string[] = [];
    try {
      if (chunks.length > 0) {
        files.push(`${path}.native`);
        await spool(files[0], chunks);
      }
      files.push(...(await (this.options.carrier ?? NO_CARRIER).spool(parcels, path)));
      await this.insert(table, token, path);
    } catch (error) {
      throw classify(error);
    } finally {
      for (const file of files) await unlink(file).catch(() => {}); // whatever stays is removed on the next opening
    }
  }

  /** Its end keeps block 1 from taking block 10's files for its own. */
  private spoolPath(): string {
    return join(this.spool, `${this.spooled++}_`);
  }

  /** What lies in the files whose names begin with `path`, as one block. */
  private async insert(table: OutputName, token: string, path: string, where = ''): Promise<void> {
    const columns = columnsOf(table)
      .map(({ name }) => `\`${name}\``)
      .join(', ');
    await this.client.command({
      query: `INSERT INTO ${DATABASE}.${table} (${columns}) SELECT ${columns} FROM file(${literal(`${path}*.native`)}, 'Native')${where} ORDER BY rowNumberInAllBlocks() SETTINGS insert_deduplication_token = ${literal(token)}, ${ONE_PART}`,
    });
  }

  private async shut(): Promise<void> {
    await Promise.allSettled(this.writing);
    await this.client.close();
    this.engine.close();
    await this.chdb.drainPending();
  }
}

async function openReadOnly(chdb: Chdb, path: string, options: ChdbOptions): Promise<Reader> {
  const { memoryBytes = DEFAULT_MEMORY, threads = DEFAULT_THREADS } = options;
  const settings = [
    'readonly=1',
    `max_memory_usage=${Math.floor(memoryBytes / 2)}`,
    `max_threads=${threads}`,
    `max_result_bytes=${Math.floor(memoryBytes / 8)}`,
    'result_overflow_mode=throw',
    'max_execution_time=300',
    'output_format_json_quote_64bit_integers=0',
    'output_format_json_array_of_rows=1',
    'output_format_json_validate_utf8=1',
    'output_format_json_escape_forward_slashes=0',
  ];
  const session = new chdb.Session(path, { connectionArgs: settings.map((setting) => `--${setting}`) });
  await session.queryAsync(`USE ${DATABASE}`, { format: 'TSV' });
  let open = true;
  const running = new Set<Promise<unknown>>();
  return {
    async query(sql, format, parameters = {}) {
      const statement = readOnlyStatement(sql);
      if (!open) throw new OperationalError('store_closed', 'the store is being closed.');
      const bound = Object.keys(parameters).length > 0;
      const result = bound
        ? session.queryBindAsync(statement, parameters, { format })
        : session.queryAsync(statement, { format });
      running.add(result);
      try {
        return (await result).text();
      } catch (error) {
        throw failed(error);
      } finally {
        running.delete(result);
      }
    },
    async close() {
      open = false;
      await Promise.allSettled(running);
      session.close();
    },
  };
}

/** The engine's message without what only its developers can use. */
function failed(error: unknown): Error {
  const { code, message } = classify(error);
  const text = message
    .replaceAll(/Code: \d+\. DB::Exception: /g, '')
    .replaceAll(/ ?\(version [^)]*\)/g, '')
    .replace(/\s*\([A-Z_]+\)\s*$/, '')
    .trim();
  if (code === 'SYNTAX_ERROR') return new UsageError(`the SQL cannot be read: ${text}`);
  if (code === 'TOO_MANY_ROWS_OR_BYTES')
    return new OperationalError('query_failed', `the result is too large; add LIMIT or an aggregation. ${text}`, error);
  return new OperationalError('query_failed', text, error);
}

async function spool(file: string, chunks: readonly Uint8Array[]): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    const { bytesWritten } = await handle.writev(chunks as Uint8Array[]);
    const wanted = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    if (bytesWritten !== wanted)
      // writev stops early, and without an error, when the disk fills up
      throw new SinkError('retryable', 'ENOSPC', `${file}: wrote ${bytesWritten} of ${wanted} bytes`);
  } finally {
    await handle.close();
  }
}

function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

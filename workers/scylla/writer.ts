// Writes parcels of rows: connects when it is first needed, keeps to the limiter, and tells the rows that can never be written from
// conditions that pass. Statements of one partition go together. One that was acknowledged is not sent again when its parcel is.

import type { ScyllaSettings } from '../../src/model/outputs.ts';
import type { DeliveryOutcome } from '../../src/model/work.ts';
import type { ParcelWriter } from '../parcels.ts';
import { queries } from './columns.ts';
import type { ScyllaParcel } from './encoder.ts';
import { classifyCql } from './errors.ts';
import { gathered, joined } from './gather.ts';
import { Limiter } from './limiter.ts';
import { type Statement, singleRow } from './statements.ts';

type Refusal = NonNullable<DeliveryOutcome>;

export interface Connection {
  send(statement: Statement): Promise<unknown>;
  close(): Promise<void>;
}

export class ScyllaWriter implements ParcelWriter<ScyllaParcel> {
  private readonly limiter: Limiter;
  private readonly batchBytes: number;
  private readonly open: () => Promise<Connection>;
  private connection: Promise<Connection> | null = null;
  private readonly acknowledged = new WeakSet<Statement>();

  constructor(settings: ScyllaSettings, open = () => openConnection(settings)) {
    this.open = open;
    this.limiter = new Limiter(settings.inFlight);
    this.batchBytes = settings.batchBytes;
  }

  async write(parcels: readonly ScyllaParcel[]): Promise<DeliveryOutcome> {
    let connection: Connection;
    try {
      connection = await this.connect();
    } catch (error) {
      return classifyCql(error);
    }
    const refusals: Refusal[] = [];
    const left = parcels.flatMap(({ statements }) => statements).filter((one) => !this.acknowledged.has(one));
    await Promise.all(
      gathered(left, this.batchBytes).map(async (group) => {
        if (refusals.some(({ kind }) => kind === 'fatal')) return;
        const refusal = await this.sendTogether(connection, group);
        if (refusal !== null) refusals.push(refusal);
      }),
    );
    return together(refusals);
  }

  async close(): Promise<void> {
    const connection = await this.connection?.catch(() => null);
    await connection?.close();
  }

  /** Sends statements of one partition as one; where that is refused for its rows, each by itself. */
  private async sendTogether(connection: Connection, group: readonly Statement[]): Promise<DeliveryOutcome> {
    if (group.length === 1) {
      const refusal = await this.send(connection, group[0]);
      if (refusal === null) this.acknowledged.add(group[0]);
      return refusal;
    }
    try {
      await this.limiter.run(() => connection.send(joined(group)), isOverload); // what only waits takes no memory twice
      for (const statement of group) this.acknowledged.add(statement);
      return null;
    } catch (error) {
      const refusal = classifyCql(error);
      if (refusal.kind !== 'poison') return refusal;
      const outcomes: DeliveryOutcome[] = [];
      for (const statement of group) outcomes.push(await this.sendTogether(connection, [statement]));
      return together(outcomes.filter((outcome) => outcome !== null));
    }
  }

  private async send(connection: Connection, statement: Statement): Promise<DeliveryOutcome> {
    try {
      await this.limiter.run(() => connection.send(statement), isOverload);
      return null;
    } catch (error) {
      const refusal = classifyCql(error);
      if (refusal.kind !== 'poison') return refusal;
      if (statement.queries.length === 1) return { ...refusal, rows: statement.items };
      // A batch that is refused may have one bad row, or be too long for this server: its rows go one by one.
      const outcomes: DeliveryOutcome[] = [];
      for (let row = 0; row < statement.queries.length; row++)
        outcomes.push(await this.send(connection, singleRow(statement, row)));
      return together(outcomes.filter((outcome) => outcome !== null));
    }
  }

  private connect(): Promise<Connection> {
    this.connection ??= this.open().catch((error: unknown) => {
      this.connection = null;
      throw error;
    });
    return this.connection;
  }
}

/**
 * What stops everything is told first; what passes comes before rows that never will, which are then told again. Of poison, all
 * rows are told together.
 */
function together(refusals: readonly Refusal[]): DeliveryOutcome {
  for (const kind of ['fatal', 'retryable'] as const) {
    const found = refusals.find((refusal) => refusal.kind === kind);
    if (found) return found;
  }
  if (refusals.length === 0) return null;
  const rows = new Set(refusals.flatMap((refusal) => refusal.rows ?? []));
  return { ...refusals[0], rows: [...rows].sort((a, b) => a - b) };
}

function isOverload(error: unknown): boolean {
  const { code } = classifyCql(error);
  return code === 'OVERLOADED' || code === 'WRITE_TIMEOUT' || code === 'CLIENT_TIMEOUT';
}

async function openConnection(settings: ScyllaSettings): Promise<Connection> {
  const { createClient, prepareAll, sendStatement } = await import('./driver.ts'); // only who writes needs the driver
  const client = createClient(settings);
  const close = (): Promise<void> => client.shutdown().catch(() => {});
  try {
    await client.connect();
    const ids = await prepareAll(client, queries(settings.keyspace, settings.flowBucketMs > 0));
    return { send: (statement) => sendStatement(client, statement, ids), close };
  } catch (error) {
    await close();
    throw error;
  }
}

// Batch statements as whole frame bodies of protocol version 4, built while their rows are encoded: unlogged, of one partition, and
// no longer than the server likes. The identifiers of prepared statements are put in when they are sent.
//
// A body: type (1, unlogged), number of rows, then a row: kind (1, prepared), identifier, values; consistency, flags.

import { CqlWriter } from './cql-writer.ts';

/** Before each body there is room for the frame's own header. */
export const FRAME_HEADER = 9;
/** Scylla's and Cassandra's identifiers are MD5 hashes. */
export const ID_BYTES = 16;

const UNLOGGED = 1;
const PREPARED = 1;

/** Prepared statements by number, see `QUERIES`. */
export type QueryNumber = number;

/** One batch statement of a parcel. */
export interface Statement {
  /** Frame header and body. */
  readonly frame: Buffer;
  /** Where identifiers go, and of which prepared statement. */
  readonly ids: readonly number[];
  readonly queries: readonly QueryNumber[];
  /** Where each row's part begins, so that a refused batch can be sent row by row; its last element is where they end. */
  readonly rows: readonly number[];
  /** Which row of the parcel each one is of. */
  readonly items: readonly number[];
  /** Serialised partition key, for token awareness. */
  readonly routingKey: Buffer;
}

export class StatementWriter {
  readonly values = new CqlWriter();
  private readonly batchBytes: number;
  private readonly consistency: number;
  private readonly pending: Open[] = [];
  private open: Open | null = null;
  private rowStart = 0;

  constructor(batchBytes: number, consistency: number) {
    this.batchBytes = batchBytes;
    this.consistency = consistency;
  }

  /** Begins a partition. */
  partition(routingKey: Buffer): void {
    this.close();
    this.start(routingKey);
  }

  /** Begins a row for row `item` of the parcel; its values follow through `values`. */
  row(query: QueryNumber, columns: number, item: number): void {
    const { values } = this;
    let open = this.open!;
    if (open.ids.length > 0 && values.length - open.start > this.batchBytes) {
      this.close();
      open = this.start(open.routingKey);
    }
    this.rowStart = values.length - open.start;
    open.rows.push(this.rowStart);
    values.u8(PREPARED);
    values.u16(ID_BYTES);
    values.reserve(ID_BYTES);
    open.ids.push(values.length - open.start);
    open.queries.push(query);
    open.items.push(item);
    values.length += ID_BYTES;
    values.u16(columns);
  }

  /** The statements so far; the writer is empty afterwards. */
  take(): { statements: Statement[]; bytes: number } {
    this.close();
    const memory = this.values.take();
    const statements = this.pending.splice(0).map(({ start, end, ids, queries, rows, items, routingKey }) => ({
      frame: memory.subarray(start, end),
      ids,
      queries,
      rows,
      items,
      routingKey,
    }));
    return { statements, bytes: memory.length };
  }

  private start(routingKey: Buffer): Open {
    const { values } = this;
    values.reserve(FRAME_HEADER + 8);
    this.open = { start: values.length, end: 0, ids: [], queries: [], rows: [], items: [], routingKey };
    values.length += FRAME_HEADER;
    values.u8(UNLOGGED);
    values.u16(0);
    return this.open;
  }

  private close(): void {
    const { open, values } = this;
    if (open === null) return;
    this.open = null;
    if (open.ids.length === 0) {
      values.length = open.start;
      return;
    }
    open.rows.push(values.length - open.start);
    values.bytes.writeUInt16BE(open.ids.length, open.start + FRAME_HEADER + 1);
    values.u16(this.consistency);
    values.u8(0);
    open.end = values.length;
    this.pending.push(open);
  }
}

interface Open {
  readonly start: number;
  end: number;
  readonly ids: number[];
  readonly queries: QueryNumber[];
  readonly rows: number[];
  readonly items: number[];
  readonly routingKey: Buffer;
}

/** The batch statement of one row of another. */
export function singleRow(statement: Statement, row: number): Statement {
  const { frame, rows, ids, items, queries, routingKey } = statement;
  const from = rows[row];
  const to = rows[row + 1];
  const last = rows[rows.length - 1];
  const head = Buffer.alloc(FRAME_HEADER + 3);
  head[FRAME_HEADER] = UNLOGGED;
  head.writeUInt16BE(1, FRAME_HEADER + 1);
  const single = Buffer.concat([head, frame.subarray(from, to), frame.subarray(last)]);
  return {
    frame: single,
    ids: [ids[row] - from + head.length],
    queries: [queries[row]],
    rows: [head.length, head.length + to - from],
    items: [items[row]],
    routingKey,
  };
}

/** Partition key of several columns: each with its length before and a zero behind it. One column is its own bytes. */
export function routingKeyOf(parts: readonly Buffer[]): Buffer {
  if (parts.length === 1) return parts[0];
  const pieces = parts.flatMap((part) => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(part.length);
    return [length, part, Buffer.of(0)];
  });
  return Buffer.concat(pieces);
}

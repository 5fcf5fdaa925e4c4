// Statements of one partition are sent as one, up to the server's limit. Records of a batch spread over all tenants and PoPs, so a
// batch alone gives each partition a few rows; a block has several batches. What a server does for a statement (its journal's
// entry, its wait for the disk, its answer) costs as much as what it does for a good many rows.

import { FRAME_HEADER, type Statement } from './statements.ts';

/** Type and number of rows, before the first row. */
const HEAD = FRAME_HEADER + 3;

/** Which statements go together: of the same partition, in their order, and no longer than `mostBytes` unless one alone is. */
export function gathered(statements: readonly Statement[], mostBytes: number): Statement[][] {
  const groups: Statement[][] = [];
  const open = new Map<string, { members: Statement[]; bytes: number }>();
  for (const statement of statements) {
    const key = statement.routingKey.toString('latin1');
    const bytes = rowBytes(statement);
    const group = open.get(key);
    if (group !== undefined && group.bytes + bytes <= mostBytes) {
      group.members.push(statement);
      group.bytes += bytes;
      continue;
    }
    const members = [statement];
    groups.push(members);
    open.set(key, { members, bytes });
  }
  return groups;
}

/** One statement with the rows of all of them, which are of one partition. Its items are of several parcels and name nothing. */
export function joined(statements: readonly Statement[]): Statement {
  if (statements.length === 1) return statements[0];
  const [first] = statements;
  const tail = first.frame.subarray(first.rows[first.rows.length - 1]);
  const size = statements.reduce((sum, statement) => sum + rowBytes(statement), HEAD + tail.length);
  const frame = Buffer.allocUnsafe(size);
  first.frame.copy(frame, 0, 0, HEAD);
  const ids: number[] = [];
  const rows: number[] = [];
  let at = HEAD;
  for (const statement of statements) {
    const start = statement.rows[0];
    const end = statement.rows[statement.rows.length - 1];
    const shift = at - start;
    statement.frame.copy(frame, at, start, end);
    for (const id of statement.ids) ids.push(id + shift);
    for (let row = 0; row < statement.ids.length; row++) rows.push(statement.rows[row] + shift);
    at += end - start;
  }
  rows.push(at);
  tail.copy(frame, at);
  frame.writeUInt16BE(ids.length, FRAME_HEADER + 1);
  const queries = statements.flatMap((statement) => statement.queries);
  return { frame, ids, queries, rows, items: statements.flatMap(({ items }) => items), routingKey: first.routingKey };
}

function rowBytes({ rows }: Statement): number {
  return rows[rows.length - 1] - rows[0];
}

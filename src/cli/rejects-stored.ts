// Refused records of a data directory.

import { filePaths } from '../delivery/file-paths.ts';
import type { RejectCode } from '../model/reject.ts';
import type { Reader } from '../sinks/sink.ts';
import { rowsOf } from './reader.ts';
import type { RejectFilter } from './rejects-filter.ts';
import type { Rejected, RejectList } from './rejects-view.ts';

interface Row {
  readonly reject_id: string;
  readonly tenant_id: string;
  readonly source: string;
  readonly file: string;
  readonly position: string;
  readonly length: string;
  readonly code: RejectCode;
  readonly detail: string;
  readonly format: string;
  readonly at: number;
  /** Base64. */
  readonly raw: string;
}

const COLUMNS =
  'reject_id, tenant_id, source, file, toString(position) AS position, toString(length) AS length, code, detail, format, toUnixTimestamp(ingested_at) AS at, base64Encode(raw) AS raw';

export async function storedList(
  reader: Reader,
  directory: string,
  filter: RejectFilter,
  limit: number,
): Promise<RejectList> {
  const { where, parameters } = conditions(filter);
  const counts = await rowsOf<{ code: RejectCode; n: number }>(
    reader,
    `SELECT code, toUInt32(count()) AS n FROM rejects WHERE ${where} GROUP BY code`,
    parameters,
  );
  const found = await rowsOf<Row>(
    reader,
    `SELECT ${COLUMNS} FROM rejects AS r WHERE ${where} ORDER BY r.source, r.file, r.position LIMIT {limit:UInt32}`,
    { ...parameters, limit },
  );
  const paths = await filePaths(directory);
  return { counts: new Map(counts.map(({ code, n }) => [code, n])), found: found.map((row) => viewOf(row, paths)) };
}

/** Those whose id begins so, two at most. */
export async function storedById(reader: Reader, directory: string, id: string): Promise<readonly Rejected[]> {
  const sql = `SELECT ${COLUMNS} FROM rejects WHERE startsWith(toString(reject_id), {id:String}) ORDER BY reject_id LIMIT 2`;
  const found = await rowsOf<Row>(reader, sql, { id });
  const paths = await filePaths(directory);
  return found.map((row) => viewOf(row, paths));
}

function viewOf({ raw, at, position, length, ...rest }: Row, paths: ReadonlyMap<string, string>): Rejected {
  return {
    ...rest,
    path: paths.get(rest.file) ?? null,
    position: Number(position),
    length: Number(length),
    rejected_at: new Date(at * 1000).toISOString(),
    bytes: Buffer.from(raw, 'base64'),
  };
}

/** Every value is a bound parameter. */
function conditions({ tenantId, code, source, sinceMs, untilMs }: RejectFilter): {
  where: string;
  parameters: Record<string, string>;
} {
  const where = ['1'];
  const parameters: Record<string, string> = {};
  const add = (condition: string, name: string, value: string): void => {
    where.push(condition);
    parameters[name] = value;
  };
  if (tenantId !== undefined) add('tenant_id = {tenant:UUID}', 'tenant', tenantId);
  if (code !== undefined) add('code = {code:String}', 'code', code);
  if (source !== undefined) add('source = {source:String}', 'source', source);
  if (sinceMs !== undefined)
    add('toUnixTimestamp(ingested_at) >= {since:Int64}', 'since', String(Math.floor(sinceMs / 1000)));
  if (untilMs !== undefined)
    add('toUnixTimestamp(ingested_at) < {until:Int64}', 'until', String(Math.ceil(untilMs / 1000)));
  return { where: where.join(' AND '), parameters };
}

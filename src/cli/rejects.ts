// weir rejects: what was refused, why, where it stood, and what to do about it.

import { basename } from 'node:path';
import { filePaths } from '../delivery/file-paths.ts';
import { REJECT_ADVICE, REJECT_CODES, type RejectCode } from '../model/reject.ts';
import type { Reader } from '../sinks/sink.ts';
import { DATA_OPTIONS, rowsOf, withReader } from './reader.ts';
import { printable, printableBytes, printableJson, renderTable } from './table.ts';
import { positiveInteger } from './values.ts';
import { type Io, OperationalError, UsageError, type Values, type Verb } from './verb.ts';

export const rejects: Verb = {
  name: 'rejects',
  usage: 'list [--code CODE] [--source NAME] [--limit N] [--data DIR] [--json]  |  show ID [--data DIR] [--json]',
  summary: 'Lists refused records (dead letters) by reason, or shows one with its bytes and what to do about it.',
  options: {
    ...DATA_OPTIONS,
    code: { type: 'string', argument: 'CODE', help: 'only this reason, e.g. bad_timestamp' },
    source: { type: 'string', argument: 'NAME', help: 'only of this source' },
    limit: { type: 'string', argument: 'N', default: '20', help: 'at most so many records' },
    json: { type: 'boolean', help: 'one JSON document' },
  },
  examples: ['weir rejects list', 'weir rejects list --code bad_timestamp --json', 'weir rejects show 1f6f0c1e'],
  async run(values, positionals, io) {
    const [action = 'list', id, more] = positionals;
    if (action === 'list' && id === undefined) return withReader(values, (...from) => list(...from, values, io));
    if (action !== 'show') throw new UsageError(`rejects knows 'list' and 'show ID', not '${positionals.join(' ')}'.`);
    if (id === undefined || more !== undefined)
      throw new UsageError('rejects show needs one reject id (or its beginning).');
    return withReader(values, (...from) => show(...from, id, values, io));
  },
};

interface Rejected {
  readonly reject_id: string;
  readonly tenant_id: string;
  readonly source: string;
  readonly file: string;
  readonly position: string;
  readonly length: string;
  readonly code: RejectCode;
  readonly detail: string;
  readonly format: string;
  /** Base64. */
  readonly raw: string;
}

const COLUMNS =
  'reject_id, tenant_id, source, file, toString(position) AS position, toString(length) AS length, code, detail, format, base64Encode(raw) AS raw';

async function list(reader: Reader, directory: string, values: Values, io: Io): Promise<number> {
  const limit = positiveInteger('--limit', values.limit, 100_000);
  const { where, parameters } = filter(values);
  const counts = await rowsOf<{ code: RejectCode; n: number }>(
    reader,
    `SELECT code, toUInt32(count()) AS n FROM rejects WHERE ${where} GROUP BY code ORDER BY n DESC, code`,
    parameters,
  );
  const found = await rowsOf<Rejected>(
    reader,
    `SELECT ${COLUMNS} FROM rejects AS r WHERE ${where} ORDER BY r.source, r.file, r.position LIMIT {limit:UInt32}`,
    { ...parameters, limit },
  );
  const paths = await filePaths(directory);
  if (values.json) {
    const document = {
      counts: Object.fromEntries(counts.map(({ code, n }) => [code, n])),
      rejects: found.map((reject) => asDocument(reject, paths)),
    };
    io.stdout.write(`${printableJson(JSON.stringify(document))}\n`);
    return 0;
  }
  if (counts.length === 0) {
    io.stdout.write('no rejected records\n');
    return 0;
  }
  const width = io.stdout.isTTY ? (io.stdout.columns ?? 0) : 0;
  io.stdout.write(
    renderTable(
      [{ title: 'code' }, { title: 'records', align: 'right' }, { title: 'what to do' }],
      counts.map(({ code, n }) => [code, String(n), adviceFor(code)]),
      { width },
    ),
  );
  const titles = ['id', 'code', 'source', 'file', 'position', 'detail', 'record'].map((title) => ({ title }));
  const rows = found.map((r) => {
    const path = paths.get(r.file);
    const file = path === undefined ? r.file.slice(0, 8) : basename(path);
    return [r.reject_id.slice(0, 8), r.code, r.source, file, r.position, r.detail, head(r.raw)];
  });
  io.stdout.write(`\n${renderTable(titles, rows, { width })}`);
  const total = counts.reduce((sum, { n }) => sum + n, 0);
  io.stdout.write(`${found.length} of ${total} rejected records; 'weir rejects show ID' shows one\n`);
  return 0;
}

function filter(values: Values): { where: string; parameters: Record<string, string> } {
  const conditions = ['1'];
  const parameters: Record<string, string> = {};
  if (values.code !== undefined) {
    const code = String(values.code);
    if (!(REJECT_CODES as readonly string[]).includes(code))
      throw new UsageError(`--code is one of ${REJECT_CODES.join(', ')}, not '${code}'.`);
    conditions.push('code = {code:String}');
    parameters.code = code;
  }
  if (values.source !== undefined) {
    conditions.push('source = {source:String}');
    parameters.source = String(values.source);
  }
  return { where: conditions.join(' AND '), parameters };
}

async function show(reader: Reader, directory: string, id: string, values: Values, io: Io): Promise<number> {
  if (!/^[0-9a-f-]{4,36}$/i.test(id))
    throw new UsageError(`'${id}' is no reject id (hexadecimal, four digits or more).`);
  const sql = `SELECT ${COLUMNS} FROM rejects WHERE startsWith(toString(reject_id), {id:String}) ORDER BY reject_id LIMIT 2`;
  const found = await rowsOf<Rejected>(reader, sql, { id: id.toLowerCase() });
  if (found.length === 0)
    throw new OperationalError('reject_unknown', `there is no reject ${id}; 'weir rejects list' lists them.`);
  if (found.length > 1)
    throw new OperationalError('reject_ambiguous', `several rejects begin with ${id}; give more of the id.`);
  const [reject] = found;
  const paths = await filePaths(directory);
  io.stdout.write(values.json ? `${printableJson(JSON.stringify(asDocument(reject, paths)))}\n` : page(reject, paths));
  return 0;
}

function page(reject: Rejected, paths: ReadonlyMap<string, string>): string {
  const path = paths.get(reject.file);
  const bytes = Buffer.from(reject.raw, 'base64');
  const kept = bytes.length < Number(reject.length) ? `, the first ${bytes.length} kept` : '';
  const tenant = /^[0-]+$/.test(reject.tenant_id) ? 'not known' : reject.tenant_id;
  const lines = [
    `${reject.code}: ${printable(reject.detail)}`,
    adviceFor(reject.code),
    '',
    `  reject    ${reject.reject_id}`,
    `  tenant    ${tenant}`,
    `  source    ${printable(reject.source)}`,
    `  format    ${reject.format}`,
    ...(path === undefined ? [] : [`  path      ${printable(path)} (when it was last read)`]),
    `  file      ${printable(reject.file)}`,
    `  position  byte ${reject.position} (of the unpacked data), ${reject.length} bytes${kept}`,
    '',
    printableBytes(bytes),
  ];
  return `${lines.join('\n')}\n`;
}

/** As --json gives it: numbers as numbers, the bytes as text where they are UTF-8, and always as base64. */
function asDocument(reject: Rejected, paths: ReadonlyMap<string, string>) {
  const bytes = Buffer.from(reject.raw, 'base64');
  const { raw: raw_base64, ...rest } = reject;
  return {
    ...rest,
    path: paths.get(reject.file) ?? null,
    position: Number(reject.position),
    length: Number(reject.length),
    advice: adviceFor(reject.code),
    raw: bytes.toString('utf8'),
    raw_base64,
  };
}

function adviceFor(code: string): string {
  return Object.hasOwn(REJECT_ADVICE, code) ? REJECT_ADVICE[code as RejectCode] : '';
}

function head(base64: string): string {
  const bytes = Buffer.from(base64, 'base64');
  return printableBytes(bytes.subarray(0, 80)) + (bytes.length > 80 ? '…' : '');
}

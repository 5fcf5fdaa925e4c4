// weir query: read-only SQL on everything stored, also while a run is alive.

import type { Reader } from '../sinks/sink.ts';
import { DATA_OPTIONS, withReader } from './reader.ts';
import { plainAddresses, printable, printableJson, renderTable } from './table.ts';
import { type Io, UsageError, type Values, type Verb } from './verb.ts';

const FORMATS = ['table', 'json', 'csv'] as const;
type Format = (typeof FORMATS)[number];

export const query: Verb = {
  name: 'query',
  usage: "'SELECT …' [--data DIR | --config FILE] [--format table|json|csv]",
  summary:
    'Runs read-only SQL (ClickHouse dialect) on everything stored, also while a run is alive. With store.kind: servers it reads ClickHouse: alerts and rollups; flows, sessions and tunnel statistics are in ScyllaDB then (cqlsh), refused records in Kafka (weir rejects).',
  options: {
    ...DATA_OPTIONS,
    format: { type: 'string', argument: 'NAME', help: 'table (default), json (one array of rows) or csv' },
    json: { type: 'boolean', help: 'the same as --format json' },
  },
  examples: [
    "weir query 'SHOW TABLES'",
    "weir query 'SELECT application, sum(total_bytes) AS bytes FROM traffic_analytics GROUP BY 1 ORDER BY 2 DESC'",
    'weir query "SELECT * FROM flows WHERE source_ip = toIPv6(\'192.0.2.7\') LIMIT 10" --json',
    "weir query 'SELECT count() FROM alerts_latest' --config /etc/weir/weir.yaml",
  ],
  async run(values, positionals, io) {
    const [sql, more] = positionals;
    if (sql === undefined) throw new UsageError("query needs SQL, for example 'SELECT count() FROM flows'.");
    if (more !== undefined) throw new UsageError('query takes one argument: put the SQL in quotes.');
    const format = formatOf(values);
    return withReader(values, async (reader) => {
      io.stdout.write(await answer(reader, sql, format, io));
      return 0;
    });
  },
};

function formatOf(values: Values): Format {
  const format = values.format ?? (values.json ? 'json' : 'table');
  const known = FORMATS.find((name) => name === format);
  if (!known) throw new UsageError(`--format is table, json or csv, not '${String(format)}'.`);
  if (values.json && known !== 'json') throw new UsageError('--json and --format contradict each other.');
  return known;
}

async function answer(reader: Reader, sql: string, format: Format, io: Io): Promise<string> {
  if (format === 'csv') {
    const csv = csvAddresses(await reader.query(sql, 'CSVWithNames'));
    // Files and pipes get the values as they are.
    return io.stdout.isTTY ? printableLines(csv) : csv;
  }
  if (format === 'json')
    return `${printableJson(jsonAddresses(await reader.query(sql, 'JSONEachRow'))).trim() || '[]'}\n`;
  const lines = (await reader.query(sql, 'JSONCompactStringsEachRowWithNamesAndTypes')).trim();
  const [names = [], types = [], ...rows] = lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as string[]);
  const columns = names.map((title, c) => ({
    title,
    align: isNumber(types[c]) ? ('right' as const) : ('left' as const),
  }));
  const cells = rows.map((row) => row.map((cell, c) => (types[c].includes('IPv6') ? plainAddresses(cell) : cell)));
  const width = io.stdout.isTTY ? (io.stdout.columns ?? 0) : 0;
  const table = columns.length === 0 ? '' : renderTable(columns, cells, { width });
  return `${table}${rows.length} ${rows.length === 1 ? 'row' : 'rows'}\n`;
}

function isNumber(type: string): boolean {
  return /^(Nullable\()?(U?Int|Float|Decimal)/.test(type);
}

/** Whole quoted values only, and not those inside a text (where the quotes are escaped). */
function jsonAddresses(text: string): string {
  return text.replaceAll(/(?<!\\)"::ffff:(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})"/g, '"$1"');
}

/** On a terminal a line break inside a value stays one: only what could command the terminal is escaped. */
function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

function csvAddresses(text: string): string {
  return text.replaceAll(/(?<!")(["'])::ffff:(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})\1(?!")/g, '$1$2$1');
}

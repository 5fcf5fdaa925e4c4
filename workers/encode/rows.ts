// Low-volume tables from objects: one encoder a ClickHouse type, values fetched by a getter a column.

import { bufferOf } from '../../src/model/bytes.ts';
import { uuidWords } from '../../src/model/hash.ts';
import { isV4, parseIp } from '../../src/model/ip.ts';
import type { Instant } from '../../src/model/records.ts';
import { TABLES, type TableName, type TableRows } from '../../src/model/tables.ts';
import { columnHeaders, indexWidth, NativeWriter, putNanoseconds } from './native.ts';

type Values = (row: number) => unknown;
type TypeEncoder = (writer: NativeWriter, rows: number, value: Values) => void;

/**
 * UUID: text. IPv4/IPv6: text, '' for none; an IPv6 address in an IPv4 column becomes 0.0.0.0. DateTime: s.
 * DateTime64(3): ms. DateTime64(9): ns as bigint, or an Instant. (U)Int64: bigint or number. String: text or bytes.
 */
const TYPES: Readonly<Record<string, TypeEncoder>> = {
  UUID: (writer, rows, value) => {
    const words = new Uint32Array(rows * 4);
    for (let i = 0; i < rows; i++) {
      const text = value(i);
      if (typeof text !== 'string' || !uuidWords(text, words, i * 4)) throw wrong('a UUID', text);
    }
    writer.uuids(words, rows);
  },
  IPv6: (writer, rows, value) => {
    const words = new Uint32Array(rows * 4);
    for (let i = 0; i < rows; i++) address(value(i), words, i * 4);
    writer.addresses(words, rows);
  },
  IPv4: (writer, rows, value) => {
    const words = new Uint32Array(4);
    for (let i = 0; i < rows; i++) {
      address(value(i), words, 0);
      writer.out.u32(isV4(words, 0) ? words[3] : 0);
    }
  },
  UInt8: (writer, rows, value) => writer.plain(Uint8Array.from(numbers(rows, value, 0, 0xff)), rows),
  UInt16: (writer, rows, value) => writer.plain(Uint16Array.from(numbers(rows, value, 0, 0xffff)), rows),
  UInt32: (writer, rows, value) => writer.plain(Uint32Array.from(numbers(rows, value, 0, 0xffffffff)), rows),
  DateTime: (writer, rows, value) => writer.plain(Uint32Array.from(numbers(rows, value, 0, 0xffffffff)), rows),
  Int32: (writer, rows, value) => writer.plain(Int32Array.from(numbers(rows, value, -0x80000000, 0x7fffffff)), rows),
  Float32: (writer, rows, value) => writer.plain(Float32Array.from(floats(rows, value)), rows),
  Float64: (writer, rows, value) => writer.plain(Float64Array.from(floats(rows, value)), rows),
  UInt64: (writer, rows, value) => {
    const words = new BigUint64Array(rows);
    for (let i = 0; i < rows; i++) words[i] = wide(value(i));
    writer.plain(new Uint32Array(words.buffer), rows * 2);
  },
  "DateTime64(3, 'UTC')": (writer, rows, value) => {
    const words = new BigInt64Array(rows);
    for (let i = 0; i < rows; i++) words[i] = wide(value(i));
    writer.plain(new Uint32Array(words.buffer), rows * 2);
  },
  "DateTime64(9, 'UTC')": (writer, rows, value) => {
    const words = new Uint32Array(rows * 2);
    for (let i = 0; i < rows; i++) {
      const time = value(i);
      if (typeof time === 'bigint') new BigInt64Array(words.buffer)[i] = time;
      else if (isInstant(time)) putNanoseconds(words, i * 2, time.ms, time.ns);
      else throw wrong('nanoseconds (bigint) or {ms, ns}', time);
    }
    writer.plain(words, rows * 2);
  },
  String: (writer, rows, value) => {
    for (let i = 0; i < rows; i++) string(writer, value(i));
  },
  'LowCardinality(String)': lowCardinality,
  'Array(String)': (writer, rows, value) => {
    const lists = Array.from({ length: rows }, (_, i) => {
      const list = value(i);
      if (!Array.isArray(list)) throw wrong('an array', list);
      return list as unknown[];
    });
    offsets(writer, lists);
    for (const list of lists) for (const item of list) string(writer, item);
  },
  'Map(String, String)': (writer, rows, value) => {
    const maps = Array.from({ length: rows }, (_, i) => {
      const map = value(i);
      if (typeof map !== 'object' || map === null) throw wrong('a map', map);
      return Object.entries(map);
    });
    offsets(writer, maps);
    for (const map of maps) for (const [key] of map) string(writer, key);
    for (const map of maps) for (const [, item] of map) string(writer, item);
  },
};

interface Plan {
  readonly names: readonly string[];
  readonly headers: readonly Uint8Array[];
  readonly types: readonly TypeEncoder[];
}

const plans = new Map<TableName, Plan>(
  (Object.keys(TABLES) as TableName[]).map((table) => {
    const columns = TABLES[table];
    const types = columns.map(({ name, type }) => {
      const encode = TYPES[type];
      if (!encode) throw new Error(`${table}.${name}: type ${type} has no encoder`);
      return encode;
    });
    return [table, { names: columns.map((c) => c.name), headers: columnHeaders(columns), types }];
  }),
);

export type Getters<T> = Readonly<Record<string, (item: T) => unknown>>;

const shared = new NativeWriter();

/** Encodes `items` as rows of `table`; `getters` has one function a column. A missing or mistyped value is a bug and throws. */
export function encodeItems<T>(table: TableName, items: readonly T[], getters: Getters<T>): TableRows {
  const { names, headers, types } = plans.get(table)!;
  const rows = items.length;
  shared.begin(names.length, rows);
  names.forEach((name, c) => {
    const get = getters[name];
    if (!get) throw new Error(`${table}.${name} has no getter`);
    shared.out.raw(headers[c]);
    try {
      types[c](shared, rows, (i) => get(items[i]));
    } catch (cause) {
      throw new Error(`${table}.${name}: ${cause instanceof Error ? cause.message : cause}`, { cause });
    }
  });
  return { table, rows, bytes: shared.take() };
}

const rowGetters = new Map<TableName, Getters<Record<string, unknown>>>();

/** Encodes rows whose keys are the table's columns (all of them). */
export function encodeRows(table: TableName, rows: readonly Record<string, unknown>[]): TableRows {
  let getters = rowGetters.get(table);
  if (!getters) {
    getters = Object.fromEntries(TABLES[table].map(({ name }) => [name, (row: Record<string, unknown>) => row[name]]));
    rowGetters.set(table, getters);
  }
  return encodeItems(table, rows, getters);
}

function lowCardinality(writer: NativeWriter, rows: number, value: Values): void {
  const known = new Map<string, number>();
  const indices = new Uint32Array(rows);
  for (let i = 0; i < rows; i++) {
    const text = value(i);
    if (typeof text !== 'string') throw wrong('text', text);
    let index = known.get(text);
    if (index === undefined) {
      index = known.size;
      known.set(text, index);
    }
    indices[i] = index;
  }
  const width = indexWidth(known.size);
  writer.u64(1);
  writer.u64(0x200 + width);
  writer.u64(known.size);
  for (const text of known.keys()) string(writer, text);
  writer.u64(rows);
  const narrow = width === 0 ? Uint8Array.from(indices) : width === 1 ? Uint16Array.from(indices) : indices;
  writer.plain(narrow, rows);
}

function offsets(writer: NativeWriter, lists: readonly (readonly unknown[])[]): void {
  let end = 0;
  for (const list of lists) {
    end += list.length;
    writer.u64(end);
  }
}

function string(writer: NativeWriter, value: unknown): void {
  const { out } = writer;
  if (value instanceof Uint8Array) {
    out.varint(value.length);
    out.raw(value);
    return;
  }
  if (typeof value !== 'string') throw wrong('text', value);
  const length = Buffer.byteLength(value);
  out.varint(length);
  const at = out.reserve(length);
  bufferOf(out.bytes).write(value, at, length, 'utf8');
  out.length += length;
}

function address(value: unknown, words: Uint32Array, at: number): void {
  if (value === '') words.fill(0, at, at + 4);
  else if (typeof value !== 'string' || !parseIp(value, words, at)) throw wrong('an address', value);
}

function numbers(rows: number, value: Values, low: number, high: number): number[] {
  return Array.from({ length: rows }, (_, i) => {
    const number = value(i);
    if (!Number.isInteger(number) || (number as number) < low || (number as number) > high)
      throw wrong(`an integer from ${low} to ${high}`, number);
    return number as number;
  });
}

function floats(rows: number, value: Values): number[] {
  return Array.from({ length: rows }, (_, i) => {
    const number = value(i);
    if (typeof number !== 'number') throw wrong('a number', number);
    return number;
  });
}

function wide(value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  if (!Number.isInteger(value)) throw wrong('an integer', value);
  return BigInt(value as number);
}

function isInstant(value: unknown): value is Instant {
  return typeof value === 'object' && value !== null && 'ms' in value && 'ns' in value;
}

function wrong(wanted: string, value: unknown): Error {
  return new Error(`expected ${wanted}, got ${typeof value === 'string' ? `'${value.slice(0, 80)}'` : String(value)}`);
}

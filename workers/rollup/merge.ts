// The sums of a lane since its last commit: partials of its batches in, rows of `traffic_analytics` out, in canonical order (tenant,
// PoP, minute, application, category), so that the same flows give the same bytes whatever the batches were. Column by
// column like flows, as a block may have nearly as many rows as flows.

import { Dictionary } from '../../src/model/dictionary.ts';
import { uuidText } from '../../src/model/hash.ts';
import { TABLES, type TableRows } from '../../src/model/tables.ts';
import { columnHeaders, NativeWriter } from '../encode/native.ts';
import { orderBy } from './order.ts';
import { PACKED } from './packed.ts';
import { APPLICATION, BLOCKED, CATEGORY, MINUTE, POP, REQUESTS, Sums, TENANT, WORDS } from './sums.ts';

const HEADERS = columnHeaders(TABLES.traffic_analytics);
const writer = new NativeWriter();

export class RollupMerge {
  private readonly sums = new Sums();
  private texts = new Dictionary();
  private bytes: Uint8Array = new Uint8Array(0);
  private at = 0;

  /** Rows that `take` would give. */
  get rows(): number {
    return this.sums.length;
  }

  /** Adds what `rollUp` packed. */
  add(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.at = 0;
    const texts = [0];
    for (let left = this.varint(); left > 0; left--) texts.push(this.intern(this.varint()));
    const tenants: number[] = [];
    for (let left = this.varint(); left > 0; left--) tenants.push(this.intern(16));
    const count = this.varint();
    const entries = new Uint32Array(bytes.slice(this.at, this.at + count * PACKED * 4).buffer);
    const { sums } = this;
    for (let at = 0; at < entries.length; at += PACKED) {
      const pop = texts[entries[at + 1]];
      const application = texts[entries[at + 2]];
      const category = texts[entries[at + 3]];
      const e = sums.entry(tenants[entries[at]], pop, entries[at + 4], application, category);
      sums.addBytes(e, entries[at + 5], entries[at + 6]);
      sums.addRequests(e, entries[at + 7], entries[at + 8]);
    }
  }

  /** Rows in canonical order, one TableRows a calendar month (UTC); then starts anew. */
  take(): TableRows[] {
    const { sums, texts } = this;
    const count = sums.length;
    const text = (id: number): string => texts.text(id);
    const tenantText = (id: number): string => uuidText(this.tenantWords(id), 0);
    const minutes = this.column(MINUTE);
    let order = Uint32Array.from({ length: count }, (_, e) => e);
    // The last key sorts first: each pass keeps the order of the one before among equals.
    order = orderBy(order, ranked(this.column(CATEGORY), texts.size, text));
    order = orderBy(order, ranked(this.column(APPLICATION), texts.size, text));
    order = orderBy(order, minutes);
    order = orderBy(order, ranked(this.column(POP), texts.size, text));
    order = orderBy(order, ranked(this.column(TENANT), texts.size, tenantText));
    const rows = byMonth(order, minutes).map((members) => this.encode(members));
    sums.reset();
    this.texts = new Dictionary();
    return rows;
  }

  private encode(entries: Uint32Array): TableRows {
    const { sums, texts } = this;
    const rows = entries.length;
    const pick = (place: number): Uint32Array => entries.map((e) => sums.words[e * WORDS + place]);
    const long = (low: (e: number) => number, high: (e: number) => number): Uint32Array => {
      const words = new Uint32Array(rows * 2);
      for (let i = 0; i < rows; i++) {
        words[i * 2] = low(entries[i]);
        words[i * 2 + 1] = high(entries[i]);
      }
      return words;
    };
    const count = (place: number): Uint32Array =>
      long(
        (e) => sums.words[e * WORDS + place],
        () => 0,
      );
    const tenants = new Uint32Array(texts.size * 4);
    const owners = pick(TENANT);
    for (const id of new Set(owners)) tenants.set(this.tenantWords(id), id * 4);
    const columns: Record<string, () => void> = {
      tenant_id: () => writer.uuidsOf(tenants, owners, rows),
      pop_id: () => texts.write(pick(POP), rows, writer.out),
      timestamp: () =>
        writer.plain(
          pick(MINUTE).map((minute) => minute * 60),
          rows,
        ),
      total_bytes: () =>
        writer.plain(
          long(
            (e) => sums.lowWord(e),
            (e) => sums.highWord(e),
          ),
          rows * 2,
        ),
      total_requests: () => writer.plain(count(REQUESTS), rows * 2),
      blocked_requests: () => writer.plain(count(BLOCKED), rows * 2),
      application: () => texts.write(pick(APPLICATION), rows, writer.out),
      category: () => texts.write(pick(CATEGORY), rows, writer.out),
    };
    writer.begin(HEADERS.length, rows);
    TABLES.traffic_analytics.forEach(({ name }, c) => {
      writer.out.raw(HEADERS[c]);
      columns[name]();
    });
    return { table: 'traffic_analytics', rows, bytes: writer.take() };
  }

  private column(place: number): Uint32Array {
    const { words, length } = this.sums;
    const values = new Uint32Array(length);
    for (let e = 0; e < length; e++) values[e] = words[e * WORDS + place];
    return values;
  }

  /** UUID words of a tenant by its id in `texts`. */
  private tenantWords(id: number): Uint32Array {
    const bytes = this.texts.bytes(id);
    const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
    return Uint32Array.from({ length: 4 }, (_, w) => view.getUint32(w * 4, true));
  }

  private intern(length: number): number {
    const start = this.at;
    this.at += length;
    return this.texts.intern(this.bytes, start, this.at);
  }

  private varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.bytes[this.at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }
}

/** Ids below `size` to the places of their texts in order. */
function ranked(ids: Uint32Array, size: number, text: (id: number) => string): Uint32Array {
  const seen = new Uint8Array(size);
  for (let i = 0; i < ids.length; i++) seen[ids[i]] = 1;
  const distinct: { id: number; name: string }[] = [];
  for (let id = 0; id < size; id++) if (seen[id] === 1) distinct.push({ id, name: text(id) });
  distinct.sort((a, b) => (a.name < b.name ? -1 : 1));
  const ranks = new Uint32Array(size);
  distinct.forEach(({ id }, rank) => {
    ranks[id] = rank;
  });
  return ids.map((id) => ranks[id]);
}

/** Cuts `order` into what falls into one calendar month each, months ascending. */
function byMonth(order: Uint32Array, minutes: Uint32Array): Uint32Array[] {
  const months = new Map<number, string>();
  for (const minute of new Set(minutes)) months.set(minute, new Date(minute * 60_000).toISOString().slice(0, 7));
  const names = [...new Set(months.values())].sort();
  if (names.length === 1) return [order];
  return names.map((name) => order.filter((e) => months.get(minutes[e]) === name));
}

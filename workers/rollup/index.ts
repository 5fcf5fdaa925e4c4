// Roll up: flows become sums per (tenant, PoP, minute, application, category). In: flow columns of a batch. Out: packed
// partial sums with their strings inside. Partials commute, so a lane merges those of a block in any order.
// total_bytes is sent + received; a request is a flow; the minute is that of the flow's own timestamp.

import { ByteWriter } from '../../src/model/bytes.ts';
import type { ControlSnapshot } from '../../src/model/control.ts';
import { Dictionary } from '../../src/model/dictionary.ts';
import type { FlowColumns } from '../../src/model/flow.ts';
import { uuidText } from '../../src/model/hash.ts';
import type { TableRows } from '../../src/model/tables.ts';
import { tenantWords } from '../encode/flows.ts';
import { encodeRows } from '../encode/index.ts';
import { APPLICATION, BLOCKED, CATEGORY, MINUTE, POP, REQUESTS, Sums, TENANT, WORDS } from './sums.ts';

/** Our own decisions and what producers call them. */
const BLOCKING = new Set(['block', 'blocked', 'isolate', 'deny', 'denied', 'drop', 'dropped', 'reject', 'rejected']);

const sums = new Sums();
const packed = new ByteWriter(1 << 16);
/** Per dictionary id: whether the action blocks (0 not known yet, 1 no, 2 yes). */
let blocking = new Uint8Array(256);
let blockingOf: { dictionary: Dictionary; generation: number } | null = null;
let tenantsOf: { snapshot: ControlSnapshot; words: Uint32Array } | null = null;

export function rollUp(flows: FlowColumns, dictionary: Dictionary, snapshot: ControlSnapshot): Uint8Array {
  prepare(dictionary, snapshot);
  sums.reset();
  const { timeMs, tenant, pop, application, category, action, bytesSent, bytesReceived } = flows;
  for (let i = 0; i < flows.length; i++) {
    const e = sums.entry(tenant[i], pop[i], Math.floor(timeMs[i] / 60_000) >>> 0, application[i], category[i]);
    sums.addBytes(e, bytesSent[2 * i], bytesSent[2 * i + 1]);
    sums.addBytes(e, bytesReceived[2 * i], bytesReceived[2 * i + 1]);
    const id = action[i];
    sums.addRequests(e, 1, blocking[id] !== 1 && (blocking[id] === 2 || blocks(dictionary, id)) ? 1 : 0);
  }
  return pack(dictionary, tenantsOf!.words);
}

function prepare(dictionary: Dictionary, snapshot: ControlSnapshot): void {
  if (tenantsOf?.snapshot !== snapshot) tenantsOf = { snapshot, words: tenantWords(snapshot) };
  if (blockingOf?.dictionary !== dictionary || blockingOf.generation !== dictionary.generation) {
    blockingOf = { dictionary, generation: dictionary.generation };
    blocking.fill(0);
  }
  if (blocking.length < dictionary.size) {
    const bigger = new Uint8Array(dictionary.size * 2);
    bigger.set(blocking);
    blocking = bigger;
  }
}

function blocks(dictionary: Dictionary, id: number): boolean {
  const yes = BLOCKING.has(dictionary.text(id).toLowerCase());
  blocking[id] = yes ? 2 : 1;
  return yes;
}

/** Words of a packed entry: indices of its tenant, PoP, application and category, then minute, byte sum (low, high), requests, blocked. */
const PACKED = 9;
let words = new Uint32Array(1024 * PACKED);
/** Per dictionary id and per tenant: 1 + its index in the packed table, 0 while it has none. */
let textIndex = new Uint32Array(1024);
let tenantIndex = new Uint32Array(16);
const texts: number[] = [];

/**
 * Texts of the batch once each (varint count, then varint length and bytes; index 0 is '' and is not written), tenants (varint
 * count, then 16 bytes each), entries (varint count, then PACKED words each).
 */
function pack(dictionary: Dictionary, tenants: Uint32Array): Uint8Array {
  const count = sums.length;
  if (words.length < count * PACKED) words = new Uint32Array(count * PACKED * 2);
  if (textIndex.length < dictionary.size) textIndex = new Uint32Array(dictionary.size * 2);
  else textIndex.fill(0, 0, dictionary.size);
  if (tenantIndex.length < tenants.length) tenantIndex = new Uint32Array(tenants.length);
  else tenantIndex.fill(0);
  texts.length = 0;
  const owners: number[] = [];
  const { words: from } = sums;
  for (let e = 0, to = 0; e < count; e++, to += PACKED) {
    const at = e * WORDS;
    const tenant = from[at + TENANT];
    tenantIndex[tenant] ||= owners.push(tenant);
    words[to] = tenantIndex[tenant] - 1;
    words[to + 1] = indexOf(from[at + POP]);
    words[to + 2] = indexOf(from[at + APPLICATION]);
    words[to + 3] = indexOf(from[at + CATEGORY]);
    words[to + 4] = from[at + MINUTE];
    words[to + 5] = sums.lowWord(e);
    words[to + 6] = sums.highWord(e);
    words[to + 7] = from[at + REQUESTS];
    words[to + 8] = from[at + BLOCKED];
  }
  packed.reset();
  packed.varint(texts.length);
  dictionary.write(texts, texts.length, packed);
  packed.varint(owners.length);
  for (const owner of owners) for (let w = 0; w < 4; w++) packed.u32(tenants[owner * 4 + w]);
  packed.varint(count);
  packed.raw(new Uint8Array(words.buffer, 0, count * PACKED * 4));
  return packed.take();
}

function indexOf(id: number): number {
  if (id === 0) return 0;
  textIndex[id] ||= texts.push(id);
  return textIndex[id];
}

/** The sums of a lane's open block. */
export class RollupMerge {
  private sums = new Sums();
  private texts = new Dictionary();
  private readonly tenant = new Uint32Array(4);
  private bytes: Uint8Array = new Uint8Array(0);
  private at = 0;

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

  /** Rows of `traffic_analytics` in canonical order, one TableRows a calendar month (UTC); then starts anew. */
  take(): TableRows[] {
    const rows = Array.from({ length: this.sums.length }, (_, e) => this.row(e)).sort(canonical);
    this.sums = new Sums();
    this.texts = new Dictionary();
    const months = new Map<string, typeof rows>();
    for (const row of rows) {
      const month = new Date(row.timestamp * 1000).toISOString().slice(0, 7);
      const known = months.get(month);
      if (known) known.push(row);
      else months.set(month, [row]);
    }
    const order = [...months.keys()].sort();
    return order.map((month) => encodeRows('traffic_analytics', months.get(month)!));
  }

  private row(e: number) {
    const { sums, texts, tenant } = this;
    const { words } = sums;
    const at = e * WORDS;
    const id = texts.bytes(words[at + TENANT]);
    const view = new DataView(id.buffer, id.byteOffset, 16);
    for (let w = 0; w < 4; w++) tenant[w] = view.getUint32(w * 4, true);
    return {
      tenant_id: uuidText(tenant, 0),
      pop_id: texts.text(words[at + POP]),
      timestamp: words[at + MINUTE] * 60,
      total_bytes: (BigInt(sums.highWord(e)) << 32n) | BigInt(sums.lowWord(e)),
      total_requests: words[at + REQUESTS],
      blocked_requests: words[at + BLOCKED],
      application: texts.text(words[at + APPLICATION]),
      category: texts.text(words[at + CATEGORY]),
    };
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

type Row = ReturnType<RollupMerge['row']>;

function canonical(a: Row, b: Row): number {
  return (
    order(a.tenant_id, b.tenant_id) ||
    order(a.pop_id, b.pop_id) ||
    a.timestamp - b.timestamp ||
    order(a.application, b.application) ||
    order(a.category, b.category)
  );
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

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
import { Sums } from './sums.ts';

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
    const e = sums.entry(tenant[i], pop[i], Math.floor(timeMs[i] / 60_000), application[i], category[i]);
    sums.addBytes(e, bytesSent[2 * i], bytesSent[2 * i + 1]);
    sums.addBytes(e, bytesReceived[2 * i], bytesReceived[2 * i + 1]);
    sums.requests[e]++;
    const id = action[i];
    if (blocking[id] !== 1 && (blocking[id] === 2 || blocks(dictionary, id))) sums.blocked[e]++;
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

/** varint entries; per entry: tenant (16 bytes), three texts (varint length, bytes), varint minute, u32 low, u32 high, two varints. */
function pack(dictionary: Dictionary, tenants: Uint32Array): Uint8Array {
  packed.reset();
  packed.varint(sums.length);
  for (let e = 0; e < sums.length; e++) {
    for (let w = 0; w < 4; w++) packed.u32(tenants[sums.tenant[e] * 4 + w]);
    text(dictionary, sums.pop[e]);
    text(dictionary, sums.application[e]);
    text(dictionary, sums.category[e]);
    packed.varint(sums.minute[e]);
    packed.u32(sums.lowWord(e));
    packed.u32(sums.highWord(e));
    packed.varint(sums.requests[e]);
    packed.varint(sums.blocked[e]);
  }
  return packed.take();
}

function text(dictionary: Dictionary, id: number): void {
  const length = dictionary.byteLength(id);
  packed.varint(length);
  const at = packed.reserve(length + 3);
  packed.length += dictionary.copyTo(id, packed.view, at);
}

/** The sums of a lane's open block. */
export class RollupMerge {
  private sums = new Sums();
  private texts = new Dictionary();
  private readonly words = new Uint32Array(4);
  private bytes: Uint8Array = new Uint8Array(0);
  private at = 0;

  /** Adds what `rollUp` packed. */
  add(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.at = 0;
    for (let left = this.varint(); left > 0; left--) {
      const tenant = this.texts.intern(bytes, this.at, this.at + 16);
      this.at += 16;
      const pop = this.text();
      const application = this.text();
      const category = this.text();
      const e = this.sums.entry(tenant, pop, this.varint(), application, category);
      this.sums.addBytes(e, this.u32(), this.u32());
      this.sums.requests[e] += this.varint();
      this.sums.blocked[e] += this.varint();
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
    const { sums, texts } = this;
    const id = texts.bytes(sums.tenant[e]);
    const view = new DataView(id.buffer, id.byteOffset, 16);
    for (let w = 0; w < 4; w++) this.words[w] = view.getUint32(w * 4, true);
    return {
      tenant_id: uuidText(this.words, 0),
      pop_id: texts.text(sums.pop[e]),
      timestamp: sums.minute[e] * 60,
      total_bytes: (BigInt(sums.highWord(e)) << 32n) | BigInt(sums.lowWord(e)),
      total_requests: sums.requests[e],
      blocked_requests: sums.blocked[e],
      application: texts.text(sums.application[e]),
      category: texts.text(sums.category[e]),
    };
  }

  private text(): number {
    const length = this.varint();
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

  private u32(): number {
    const { bytes, at } = this;
    this.at += 4;
    return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
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

// Roll up: flows become sums per (tenant, PoP, minute, application, category). In: flow columns of a batch. Out: packed
// partial sums with their strings inside. Partials commute, so a lane merges those of a block in any order.
// total_bytes is sent + received; a request is a flow; the minute is that of the flow's own timestamp.

import { ByteWriter } from '../../src/model/bytes.ts';
import type { ControlSnapshot } from '../../src/model/control.ts';
import type { Dictionary } from '../../src/model/dictionary.ts';
import type { FlowColumns } from '../../src/model/flow.ts';
import { tenantWords } from '../encode/flows.ts';
import { PACKED } from './packed.ts';
import { APPLICATION, BLOCKED, CATEGORY, MINUTE, POP, REQUESTS, Sums, TENANT, WORDS } from './sums.ts';

export { RollupMerge } from './merge.ts';

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

let words = new Uint32Array(1024 * PACKED);
/** Per dictionary id and per tenant: 1 + its index in the packed table, 0 while it has none. */
let textIndex = new Uint32Array(1024);
let tenantIndex = new Uint32Array(16);
const texts: number[] = [];

/** The layout is that of packed.ts. */
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

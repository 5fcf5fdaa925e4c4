// Flows as columns: one typed array a field, reused from batch to batch. Row i of every array is flow i.
// String columns hold ids of the worker's Dictionary (0 = absent). Addresses are four u32 words (see ip.ts).
// 64-bit counters are (low, high) u32 pairs, exact beyond 2^53.

export const FLOW_FLAG = {
  /** One direction only was observed (NetFlow, sFlow). */
  unidirectional: 1,
  /** Counters contradict each other (payload above IP bytes); volume rules must not see them. */
  counterFault: 2,
  /** Event time is more than 5 minutes ahead of the append time; never advances a clock. */
  clockSkew: 4,
  /** bytes and packets are scaled by sampling_rate; raw values are scaled / sampling_rate. */
  sampled: 8,
  /** Source and destination were swapped so that the source is the initiator. */
  reoriented: 16,
  /** Has keys that no column holds; rules read them from the raw record. */
  extras: 32,
  /** The producer said that the source (…Local) or destination is inside; overrides the inventory. */
  sourceLocal: 64,
  destinationLocal: 128,
  localKnown: 256,
  /** flow_id came from the producer. */
  idGiven: 512,
  late: 1024,
} as const;

export const DIRECTIONS = ['unknown', 'inbound', 'outbound', 'internal', 'transit'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** String columns (dictionary ids). */
export const FLOW_STRINGS = [
  'pop',
  'application',
  'action',
  'user',
  'device',
  'site',
  'session',
  'host',
  'ja3',
  'ja4',
  'exporter',
  'service',
  'producerId',
  'connectionState',
  'history',
  'category',
  'sourceCountry',
  'destinationCountry',
  'threat',
] as const;
export type FlowString = (typeof FLOW_STRINGS)[number];

/** 64-bit counters, (low, high) pairs: index 2*i and 2*i+1. */
export const FLOW_COUNTERS = [
  'bytesSent',
  'bytesReceived',
  'packetsSent',
  'packetsReceived',
  'ipBytesSent',
  'ipBytesReceived',
] as const;
export type FlowCounter = (typeof FLOW_COUNTERS)[number];

/** Fixed-width columns, one element a row. */
const PLAIN = {
  /** Event start as the producer gave it: whole milliseconds since 1970, and the rest in nanoseconds (0–999,999). */
  timeMs: Float64Array,
  timeNs: Uint32Array,
  /** Milliseconds, fractions kept; -1 when unknown. */
  durationMs: Float64Array,
  /** Index into `ControlSnapshot.tenants`. */
  tenant: Uint32Array,
  sourcePort: Uint16Array,
  destinationPort: Uint16Array,
  /** IANA protocol number. */
  protocol: Uint8Array,
  /** OR of the TCP flags seen; 0 when unknown. */
  tcpFlags: Uint16Array,
  samplingRate: Uint32Array,
  inputInterface: Uint32Array,
  outputInterface: Uint32Array,
  flags: Uint16Array,
  /** Index into DIRECTIONS. */
  direction: Uint8Array,
  sourceAsn: Uint32Array,
  destinationAsn: Uint32Array,
  /** 1 + index into `ControlSnapshot.policies`; 0 when no policy decided. */
  policy: Uint32Array,
  /** Raw record: bytes [rawStart, rawStart+rawLength) of the batch, and its segment. */
  rawStart: Uint32Array,
  rawLength: Uint32Array,
  segment: Uint32Array,
} as const;

type Plain = { -readonly [K in keyof typeof PLAIN]: InstanceType<(typeof PLAIN)[K]> };
type Strings = Record<FlowString, Uint32Array>;
type Counters = Record<FlowCounter, Uint32Array>;
interface Wide {
  /** Flow id, four words a row. */
  id: Uint32Array;
  /** Source and destination address, four words a row. */
  source: Uint32Array;
  destination: Uint32Array;
}
type FlowArrays = Plain & Strings & Counters & Wide;

/** All columns; `length` rows are in use. */
export interface FlowColumns extends FlowArrays {
  length: number;
  capacity: number;
  /** Rows from here on hold nothing but "absent". */
  clean: number;
}

const COLUMNS: readonly { name: string; type: Column; width: number }[] = [
  ...Object.entries(PLAIN).map(([name, type]) => ({ name, type, width: 1 })),
  ...FLOW_STRINGS.map((name) => ({ name, type: Uint32Array, width: 1 })),
  ...FLOW_COUNTERS.map((name) => ({ name, type: Uint32Array, width: 2 })),
  ...['id', 'source', 'destination'].map((name) => ({ name, type: Uint32Array, width: 4 })),
];
type Column = (typeof PLAIN)[keyof typeof PLAIN];

/** What "absent" is where it is not 0. */
const ABSENT: Readonly<Record<string, number>> = { durationMs: -1, samplingRate: 1 };

/** An odd number of cache lines between columns: arrays of a power of two in size would all share the same few lines. */
const STAGGER = 3 * 64;

function allocate(capacity: number): FlowArrays {
  const sizes = COLUMNS.map(({ type, width }) => Math.ceil((type.BYTES_PER_ELEMENT * width * capacity) / 64) * 64);
  const memory = new ArrayBuffer(sizes.reduce((sum, size) => sum + size + STAGGER, 0));
  let at = 0;
  const arrays = COLUMNS.map(({ name, type, width }, i) => {
    const array = new type(memory, at, width * capacity);
    at += sizes[i] + STAGGER;
    return [name, name in ABSENT ? array.fill(ABSENT[name]) : array];
  });
  return Object.fromEntries(arrays) as unknown as FlowArrays;
}

export function createFlowColumns(capacity = 4096): FlowColumns {
  return { ...allocate(capacity), length: 0, capacity, clean: 0 };
}

/** Empties the columns, so that `clearRow` finds nothing to do: many rows at once cost far less than one by one. */
export function resetFlows(flows: FlowColumns): void {
  const arrays = flows as unknown as Record<string, Uint32Array>;
  for (const { name, width } of COLUMNS) arrays[name].fill(ABSENT[name] ?? 0, 0, flows.clean * width);
  flows.length = 0;
  flows.clean = 0;
}

/** Makes room for one more row and returns its index; values of another row may still be in it: call `clearRow`. */
export function nextFlow(flows: FlowColumns): number {
  if (flows.length === flows.capacity) grow(flows);
  return flows.length;
}

function grow(flows: FlowColumns): void {
  const bigger = allocate(flows.capacity * 2) as unknown as Record<string, Uint32Array>;
  const old = flows as unknown as Record<string, Uint32Array>;
  for (const name of Object.keys(bigger)) {
    bigger[name].set(old[name]);
    old[name] = bigger[name];
  }
  flows.capacity *= 2;
}

/**
 * Sets every column of row i to "absent" (ids and addresses included); the row is about to be written. Spelled out, since a
 * loop over arrays of several types would cost each refused record a microsecond.
 */
export function clearRow(flows: FlowColumns, i: number): void {
  if (i >= flows.clean) {
    flows.clean = i + 1;
    return;
  }
  flows.timeMs[i] = 0;
  flows.timeNs[i] = 0;
  flows.durationMs[i] = -1;
  flows.tenant[i] = 0;
  flows.sourcePort[i] = 0;
  flows.destinationPort[i] = 0;
  flows.protocol[i] = 0;
  flows.tcpFlags[i] = 0;
  flows.samplingRate[i] = 1;
  flows.inputInterface[i] = 0;
  flows.outputInterface[i] = 0;
  flows.flags[i] = 0;
  flows.direction[i] = 0;
  flows.sourceAsn[i] = 0;
  flows.destinationAsn[i] = 0;
  flows.policy[i] = 0;
  flows.rawStart[i] = 0;
  flows.rawLength[i] = 0;
  flows.segment[i] = 0;
  flows.pop[i] = 0;
  flows.application[i] = 0;
  flows.action[i] = 0;
  flows.user[i] = 0;
  flows.device[i] = 0;
  flows.site[i] = 0;
  flows.session[i] = 0;
  flows.host[i] = 0;
  flows.ja3[i] = 0;
  flows.ja4[i] = 0;
  flows.exporter[i] = 0;
  flows.service[i] = 0;
  flows.producerId[i] = 0;
  flows.connectionState[i] = 0;
  flows.history[i] = 0;
  flows.category[i] = 0;
  flows.sourceCountry[i] = 0;
  flows.destinationCountry[i] = 0;
  flows.threat[i] = 0;
  const pair = i * 2;
  flows.bytesSent[pair] = flows.bytesSent[pair + 1] = 0;
  flows.bytesReceived[pair] = flows.bytesReceived[pair + 1] = 0;
  flows.packetsSent[pair] = flows.packetsSent[pair + 1] = 0;
  flows.packetsReceived[pair] = flows.packetsReceived[pair + 1] = 0;
  flows.ipBytesSent[pair] = flows.ipBytesSent[pair + 1] = 0;
  flows.ipBytesReceived[pair] = flows.ipBytesReceived[pair + 1] = 0;
  const quad = i * 4;
  for (let w = quad; w < quad + 4; w++) flows.id[w] = flows.source[w] = flows.destination[w] = 0;
}

/** Takes the rows out that `drop` marks (1); the others keep their order. */
export function dropFlows(flows: FlowColumns, drop: Uint8Array): void {
  const arrays = flows as unknown as Record<string, Uint32Array>;
  let to = 0;
  for (let from = 0; from < flows.length; from++) {
    if (drop[from] === 1) continue;
    if (to !== from)
      for (const { name, width } of COLUMNS) arrays[name].copyWithin(to * width, from * width, (from + 1) * width);
    to++;
  }
  flows.length = to;
}

/** A counter as a number; exact up to 2^53, nearest above. */
export function counterOf(column: Uint32Array, i: number): number {
  return column[i * 2 + 1] * 4294967296 + column[i * 2];
}

/** Stores a non-negative integer up to 2^53 into a counter column. */
export function setCounter(column: Uint32Array, i: number, value: number): void {
  column[i * 2] = value % 4294967296;
  column[i * 2 + 1] = Math.floor(value / 4294967296);
}

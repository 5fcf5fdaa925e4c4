// Flows of any values, and what a reader of the table must find for them.

import fc from 'fast-check';
import type { Dictionary } from '../../src/model/dictionary.ts';
import { clearRow, DIRECTIONS, FLOW_STRINGS, type FlowColumns, nextFlow } from '../../src/model/flow.ts';
import { uuidWords } from '../../src/model/hash.ts';
import { parseIp } from '../../src/model/ip.ts';
import { APPENDED_AT, TENANT } from './scylla.test-support.ts';

export const HOUR = 3_600_000;
const SNAKE: Readonly<Record<string, string>> = {
  user: 'user_id',
  device: 'device_id',
  site: 'site_id',
  session: 'session_id',
  pop: 'pop_id',
};
const columnOf = (name: string): string =>
  SNAKE[name] ?? name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

export const WIDE = {
  sourceAsn: 32,
  destinationAsn: 32,
  inputInterface: 32,
  outputInterface: 32,
  samplingRate: 32,
} as const;
const SMALL = { sourcePort: 16, destinationPort: 16, protocol: 8, tcpFlags: 16, flags: 16, timeNs: 19 } as const;
export const COUNTERS = [
  'bytesSent',
  'bytesReceived',
  'packetsSent',
  'packetsReceived',
  'ipBytesSent',
  'ipBytesReceived',
] as const;

const unsigned = (bits: number) =>
  fc.oneof(fc.nat(2 ** bits > 2 ** 31 ? 2 ** 31 - 1 : 2 ** bits - 1), fc.constantFrom(0, 1, 2 ** bits - 1));
const address = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('::', '255.255.255.255', 'ffff::ffff'));
export const flowValue = fc.record({
  id: fc.uuid(),
  timeMs: fc.oneof(
    fc.integer({ min: Date.UTC(2000), max: Date.UTC(2100) }),
    fc.constantFrom(APPENDED_AT, APPENDED_AT + HOUR),
  ),
  source: address,
  destination: address,
  strings: fc.tuple(
    ...FLOW_STRINGS.map((name) =>
      name === 'pop' ? fc.constantFrom('fra1', 'lön2') : fc.string({ unit: 'grapheme', maxLength: 12 }),
    ),
  ),
  counters: fc.tuple(
    ...COUNTERS.map(() =>
      fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), fc.constantFrom(0n, 1n, 2n ** 53n + 1n)),
    ),
  ),
  small: fc.tuple(...Object.values(SMALL).map(unsigned)),
  wide: fc.tuple(...Object.values(WIDE).map(unsigned)),
  durationMs: fc.oneof(fc.constant(-1), fc.double({ min: 0, noNaN: true, noDefaultInfinity: true })),
  direction: fc.nat(DIRECTIONS.length - 1),
  policy: fc.nat(1),
});
export type FlowValue = typeof flowValue extends fc.Arbitrary<infer T> ? T : never;

export function add(flows: FlowColumns, dictionary: Dictionary, value: FlowValue): void {
  const i = nextFlow(flows);
  clearRow(flows, i);
  flows.length++;
  uuidWords(value.id, flows.id, i * 4);
  parseIp(value.source, flows.source, i * 4);
  parseIp(value.destination, flows.destination, i * 4);
  FLOW_STRINGS.forEach((name, at) => {
    const text = value.strings[at] as string;
    flows[name][i] = text === '' ? 0 : dictionary.internText(text);
  });
  COUNTERS.forEach((name, at) => {
    const counter = value.counters[at] as bigint;
    flows[name][i * 2] = Number(counter & 0xffffffffn);
    flows[name][i * 2 + 1] = Number(counter >> 32n);
  });
  Object.keys(SMALL).forEach((name, at) => {
    flows[name as keyof typeof SMALL][i] = value.small[at] as number;
  });
  Object.keys(WIDE).forEach((name, at) => {
    flows[name as keyof typeof WIDE][i] = value.wide[at] as number;
  });
  flows.timeMs[i] = value.timeMs;
  flows.durationMs[i] = value.durationMs;
  flows.direction[i] = value.direction;
  flows.policy[i] = value.policy;
}

/** What a reader of the table must find; what a record does not say is null. */
export function expectedFlow(value: FlowValue, bucketMs: number): Record<string, unknown> {
  const row: Record<string, unknown> = { tenant_id: TENANT, flow_id: value.id, timestamp: value.timeMs };
  FLOW_STRINGS.forEach((name, at) => {
    row[columnOf(name)] = value.strings[at] === '' ? null : value.strings[at];
  });
  const address = (text: string): string => {
    const words = new Uint32Array(4);
    parseIp(text, words, 0);
    const hex = [...words].map((word) => word.toString(16).padStart(8, '0')).join('');
    return hex.startsWith('00000000000000000000ffff') ? hex.slice(24) : hex;
  };
  row.source_ip = address(value.source);
  row.destination_ip = address(value.destination);
  COUNTERS.forEach((name, at) => {
    const optional = name.startsWith('ip');
    row[columnOf(name)] = optional && value.counters[at] === 0n ? null : String(value.counters[at]);
  });
  Object.keys(SMALL).forEach((name, at) => {
    const optional = name === 'tcpFlags' || name === 'flags' || name === 'timeNs';
    row[name === 'timeNs' ? 'timestamp_ns' : columnOf(name)] =
      optional && value.small[at] === 0 ? null : value.small[at];
  });
  Object.keys(WIDE).forEach((name, at) => {
    const absent = name === 'samplingRate' ? 1 : 0;
    row[columnOf(name)] = value.wide[at] === absent ? null : String(value.wide[at]);
  });
  row.duration_ms = value.durationMs < 0 ? null : value.durationMs;
  row.direction = value.direction === 0 ? null : DIRECTIONS[value.direction];
  row.policy_id = value.policy === 0 ? null : 'p-ü';
  row.policy_version = value.policy === 0 ? null : '4294967295';
  if (bucketMs > 0) row.bucket = Math.floor(value.timeMs / bucketMs) * bucketMs;
  return row;
}

// A native flow record into row i of the columns, on decoded values: the general path, and the definition of what the
// fast ones must do.

import { utf8 } from '../../src/model/bytes.ts';
import { clearRow, FLOW_FLAG, type FlowColumns, nextFlow } from '../../src/model/flow.ts';
import { isUuid, uuidWords } from '../../src/model/hash.ts';
import {
  fractional,
  type Outcome,
  readTime,
  setAddress,
  setCounter64,
  setProtocol,
  setText,
  setUnsigned,
  textValue,
  uuidValue,
  type Value,
} from './fields.ts';
import type { NativeRecord } from './native-general.ts';
import { FLOW_KEYS, K, NATIVE_KEYS } from './native-keys.ts';
import { instant } from './time.ts';

type Setter = (record: NativeRecord, flows: FlowColumns, i: number, value: Value) => Outcome;

const textInto =
  (
    column:
      | 'pop'
      | 'application'
      | 'action'
      | 'user'
      | 'device'
      | 'site'
      | 'session'
      | 'host'
      | 'ja3'
      | 'ja4'
      | 'exporter',
  ) =>
  (record: NativeRecord, flows: FlowColumns, i: number, value: Value): Outcome =>
    setText(record.context.dictionary, value, flows[column], i);

const counterInto =
  (column: 'bytesSent' | 'bytesReceived' | 'packetsSent' | 'packetsReceived'): Setter =>
  (_record, flows, i, value) =>
    setCounter64(value, flows[column], i);

const numberInto =
  (
    column: 'sourcePort' | 'destinationPort' | 'tcpFlags' | 'samplingRate' | 'inputInterface' | 'outputInterface',
    max: number,
  ): Setter =>
  (_record, flows, i, value) =>
    setUnsigned(value, flows[column], i, max);

const REQUIRED = ['timestamp', 'source_ip', 'destination_ip', 'protocol'] as const;

const SETTERS: Readonly<Record<Exclude<(typeof FLOW_KEYS)[number], 'tenant_id'>, Setter>> = {
  pop_id: textInto('pop'),
  timestamp: (_record, flows, i, value) => {
    const outcome = readTime(value);
    flows.timeMs[i] = instant[0];
    flows.timeNs[i] = instant[1];
    return outcome;
  },
  flow_id: setFlowId,
  source_ip: (_record, flows, i, value) => setAddress(value, flows.source, i * 4),
  destination_ip: (_record, flows, i, value) => setAddress(value, flows.destination, i * 4),
  source_port: numberInto('sourcePort', 65_535),
  destination_port: numberInto('destinationPort', 65_535),
  protocol: (_record, flows, i, value) => setProtocol(value, flows.protocol, i),
  bytes_sent: counterInto('bytesSent'),
  bytes_received: counterInto('bytesReceived'),
  packets_sent: counterInto('packetsSent'),
  packets_received: counterInto('packetsReceived'),
  application: textInto('application'),
  action: textInto('action'),
  user_id: textInto('user'),
  device_id: textInto('device'),
  site_id: textInto('site'),
  session_id: textInto('session'),
  duration_ms: (_record, flows, i, value) => {
    const number = fractional(value);
    if (typeof number === 'string') return number;
    flows.durationMs[i] = number;
    return '';
  },
  tcp_flags: numberInto('tcpFlags', 65_535),
  host: textInto('host'),
  ja3: textInto('ja3'),
  ja4: textInto('ja4'),
  sampling_rate: numberInto('samplingRate', 4_294_967_295),
  exporter: textInto('exporter'),
  input_interface: numberInto('inputInterface', 4_294_967_295),
  output_interface: numberInto('outputInterface', 4_294_967_295),
};

const ORDER = FLOW_KEYS.filter((key) => key !== 'tenant_id');

export function acceptFlow(record: NativeRecord): void {
  const { out, context } = record;
  for (const key of REQUIRED) {
    const value = record.at(K[key]);
    if (value === undefined || value === '') {
      record.reject('missing_field', `${key} is missing`);
      return;
    }
  }
  const { flows } = out;
  const i = nextFlow(flows);
  clearRow(flows, i);
  flows.tenant[i] = record.tenant;
  for (const key of ORDER) {
    const value = record.at(K[key]);
    if (value === undefined) continue;
    const outcome = SETTERS[key](record, flows, i, value);
    if (outcome !== '') {
      record.rejectKey(outcome, key);
      return;
    }
  }
  // 0 is how exporters say that they do not sample.
  if (flows.samplingRate[i] === 0) flows.samplingRate[i] = 1;
  let unknown = record.unknown;
  for (let key = FLOW_KEYS.length; key < NATIVE_KEYS.length; key++) if (record.at(key) !== undefined) unknown++;
  if (unknown > 0) flows.flags[i] |= FLOW_FLAG.extras;
  if (context.finishFlow(out, i, record.segmentIndex, record.batch, record.start, record.length)) {
    out.unknownKeys += unknown;
  }
}

/** A UUID is kept; any other name of the producer's is hashed; the nil UUID is none. */
function setFlowId(record: NativeRecord, flows: FlowColumns, i: number, value: Value): Outcome {
  const uuid = uuidValue(value);
  if (uuid !== null && isUuid(uuid)) {
    uuidWords(uuid, flows.id, i * 4);
    const quad = i * 4;
    if ((flows.id[quad] | flows.id[quad + 1] | flows.id[quad + 2] | flows.id[quad + 3]) !== 0) {
      flows.flags[i] |= FLOW_FLAG.idGiven;
    }
    return '';
  }
  const text = textValue(value);
  if (text === null) return 'wrong_type';
  if (text === '') return '';
  const bytes = utf8(text);
  record.context.ids.fromProducer(flows, i, 'native.flow_id', bytes, 0, bytes.length);
  return '';
}

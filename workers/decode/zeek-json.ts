// Zeek logs as NDJSON (`LogAscii::use_json`, the JSON streaming package, Zed's export): conn → flows, all else → log events.
// Times are RFC 3339, epoch seconds with all their digits, or milliseconds; endpoints are dotted keys or nested objects.

import { clearRow, FLOW_FLAG, nextFlow } from '../../src/model/flow.ts';
import type { DecodeContext, SegmentDecoder } from './context.ts';
import { counterAbove, readMilliseconds } from './digits.ts';
import type { JsonSubject } from './json-log.ts';
import { ABSENT, FAILED, FieldReader, jsonDecoder } from './json-records.ts';
import { KIND } from './json-scanner.ts';
import { settleIcmpFamily, TCP } from './protocols.ts';
import { instant } from './time.ts';
import {
  DISTINCTIVE,
  flagsOfHistory,
  zeekHost,
  zeekLogSource,
  zeekMessage,
  zeekSeverity,
  zeekUser,
} from './zeek-fields.ts';

const CONN = [
  'ts',
  'uid',
  'id.orig_h',
  'id.orig_p',
  'id.resp_h',
  'id.resp_p',
  'proto',
  'ip_proto',
  'service',
  'duration',
  'orig_bytes',
  'resp_bytes',
  'conn_state',
  'local_orig',
  'local_resp',
  'history',
  'orig_pkts',
  'orig_ip_bytes',
  'resp_pkts',
  'resp_ip_bytes',
  '_path',
  '_write_ts',
  '_node_name',
  '_system_name',
] as const;

const NO_PATH = new Uint8Array(0);

/** Notices about no connection name their sides by these. */
const SUBJECT: JsonSubject = {
  sourceIp: (log) => log.address(['id.orig_h', 'src']),
  destinationIp: (log) => log.address(['id.resp_h', 'dst']),
  host: (log) => zeekHost((keys) => log.text(keys)),
  user: (log) => zeekUser(log.logsource.service, (keys) => log.text(keys)),
  severity: (log) => zeekSeverity(log.logsource.service, (keys) => log.text(keys)),
  message: (log) => zeekMessage(log.logsource.service, (keys) => log.text(keys)),
};

export function createZeekJsonDecoder(context: DecodeContext): SegmentDecoder {
  const paths = new Set<string>([...CONN, ...DISTINCTIVE.flatMap(([, keys]) => keys)]);
  const reader = new FieldReader(context, [...paths]);
  const slot = Object.fromEntries(CONN.map((name) => [name, reader.plan.slot(name)])) as Record<
    (typeof CONN)[number],
    number
  >;
  const distinctive = DISTINCTIVE.map(([path, keys]) => ({ path, slots: keys.map((key) => reader.plan.slot(key)) }));

  /** Records of one path follow each other. */
  const last = { bytes: NO_PATH, path: '' };
  const pathOf = (): string => {
    const named = reader.member(slot._path);
    if (named >= 0 && reader.tape.isText(named)) {
      const { tape } = reader;
      const start = tape.valueStart[named];
      const end = tape.valueEnd[named];
      if (isSame(last.bytes, tape.bytes, start, end)) return last.path;
      const text = tape.text(named);
      last.bytes = tape.bytes.slice(start, end);
      last.path = text;
      if (text !== '') return text;
    }
    const declared = context.sourceOf(reader.batch.segments[reader.segmentIndex].source).logsource.service;
    if (declared !== '') return declared;
    return distinctive.find(({ slots }) => slots.every((s) => reader.tape.slots[s] >= 0))?.path ?? '';
  };

  const flow = (): boolean => {
    const { flows } = reader.out;
    const i = nextFlow(flows);
    clearRow(flows, i);
    flows.tenant[i] = reader.tenant;
    if (!reader.time(reader.member(slot.ts), 'ts')) return false;
    flows.timeMs[i] = instant[0];
    flows.timeNs[i] = instant[1];
    if (!reader.address(reader.member(slot['id.orig_h']), 'id.orig_h', flows.source, i * 4)) return false;
    if (!reader.address(reader.member(slot['id.resp_h']), 'id.resp_h', flows.destination, i * 4)) return false;
    if (!reader.port(reader.member(slot['id.orig_p']), flows.sourcePort, i)) return false;
    if (!reader.port(reader.member(slot['id.resp_p']), flows.destinationPort, i)) return false;
    const number = reader.integer(reader.member(slot.ip_proto), 255);
    const protocol = number === ABSENT ? reader.protocol(reader.member(slot.proto)) : number;
    if (protocol === FAILED) return false;
    flows.protocol[i] = Math.max(protocol, 0);
    settleIcmpFamily(flows, i);
    return duration(i) && counters(i) && texts(i);
  };

  const duration = (i: number): boolean => {
    const member = reader.member(slot.duration);
    if (member < 0) return true;
    const { tape, out } = reader;
    const ms = readMilliseconds(tape.bytes, tape.valueStart[member], tape.valueEnd[member]);
    if (Number.isNaN(ms)) return reader.fail('wrong_type', 'duration is no number of seconds');
    out.flows.durationMs[i] = ms;
    return true;
  };

  const counters = (i: number): boolean => {
    const { flows } = reader.out;
    const sentIp = reader.member(slot.orig_ip_bytes);
    const receivedIp = reader.member(slot.resp_ip_bytes);
    const read =
      reader.counter(reader.member(slot.orig_bytes), flows.bytesSent, i) &&
      reader.counter(reader.member(slot.resp_bytes), flows.bytesReceived, i) &&
      reader.counter(reader.member(slot.orig_pkts), flows.packetsSent, i) &&
      reader.counter(reader.member(slot.resp_pkts), flows.packetsReceived, i) &&
      reader.counter(sentIp, flows.ipBytesSent, i) &&
      reader.counter(receivedIp, flows.ipBytesReceived, i);
    if (!read) return false;
    const fault =
      (sentIp >= 0 && counterAbove(flows.bytesSent, flows.ipBytesSent, i)) ||
      (receivedIp >= 0 && counterAbove(flows.bytesReceived, flows.ipBytesReceived, i));
    if (fault) flows.flags[i] |= FLOW_FLAG.counterFault;
    return true;
  };

  const texts = (i: number): boolean => {
    const { out, tape } = reader;
    const { flows } = out;
    const uid = reader.member(slot.uid);
    flows.producerId[i] = reader.intern(uid);
    if (uid >= 0) context.ids.fromProducer(flows, i, 'zeek.uid', tape.bytes, tape.valueStart[uid], tape.valueEnd[uid]);
    flows.service[i] = reader.intern(reader.member(slot.service));
    flows.connectionState[i] = reader.intern(reader.member(slot.conn_state));
    flows.exporter[i] = reader.intern(reader.first([slot._node_name, slot._system_name]));
    const history = reader.member(slot.history);
    flows.history[i] = reader.intern(history);
    if (history >= 0 && flows.protocol[i] === TCP) {
      flows.tcpFlags[i] = flagsOfHistory(tape.bytes, tape.valueStart[history], tape.valueEnd[history]);
    }
    const source = reader.member(slot.local_orig);
    const destination = reader.member(slot.local_resp);
    if (source >= 0 && destination >= 0) {
      flows.flags[i] |= FLOW_FLAG.localKnown;
      if (tape.kind[source] === KIND.true) flows.flags[i] |= FLOW_FLAG.sourceLocal;
      if (tape.kind[destination] === KIND.true) flows.flags[i] |= FLOW_FLAG.destinationLocal;
    }
    return true;
  };

  const log = (path: string): boolean => {
    if (!reader.time(reader.member(slot.ts), 'ts')) return false;
    const event = reader.log(SUBJECT, instant[0], instant[1]);
    event.logsource = zeekLogSource(path);
    reader.push(event);
    return true;
  };

  return jsonDecoder(reader, () => {
    const path = pathOf();
    if (path !== 'conn') {
      if (!log(path)) reader.reject();
    } else if (flow()) reader.finish(reader.out.flows, reader.out.flows.length);
    else reader.reject();
  });
}

function isSame(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length === 0 || known.length !== end - start) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[start + i]) return false;
  return true;
}

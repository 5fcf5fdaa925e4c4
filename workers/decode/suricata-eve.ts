// Suricata EVE (NDJSON): `flow` events → flows, every other event → log events with the record itself as fields.
//
// `netflow` events repeat, one a direction, what `flow` events say, and a sensor writes both: they are skipped (counted)
// unless the source's log source declares `service: netflow`, which says that the file has nothing else.

import type { RawBatch } from '../../src/model/batch.ts';
import { clearRow, nextFlow } from '../../src/model/flow.ts';
import type { LogSource } from '../../src/model/records.ts';
import type { DecodeContext, SegmentDecoder } from './context.ts';
import type { JsonSubject } from './json-log.ts';
import { ABSENT, FAILED, FieldReader, jsonDecoder } from './json-records.ts';
import { orient } from './orient.ts';
import { ICMP, ICMP6, placeIcmp, settleIcmpFamily } from './protocols.ts';
import { instant } from './time.ts';

const PATHS = [
  'timestamp',
  'event_type',
  'flow_id',
  'src_ip',
  'src_port',
  'dest_ip',
  'dest_port',
  'proto',
  'icmp_type',
  'icmp_code',
  'app_proto',
  'host',
  'flow.start',
  'flow.end',
  'flow.bytes_toserver',
  'flow.bytes_toclient',
  'flow.pkts_toserver',
  'flow.pkts_toclient',
  'flow.state',
  'netflow.start',
  'netflow.end',
  'netflow.bytes',
  'netflow.pkts',
  'tcp.tcp_flags',
  'alert.signature',
  'alert.severity',
  'http.http_user',
  'krb5.cname',
  'smb.ntlmssp.user',
] as const;
type Path = (typeof PATHS)[number];

/** Signatures' priorities, 1 being the gravest, as log severities. */
const SEVERITIES = ['', 'critical', 'warning', 'notice', 'info'];

/** What Suricata writes when it could not tell the application. */
const UNTOLD: readonly string[] = ['failed', 'unknown'];

class EveDecoder {
  private readonly reader: FieldReader;
  private readonly context: DecodeContext;
  private readonly slot: Readonly<Record<Path, number>>;
  private readonly sources = new Map<string, LogSource>();

  constructor(context: DecodeContext, reader: FieldReader) {
    this.context = context;
    this.reader = reader;
    this.slot = Object.fromEntries(PATHS.map((path) => [path, reader.plan.slot(path)])) as Record<Path, number>;
  }

  record(): void {
    const { reader, slot } = this;
    const type = reader.text(reader.member(slot.event_type));
    const done =
      type === ''
        ? reader.fail('missing_field', 'event_type is missing')
        : type === 'flow'
          ? this.flow()
          : type === 'netflow'
            ? this.netflow()
            : this.log(type);
    if (!done) reader.reject();
  }

  private flow(): boolean {
    const { reader, slot, context } = this;
    const { flows } = reader.out;
    const i = this.begin('flow.start', 'flow.end');
    if (i < 0) return false;
    const read =
      reader.counter(reader.member(slot['flow.bytes_toserver']), flows.bytesSent, i) &&
      reader.counter(reader.member(slot['flow.bytes_toclient']), flows.bytesReceived, i) &&
      reader.counter(reader.member(slot['flow.pkts_toserver']), flows.packetsSent, i) &&
      reader.counter(reader.member(slot['flow.pkts_toclient']), flows.packetsReceived, i);
    if (!read) return false;
    flows.connectionState[i] = reader.intern(reader.member(slot['flow.state']));
    const { tape } = reader;
    const id = reader.member(slot.flow_id);
    if (id >= 0) {
      const [from, to] = [tape.valueStart[id], tape.valueEnd[id]];
      context.ids.fromProducer(flows, i, 'suricata.flow', tape.bytes, from, to, flows.timeMs[i], flows.timeNs[i]);
    }
    reader.finish(flows, i);
    return true;
  }

  private netflow(): boolean {
    const { reader, slot, context } = this;
    const { flows } = reader.out;
    if (context.sourceOf(sourceOf(reader.batch, reader.segmentIndex)).logsource.service !== 'netflow') {
      reader.out.skipped++;
      return true;
    }
    const i = this.begin('netflow.start', 'netflow.end');
    if (i < 0) return false;
    const read =
      reader.counter(reader.member(slot['netflow.bytes']), flows.bytesSent, i) &&
      reader.counter(reader.member(slot['netflow.pkts']), flows.packetsSent, i);
    if (!read) return false;
    orient(flows, i, reader.integer(reader.member(slot.icmp_type), 255));
    // No identifier from flow_id and start: both directions of a conversation share them.
    reader.finish(flows, i);
    return true;
  }

  /** Fills what both kinds of flow records have in common; -1 when a field cannot be read. */
  private begin(start: Path, end: Path): number {
    const { reader, slot } = this;
    const { flows } = reader.out;
    const i = nextFlow(flows);
    clearRow(flows, i);
    flows.tenant[i] = reader.tenant;
    const fine =
      this.times(i, start, end) &&
      reader.address(reader.member(slot.src_ip), 'src_ip', flows.source, i * 4) &&
      reader.address(reader.member(slot.dest_ip), 'dest_ip', flows.destination, i * 4) &&
      reader.port(reader.member(slot.src_port), flows.sourcePort, i) &&
      reader.port(reader.member(slot.dest_port), flows.destinationPort, i) &&
      this.protocol(i) &&
      this.flags(i);
    if (!fine) return -1;
    flows.producerId[i] = reader.intern(reader.member(slot.flow_id));
    flows.exporter[i] = reader.intern(reader.member(slot.host));
    const service = reader.member(slot.app_proto);
    if (!UNTOLD.includes(reader.text(service))) flows.service[i] = reader.intern(service);
    return i;
  }

  private times(i: number, startPath: Path, endPath: Path): boolean {
    const { reader, slot } = this;
    const { flows } = reader.out;
    const endMember = reader.member(slot[endPath]);
    let endMs = Number.NaN;
    if (endMember >= 0) {
      if (!reader.time(endMember, endPath)) return false;
      endMs = instant[0] + instant[1] / 1e6;
    }
    if (!reader.time(reader.member(slot[startPath]), startPath)) return false;
    flows.timeMs[i] = instant[0];
    flows.timeNs[i] = instant[1];
    // Both have microseconds; the difference of the doubles is rounded back to them.
    const duration = Math.round((endMs - instant[0] - instant[1] / 1e6) * 1000) / 1000;
    flows.durationMs[i] = duration >= 0 ? duration : -1;
    return true;
  }

  private protocol(i: number): boolean {
    const { reader, slot } = this;
    const { flows } = reader.out;
    const protocol = reader.protocol(reader.member(slot.proto));
    if (protocol === FAILED) return false;
    flows.protocol[i] = Math.max(protocol, 0);
    settleIcmpFamily(flows, i);
    if (flows.protocol[i] !== ICMP && flows.protocol[i] !== ICMP6) return true;
    const type = reader.integer(reader.member(slot.icmp_type), 255);
    const code = reader.integer(reader.member(slot.icmp_code), 255);
    if (type === FAILED || code === FAILED) return false;
    if (type !== ABSENT) placeIcmp(flows, i, type, Math.max(code, 0));
    return true;
  }

  /** tcp_flags is hexadecimal text. */
  private flags(i: number): boolean {
    const { reader, slot } = this;
    const text = reader.text(reader.member(slot['tcp.tcp_flags']));
    if (text === '') return true;
    if (!/^[0-9a-fA-F]{1,4}$/.test(text)) return reader.fail('wrong_type', 'tcp.tcp_flags is not hexadecimal');
    reader.out.flows.tcpFlags[i] = Number.parseInt(text, 16);
    return true;
  }

  private log(type: string): boolean {
    const { reader, slot } = this;
    if (!reader.time(reader.member(slot.timestamp), 'timestamp')) return false;
    const [ms, ns] = instant;
    const log = reader.log(SUBJECT, ms, ns);
    log.logsource = this.sourceOfType(type);
    reader.push(log);
    return true;
  }

  /** Records name their own types, so the table of them is bounded. */
  private sourceOfType(type: string): LogSource {
    let source = this.sources.get(type);
    if (source === undefined) {
      source = { product: 'suricata', category: type === 'dns' ? 'dns' : '', service: type };
      if (this.sources.size < 256) this.sources.set(type, source);
    }
    return source;
  }
}

const USERS = ['smb.ntlmssp.user', 'krb5.cname', 'http.http_user'];

const SUBJECT: JsonSubject = {
  sourceIp: (log) => log.address(['src_ip']),
  destinationIp: (log) => log.address(['dest_ip']),
  host: (log) => log.text(['host']),
  user: (log) => log.text(USERS),
  severity: (log) => {
    const level = log.scalar(['alert.severity']);
    return /^[1-9]\d{0,2}$/.test(level) ? SEVERITIES[Math.min(Number(level), SEVERITIES.length - 1)] : '';
  },
  message: (log) => log.text(['alert.signature']),
};

function sourceOf(batch: RawBatch, segmentIndex: number): number {
  return batch.segments[segmentIndex].source;
}

export function createSuricataEveDecoder(context: DecodeContext): SegmentDecoder {
  const reader = new FieldReader(context, PATHS);
  const decoder = new EveDecoder(context, reader);
  return jsonDecoder(reader, () => decoder.record());
}

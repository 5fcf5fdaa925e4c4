// Zeek's own tab-separated logs: conn → flows straight from the bytes, every other path → log events.
//
// A segment may begin anywhere in a file: `segment.context` holds the `#` lines in force there, and headers inside the
// segment (Zeek's rotation repeats them each hour) replace them. Header lines and blank lines are read and skipped.

import type { RawBatch } from '../../src/model/batch.ts';
import type { Decoded } from '../../src/model/decoded.ts';
import { clearRow, FLOW_FLAG, nextFlow } from '../../src/model/flow.ts';
import { ipText, parseIp, parseIpBytes } from '../../src/model/ip.ts';
import type { RejectCode } from '../../src/model/reject.ts';
import { type DecodeContext, type SegmentDecoder, TENANT_MISSING } from './context.ts';
import { counterAbove, readCounter, readMilliseconds, readUnsigned, TOO_LARGE } from './digits.ts';
import { checkLine, lineEnd, validUtf8 } from './lines.ts';
import { protocolNumber, settleIcmpFamily, TCP } from './protocols.ts';
import { instant } from './time.ts';
import { flagsOfHistory, textIn, zeekLogSource, zeekSubject } from './zeek-fields.ts';
import { HeaderLines, type ZeekHeader } from './zeek-header.ts';
import { MISFIT, parseZeekTime, readZeekValue, sameBytes, zeekText } from './zeek-values.ts';

/** Columns of conn that flows hold; a column's operation is its place in this list. */
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
  '_node_name',
  '_system_name',
  // Read and left: the log's own name and when it was written.
  '_path',
  '_write_ts',
] as const;
const UNMAPPED = CONN.length;
const op = (name: (typeof CONN)[number]): number => CONN.indexOf(name);
const TS = op('ts');
const UID = op('uid');
const ORIG_H = op('id.orig_h');
const ORIG_P = op('id.orig_p');
const RESP_H = op('id.resp_h');
const RESP_P = op('id.resp_p');
const PROTO = op('proto');
const IP_PROTO = op('ip_proto');
const SERVICE = op('service');
const DURATION = op('duration');
const CONN_STATE = op('conn_state');
const LOCAL_ORIG = op('local_orig');
const LOCAL_RESP = op('local_resp');
const HISTORY = op('history');
const NODE_NAME = op('_node_name');
const COUNTERS = [
  [op('orig_bytes'), 'bytesSent'],
  [op('resp_bytes'), 'bytesReceived'],
  [op('orig_pkts'), 'packetsSent'],
  [op('resp_pkts'), 'packetsReceived'],
  [op('orig_ip_bytes'), 'ipBytesSent'],
  [op('resp_ip_bytes'), 'ipBytesReceived'],
] as const;
const ORIG_IP_BYTES = op('orig_ip_bytes');
const RESP_IP_BYTES = op('resp_ip_bytes');
const REQUIRED = [TS, ORIG_H, RESP_H];

interface ConnPlan {
  readonly operations: Uint8Array;
  readonly unmapped: number;
}

class TsvDecoder {
  private readonly context: DecodeContext;
  private readonly lines = new HeaderLines();
  private readonly plans = new WeakMap<ZeekHeader, ConnPlan>();
  private header: ZeekHeader | null = null;
  private stale = true;
  /** Fields of the line at hand, by operation: -1 where unset or not in the header. */
  private readonly starts = new Int32Array(CONN.length + 1);
  private readonly ends = new Int32Array(CONN.length + 1);
  private batch!: RawBatch;
  private segmentIndex = 0;
  private out!: Decoded;
  private tenant = TENANT_MISSING;
  private code: RejectCode = 'syntax';
  private detail = '';

  constructor(context: DecodeContext) {
    this.context = context;
  }

  segment(batch: RawBatch, segmentIndex: number, out: Decoded): void {
    const { source, context } = batch.segments[segmentIndex];
    this.batch = batch;
    this.segmentIndex = segmentIndex;
    this.out = out;
    this.tenant = this.context.tenantOfSource(source);
    this.lines.reset();
    this.stale = true;
    if (context !== null) this.takeContext(context);
    this.readLines();
  }

  /** As `readLines` of lines.ts, but header lines are taken before any check, as the source takes them into a context. */
  private readLines(): void {
    const { batch, segmentIndex, out } = this;
    const { bytes } = batch;
    const segment = batch.segments[segmentIndex];
    const clean = validUtf8(bytes, segment.start, segment.end);
    for (let at = segment.start; at < segment.end; ) {
      const newline = lineEnd(bytes, at, segment.end);
      const start = at;
      const end = newline > start && bytes[newline - 1] === 13 ? newline - 1 : newline;
      at = newline + 1;
      if (bytes[start] === 35 && start < end) {
        this.lines.add(bytes, start, end);
        this.stale = true;
        out.read++;
        out.skipped++;
      } else if (checkLine(this.context, batch, segmentIndex, out, start, end, clean)) this.line(start, end);
    }
  }

  private takeContext(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const newline = lineEnd(bytes, at, bytes.length);
      const end = newline > at && bytes[newline - 1] === 13 ? newline - 1 : newline;
      if (bytes[at] === 35) this.lines.add(bytes, at, end);
      at = newline + 1;
    }
  }

  private line(start: number, end: number): void {
    const { out } = this;
    if (this.stale) {
      this.header = this.lines.current(this.context.limits.keys);
      this.stale = false;
    }
    if (this.tenant < 0) {
      this.context.rejectTenant(out, this.tenant, '', this.segmentIndex, start, end - start);
    } else if (!this.record(this.header, start, end)) {
      out.reject(this.code, this.detail, this.segmentIndex, start, end - start, this.tenant);
    }
  }

  private record(header: ZeekHeader | null, start: number, end: number): boolean {
    if (header === null) return this.fail('line_context', 'no #fields line came before this line');
    if (header.fault !== null) return this.fail(header.fault.code, header.fault.detail);
    return header.path === 'conn' ? this.flow(header, start, end) : this.log(header, start, end);
  }

  private flow(header: ZeekHeader, start: number, end: number): boolean {
    const plan = this.planOf(header);
    if (!this.split(header, plan, start, end)) return false;
    for (const required of REQUIRED) {
      if (this.starts[required] < 0) return this.fail('missing_field', `${CONN[required]} is missing or unset`);
    }
    const { context, out, batch, starts, ends } = this;
    const { flows } = out;
    const { bytes } = batch;
    const i = nextFlow(flows);
    clearRow(flows, i);
    flows.tenant[i] = this.tenant;
    if (!parseZeekTime(bytes, starts[TS], ends[TS])) return this.misfit('bad_timestamp', TS);
    flows.timeMs[i] = instant[0];
    flows.timeNs[i] = instant[1];
    const quad = i * 4;
    if (!parseIpBytes(bytes, starts[ORIG_H], ends[ORIG_H], flows.source, quad)) {
      return this.misfit('bad_address', ORIG_H);
    }
    if (!parseIpBytes(bytes, starts[RESP_H], ends[RESP_H], flows.destination, quad)) {
      return this.misfit('bad_address', RESP_H);
    }
    if (!this.port(ORIG_P, flows.sourcePort, i) || !this.port(RESP_P, flows.destinationPort, i)) return false;
    if (!this.protocol(i) || !this.counters(i)) return false;
    if (starts[DURATION] >= 0) {
      const ms = readMilliseconds(bytes, starts[DURATION], ends[DURATION]);
      if (Number.isNaN(ms)) return this.misfit('wrong_type', DURATION);
      flows.durationMs[i] = ms;
    }
    flows.service[i] = this.intern(SERVICE);
    flows.connectionState[i] = this.intern(CONN_STATE);
    flows.history[i] = this.intern(HISTORY);
    flows.exporter[i] = this.intern(NODE_NAME) || this.intern(NODE_NAME + 1);
    flows.producerId[i] = this.intern(UID);
    if (starts[UID] >= 0) context.ids.fromProducer(flows, i, 'zeek.uid', bytes, starts[UID], ends[UID]);
    if (starts[HISTORY] >= 0 && flows.protocol[i] === TCP) {
      flows.tcpFlags[i] = flagsOfHistory(bytes, starts[HISTORY], ends[HISTORY]);
    }
    this.locality(i);
    if (context.finishFlow(out, i, this.segmentIndex, batch, start, end - start)) out.unknownKeys += plan.unmapped;
    return true;
  }

  /** Finds the line's fields; false when there are not as many as the header names. */
  private split(header: ZeekHeader, plan: ConnPlan, start: number, end: number): boolean {
    const { starts, ends } = this;
    const { bytes } = this.batch;
    const { operations } = plan;
    starts.fill(-1);
    let field = 0;
    for (let at = start; ; field++) {
      let next = at;
      while (next < end && bytes[next] !== header.separator) next++;
      if (field < operations.length) {
        const operation = operations[field];
        const unset = sameBytes(bytes, at, next, header.unset) || sameBytes(bytes, at, next, header.empty);
        starts[operation] = unset ? -1 : at;
        ends[operation] = next;
      }
      if (next >= end) break;
      at = next + 1;
    }
    return field + 1 === operations.length || this.count(header, field + 1);
  }

  private count(header: ZeekHeader, found: number): false {
    return this.fail('syntax', `the line has ${found} fields, its header names ${header.columns.length}`);
  }

  private port(operation: number, column: Uint16Array, i: number): boolean {
    if (this.starts[operation] < 0) return true;
    const value = readUnsigned(this.batch.bytes, this.starts[operation], this.ends[operation], 65_535);
    if (value < 0) return this.misfit(value === TOO_LARGE ? 'out_of_range' : 'wrong_type', operation);
    column[i] = value;
    return true;
  }

  private protocol(i: number): boolean {
    const { flows } = this.out;
    const operation = this.starts[IP_PROTO] >= 0 ? IP_PROTO : PROTO;
    if (this.starts[operation] < 0) return true;
    const number = protocolNumber(this.context.dictionary.text(this.intern(operation)));
    if (number < 0) return this.misfit('wrong_type', operation);
    flows.protocol[i] = number;
    settleIcmpFamily(flows, i);
    return true;
  }

  private counters(i: number): boolean {
    const { starts, ends } = this;
    const { flows } = this.out;
    for (const [operation, column] of COUNTERS) {
      if (starts[operation] < 0) continue;
      const failure = readCounter(this.batch.bytes, starts[operation], ends[operation], flows[column], i);
      if (failure !== 0) return this.misfit(failure === TOO_LARGE ? 'out_of_range' : 'wrong_type', operation);
    }
    // Zeek takes payload from sequence numbers: one forged number counts gigabytes that no packet carried.
    const fault =
      (starts[ORIG_IP_BYTES] >= 0 && counterAbove(flows.bytesSent, flows.ipBytesSent, i)) ||
      (starts[RESP_IP_BYTES] >= 0 && counterAbove(flows.bytesReceived, flows.ipBytesReceived, i));
    if (fault) flows.flags[i] |= FLOW_FLAG.counterFault;
    return true;
  }

  private locality(i: number): void {
    const { starts } = this;
    if (starts[LOCAL_ORIG] < 0 || starts[LOCAL_RESP] < 0) return;
    const { flows } = this.out;
    const { bytes } = this.batch;
    flows.flags[i] |= FLOW_FLAG.localKnown;
    if (bytes[starts[LOCAL_ORIG]] === 84) flows.flags[i] |= FLOW_FLAG.sourceLocal;
    if (bytes[starts[LOCAL_RESP]] === 84) flows.flags[i] |= FLOW_FLAG.destinationLocal;
  }

  private intern(operation: number): number {
    const start = this.starts[operation];
    if (start < 0) return 0;
    const { bytes } = this.batch;
    const end = this.ends[operation];
    for (let i = start; i < end; i++) {
      if (bytes[i] === 92) return this.context.dictionary.internText(zeekText(bytes, start, end));
    }
    return this.context.dictionary.intern(bytes, start, end);
  }

  private log(header: ZeekHeader, start: number, end: number): boolean {
    const { bytes } = this.batch;
    const { columns } = header;
    const fields: Record<string, unknown> = {};
    let ms = Number.NaN;
    let ns = 0;
    let field = 0;
    for (let at = start; ; field++) {
      let next = at;
      while (next < end && bytes[next] !== header.separator) next++;
      if (field < columns.length && !sameBytes(bytes, at, next, header.unset)) {
        const column = columns[field];
        const value = readZeekValue(header, column, bytes, at, next);
        if (value === MISFIT) {
          const code = column.name === 'ts' ? 'bad_timestamp' : 'wrong_type';
          return this.fail(
            code,
            `${column.name} is no ${column.type}: ${zeekText(bytes, at, Math.min(next, at + 60))}`,
          );
        }
        fields[column.name] = value;
        if (column.name === 'ts' && column.type === 'time') [ms, ns] = instant;
      }
      if (next >= end) break;
      at = next + 1;
    }
    if (field + 1 !== columns.length) return this.count(header, field + 1);
    if (Number.isNaN(ms)) return this.fail('missing_field', 'ts is missing or unset');
    this.context.pushLog(this.out, this.batch, this.segmentIndex, start, end - start, this.tenant, {
      ms,
      ns,
      logsource: zeekLogSource(header.path),
      fields,
      fieldsJson: JSON.stringify(fields),
      sourceIp: addressText(textIn(fields, ['id.orig_h', 'src'])),
      destinationIp: addressText(textIn(fields, ['id.resp_h', 'dst'])),
      ...zeekSubject(header.path, (keys) => textIn(fields, keys)),
    });
    return true;
  }

  private planOf(header: ZeekHeader): ConnPlan {
    const known = this.plans.get(header);
    if (known !== undefined) return known;
    const names: readonly string[] = CONN;
    const operations = Uint8Array.from(header.columns, ({ name }) => {
      const operation = names.indexOf(name);
      return operation < 0 ? UNMAPPED : operation;
    });
    const plan = { operations, unmapped: operations.filter((operation) => operation === UNMAPPED).length };
    this.plans.set(header, plan);
    return plan;
  }

  private misfit(code: RejectCode, operation: number): false {
    const start = this.starts[operation];
    const shown = zeekText(this.batch.bytes, start, Math.min(this.ends[operation], start + 60));
    return this.fail(code, `${CONN[operation]} cannot be read: ${shown}`);
  }

  private fail(code: RejectCode, detail: string): false {
    this.code = code;
    this.detail = detail;
    return false;
  }
}

const words = new Uint32Array(4);

function addressText(text: string): string {
  return text !== '' && parseIp(text, words) ? ipText(words) : '';
}

export function createZeekTsvDecoder(context: DecodeContext): SegmentDecoder {
  const decoder = new TsvDecoder(context);
  return (batch, segmentIndex, out) => decoder.segment(batch, segmentIndex, out);
}

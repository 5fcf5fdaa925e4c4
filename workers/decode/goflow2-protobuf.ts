// goflow2 v2's FlowMessage (pb/flow.proto), each behind its length as a varint, as its protobuf output writes them.
//
// Fields that no column holds are counted and passed over; a field that occurs twice counts with its last value, as in any
// protobuf reader. A message that cannot be read is one reject; a length that cannot be makes the rest of the segment one,
// since nothing tells where the next message begins.

import type { RawBatch, Segment } from '../../src/model/batch.ts';
import type { Decoded } from '../../src/model/decoded.ts';
import { clearRow, FLOW_FLAG, type FlowColumns, nextFlow } from '../../src/model/flow.ts';
import { ipText, V4_PREFIX } from '../../src/model/ip.ts';
import type { RejectCode } from '../../src/model/reject.ts';
import { EXPORTS } from '../../src/model/sequence-runs.ts';
import { type DecodeContext, type SegmentDecoder, TENANT_MISSING } from './context.ts';
import { splitNanoseconds } from './digits.ts';
import { exporterDetail, MAX_U32, settleNetflow } from './netflow.ts';

const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Field numbers of FlowMessage. */
const FIELD = {
  type: 1,
  samplingRate: 3,
  sequence: 4,
  sourceAddress: 6,
  destinationAddress: 7,
  bytes: 9,
  packets: 10,
  samplerAddress: 11,
  sourceAs: 14,
  destinationAs: 15,
  inputInterface: 18,
  outputInterface: 19,
  protocol: 20,
  sourcePort: 21,
  destinationPort: 22,
  tcpFlags: 26,
  icmpType: 31,
  icmpCode: 32,
  domain: 70,
  timeReceived: 110,
  timeStart: 111,
  timeEnd: 112,
} as const;

const ADDRESSES: readonly number[] = [FIELD.sourceAddress, FIELD.destinationAddress, FIELD.samplerAddress];
/** Read for metrics alone: no column holds them, so they count as unknown, and rules look for them in the record. */
const ASIDE: readonly number[] = [FIELD.type, FIELD.sequence, FIELD.domain];
const NAMES = new Map<number, string>(Object.entries(FIELD).map(([name, field]) => [field, name]));

/** Highest field number that a slot is kept for. */
const SLOTS = 113;

class FlowMessages {
  private readonly context: DecodeContext;
  /** Varint values by field number, as (low, high) words; 0 where absent, as proto3 has it. */
  private readonly low = new Float64Array(SLOTS);
  private readonly high = new Float64Array(SLOTS);
  /** Byte fields by number. */
  private readonly starts = new Int32Array(SLOTS);
  private readonly lengths = new Int32Array(SLOTS);
  private bytes: Uint8Array = new Uint8Array(0);
  private at = 0;
  private valueLow = 0;
  private valueHigh = 0;
  private unknown = 0;
  private code: RejectCode = 'syntax';
  private detail = '';
  private readonly instant = new Float64Array(2);
  private readonly ended = new Float64Array(2);
  private readonly words = new Uint32Array(4);

  constructor(context: DecodeContext) {
    this.context = context;
  }

  segment(batch: RawBatch, segmentIndex: number, out: Decoded): void {
    const { start, end, base, source } = batch.segments[segmentIndex];
    this.bytes = batch.bytes;
    const tenant = this.context.tenantOfSource(source);
    const asks = this.context.asksExporters(source);
    const limit = this.context.limits.recordBytes;
    for (let at = start; at < end; ) {
      out.read++;
      this.at = at;
      const framed = this.varint(end);
      const length = this.valueHigh * 4294967296 + this.valueLow;
      if (!framed || length > end - this.at) {
        const what = framed ? `a length of ${length} bytes, ${end - this.at} are left` : 'no length';
        const detail = `byte ${base + at - start} begins ${what}; nothing after it can be read`;
        out.reject('syntax', detail, segmentIndex, at, end - at, this.context.rejectTenantOf(source));
        return;
      }
      const from = this.at;
      const next = from + length;
      const size = next - at;
      if (tenant < 0 && !(asks && tenant === TENANT_MISSING))
        this.context.rejectTenant(out, tenant, '', segmentIndex, at, size);
      else if (length > limit) {
        const detail = `${length} bytes, the limit is ${limit}`;
        out.reject('record_too_large', detail, segmentIndex, at, size, tenant);
      } else if (!this.fields(next) || !this.flow(out, tenant, source)) {
        const detail = `${this.detail} (at byte ${base + this.at - start})`;
        out.reject(this.code, detail, segmentIndex, at, size, tenant);
        const exporter = this.exporter();
        out.failed(exporter);
        this.numbered(out, batch.segments[segmentIndex], tenant, exporter);
      } else {
        const i = out.flows.length;
        if (this.context.finishFlow(out, i, segmentIndex, batch, at, size)) out.unknownKeys += this.unknown;
        this.numbered(out, batch.segments[segmentIndex], out.flows.tenant[i], out.flows.exporter[i]);
      }
      at = next;
    }
  }

  /** Reads the fields up to `end` into the slots. */
  private fields(end: number): boolean {
    this.low.fill(0);
    this.high.fill(0);
    this.lengths.fill(0);
    this.unknown = 0;
    let keys = 0;
    while (this.at < end) {
      if (++keys > this.context.limits.keys) return this.fail('too_many_keys', 'the message has too many fields');
      if (!this.varint(end)) return false;
      const wire = this.valueLow & 7;
      const field = Math.floor(this.valueLow / 8);
      if (this.valueHigh !== 0 || field === 0) return this.fail('syntax', 'the message has an impossible field number');
      if (!this.field(field, wire, end)) return false;
    }
    return true;
  }

  private field(field: number, wire: number, end: number): boolean {
    const known = field < SLOTS && NAMES.has(field);
    if (!known || ASIDE.includes(field)) this.unknown++;
    if (wire === WIRE.varint) {
      if (!this.varint(end)) return false;
      if (!known) return true;
      if (ADDRESSES.includes(field)) return this.wrongType(field);
      this.low[field] = this.valueLow;
      this.high[field] = this.valueHigh;
      return true;
    }
    let length: number;
    if (wire === WIRE.bytes) {
      if (!this.varint(end)) return false;
      length = this.valueHigh * 4294967296 + this.valueLow;
    } else if (wire === WIRE.fixed64) length = 8;
    else if (wire === WIRE.fixed32) length = 4;
    else return this.fail('syntax', `field ${field} has the unknown wire type ${wire}`);
    if (length > end - this.at) return this.fail('syntax', `field ${field} reaches beyond its message`);
    if (known && !ASIDE.includes(field)) {
      if (wire !== WIRE.bytes || !ADDRESSES.includes(field)) return this.wrongType(field);
      this.starts[field] = this.at;
      this.lengths[field] = length;
    }
    this.at += length;
    return true;
  }

  /** Writes the slots into the next row (which `finishFlow` adds). */
  private flow(out: Decoded, tenant: number, source: number): boolean {
    const { flows } = out;
    const i = nextFlow(flows);
    clearRow(flows, i);
    if (tenant >= 0) flows.tenant[i] = tenant;
    const fine =
      this.times(flows, i) &&
      this.address(FIELD.sourceAddress, flows.source, i * 4) &&
      this.address(FIELD.destinationAddress, flows.destination, i * 4) &&
      this.store(FIELD.sourcePort, 0xffff, flows.sourcePort, i) &&
      this.store(FIELD.destinationPort, 0xffff, flows.destinationPort, i) &&
      this.store(FIELD.tcpFlags, 0xffff, flows.tcpFlags, i) &&
      this.store(FIELD.protocol, 255, flows.protocol, i) &&
      this.store(FIELD.inputInterface, MAX_U32, flows.inputInterface, i) &&
      this.store(FIELD.outputInterface, MAX_U32, flows.outputInterface, i) &&
      this.store(FIELD.sourceAs, MAX_U32, flows.sourceAsn, i) &&
      this.store(FIELD.destinationAs, MAX_U32, flows.destinationAsn, i) &&
      this.inRange(FIELD.samplingRate, MAX_U32) &&
      this.inRange(FIELD.icmpType, 255) &&
      this.inRange(FIELD.icmpCode, 255) &&
      this.counter(FIELD.bytes, flows.bytesSent, i) &&
      this.counter(FIELD.packets, flows.packetsSent, i);
    if (!fine) return false;
    flows.exporter[i] = this.exporter();
    if (flows.exporter[i] === 0 && this.lengths[FIELD.samplerAddress] > 0) return false;
    if (this.context.asksExporters(source) && !this.owned(flows, i, tenant, source)) return false;
    if (this.unknown > 0) flows.flags[i] |= FLOW_FLAG.extras;
    const { low } = this;
    const fault = settleNetflow(flows, i, low[FIELD.samplingRate], low[FIELD.icmpType], low[FIELD.icmpCode]);
    return fault === null || this.fail(fault.code, fault.detail);
  }

  /** Gives the row the tenant and PoP of its exporter. */
  private owned(flows: FlowColumns, i: number, own: number, source: number): boolean {
    const { context, words } = this;
    if (this.lengths[FIELD.samplerAddress] === 0)
      return this.fail('missing_field', `${NAMES.get(FIELD.samplerAddress)} is missing`);
    const tenant = context.ownedByExporter(flows, i, source, own, words, 0);
    return tenant >= 0 || this.fail(context.tenantCode(tenant), exporterDetail(tenant, ipText(words)));
  }

  /** Notes the packet that the message was in. Records that took a detour were noted where they came in. */
  private numbered(out: Decoded, { source, diverted }: Segment, own: number, exporter: number): void {
    const { low, high, context, words } = this;
    const type = low[FIELD.type];
    if (type < EXPORTS.SFLOW_5 || type > EXPORTS.IPFIX || high[FIELD.sequence] !== 0) return;
    if (diverted !== undefined || exporter === 0) return;
    const asked = own < 0 && context.asksExporters(source);
    const tenant = asked ? context.ownedByExporter(out.flows, out.flows.length, source, own, words, 0) : own;
    if (tenant >= 0) out.sequences.note(exporter, tenant, type, low[FIELD.domain], low[FIELD.sequence]);
  }

  /** Dictionary id of the exporter's address; 0 for none, or one that is no address. */
  private exporter(): number {
    if (this.lengths[FIELD.samplerAddress] === 0 || !this.address(FIELD.samplerAddress, this.words, 0)) return 0;
    return this.context.dictionary.internText(ipText(this.words));
  }

  private times(flows: FlowColumns, i: number): boolean {
    const known = (field: number, into: Float64Array): boolean => {
      splitNanoseconds(this.low[field], this.high[field], into);
      return this.low[field] !== 0 || this.high[field] !== 0;
    };
    const { instant, ended } = this;
    const start = known(FIELD.timeStart, instant);
    if (!start && !known(FIELD.timeReceived, instant)) {
      return this.fail('missing_field', 'the message has neither time_flow_start_ns nor time_received_ns');
    }
    flows.timeMs[i] = instant[0];
    flows.timeNs[i] = instant[1];
    if (!start || !known(FIELD.timeEnd, ended)) return true;
    const duration = ended[0] - instant[0] + (ended[1] - instant[1]) / 1e6;
    if (duration >= 0) flows.durationMs[i] = duration;
    return true;
  }

  private address(field: number, into: Uint32Array, at: number): boolean {
    const { bytes } = this;
    const start = this.starts[field];
    const length = this.lengths[field];
    if (length === 0) return this.fail('missing_field', `${NAMES.get(field)} is missing`);
    if (length !== 4 && length !== 16) return this.fail('bad_address', `${NAMES.get(field)} has ${length} bytes`);
    into[at] = 0;
    into[at + 1] = 0;
    into[at + 2] = V4_PREFIX;
    for (let word = 0; word < length / 4; word++) {
      const b = start + word * 4;
      into[at + 4 - length / 4 + word] = (bytes[b] << 24) | (bytes[b + 1] << 16) | (bytes[b + 2] << 8) | bytes[b + 3];
    }
    return true;
  }

  private store(field: number, max: number, column: Uint8Array | Uint16Array | Uint32Array, i: number): boolean {
    if (!this.inRange(field, max)) return false;
    column[i] = this.low[field];
    return true;
  }

  private inRange(field: number, max: number): boolean {
    if (this.high[field] === 0 && this.low[field] <= max) return true;
    return this.fail('out_of_range', `${NAMES.get(field)} is above ${max}`);
  }

  private counter(field: number, column: Uint32Array, i: number): boolean {
    if (this.high[field] > 0x7fffffff) return this.fail('out_of_range', `${NAMES.get(field)} is above 2^63-1`);
    column[i * 2] = this.low[field];
    column[i * 2 + 1] = this.high[field];
    return true;
  }

  /** Reads a varint below 2^64 at `this.at` into valueLow and valueHigh. */
  private varint(end: number): boolean {
    let low = 0;
    let high = 0;
    for (let k = 0; k < 10; k++) {
      if (this.at >= end) return this.fail('syntax', 'the message ends inside a number');
      const byte = this.bytes[this.at++];
      const part = byte & 127;
      // 4 × 7 bits fill the low word but for 4 bits of the fifth group; the tenth group holds one bit.
      if (k < 4) low += part * 2 ** (7 * k);
      else if (k === 4) {
        low += (part & 15) * 2 ** 28;
        high = part >>> 4;
      } else if (k < 9 || part <= 1) high += part * 2 ** (7 * k - 32);
      else return this.fail('syntax', 'a number has more than 64 bits');
      if (byte < 128) {
        this.valueLow = low;
        this.valueHigh = high;
        return true;
      }
    }
    return this.fail('syntax', 'a number has more than ten bytes');
  }

  private wrongType(field: number): false {
    return this.fail('wrong_type', `${NAMES.get(field)} (field ${field}) has another wire type than goflow2 gives it`);
  }

  private fail(code: RejectCode, detail: string): false {
    this.code = code;
    this.detail = detail;
    return false;
  }
}

export function createGoflow2ProtobufDecoder(context: DecodeContext): SegmentDecoder {
  const messages = new FlowMessages(context);
  return (batch, segmentIndex, out) => messages.segment(batch, segmentIndex, out);
}

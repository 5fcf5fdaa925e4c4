// What the one-directional exporters' records (goflow2, Akvorado) have in common once their fields are in the row.

import { utf8 } from '../../src/model/bytes.ts';
import { clearRow, FLOW_FLAG, type FlowColumns, nextFlow } from '../../src/model/flow.ts';
import { ipText } from '../../src/model/ip.ts';
import type { RejectCode } from '../../src/model/reject.ts';
import { EXPORTS } from '../../src/model/sequence-runs.ts';
import { TENANT_INACTIVE, TENANT_UNKNOWN } from './context.ts';
import { scaleCounter } from './digits.ts';
import { ABSENT, FAILED, type FieldReader } from './json-records.ts';
import { orient } from './orient.ts';
import { ICMP, ICMP6, placeIcmp } from './protocols.ts';
import { instant } from './time.ts';

export interface Fault {
  readonly code: RejectCode;
  readonly detail: string;
}

export const MAX_U32 = 0xffffffff;

const OVERFLOW: Fault = { code: 'out_of_range', detail: 'a counter times the sampling rate is above 2^63-1' };

/**
 * Scales and orients row `i`, whose fields are those of the observed direction. `rate` 0 is "not sampled"; an ICMP type of
 * -1 is unknown. Scaled counters are exact multiples, so that raw = scaled / sampling_rate.
 */
export function settleNetflow(
  flows: FlowColumns,
  i: number,
  rate: number,
  icmpType: number,
  icmpCode: number,
): Fault | null {
  if (rate > 1) {
    flows.samplingRate[i] = rate;
    flows.flags[i] |= FLOW_FLAG.sampled;
    if (!scaleCounter(flows.bytesSent, i, rate) || !scaleCounter(flows.packetsSent, i, rate)) return OVERFLOW;
  }
  const protocol = flows.protocol[i];
  let type = icmpType;
  if (protocol === ICMP || protocol === ICMP6) {
    if (type <= 0 && icmpCode <= 0 && (flows.sourcePort[i] | flows.destinationPort[i]) !== 0) {
      // NetFlow v5 and many v9 exporters put type × 256 + code into the destination port.
      type = flows.destinationPort[i] >>> 8;
      placeIcmp(flows, i, type, flows.destinationPort[i] & 255);
    } else if (type >= 0) placeIcmp(flows, i, type, Math.max(icmpCode, 0));
  }
  orient(flows, i, type);
  return null;
}

/** Field → its spellings, the first found counts. Counts are unscaled. */
export interface NetflowNames {
  readonly source: readonly string[];
  readonly destination: readonly string[];
  readonly sourcePort: readonly string[];
  readonly destinationPort: readonly string[];
  readonly protocol: readonly string[];
  readonly bytes: readonly string[];
  readonly packets: readonly string[];
  readonly samplingRate: readonly string[];
  readonly exporter: readonly string[];
  /** Tried in this order; a time of 0 is "not known". */
  readonly start: readonly string[];
  readonly end: readonly string[];
  readonly received: readonly string[];
  readonly inputInterface: readonly string[];
  readonly outputInterface: readonly string[];
  readonly tcpFlags: readonly string[];
  readonly icmpType: readonly string[];
  readonly icmpCode: readonly string[];
  readonly sourceAsn: readonly string[];
  readonly destinationAsn: readonly string[];
  /** The header of the packet that the record was in: its type, number, and observation domain; nothing where none is given. */
  readonly type: readonly string[];
  readonly sequence: readonly string[];
  readonly domain: readonly string[];
}

const TYPES = Object.entries(EXPORTS).map(([name, type]) => ({ name: utf8(name), type }));

/** Reads JSON records under the given names into flows. */
export class NetflowJson {
  private readonly reader: FieldReader;
  private readonly slots: Readonly<Record<keyof NetflowNames, readonly number[]>>;
  /** The interval's end, as `instant`. */
  private readonly ended = new Float64Array(2);
  private readonly words = new Uint32Array(4);
  /** Slots of what is read and held by no column. */
  private readonly aside: readonly number[];

  constructor(reader: FieldReader, names: NetflowNames) {
    this.reader = reader;
    this.slots = Object.fromEntries(
      Object.entries(names).map(([field, spellings]: [string, readonly string[]]) => [
        field,
        spellings.map((name) => reader.plan.slot(name)),
      ]),
    ) as unknown as Record<keyof NetflowNames, readonly number[]>;
    this.aside = [...this.slots.type, ...this.slots.sequence, ...this.slots.domain];
  }

  record(): void {
    const { out, tenant } = this.reader;
    const i = out.flows.length;
    if (this.flow()) {
      this.numbered(out.flows.tenant[i], out.flows.exporter[i]);
      return;
    }
    this.reader.reject();
    const exporter = this.exporter();
    out.failed(exporter);
    this.numbered(tenant >= 0 ? tenant : this.ownerOf(i), exporter);
  }

  /** Notes the packet that the record was in, where it says so; a number that cannot be read is no reason to refuse the record. */
  private numbered(tenant: number, exporter: number): void {
    const { reader, slots } = this;
    if (slots.sequence.length === 0 || tenant < 0 || exporter === 0) return;
    const { batch, segmentIndex, out } = reader;
    // Records that took a detour were noted where they came in.
    if (batch.segments[segmentIndex].diverted !== undefined) return;
    const number = reader.integer(reader.first(slots.sequence), MAX_U32);
    if (number < 0) return;
    const type = this.type(reader.first(slots.type));
    if (type === 0) return;
    const domain = Math.max(0, reader.integer(reader.first(slots.domain), MAX_U32));
    out.sequences.note(exporter, tenant, type, domain, number);
  }

  /** One of EXPORTS by its name; 0 for none. */
  private type(member: number): number {
    if (member < 0) return 0;
    const { bytes, valueStart, valueEnd } = this.reader.tape;
    const start = valueStart[member];
    const length = valueEnd[member] - start;
    const found = TYPES.find(
      ({ name }) => name.length === length && name.every((byte, i) => byte === bytes[start + i]),
    );
    return found?.type ?? 0;
  }

  private flow(): boolean {
    const { reader, slots } = this;
    const { flows } = reader.out;
    const i = nextFlow(flows);
    clearRow(flows, i);
    if (reader.tenant >= 0) flows.tenant[i] = reader.tenant;
    const at = i * 4;
    const read =
      this.times(i) &&
      this.address(slots.source, 'the source address', flows.source, at) &&
      this.address(slots.destination, 'the destination address', flows.destination, at) &&
      reader.port(reader.first(slots.sourcePort), flows.sourcePort, i) &&
      reader.port(reader.first(slots.destinationPort), flows.destinationPort, i) &&
      reader.port(reader.first(slots.tcpFlags), flows.tcpFlags, i) &&
      reader.counter(reader.first(slots.bytes), flows.bytesSent, i) &&
      reader.counter(reader.first(slots.packets), flows.packetsSent, i) &&
      this.wide(slots.inputInterface, flows.inputInterface, i) &&
      this.wide(slots.outputInterface, flows.outputInterface, i) &&
      this.wide(slots.sourceAsn, flows.sourceAsn, i) &&
      this.wide(slots.destinationAsn, flows.destinationAsn, i);
    if (!read) return false;
    const protocol = reader.protocol(reader.first(slots.protocol));
    const rate = reader.integer(reader.first(slots.samplingRate), MAX_U32);
    const icmpType = this.small(slots.icmpType);
    const icmpCode = this.small(slots.icmpCode);
    if ([protocol, rate, icmpType, icmpCode].includes(FAILED)) return false;
    flows.protocol[i] = Math.max(protocol, 0);
    flows.exporter[i] = this.exporter();
    if (!this.owned(i)) return false;
    const fault = settleNetflow(flows, i, Math.max(rate, 0), icmpType, icmpCode);
    if (fault !== null) return reader.fail(fault.code, fault.detail);
    // They are read for metrics alone: no column holds them, so rules look for them in the record.
    for (const slot of this.aside) if (reader.tape.slots[slot] >= 0) reader.tape.unknown++;
    reader.finish(flows, i);
    return true;
  }

  private address(slots: readonly number[], name: string, into: Uint32Array, at: number): boolean {
    return this.reader.address(this.reader.first(slots), name, into, at);
  }

  private wide(slots: readonly number[], column: Uint32Array, i: number): boolean {
    const value = this.reader.integer(this.reader.first(slots), MAX_U32);
    if (value > 0) column[i] = value;
    return value !== FAILED;
  }

  /** Addresses in one form, so that `::ffff:192.0.2.1` and `192.0.2.1` are one exporter. */
  private exporter(): number {
    const { reader } = this;
    const member = reader.first(this.slots.exporter);
    if (member < 0 || !reader.has(member, 58)) return reader.intern(member);
    const address = reader.addressText(member);
    return address === '' ? reader.intern(member) : reader.context.dictionary.internText(address);
  }

  /** Where the source asks exporters: the tenant and PoP of this one. */
  private owned(i: number): boolean {
    const { reader } = this;
    const { context, batch, segmentIndex, out } = reader;
    const { source } = batch.segments[segmentIndex];
    if (!context.asksExporters(source)) return true;
    const member = reader.first(this.slots.exporter);
    if (!reader.address(member, "the exporter's address", this.words, 0)) return false;
    const tenant = context.ownedByExporter(out.flows, i, source, reader.tenant, this.words, 0);
    return tenant >= 0 || reader.fail(context.tenantCode(tenant), exporterDetail(tenant, ipText(this.words)));
  }

  /** Tenant of the exporter of a rejected record, where the source asks exporters; negative for none. Row `i` is not in use. */
  private ownerOf(i: number): number {
    const { context, batch, segmentIndex, out, tenant } = this.reader;
    const { source } = batch.segments[segmentIndex];
    if (!context.asksExporters(source)) return tenant;
    if (!this.reader.address(this.reader.first(this.slots.exporter), '', this.words, 0)) return tenant;
    return context.ownedByExporter(out.flows, i, source, tenant, this.words, 0);
  }

  /** The first spelling's value that is not 0: both families' fields may stand in a record, one of them unused. */
  private small(slots: readonly number[]): number {
    let value = ABSENT;
    for (const slot of slots) {
      const next = this.reader.integer(this.reader.member(slot), 255);
      if (next > 0 || next === FAILED) return next;
      value = Math.max(value, next);
    }
    return value;
  }

  private times(i: number): boolean {
    const { reader, slots, ended } = this;
    const { flows } = reader.out;
    const end = this.known(slots.end);
    if (end === FAILED) return false;
    if (end !== ABSENT) ended.set(instant);
    const start = this.known(slots.start);
    if (start === FAILED) return false;
    if (start === ABSENT && !reader.time(reader.first(slots.received), 'the time received')) return false;
    flows.timeMs[i] = instant[0];
    flows.timeNs[i] = instant[1];
    if (start === ABSENT || end === ABSENT) return true;
    const duration = ended[0] - instant[0] + (ended[1] - instant[1]) / 1e6;
    if (duration >= 0) flows.durationMs[i] = duration;
    return true;
  }

  /** Reads the first time that is there and not 0 into `instant`; its member, ABSENT or FAILED. */
  private known(slots: readonly number[]): number {
    const { reader } = this;
    for (const slot of slots) {
      const member = reader.member(slot);
      if (member < 0) continue;
      if (!reader.time(member, reader.tape.key(member))) return FAILED;
      if (instant[0] !== 0 || instant[1] !== 0) return member;
    }
    return ABSENT;
  }
}

/** Why a record is refused whose exporter gives `tenant`, a negative result. */
export function exporterDetail(tenant: number, exporter: string): string {
  if (tenant === TENANT_UNKNOWN) return `no configured tenant has the exporter ${exporter}`;
  if (tenant === TENANT_INACTIVE) return `the tenant of the exporter ${exporter} is not active`;
  return `the record names another tenant than its exporter ${exporter} belongs to`;
}

/** Every spelling of the names. */
export function pathsOf(names: NetflowNames): string[] {
  return Object.values(names).flat() as string[];
}

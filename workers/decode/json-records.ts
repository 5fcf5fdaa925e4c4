// What the decoders of JSON dialects share: line by line, each record is read into a tape, its tenant is settled, and the
// dialect picks its fields through a FieldReader. A field that cannot be read leaves a reject code in the reader.

import type { RawBatch } from '../../src/model/batch.ts';
import { textOf } from '../../src/model/bytes.ts';
import type { Decoded } from '../../src/model/decoded.ts';
import { FLOW_FLAG, type FlowColumns } from '../../src/model/flow.ts';
import { ipText, parseIpBytes } from '../../src/model/ip.ts';
import type { RejectCode } from '../../src/model/reject.ts';
import { type DecodeContext, type SegmentDecoder, TENANT_MISSING } from './context.ts';
import { NOT_A_NUMBER, readCounter, readUnsigned } from './digits.ts';
import type { JsonLog, JsonSubject } from './json-log.ts';
import { KIND } from './json-scanner.ts';
import { JsonTape } from './json-tape.ts';
import { readLines } from './lines.ts';
import type { LogParts } from './log-parts.ts';
import { PathPlan } from './path-plan.ts';
import { protocolNumber } from './protocols.ts';
import { parseTime } from './time.ts';

export const ABSENT = -1;
export const FAILED = -2;

const words = new Uint32Array(4);

/** Every dialect honours these two when a forwarder added them. */
const OWN = ['tenant_id', 'pop_id'] as const;

/** The record at hand. One a decoder, reused. */
export class FieldReader {
  readonly context: DecodeContext;
  readonly plan: PathPlan;
  readonly tape: JsonTape;
  batch!: RawBatch;
  segmentIndex = 0;
  out!: Decoded;
  start = 0;
  end = 0;
  tenant = 0;
  private readonly popSlot: number;
  private code: RejectCode = 'syntax';
  private detail = '';

  constructor(context: DecodeContext, paths: readonly string[]) {
    this.context = context;
    this.plan = new PathPlan([...paths, ...OWN]);
    this.tape = new JsonTape(this.plan, context.limits, context.names);
    this.popSlot = this.plan.slot('pop_id');
  }

  /** Member at the planned slot, or ABSENT; `null` counts as absent. */
  member(slot: number): number {
    const member = this.tape.slots[slot];
    return member >= 0 && this.tape.kind[member] === KIND.null ? ABSENT : member;
  }

  /** First of several spellings of a field. */
  first(slots: readonly number[]): number {
    for (const slot of slots) {
      const member = this.member(slot);
      if (member >= 0) return member;
    }
    return ABSENT;
  }

  /** Text of a text member; '' when the member is absent or no text. */
  text(member: number): string {
    return member >= 0 && this.tape.isText(member) ? this.tape.text(member) : '';
  }

  /** True when the member's own bytes have this one. */
  has(member: number, byte: number): boolean {
    const { bytes, valueStart, valueEnd } = this.tape;
    for (let i = valueStart[member]; i < valueEnd[member]; i++) if (bytes[i] === byte) return true;
    return false;
  }

  /** Dictionary id of a text or number member; 0 when it is absent, empty or anything else. */
  intern(member: number): number {
    if (member < 0) return 0;
    const { tape } = this;
    const kind = tape.kind[member];
    if (kind === KIND.escapedText || kind === KIND.oddText)
      return this.context.dictionary.internText(tape.text(member));
    if (kind > KIND.number) return 0;
    return this.context.dictionary.intern(tape.bytes, tape.valueStart[member], tape.valueEnd[member]);
  }

  /** Value up to `max` of a number or a text of digits; ABSENT or FAILED. */
  integer(member: number, max: number): number {
    if (member < 0) return ABSENT;
    const { tape } = this;
    if (tape.kind[member] > KIND.number) return this.notNumber(member);
    const value = readUnsigned(tape.bytes, tape.valueStart[member], tape.valueEnd[member], max);
    if (value >= 0) return value;
    if (value === NOT_A_NUMBER) return this.notNumber(member);
    this.fail('out_of_range', `${tape.key(member)} is above ${max}`);
    return FAILED;
  }

  /** Stores a counter; an absent one is 0. False when it cannot be read. */
  counter(member: number, column: Uint32Array, i: number): boolean {
    if (member < 0) return true;
    const { tape } = this;
    if (tape.kind[member] > KIND.number) return this.notNumber(member) === ABSENT;
    const failure = readCounter(tape.bytes, tape.valueStart[member], tape.valueEnd[member], column, i);
    if (failure === 0) return true;
    if (failure === NOT_A_NUMBER) return this.notNumber(member) === ABSENT;
    return this.fail('out_of_range', `${tape.key(member)} is above 2^63-1`);
  }

  /** Stores an address that must be there. `name` is for the reject. */
  address(member: number, name: string, into: Uint32Array, at: number): boolean {
    if (member < 0) return this.fail('missing_field', `${name} is missing`);
    const { tape } = this;
    const start = tape.valueStart[member];
    const end = tape.valueEnd[member];
    if (tape.kind[member] === KIND.text && parseIpBytes(tape.bytes, start, end, into, at)) return true;
    if (start === end) return this.fail('missing_field', `${name} is empty`);
    return this.fail('bad_address', `${name} is no address: ${this.shown(member)}`);
  }

  /** Canonical address text, or '' when the member is absent or no address. */
  addressText(member: number): string {
    if (member < 0 || this.tape.kind[member] !== KIND.text) return '';
    const { tape } = this;
    return parseIpBytes(tape.bytes, tape.valueStart[member], tape.valueEnd[member], words, 0) ? ipText(words) : '';
  }

  /** Reads a time that must be there into `instant`. */
  time(member: number, name: string): boolean {
    if (member < 0) return this.fail('missing_field', `${name} is missing`);
    const { tape } = this;
    const readable = tape.kind[member] === KIND.text || tape.kind[member] === KIND.number;
    if (readable && parseTime(tape.bytes, tape.valueStart[member], tape.valueEnd[member])) return true;
    return this.fail('bad_timestamp', `${name} is no timestamp: ${this.shown(member)}`);
  }

  /** IANA number of a protocol's name or number; ABSENT or FAILED. */
  protocol(member: number): number {
    if (member < 0) return ABSENT;
    if (!this.tape.isText(member)) return this.integer(member, 255);
    const number = protocolNumber(this.tape.text(member));
    if (number >= 0) return number;
    this.fail('wrong_type', `${this.tape.key(member)} names no protocol: ${this.shown(member)}`);
    return FAILED;
  }

  /** Stores a port-like number; an absent one is 0. */
  port(member: number, column: Uint16Array, i: number): boolean {
    const value = this.integer(member, 65_535);
    if (value > 0) column[i] = value;
    return value !== FAILED;
  }

  fail(code: RejectCode, detail: string): false {
    this.code = code;
    this.detail = detail;
    return false;
  }

  /** Rejects the record with what `fail` last said. */
  reject(): void {
    this.out.reject(this.code, this.detail, this.segmentIndex, this.start, this.end - this.start, this.tenant);
  }

  /** Adds flow row `i` with the record's own PoP, if any, and counts the keys that no column holds. */
  finish(flows: FlowColumns, i: number): void {
    const pop = this.member(this.popSlot);
    if (pop >= 0) flows.pop[i] = this.intern(pop);
    if (this.tape.unknown > 0) flows.flags[i] |= FLOW_FLAG.extras;
    const { context, out, segmentIndex, batch, start, end } = this;
    if (context.finishFlow(out, i, segmentIndex, batch, start, end - start)) out.unknownKeys += this.tape.unknown;
  }

  pop(): string {
    return this.text(this.member(this.popSlot));
  }

  /** The record at hand as a log event; its log source and what it says of its PoP are not yet in it. */
  log(subject: JsonSubject, ms: number, ns: number): JsonLog {
    const { tape, context, batch, segmentIndex, start, end, tenant } = this;
    const place = { segment: segmentIndex, rawStart: start, rawLength: end - start };
    const log = context.freshLog().begin(tape, subject, batch, place, tenant);
    log.ms = ms;
    log.ns = ns;
    return log;
  }

  /** Hands a log event over. */
  push(log: JsonLog): void {
    const { tape, context, out } = this;
    if (tape.unnamed)
      context.pushLog(out, log.batch, log.segment, log.rawStart, log.rawLength, log.tenant, partsOf(log, this.pop()));
    else if (context.pushJsonLog(out, log, this.pop())) tape.keep();
  }

  private notNumber(member: number): number {
    this.fail('wrong_type', `${this.tape.key(member)} is no unsigned number: ${this.shown(member)}`);
    return FAILED;
  }

  private shown(member: number): string {
    const start = this.tape.valueStart[member];
    return textOf(this.tape.bytes, start, Math.min(this.tape.valueEnd[member], start + 60));
  }
}

/** A key without a number cannot be told by it: the event is taken apart here. */
function partsOf(log: JsonLog, pop: string): LogParts {
  const { ms, ns, logsource, fields, fieldsJson, sourceIp, destinationIp, host, user, severity, message } = log;
  return { ms, ns, logsource, fields, fieldsJson, pop, sourceIp, destinationIp, host, user, severity, message };
}

/** Makes a segment decoder; `onRecord` accepts, rejects or skips the record in the reader. */
export function jsonDecoder(reader: FieldReader, onRecord: (reader: FieldReader) => void): SegmentDecoder {
  const { context, tape } = reader;
  const tenantSlot = reader.plan.slot('tenant_id');
  return (batch, segmentIndex, out) => {
    const { source, base, start: first } = batch.segments[segmentIndex];
    const { bytes } = batch;
    reader.batch = batch;
    reader.segmentIndex = segmentIndex;
    reader.out = out;
    tape.open(context.batches);
    readLines(context, batch, segmentIndex, out, (start, end) => {
      reader.start = start;
      reader.end = end;
      if (!tape.read(bytes, start, end)) {
        const detail = `${tape.detail} (at byte ${base + tape.position - first})`;
        out.reject(tape.code, detail, segmentIndex, start, end - start, context.rejectTenantOf(source));
        return;
      }
      // Only text names a tenant: Suricata has a numeric tenant_id of its own.
      const named = tape.slots[tenantSlot];
      const name = named >= 0 && tape.isText(named) ? named : -1;
      if (name < 0) reader.tenant = context.tenantOfSource(source);
      else if (tape.kind[name] !== KIND.text) reader.tenant = context.resolveTenant(source, tape.text(name));
      else reader.tenant = context.resolveTenantBytes(source, bytes, tape.valueStart[name], tape.valueEnd[name]);
      if (reader.tenant >= 0 || (reader.tenant === TENANT_MISSING && context.asksExporters(source))) onRecord(reader);
      else context.rejectTenant(out, reader.tenant, reader.text(name), segmentIndex, start, end - start);
    });
  };
}

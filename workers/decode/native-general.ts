// The general path of the native format: one decoded record, JSON or MessagePack, into a flow, session, tunnel statistic
// or log event, or a reject. The fast paths are proven equal to it; what they do not know, they leave to it.

import type { RawBatch } from '../../src/model/batch.ts';
import type { Decoded } from '../../src/model/decoded.ts';
import type { Instant } from '../../src/model/records.ts';
import type { RejectCode } from '../../src/model/reject.ts';
import type { DecodeContext } from './context.ts';
import { NESTED, textValue, type Value } from './fields.ts';
import { acceptFlow } from './native-flow.ts';
import { K, type NativeKey } from './native-keys.ts';
import { acceptLog } from './native-log.ts';
import { acceptSession, acceptTunnel } from './native-session.ts';
import { WallClock } from './wall-clock.ts';
import { Yearless } from './yearless.ts';

/** A record whose syntax, size and keys are checked. Reused from record to record. */
export abstract class NativeRecord {
  /** Scalars and arrays of the record, at any depth of objects, under keys that Weir does not read. */
  unknown = 0;
  readonly context: DecodeContext;
  batch!: RawBatch;
  out!: Decoded;
  segmentIndex = 0;
  start = 0;
  length = 0;
  tenant = -1;
  readonly yearless = new Yearless();
  private readonly clocks = new Map<string, WallClock>();

  constructor(context: DecodeContext) {
    this.context = context;
  }

  /** By key index (see native-keys.ts); undefined = absent or null. */
  abstract at(key: number): Value | undefined;

  /** The record as a log event of this time; null of one that has none of the keys in `TIMES`. */
  abstract acceptLog(at: Instant | null): void;

  /** `metadata`, when it is an object: its scalar members as texts. */
  abstract metadata(): Record<string, string>;

  /** Whether a key, by its index, is there and not null. */
  abstract has(key: number): boolean;

  hasAll(keys: readonly number[]): boolean {
    for (let i = 0; i < keys.length; i++) if (!this.has(keys[i])) return false;
    return true;
  }

  hasAny(keys: readonly number[]): boolean {
    for (let i = 0; i < keys.length; i++) if (this.has(keys[i])) return true;
    return false;
  }

  /** Text of a key; '' when it is absent or no text. */
  text(key: NativeKey): string {
    const value = this.at(K[key]);
    return value === undefined ? '' : (textValue(value) ?? '');
  }

  /** The first of several keys that holds text. */
  firstText(keys: readonly NativeKey[]): string {
    for (const key of keys) {
      const text = this.text(key);
      if (text !== '') return text;
    }
    return '';
  }

  /** The clock of the source's time zone, for times that name none. */
  clock(): WallClock {
    const { timezone } = this.context.sourceOf(this.sourceIndex);
    let clock = this.clocks.get(timezone);
    if (clock === undefined) {
      clock = new WallClock(timezone);
      this.clocks.set(timezone, clock);
    }
    return clock;
  }

  get sourceIndex(): number {
    return this.batch.segments[this.segmentIndex].source;
  }

  reject(code: RejectCode, detail: string): void {
    this.out.reject(code, detail, this.segmentIndex, this.start, this.length, this.tenant);
  }

  /** Rejects because of one key's value. */
  rejectKey(code: RejectCode, key: NativeKey): void {
    const value = this.at(K[key]);
    if (value === undefined) {
      this.reject('missing_field', `${key} is missing`);
      return;
    }
    const text = textValue(value);
    const shown =
      value === NESTED ? 'an object or a list' : text === null ? `a ${typeof value}` : `'${text.slice(0, 60)}'`;
    this.reject(code, `${key} is ${shown}`);
  }
}

/** Accepts or rejects the record; its counting (`out.read`) is the caller's. */
export function acceptRecord(record: NativeRecord): void {
  const { context, out } = record;
  record.tenant = context.rejectTenantOf(record.sourceIndex);
  const foreign = foreignDialect(record);
  if (foreign !== '') {
    record.reject('format_mismatch', `the record is ${foreign}, not native`);
    return;
  }
  const named = record.at(K.tenant_id);
  const name =
    named === undefined ? '' : typeof named === 'string' || named instanceof Uint8Array ? textValue(named) : null;
  if (name === null) {
    record.rejectKey('wrong_type', 'tenant_id');
    return;
  }
  const tenant = context.resolveTenant(record.sourceIndex, name);
  if (tenant < 0) {
    context.rejectTenant(out, tenant, name, record.segmentIndex, record.start, record.length);
    return;
  }
  record.tenant = tenant;
  kindOf(record)(record);
}

type Accept = (record: NativeRecord) => void;

const of = (...keys: NativeKey[]): readonly number[] => keys.map((key) => K[key]);

const ENDPOINTS = of('source_ip', 'destination_ip');
const TUNNEL = of('tunnel_id');
const SESSION = of('session_id');
const SESSION_MARKS = of('status', 'last_activity', 'started_at');
const DESTINATION = of('destination_ip');
const LOG_SOURCE = of('product', 'logsource.product', 'logsource.category', 'logsource.service');
/** Keys that only a flow record has. */
const FLOW_MARKS = of('flow_id', 'bytes_sent', 'bytes_received', 'packets_sent', 'packets_received');
const LOG_MARKS = of('message', '@timestamp');
const CONNECTION = of('protocol', 'source_port', 'destination_port');

/** By keys: what a record is does not depend on the values of its fields, nor on other records. */
function kindOf(record: NativeRecord): Accept {
  const endpoints = record.hasAll(ENDPOINTS);
  if (!endpoints && record.hasAny(TUNNEL)) return acceptTunnel;
  if (record.hasAny(SESSION) && record.hasAny(SESSION_MARKS) && !record.hasAny(DESTINATION)) return acceptSession;
  if (record.hasAny(LOG_SOURCE)) return acceptLog;
  const measured = record.hasAny(FLOW_MARKS);
  if (endpoints && measured) return acceptFlow;
  if (record.hasAny(LOG_MARKS)) return acceptLog;
  return measured || (record.hasAny(CONNECTION) && record.hasAny(ENDPOINTS)) ? acceptFlow : acceptLog;
}

/** Keys that only records of other dialects have together. */
const FOREIGN: readonly (readonly [name: string, keys: readonly number[]])[] = [
  ['Zeek JSON', of('id.orig_h')],
  ['Zeek JSON', of('_path', 'ts')],
  ['Suricata EVE', of('event_type', 'timestamp', 'src_ip')],
  ['goflow2 JSON', of('sampler_address')],
  ['goflow2 JSON', of('time_received_ns')],
  ['Akvorado JSON', of('ExporterAddress', 'SrcAddr')],
];

/** Records of other dialects would pass as log events without a source address: refuse them, and say what they are. */
function foreignDialect(record: NativeRecord): string {
  if (record.hasAny(LOG_SOURCE)) return '';
  for (const [name, keys] of FOREIGN) if (record.hasAll(keys)) return name;
  return '';
}

// The general path of the native format: one decoded record, JSON or MessagePack, into a flow, session, tunnel statistic
// or log event, or a reject. The fast paths are proven equal to it; what they do not know, they leave to it.

import type { RawBatch } from '../../src/model/batch.ts';
import type { Decoded } from '../../src/model/decoded.ts';
import type { RejectCode } from '../../src/model/reject.ts';
import type { DecodeContext } from './context.ts';
import { NESTED, textValue, type Value } from './fields.ts';
import { acceptFlow } from './native-flow.ts';
import { K, NATIVE_KEYS, type NativeKey } from './native-keys.ts';
import { acceptLog } from './native-log.ts';
import { acceptSession, acceptTunnel } from './native-session.ts';
import { WallClock } from './wall-clock.ts';

/** A record whose syntax, size and keys are checked. Reused from record to record. */
export abstract class NativeRecord {
  /** By key index (see native-keys.ts); undefined = absent or null. */
  readonly values: (Value | undefined)[] = new Array<Value | undefined>(NATIVE_KEYS.length).fill(undefined);
  /** Scalars and arrays of the record, at any depth of objects, under keys that Weir does not read. */
  unknown = 0;
  readonly context: DecodeContext;
  batch!: RawBatch;
  out!: Decoded;
  segmentIndex = 0;
  start = 0;
  length = 0;
  tenant = -1;
  private readonly clocks = new Map<string, WallClock>();

  constructor(context: DecodeContext) {
    this.context = context;
  }

  /** The record as an object (own keys only) and as JSON text. */
  abstract fields(): { readonly fields: Record<string, unknown>; readonly json: string };

  /** `metadata`, when it is an object: its scalar members as texts. */
  abstract metadata(): Record<string, string>;

  has(key: NativeKey): boolean {
    return this.values[K[key]] !== undefined;
  }

  /** Text of a key; '' when it is absent or no text. */
  text(key: NativeKey): string {
    const value = this.values[K[key]];
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
    const value = this.values[K[key]];
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
  const named = record.values[K.tenant_id];
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

/** By keys: what a record is does not depend on the values of its fields, nor on other records. */
function kindOf(record: NativeRecord): Accept {
  const endpoints = record.has('source_ip') && record.has('destination_ip');
  if (record.has('tunnel_id') && !endpoints) return acceptTunnel;
  const session = record.has('status') || record.has('last_activity') || record.has('started_at');
  if (record.has('session_id') && session && !record.has('destination_ip')) return acceptSession;
  if (record.has('product') || declaresLogSource(record)) return acceptLog;
  const measured = FLOW_MARKS.some((key) => record.has(key));
  if (endpoints && measured) return acceptFlow;
  if (record.has('message') || record.has('@timestamp')) return acceptLog;
  const connection = record.has('protocol') || record.has('source_port') || record.has('destination_port');
  if (measured || (connection && (record.has('source_ip') || record.has('destination_ip')))) return acceptFlow;
  return acceptLog;
}

/** Keys that only a flow record has. */
const FLOW_MARKS: readonly NativeKey[] = [
  'flow_id',
  'bytes_sent',
  'bytes_received',
  'packets_sent',
  'packets_received',
];

function declaresLogSource(record: NativeRecord): boolean {
  return record.has('logsource.product') || record.has('logsource.category') || record.has('logsource.service');
}

/** Records of other dialects would pass as log events without a source address: refuse them, and say what they are. */
function foreignDialect(record: NativeRecord): string {
  if (record.has('product') || declaresLogSource(record)) return '';
  if (record.has('id.orig_h') || (record.has('_path') && record.has('ts'))) return 'Zeek JSON';
  if (record.has('event_type') && record.has('timestamp') && record.has('src_ip')) return 'Suricata EVE';
  if (record.has('sampler_address') || record.has('time_received_ns')) return 'goflow2 JSON';
  return record.has('ExporterAddress') && record.has('SrcAddr') ? 'Akvorado JSON' : '';
}

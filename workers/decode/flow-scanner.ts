// The fast path of native JSON: one flow record straight from bytes into row i of the columns; no strings, no objects.
//
// It knows plain records only: flow keys in any order (the order of the record before is tried first, four bytes at a
// time), one space at most after ':' and ',', values without escapes. Whatever else it meets it leaves to the general
// path by returning -1, refusals included, so that there is one definition of what is accepted and why not.
// The file is long because a call or a property load a byte is what it is there to avoid.

import type { RawBatch } from '../../src/model/batch.ts';
import { clearRow, FLOW_FLAG, type FlowColumns, nextFlow } from '../../src/model/flow.ts';
import { parseIpBytes, V4_PREFIX } from '../../src/model/ip.ts';
import type { DecodeContext } from './context.ts';
import {
  DECISIVE,
  HAS_TENANT,
  KEY_STRIDE,
  keyTable,
  LONGEST_KEY,
  lookUpKey,
  REQUIRED,
  UNKNOWN,
} from './flow-key-table.ts';
import { MinuteMemo } from './minute-memo.ts';
import { PlainTexts } from './plain-texts.ts';
import { TenantMemo } from './tenant-memo.ts';
import { instant } from './time.ts';
import { readUuid } from './uuid-bytes.ts';

/** Keys as `"key":`. */
const KEYS = keyTable((key) => `"${key}":`);

/** Bytes behind the start of a value that may be touched before its end is known. */
const LONGEST_PLAIN = 24;

const NULL_WORD = 0x6c6c756e; // "null"

const POWERS = Float64Array.from({ length: 16 }, (_, i) => 10 ** i);

// Four bytes at once as digits: a byte of `word ^ ZEROS` is 0–9 for a digit; with ABOVE_NINE added, it or the sum has its
// high bit for any other, exactly so up to the first such byte.
const ZEROS = 0x30303030;
const ABOVE_NINE = 0x76767676;
const HIGH_BITS = 0x80808080;
const TENS = Int32Array.of(1, 10, 100, 1000);

/** The number that four digits (0–9, the first in the low byte) spell. */
function fourDigits(digits: number): number {
  const pairs = Math.imul(digits, 10) + (digits >>> 8);
  return (pairs & 0xff) * 100 + ((pairs >>> 16) & 0xff);
}

export class FlowScanner {
  /** Keys of the scanned record that no column holds. */
  unknown = 0;
  private readonly context: DecodeContext;
  private bytes: Uint8Array = new Uint8Array(0);
  private view: DataView = new DataView(new ArrayBuffer(0));
  private end = 0;
  /** Bytes of the view, as its own getter is slow. */
  private limit = 0;
  private source = -1;
  /** Expected key at each place: what the last record had there. */
  private readonly order = Int8Array.from({ length: 128 }, (_, i) => Math.min(i, UNKNOWN));
  private keyEnd = 0;
  private readonly texts: PlainTexts;
  private readonly tenants: TenantMemo;
  private tenantStop = 0;
  private readonly minutes = new MinuteMemo();
  private readonly maxKeys: number;

  constructor(context: DecodeContext) {
    this.context = context;
    const { dictionary } = context;
    this.texts = new PlainTexts(dictionary);
    this.tenants = new TenantMemo(context);
    this.maxKeys = Math.min(context.limits.keys, this.order.length);
  }

  /** Call before the records of a segment. */
  open(batch: RawBatch, segmentIndex: number): void {
    const { bytes } = batch;
    const segment = batch.segments[segmentIndex];
    if (this.bytes !== bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      this.limit = bytes.byteLength;
    }
    this.end = segment.end;
    this.source = segment.source;
    this.tenants.open(segment.source);
  }

  /** Scans the record that starts at `start` into row `flows.length` (not added yet). Offset behind its '}', or -1. */
  scan(start: number, flows: FlowColumns): number {
    const { bytes, view, order, end, texts } = this;
    const i = nextFlow(flows);
    clearRow(flows, i);
    // Locals, since a property or module binding is read anew at every use.
    const { words, lengths } = KEYS;
    const { limit, maxKeys } = this;
    const safe = limit - LONGEST_KEY;
    const room = limit - LONGEST_PLAIN;
    let at = start + 1;
    let seen = 0;
    let unknown = 0;
    let tenant = -1;
    let value = 0;
    for (let place = 0; ; place++) {
      if (at > safe || place >= maxKeys) return -1;
      let key = order[place];
      const length = lengths[key];
      const w = key * KEY_STRIDE;
      const tail = at + length - 4;
      // The last word overlaps the one before it, so that no key needs a rest loop. Keys of less than eight bytes and
      // UNKNOWN have a first word that nothing starts with, and are looked up.
      if (
        view.getInt32(at, true) === words[w] &&
        view.getInt32(at + 4, true) === words[w + 1] &&
        view.getInt32(tail, true) === words[w + 2] &&
        (length <= 12 ||
          (view.getInt32(at + 8, true) === words[w + 3] &&
            (length <= 16 || (view.getInt32(at + 12, true) === words[w + 4] && length <= 20))))
      ) {
        at = tail + 4;
      } else {
        key = this.findKey(at);
        if (key < 0) return -1;
        order[place] = key;
        at = this.keyEnd;
      }
      if (bytes[at] === 32) at++;
      if (at > room) return -1;
      const bit = 1 << key;
      if (key !== UNKNOWN) {
        if ((seen & bit) !== 0) return -1;
        seen |= bit;
      }
      if (bytes[at] === 110 && key !== UNKNOWN) {
        if (view.getInt32(at, true) !== NULL_WORD || (bit & DECISIVE) !== 0) return -1;
        at += 4;
      } else {
        // Literal numbers, the indices of FLOW_KEYS, since only those become a jump table.
        switch (key) {
          case 0: // tenant_id
            tenant = this.tenantOf(at);
            if (tenant < 0) return -1;
            at = this.tenantStop;
            break;
          case 2: // timestamp
            at = this.timestamp(at, flows, i);
            break;
          case 3: // flow_id
            at = this.flowId(at, flows, i);
            break;
          case 4: // source_ip
            at = this.address(at, flows.source, i * 4);
            break;
          case 5: // destination_ip
            at = this.address(at, flows.destination, i * 4);
            break;
          case 6: // source_port
            at = this.small(at, 65_535);
            flows.sourcePort[i] = this.value;
            break;
          case 7: // destination_port
            at = this.small(at, 65_535);
            flows.destinationPort[i] = this.value;
            break;
          case 8: // protocol
            at = this.protocol(at, flows.protocol, i);
            break;
          case 9: // bytes_sent
            at = this.counter(at, flows.bytesSent, i);
            break;
          case 10: // bytes_received
            at = this.counter(at, flows.bytesReceived, i);
            break;
          case 11: // packets_sent
            at = this.counter(at, flows.packetsSent, i);
            break;
          case 12: // packets_received
            at = this.counter(at, flows.packetsReceived, i);
            break;
          case 1: // pop_id
            value = texts.read(bytes, view, at, end, limit);
            if (value < 0) return -1;
            flows.pop[i] = value;
            at = texts.stop;
            break;
          case 13: // application
            value = texts.read(bytes, view, at, end, limit);
            if (value < 0) return -1;
            flows.application[i] = value;
            at = texts.stop;
            break;
          case 14: // action
            value = texts.read(bytes, view, at, end, limit);
            if (value < 0) return -1;
            flows.action[i] = value;
            at = texts.stop;
            break;
          case 15: // user_id
            value = texts.read(bytes, view, at, end, limit);
            if (value < 0) return -1;
            flows.user[i] = value;
            at = texts.stop;
            break;
          case 16: // device_id
            value = texts.read(bytes, view, at, end, limit);
            if (value < 0) return -1;
            flows.device[i] = value;
            at = texts.stop;
            break;
          case 17: // site_id
            value = texts.read(bytes, view, at, end, limit);
            if (value < 0) return -1;
            flows.site[i] = value;
            at = texts.stop;
            break;
          case 28: // UNKNOWN
            unknown++;
            at = this.skip(at);
            break;
          default:
            at = this.rare(key, at, flows, i);
        }
        if (at < 0) return -1;
      }
      const c = bytes[at++];
      if (c === 44) {
        if (bytes[at] === 32) at++;
      } else if (c === 125) break;
      else return -1;
    }
    if (at > end || (seen & REQUIRED) !== REQUIRED) return -1;
    if ((seen & HAS_TENANT) === 0) {
      tenant = this.context.tenantOfSource(this.source);
      if (tenant < 0) return -1;
    }
    flows.tenant[i] = tenant;
    if (unknown > 0) flows.flags[i] |= FLOW_FLAG.extras;
    this.unknown = unknown;
    return at;
  }

  private textStart = 0;

  /** Offset behind the closing quote of the text at `at` (its content starts at `textStart`), or -1: no plain text. */
  private text(at: number): number {
    const { bytes, end } = this;
    if (bytes[at] !== 34) return -1;
    this.textStart = at + 1;
    for (let p = at + 1; p < end; p++) {
      const c = bytes[p];
      if (c === 34) return p + 1;
      if (c < 32 || c === 92) return -1;
    }
    return -1;
  }

  private tenantOf(at: number): number {
    const { bytes, end } = this;
    if (bytes[at] === 34 && at + 38 <= end && bytes[at + 37] === 34) {
      this.tenantStop = at + 38;
      const tenant = this.tenants.uuid(bytes, this.view, at + 1);
      // Were there a quote among the 36 bytes, they would name no tenant and the general path would take the record.
      return tenant;
    }
    const stop = this.text(at);
    if (stop < 0) return -1;
    this.tenantStop = stop;
    return this.tenants.name(bytes, at + 1, stop - 1);
  }

  private timestamp(at: number, flows: FlowColumns, i: number): number {
    const { bytes, view, end } = this;
    const quoted = bytes[at] === 34;
    if (quoted && at + 26 <= end && bytes[at + 25] === 34) {
      const ms = this.minutes.read(bytes, view, at + 1);
      if (ms >= 0) {
        flows.timeMs[i] = ms;
        return at + 26;
      }
    }
    const start = quoted ? at + 1 : at;
    const stop = quoted ? this.text(at) - 1 : this.number(at);
    if (stop <= start || !this.minutes.parse(bytes, view, start, stop)) return -1;
    flows.timeMs[i] = instant[0];
    flows.timeNs[i] = instant[1];
    return quoted ? stop + 1 : stop;
  }

  private flowId(at: number, flows: FlowColumns, i: number): number {
    const { bytes, end } = this;
    if (at + 38 > end || bytes[at] !== 34 || bytes[at + 37] !== 34) return -1;
    const { id } = flows;
    const quad = i * 4;
    if (!readUuid(bytes, this.view, at + 1, id, quad)) return -1;
    if ((id[quad] | id[quad + 1] | id[quad + 2] | id[quad + 3]) !== 0) flows.flags[i] |= FLOW_FLAG.idGiven;
    return at + 38;
  }

  private address(at: number, column: Uint32Array, quad: number): number {
    const { bytes, view } = this;
    if (bytes[at] !== 34) return -1;
    let p = at + 1;
    let value = 0;
    for (let part = 0; part < 4; part++) {
      const word = view.getInt32(p, true);
      const digits = word ^ ZEROS;
      const other = ((digits + ABOVE_NINE) | digits) & HIGH_BITS;
      const bits = (31 - Math.clz32(other & -other)) & 24;
      if (other === 0 || bits === 0 || ((word >>> bits) & 0xff) !== (part === 3 ? 34 : 46)) {
        return this.anyAddress(at, column, quad);
      }
      const octet = fourDigits(digits << (32 - bits));
      if (octet > 255 || (bits > 8 && (digits & 0xff) === 0)) return -1;
      value = (value << 8) | octet;
      p += (bits >> 3) + 1;
    }
    column[quad + 2] = V4_PREFIX;
    column[quad + 3] = value;
    return p;
  }

  private anyAddress(at: number, column: Uint32Array, quad: number): number {
    const stop = this.text(at);
    if (stop < 0 || stop - 1 === this.textStart) return -1;
    return parseIpBytes(this.bytes, this.textStart, stop - 1, column, quad) ? stop : -1;
  }

  /** What `small` and `plainNumber` read. */
  private value = 0;

  /** A whole number of at most seven digits without quotes; -1 when another thing stands there. Sets `value`. */
  private plainNumber(at: number): number {
    const { view } = this;
    const digits = view.getInt32(at, true) ^ ZEROS;
    const other = ((digits + ABOVE_NINE) | digits) & HIGH_BITS;
    if (other !== 0) {
      const bits = (31 - Math.clz32(other & -other)) & 24;
      if (bits === 0 || (bits > 8 && (digits & 0xff) === 0)) return -1;
      this.value = fourDigits(digits << (32 - bits));
      return at + (bits >> 3);
    }
    const more = view.getInt32(at + 4, true) ^ ZEROS;
    const end = ((more + ABOVE_NINE) | more) & HIGH_BITS;
    if (end === 0 || (digits & 0xff) === 0) return -1;
    const bits = (31 - Math.clz32(end & -end)) & 24;
    const rest = bits === 0 ? 0 : fourDigits(more << (32 - bits));
    this.value = fourDigits(digits) * TENS[bits >> 3] + rest;
    return at + 4 + (bits >> 3);
  }

  /** A whole number of at most nine digits, in quotes or not. Sets `value`. */
  private small(at: number, max: number): number {
    const plain = this.plainNumber(at);
    if (plain >= 0) return this.value <= max ? plain : -1;
    const { bytes } = this;
    const quoted = bytes[at] === 34;
    let p = quoted ? at + 1 : at;
    const first = p;
    let value = 0;
    for (;;) {
      const d = bytes[p] - 48;
      if (!(d >= 0 && d <= 9)) break;
      value = value * 10 + d;
      p++;
      if (p - first > 9) return -1;
    }
    if (p === first || value > max || (p - first > 1 && bytes[first] === 48)) return -1;
    this.value = value;
    if (!quoted) return p;
    return bytes[p] === 34 ? p + 1 : -1;
  }

  private smallInto(column: Uint16Array | Uint32Array, i: number, next: number): number {
    column[i] = this.value;
    return next;
  }

  /** A whole number of at most fifteen digits, in quotes or not; longer ones are for the general path. */
  private counter(at: number, column: Uint32Array, i: number): number {
    const plain = this.plainNumber(at);
    if (plain < 0) return this.longCounter(at, column, i);
    column[i * 2] = this.value;
    return plain;
  }

  private longCounter(at: number, column: Uint32Array, i: number): number {
    const { bytes } = this;
    const quoted = bytes[at] === 34;
    let p = quoted ? at + 1 : at;
    const first = p;
    let value = 0;
    for (; bytes[p] >= 48 && bytes[p] <= 57; p++) value = value * 10 + bytes[p] - 48;
    if (p === first || p - first > 15 || (p - first > 1 && bytes[first] === 48)) return -1;
    column[i * 2] = value % 4294967296;
    column[i * 2 + 1] = Math.floor(value / 4294967296);
    if (!quoted) return p;
    return bytes[p] === 34 ? p + 1 : -1;
  }

  private protocol(at: number, column: Uint8Array, i: number): number {
    const known = this.knownProtocol(at);
    if (known > 0) {
      column[i] = known;
      return at + (known === 1 ? 6 : 5);
    }
    const next = this.small(at, 255);
    column[i] = this.value;
    return next;
  }

  /** Number of the protocol if its name stands there and is a common one, else 0. */
  private knownProtocol(at: number): number {
    const { bytes } = this;
    if (bytes[at] !== 34) return 0;
    const a = bytes[at + 1] | 32;
    const b = bytes[at + 2] | 32;
    const c = bytes[at + 3] | 32;
    if (c === 112 && bytes[at + 4] === 34) {
      if (a === 116 && b === 99) return 6;
      if (a === 117 && b === 100) return 17;
    }
    return a === 105 && b === 99 && c === 109 && (bytes[at + 4] | 32) === 112 && bytes[at + 5] === 34 ? 1 : 0;
  }

  private rare(key: number, start: number, flows: FlowColumns, i: number): number {
    let at = start;
    switch (key) {
      case 18: // session_id
        return this.intern(at, flows.session, i);
      case 21: // host
        return this.intern(at, flows.host, i);
      case 22: // ja3
        return this.intern(at, flows.ja3, i);
      case 23: // ja4
        return this.intern(at, flows.ja4, i);
      case 25: // exporter
        return this.intern(at, flows.exporter, i);
      case 19: // duration_ms
        return this.duration(at, flows.durationMs, i);
      case 20: // tcp_flags
        return this.smallInto(flows.tcpFlags, i, this.small(at, 65_535));
      case 26: // input_interface
        return this.smallInto(flows.inputInterface, i, this.small(at, 4_294_967_295));
      case 27: // output_interface
        return this.smallInto(flows.outputInterface, i, this.small(at, 4_294_967_295));
      case 24: // sampling_rate
        at = this.small(at, 4_294_967_295);
        flows.samplingRate[i] = this.value || 1;
        return at;
      default:
        return -1;
    }
  }

  private intern(at: number, column: Uint32Array, i: number): number {
    const value = this.texts.read(this.bytes, this.view, at, this.end, this.limit);
    if (value < 0) return -1;
    column[i] = value;
    return this.texts.stop;
  }

  /** Up to fifteen digits with a fraction: both parts of the quotient are exact, so it is what Number() gives. */
  private duration(at: number, column: Float64Array, i: number): number {
    const { bytes } = this;
    let value = 0;
    let decimals = -1;
    let p = at;
    for (; ; p++) {
      const c = bytes[p];
      if (c >= 48 && c <= 57) {
        value = value * 10 + c - 48;
        if (decimals >= 0) decimals++;
      } else if (c === 46 && decimals < 0 && p > at) decimals = 0;
      else break;
      if (p - at > 15) return -1;
    }
    if (p === at || p - at > 15 || decimals === 0 || (bytes[at] === 48 && p > at + 1 && bytes[at + 1] !== 46))
      return -1;
    column[i] = decimals > 0 ? value / POWERS[decimals] : value;
    return p;
  }

  /** Steps over a JSON number; -1 when it is none. */
  private number(at: number): number {
    const { bytes } = this;
    let p = bytes[at] === 45 ? at + 1 : at;
    const first = p;
    while (bytes[p] >= 48 && bytes[p] <= 57) p++;
    if (p === first || (bytes[first] === 48 && p > first + 1)) return -1;
    if (bytes[p] === 46) {
      const point = ++p;
      while (bytes[p] >= 48 && bytes[p] <= 57) p++;
      if (p === point) return -1;
    }
    return p;
  }

  /** Steps over a plain value of a key that no column holds. */
  private skip(at: number): number {
    const { bytes, view } = this;
    const c = bytes[at];
    if (c === 34) return this.text(at);
    if (c === 110) return view.getInt32(at, true) === NULL_WORD ? at + 4 : -1;
    if (c === 116) return view.getInt32(at, true) === 0x65757274 ? at + 4 : -1;
    if (c === 102) return view.getInt32(at + 1, true) === 0x65736c61 ? at + 5 : -1;
    return this.number(at);
  }

  /** The key at `at` (its quote): a flow key, or UNKNOWN; -1 when the record is for the general path. Sets `keyEnd`. */
  private findKey(at: number): number {
    const { bytes, end } = this;
    const stop = this.text(at);
    if (stop < 0 || stop >= end || bytes[stop] !== 58) return -1;
    this.keyEnd = stop + 1;
    return lookUpKey(bytes, at + 1, stop - 1);
  }
}

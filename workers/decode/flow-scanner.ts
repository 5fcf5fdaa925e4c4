// The fast path of native JSON: one flow record straight from bytes into row i of the columns; no strings, no objects.
//
// It knows plain records only: flow keys in any order (the order of the record before is tried first, four bytes at a
// time), one space at most after ':' and ',', values without escapes. Whatever else it meets it leaves to the general
// path by returning -1, refusals included, so that there is one definition of what is accepted and why not.
// The file is long because a call or a property load a byte is what it is there to avoid.

import type { RawBatch } from '../../src/model/batch.ts';
import { utf8 } from '../../src/model/bytes.ts';
import type { Dictionary } from '../../src/model/dictionary.ts';
import { clearRow, FLOW_FLAG, type FlowColumns, nextFlow } from '../../src/model/flow.ts';
import { parseIpBytes, V4_PREFIX } from '../../src/model/ip.ts';
import type { DecodeContext } from './context.ts';
import { FLOW_KEYS, K, NATIVE_KEYS } from './native-keys.ts';
import { TextCache } from './text-cache.ts';
import { instant, parseTime } from './time.ts';

const UNKNOWN = FLOW_KEYS.length;

/** `"key":` of every flow key as little-endian words: those at 0, 4, length - 4, 8 and 12. */
const KEY_STRIDE = 8;
const keyWords = new Int32Array(KEY_STRIDE * (UNKNOWN + 1)).fill(-1); // 0xff is in no UTF-8
/** Bytes of `"key":`; 8 where a key is always looked up. */
const keyLength = new Int32Array(UNKNOWN + 1).fill(8);
for (let key = 0; key < UNKNOWN; key++) {
  const text = utf8(`"${FLOW_KEYS[key]}":`);
  if (text.length < 8 || text.length > 20) continue;
  const view = new DataView(text.buffer, text.byteOffset, text.length);
  keyLength[key] = text.length;
  [0, 4, text.length - 4, 8, 12].forEach((at, k) => {
    if (at + 4 <= text.length) keyWords[key * KEY_STRIDE + k] = view.getInt32(at, true);
  });
}
const LONGEST_KEY = 32;

/** Two hex digits (little-endian pair as read) → their byte; 0x100 for any other pair. */
const HEX = new Uint16Array(65_536).fill(0x100);
for (let byte = 0; byte < 256; byte++) {
  const text = byte.toString(16).padStart(2, '0');
  for (const a of [text[0], text[0].toUpperCase()]) {
    for (const b of [text[1], text[1].toUpperCase()]) HEX[a.charCodeAt(0) | (b.charCodeAt(0) << 8)] = byte;
  }
}

const NULL_WORD = 0x6c6c756e; // "null"
const REQUIRED = (1 << K.timestamp) | (1 << K.source_ip) | (1 << K.destination_ip) | (1 << K.protocol);
const HAS_TENANT = 1 << K.tenant_id;
/** Without these, what a record is and whose is for the general path to say. */
const DECISIVE = REQUIRED | HAS_TENANT;

/** Keys that are none of a flow's but that decide what a record is: a record with one is for the general path. */
const OTHER = new Set(NATIVE_KEYS.slice(UNKNOWN).filter((key) => !key.includes('.')));
const LONGEST_OTHER = Math.max(...[...OTHER].map((key) => key.length));

/** Direct-mapped: one entry a slot. */
const TENANT_SLOTS = 256;
const TENANT_WORDS = 9;

const POWERS = Float64Array.from({ length: 16 }, (_, i) => 10 ** i);

export class FlowScanner {
  /** Keys of the scanned record that no column holds. */
  unknown = 0;
  private readonly context: DecodeContext;
  private readonly dictionary: Dictionary;
  private bytes: Uint8Array = new Uint8Array(0);
  private view: DataView = new DataView(new ArrayBuffer(0));
  private end = 0;
  /** Bytes of the view, as its own getter is slow. */
  private limit = 0;
  private source = -1;
  /** Expected key at each place: what the last record had there. */
  private readonly order = Int8Array.from({ length: 128 }, (_, i) => Math.min(i, UNKNOWN));
  private keyEnd = 0;
  private readonly texts: TextCache;
  /** Tenants by the words of their UUID's text. */
  private readonly tenantText = new Int32Array(TENANT_SLOTS * TENANT_WORDS);
  private readonly tenantIndex = new Int32Array(TENANT_SLOTS).fill(-1);
  private tenantStop = 0;
  private generation = 0;
  /** The minute of the last timestamp: its 16 bytes `YYYY-MM-DDThh:mm`, and its ms. */
  private readonly minuteText = new Int32Array(4);
  private minuteMs = 0;
  private readonly maxKeys: number;

  constructor(context: DecodeContext) {
    this.context = context;
    const { dictionary } = context;
    this.dictionary = dictionary;
    this.texts = new TextCache((bytes, start, end) => dictionary.intern(bytes, start, end));
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
    if (this.source !== segment.source) {
      this.source = segment.source;
      this.tenantIndex.fill(-1);
    }
    if (this.generation !== this.dictionary.generation) {
      this.generation = this.dictionary.generation;
      this.texts.clear();
    }
  }

  /** Scans the record that starts at `start` into row `flows.length` (not added yet). Offset behind its '}', or -1. */
  scan(start: number, flows: FlowColumns): number {
    const { bytes, view, order, end, texts } = this;
    const i = nextFlow(flows);
    clearRow(flows, i);
    // Locals, since a property or module binding is read anew at every use.
    const words = keyWords;
    const lengths = keyLength;
    const { limit, maxKeys } = this;
    const safe = limit - LONGEST_KEY;
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
      if (at + 4 > end) return -1;
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
            at = this.small(at, flows.sourcePort, i, 65_535);
            break;
          case 7: // destination_port
            at = this.small(at, flows.destinationPort, i, 65_535);
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
    const { bytes, view, tenantText, tenantIndex } = this;
    const start = at + 1;
    if (bytes[at] === 34 && start + 37 <= this.end && bytes[start + 36] === 34) {
      const a = view.getInt32(start, true);
      const b = view.getInt32(start + 4, true);
      const slot = (Math.imul(a ^ (b << 3), 0x9e3779b1) >>> 24) & (TENANT_SLOTS - 1);
      const base = slot * TENANT_WORDS;
      if (
        tenantText[base] === a &&
        tenantText[base + 1] === b &&
        tenantText[base + 2] === view.getInt32(start + 8, true) &&
        tenantText[base + 3] === view.getInt32(start + 12, true) &&
        tenantText[base + 4] === view.getInt32(start + 16, true) &&
        tenantText[base + 5] === view.getInt32(start + 20, true) &&
        tenantText[base + 6] === view.getInt32(start + 24, true) &&
        tenantText[base + 7] === view.getInt32(start + 28, true) &&
        tenantText[base + 8] === view.getInt32(start + 32, true) &&
        tenantIndex[slot] >= 0
      ) {
        this.tenantStop = start + 37;
        return tenantIndex[slot];
      }
      return this.newTenant(at, slot);
    }
    return this.newTenant(at, -1);
  }

  private newTenant(at: number, slot: number): number {
    const stop = this.text(at);
    if (stop < 0) return -1;
    this.tenantStop = stop;
    const tenant = this.context.resolveTenantBytes(this.source, this.bytes, at + 1, stop - 1);
    if (tenant >= 0 && slot >= 0 && stop === at + 38) {
      for (let w = 0; w < TENANT_WORDS; w++) {
        this.tenantText[slot * TENANT_WORDS + w] = this.view.getInt32(at + 1 + w * 4, true);
      }
      this.tenantIndex[slot] = tenant;
    }
    return tenant;
  }

  private timestamp(at: number, flows: FlowColumns, i: number): number {
    const { bytes, view, minuteText, end } = this;
    // `"YYYY-MM-DDThh:mm:ss.sssZ"`: the minute is that of the record before, nearly always.
    if (
      bytes[at] === 34 &&
      at + 26 <= end &&
      view.getInt32(at + 1, true) === minuteText[0] &&
      view.getInt32(at + 5, true) === minuteText[1] &&
      view.getInt32(at + 9, true) === minuteText[2] &&
      view.getInt32(at + 13, true) === minuteText[3] &&
      bytes[at + 17] === 58 &&
      bytes[at + 20] === 46 &&
      bytes[at + 24] === 90 &&
      bytes[at + 25] === 34
    ) {
      const a = bytes[at + 18] - 48;
      const b = bytes[at + 19] - 48;
      const c = bytes[at + 21] - 48;
      const d = bytes[at + 22] - 48;
      const e = bytes[at + 23] - 48;
      const fine = a >= 0 && a <= 5 && b >= 0 && b <= 9 && c >= 0 && c <= 9 && d >= 0 && d <= 9 && e >= 0 && e <= 9;
      if (fine) {
        flows.timeMs[i] = this.minuteMs + (a * 10 + b) * 1000 + c * 100 + d * 10 + e;
        return at + 26;
      }
    }
    return this.anyTimestamp(at, flows, i);
  }

  private anyTimestamp(at: number, flows: FlowColumns, i: number): number {
    const { bytes, view } = this;
    const quoted = bytes[at] === 34;
    const start = quoted ? at + 1 : at;
    const stop = quoted ? this.text(at) - 1 : this.number(at);
    if (stop <= start || !parseTime(bytes, start, stop)) return -1;
    flows.timeMs[i] = instant[0];
    flows.timeNs[i] = instant[1];
    if (quoted && bytes[stop - 1] === 90 && bytes[start + 10] === 84 && stop - start >= 20 && bytes[start + 4] === 45) {
      for (let w = 0; w < 4; w++) this.minuteText[w] = view.getInt32(start + w * 4, true);
      this.minuteMs = Math.floor(instant[0] / 60_000) * 60_000;
      // Second 60 of a leap second belongs to the next minute: do not keep a minute that is not the text's.
      if (bytes[start + 17] === 54) this.minuteText[0] = 0;
    }
    return quoted ? stop + 1 : stop;
  }

  private flowId(at: number, flows: FlowColumns, i: number): number {
    const { bytes, view, end } = this;
    if (at + 38 > end || bytes[at] !== 34 || bytes[at + 37] !== 34) return -1;
    if (bytes[at + 9] !== 45 || bytes[at + 14] !== 45 || bytes[at + 19] !== 45 || bytes[at + 24] !== 45) return -1;
    const a = HEX[view.getUint16(at + 1, true)];
    const b = HEX[view.getUint16(at + 3, true)];
    const c = HEX[view.getUint16(at + 5, true)];
    const d = HEX[view.getUint16(at + 7, true)];
    const e = HEX[view.getUint16(at + 10, true)];
    const f = HEX[view.getUint16(at + 12, true)];
    const g = HEX[view.getUint16(at + 15, true)];
    const h = HEX[view.getUint16(at + 17, true)];
    const j = HEX[view.getUint16(at + 20, true)];
    const k = HEX[view.getUint16(at + 22, true)];
    const l = HEX[view.getUint16(at + 25, true)];
    const m = HEX[view.getUint16(at + 27, true)];
    const n = HEX[view.getUint16(at + 29, true)];
    const o = HEX[view.getUint16(at + 31, true)];
    const p = HEX[view.getUint16(at + 33, true)];
    const q = HEX[view.getUint16(at + 35, true)];
    if (((a | b | c | d | e | f | g | h | j | k | l | m | n | o | p | q) & 0x100) !== 0) return -1;
    const { id } = flows;
    const quad = i * 4;
    const w0 = (a << 24) | (b << 16) | (c << 8) | d;
    const w1 = (e << 24) | (f << 16) | (g << 8) | h;
    const w2 = (j << 24) | (k << 16) | (l << 8) | m;
    const w3 = (n << 24) | (o << 16) | (p << 8) | q;
    id[quad] = w0;
    id[quad + 1] = w1;
    id[quad + 2] = w2;
    id[quad + 3] = w3;
    if ((w0 | w1 | w2 | w3) !== 0) flows.flags[i] |= FLOW_FLAG.idGiven;
    return at + 38;
  }

  private address(at: number, column: Uint32Array, quad: number): number {
    const { bytes } = this;
    if (bytes[at] !== 34) return -1;
    let p = at + 1;
    let value = 0;
    for (let part = 0; part < 4; part++) {
      let c = bytes[p] - 48;
      if (!(c >= 0 && c <= 9)) return this.anyAddress(at, column, quad);
      let octet = c;
      c = bytes[p + 1] - 48;
      p++;
      if (c >= 0 && c <= 9) {
        if (octet === 0) return -1;
        octet = octet * 10 + c;
        c = bytes[p + 1] - 48;
        p++;
        if (c >= 0 && c <= 9) {
          octet = octet * 10 + c;
          p++;
          if (octet > 255) return -1;
        }
      }
      if (bytes[p++] !== (part === 3 ? 34 : 46)) return this.anyAddress(at, column, quad);
      value = (value << 8) | octet;
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

  /** A whole number of at most nine digits, in quotes or not. */
  private small(at: number, column: Uint8Array | Uint16Array | Uint32Array, i: number, max: number): number {
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
    column[i] = value;
    if (!quoted) return p;
    return bytes[p] === 34 ? p + 1 : -1;
  }

  /** A whole number of at most fifteen digits, in quotes or not; longer ones are for the general path. */
  private counter(at: number, column: Uint32Array, i: number): number {
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
      if (p - first === 9) return this.longCounter(at, column, i);
    }
    if (p === first || (p - first > 1 && bytes[first] === 48)) return -1;
    column[i * 2] = value;
    if (!quoted) return p;
    return bytes[p] === 34 ? p + 1 : -1;
  }

  private longCounter(at: number, column: Uint32Array, i: number): number {
    const { bytes } = this;
    const quoted = bytes[at] === 34;
    let p = quoted ? at + 1 : at;
    const first = p;
    let value = 0;
    for (; bytes[p] >= 48 && bytes[p] <= 57; p++) value = value * 10 + bytes[p] - 48;
    if (p - first > 15 || bytes[first] === 48) return -1;
    column[i * 2] = value % 4294967296;
    column[i * 2 + 1] = Math.floor(value / 4294967296);
    if (!quoted) return p;
    return bytes[p] === 34 ? p + 1 : -1;
  }

  private protocol(at: number, column: Uint8Array, i: number): number {
    const { bytes } = this;
    if (bytes[at] !== 34) return this.small(at, column, i, 255);
    const a = bytes[at + 1] | 32;
    const b = bytes[at + 2] | 32;
    const c = bytes[at + 3] | 32;
    if (c === 112 && bytes[at + 4] === 34) {
      if (a === 116 && b === 99) {
        column[i] = 6;
        return at + 5;
      }
      if (a === 117 && b === 100) {
        column[i] = 17;
        return at + 5;
      }
    }
    if (a === 105 && b === 99 && c === 109 && (bytes[at + 4] | 32) === 112 && bytes[at + 5] === 34) {
      column[i] = 1;
      return at + 6;
    }
    return this.small(at, column, i, 255);
  }

  private rare(key: number, at: number, flows: FlowColumns, i: number): number {
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
        return this.small(at, flows.tcpFlags, i, 65_535);
      case 26: // input_interface
        return this.small(at, flows.inputInterface, i, 4_294_967_295);
      case 27: // output_interface
        return this.small(at, flows.outputInterface, i, 4_294_967_295);
      case 24: {
        // sampling_rate
        const next = this.small(at, flows.samplingRate, i, 4_294_967_295);
        if (flows.samplingRate[i] === 0) flows.samplingRate[i] = 1;
        return next;
      }
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
    const length = stop - at - 2;
    for (let key = 0; key < UNKNOWN; key++) {
      const name = FLOW_KEYS[key];
      if (name.length !== length) continue;
      let k = 0;
      while (k < length && bytes[at + 1 + k] === name.charCodeAt(k)) k++;
      if (k === length) return key;
    }
    // Keys with a dot may spell a path, and __proto__ is refused by the general path.
    if (length === 0 || length > 64 || bytes[at + 1] === 95) return -1;
    let name = '';
    for (let k = at + 1; k < stop - 1; k++) {
      const c = bytes[k];
      if (c === 46 || c > 126) return -1;
      if (length <= LONGEST_OTHER) name += String.fromCharCode(c);
    }
    return OTHER.has(name as (typeof NATIVE_KEYS)[number]) ? -1 : UNKNOWN;
  }
}

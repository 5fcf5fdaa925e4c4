// The fast path of native MessagePack: one flow record straight from bytes into row i of the columns. Maps, and msgpackr's
// record structures whose keys are all plain; what else it meets it leaves to the general path by returning -1, as the
// JSON scanner does. Long for the same reason: a value a call, and no more.

import type { RawBatch } from '../../src/model/batch.ts';
import { clearRow, FLOW_FLAG, type FlowColumns, nextFlow } from '../../src/model/flow.ts';
import { parseIpBytes, V4_PREFIX } from '../../src/model/ip.ts';
import type { Definition, MsgpackWalker } from '../../src/model/msgpack-walk.ts';
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

/** Keys as a short text: a byte 0xa0 + length, then the bytes. */
const KEYS = keyTable((key) => String.fromCharCode(0xa0 + key.length) + key);

/** A record structure: the column of every value in order, or null when its records are for the general path. */
interface Layout {
  readonly definition: Definition;
  readonly keys: Int8Array | null;
  /** The definition's bytes, four at a time. */
  readonly words: Int32Array;
}

export class MsgpackFlowScanner {
  /** Keys of the scanned record that no column holds. */
  unknown = 0;
  private bytes: Uint8Array = new Uint8Array(0);
  private view: DataView = new DataView(new ArrayBuffer(0));
  private end = 0;
  private limit = 0;
  private source = 0;
  private walker: MsgpackWalker | null = null;
  private alone = false;
  /** By low id. */
  private readonly layouts = new Array<Layout | undefined>(64).fill(undefined);
  /** Expected key at each place of a map: what the last record had there. */
  private readonly order = Int8Array.from({ length: 128 }, (_, i) => Math.min(i, UNKNOWN));
  private readonly maxKeys: number;
  private readonly context: DecodeContext;
  private readonly texts: PlainTexts;
  private readonly tenants: TenantMemo;
  private readonly minutes = new MinuteMemo();
  private textStart = 0;
  private next = 0;

  constructor(context: DecodeContext) {
    const { dictionary } = context;
    this.context = context;
    this.texts = new PlainTexts(dictionary);
    this.tenants = new TenantMemo(context);
    this.maxKeys = Math.min(context.limits.keys, this.order.length);
  }

  /** Call before the messages of a segment. `walker` knows the structures in force. */
  open(batch: RawBatch, segmentIndex: number, walker: MsgpackWalker): void {
    const { bytes } = batch;
    const segment = batch.segments[segmentIndex];
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.limit = bytes.byteLength;
    this.end = segment.end;
    this.source = segment.source;
    this.walker = walker;
    this.alone = false;
    this.layouts.fill(undefined);
    this.tenants.open(segment.source);
  }

  /** What follows is one Kafka record, up to `end`: structures that other ones defined are not in force. */
  enclose(end: number): void {
    this.end = end;
    this.alone = true;
  }

  /** Scans the message at `start` into row `flows.length` (not added yet). Offset behind it, or -1. */
  scan(start: number, flows: FlowColumns): number {
    const { bytes } = this;
    const t = bytes[start];
    if (t >= 0x80 && t < 0x90) return this.record(start + 1, t - 0x80, null, flows);
    if (t === 0xde && start + 3 <= this.end) {
      return this.record(start + 3, (bytes[start + 1] << 8) | bytes[start + 2], null, flows);
    }
    if (t >= 0x40 && t < 0x80) {
      if (this.alone) return -1;
      const layout = this.layout(t & 0x3f);
      return layout === null ? -1 : this.record(start + 1, layout.length, layout, flows);
    }
    if (t === 0xd4 && bytes[start + 1] === 0x72) return this.defined(start, flows);
    return -1;
  }

  /** A definition that says again what is in force, as a producer writes that starts anew with every message. */
  private defined(start: number, flows: FlowColumns): number {
    const { bytes, end } = this;
    const low = bytes[start + 2] & 0x3f;
    const definition = this.walker?.structure(low);
    if (definition === undefined || bytes[start + 2] < 0x40 || bytes[start + 2] > 0x7f) return -1;
    const length = definition.head.length;
    if (start + length > end) return -1;
    const keys = this.layout(low);
    const layout = this.layouts[low];
    if (keys === null || layout === undefined) return -1;
    const { words } = layout;
    for (let w = 0; w < words.length; w++) if (this.view.getInt32(start + w * 4, true) !== words[w]) return -1;
    for (let k = words.length * 4; k < length; k++) if (bytes[start + k] !== definition.head[k]) return -1;
    return this.record(start + length, keys.length, keys, flows);
  }

  private layout(low: number): Int8Array | null {
    const { walker } = this;
    if (walker === null || walker.isTwoByte(low)) return null;
    const definition = walker.structure(low);
    if (definition === undefined) return null;
    let layout = this.layouts[low];
    if (layout?.definition !== definition) {
      layout = { definition, keys: compile(definition, this.maxKeys), words: wordsOf(definition.head) };
      this.layouts[low] = layout;
    }
    return layout.keys;
  }

  /** `count` values; their keys are `layout`, or stand before each of them. */
  private record(start: number, count: number, layout: Int8Array | null, flows: FlowColumns): number {
    if (count > this.maxKeys) return -1;
    const { bytes, view, order, end } = this;
    const { words, lengths } = KEYS;
    const safe = this.limit - LONGEST_KEY;
    const i = nextFlow(flows);
    clearRow(flows, i);
    let at = start;
    let seen = 0;
    let unknown = 0;
    let tenant = -1;
    for (let place = 0; place < count; place++) {
      if (at > safe) return -1;
      let key: number = UNKNOWN;
      if (layout !== null) key = layout[place];
      else {
        key = order[place];
        const length = lengths[key];
        const w = key * KEY_STRIDE;
        const tail = at + length - 4;
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
          at = this.text(at);
          if (at < 0) return -1;
          key = lookUpKey(bytes, this.textStart, at);
          if (key < 0) return -1;
          order[place] = key;
        }
      }
      if (at >= end) return -1;
      if (key === UNKNOWN) {
        unknown++;
        at = this.skip(at);
        if (at < 0) return -1;
        continue;
      }
      const bit = 1 << key;
      if ((seen & bit) !== 0) return -1;
      seen |= bit;
      if (bytes[at] === 0xc0) {
        if ((bit & DECISIVE) !== 0) return -1;
        at++;
        continue;
      }
      if (key === 0) {
        tenant = this.tenant(at);
        if (tenant < 0) return -1;
        at = this.next;
      } else at = this.field(key, at, flows, i);
      if (at < 0) return -1;
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

  private field(key: number, at: number, flows: FlowColumns, i: number): number {
    // Literal numbers, the indices of FLOW_KEYS, since only those become a jump table.
    switch (key) {
      case 1: // pop_id
        return this.intern(at, flows.pop, i);
      case 2: // timestamp
        return this.timestamp(at, flows, i);
      case 3: // flow_id
        return this.flowId(at, flows, i);
      case 4: // source_ip
        return this.address(at, flows.source, i * 4);
      case 5: // destination_ip
        return this.address(at, flows.destination, i * 4);
      case 6: // source_port
        return this.small(at, flows.sourcePort, i, 65_535);
      case 7: // destination_port
        return this.small(at, flows.destinationPort, i, 65_535);
      case 8: // protocol
        return this.protocol(at, flows.protocol, i);
      case 9: // bytes_sent
        return this.counter(at, flows.bytesSent, i);
      case 10: // bytes_received
        return this.counter(at, flows.bytesReceived, i);
      case 11: // packets_sent
        return this.counter(at, flows.packetsSent, i);
      case 12: // packets_received
        return this.counter(at, flows.packetsReceived, i);
      case 13: // application
        return this.intern(at, flows.application, i);
      case 14: // action
        return this.intern(at, flows.action, i);
      case 15: // user_id
        return this.intern(at, flows.user, i);
      case 16: // device_id
        return this.intern(at, flows.device, i);
      case 17: // site_id
        return this.intern(at, flows.site, i);
      case 18: // session_id
        return this.intern(at, flows.session, i);
      case 19: {
        // duration_ms
        const value = this.number(at);
        if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) return -1;
        flows.durationMs[i] = value + 0; // -0 becomes 0
        return this.next;
      }
      case 20: // tcp_flags
        return this.small(at, flows.tcpFlags, i, 65_535);
      case 21: // host
        return this.intern(at, flows.host, i);
      case 22: // ja3
        return this.intern(at, flows.ja3, i);
      case 23: // ja4
        return this.intern(at, flows.ja4, i);
      case 24: {
        // sampling_rate: 0 says "not sampled"
        const next = this.small(at, flows.samplingRate, i, 4_294_967_295);
        if (flows.samplingRate[i] === 0) flows.samplingRate[i] = 1;
        return next;
      }
      case 25: // exporter
        return this.intern(at, flows.exporter, i);
      case 26: // input_interface
        return this.small(at, flows.inputInterface, i, 4_294_967_295);
      case 27: // output_interface
        return this.small(at, flows.outputInterface, i, 4_294_967_295);
      default:
        return -1;
    }
  }

  /** Offset behind the text at `at` (its bytes start at `textStart`), or -1 when none of up to 255 bytes stands there. */
  private text(at: number): number {
    const { bytes } = this;
    const t = bytes[at];
    let start = at + 1;
    let length = t - 0xa0;
    if (t === 0xd9) length = bytes[start++];
    else if (t < 0xa0 || t >= 0xc0) return -1;
    this.textStart = start;
    return start + length <= this.end ? start + length : -1;
  }

  private intern(at: number, column: Uint32Array, i: number): number {
    const stop = this.text(at);
    if (stop < 0) return -1;
    const value = this.texts.find(this.view, this.textStart, stop, this.limit);
    if (value < 0) return -1;
    column[i] = value;
    return stop;
  }

  private tenant(at: number): number {
    const stop = this.text(at);
    if (stop < 0) return -1;
    this.next = stop;
    const { bytes, textStart } = this;
    return stop - textStart === 36
      ? this.tenants.uuid(bytes, this.view, textStart)
      : this.tenants.name(bytes, textStart, stop);
  }

  private timestamp(at: number, flows: FlowColumns, i: number): number {
    const { bytes, view } = this;
    const t = bytes[at];
    if (t === 0xd7 && bytes[at + 1] === 0xff && at + 10 <= this.end) {
      const high = view.getUint32(at + 2);
      const ns = high >>> 2;
      if (ns > 999_999_999) return -1;
      const ms = Math.floor(ns / 1_000_000);
      flows.timeMs[i] = ((high & 3) * 4294967296 + view.getUint32(at + 6)) * 1000 + ms;
      flows.timeNs[i] = ns - ms * 1_000_000;
      return at + 10;
    }
    if (t === 0xd6 && bytes[at + 1] === 0xff && at + 6 <= this.end) {
      flows.timeMs[i] = view.getUint32(at + 2) * 1000;
      return at + 6;
    }
    const stop = this.text(at);
    if (stop < 0) return this.epoch(at, flows, i);
    const { textStart } = this;
    if (stop - textStart === 24) {
      const ms = this.minutes.read(bytes, view, textStart);
      if (ms >= 0) {
        flows.timeMs[i] = ms;
        return stop;
      }
    }
    if (stop === textStart || !this.minutes.parse(bytes, view, textStart, stop)) return -1;
    flows.timeMs[i] = instant[0];
    flows.timeNs[i] = instant[1];
    return stop;
  }

  /** Seconds, milliseconds or microseconds by magnitude, as whole numbers that a double holds. */
  private epoch(at: number, flows: FlowColumns, i: number): number {
    const value = this.number(at);
    if (!(value >= 0) || !Number.isSafeInteger(value)) return -1;
    if (value < 1e11) flows.timeMs[i] = value * 1000;
    else if (value < 1e14) flows.timeMs[i] = value;
    else {
      flows.timeMs[i] = Math.floor(value / 1000);
      flows.timeNs[i] = (value % 1000) * 1000;
    }
    return this.next;
  }

  private flowId(at: number, flows: FlowColumns, i: number): number {
    const { bytes, view, end } = this;
    const { id } = flows;
    const quad = i * 4;
    let stop = at + 38;
    if (bytes[at] === 0xd9 && bytes[at + 1] === 36 && stop <= end) {
      if (!readUuid(bytes, view, at + 2, id, quad)) return -1;
    } else if (bytes[at] === 0xc4 && bytes[at + 1] === 16 && at + 18 <= end) {
      for (let w = 0; w < 4; w++) id[quad + w] = view.getUint32(at + 2 + w * 4);
      stop = at + 18;
    } else return -1;
    if ((id[quad] | id[quad + 1] | id[quad + 2] | id[quad + 3]) !== 0) flows.flags[i] |= FLOW_FLAG.idGiven;
    return stop;
  }

  private address(at: number, column: Uint32Array, quad: number): number {
    const { bytes, view, end } = this;
    if (bytes[at] === 0xc4) {
      const length = bytes[at + 1];
      if (at + 2 + length > end) return -1;
      if (length === 4) {
        column[quad + 2] = V4_PREFIX;
        column[quad + 3] = view.getUint32(at + 2);
        return at + 6;
      }
      if (length !== 16) return -1;
      for (let w = 0; w < 4; w++) column[quad + w] = view.getUint32(at + 2 + w * 4);
      return at + 18;
    }
    const stop = this.text(at);
    return stop > 0 && parseIpBytes(bytes, this.textStart, stop, column, quad) ? stop : -1;
  }

  /** Any number but a 64-bit integer; NaN when none stands at `at`. Sets `next`. */
  private number(at: number): number {
    const { bytes, view, end } = this;
    const t = bytes[at];
    if (t < 0x40) {
      this.next = at + 1;
      return t;
    }
    // 0x40–0x7f is an instance where a structure has that id.
    if (t < 0x80) {
      const known =
        this.walker === null || this.walker.structure(t & 0x3f) !== undefined || this.walker.isTwoByte(t & 0x3f);
      this.next = at + 1;
      return known ? Number.NaN : t;
    }
    if (at + 9 > end) return Number.NaN;
    switch (t) {
      case 0xcb:
        this.next = at + 9;
        return view.getFloat64(at + 1);
      case 0xcc:
        this.next = at + 2;
        return bytes[at + 1];
      case 0xcd:
        this.next = at + 3;
        return view.getUint16(at + 1);
      case 0xce:
        this.next = at + 5;
        return view.getUint32(at + 1);
      default:
        return Number.NaN;
    }
  }

  private small(at: number, column: Uint8Array | Uint16Array | Uint32Array, i: number, max: number): number {
    const value = this.number(at);
    if (!(value >= 0 && value <= max) || !Number.isInteger(value)) return -1;
    column[i] = value;
    return this.next;
  }

  private counter(at: number, column: Uint32Array, i: number): number {
    if (this.bytes[at] === 0xcf && at + 9 <= this.end) {
      column[i * 2 + 1] = this.view.getUint32(at + 1);
      column[i * 2] = this.view.getUint32(at + 5);
      return at + 9;
    }
    const value = this.number(at);
    if (!(value >= 0) || !Number.isSafeInteger(value)) return -1;
    column[i * 2] = value % 4294967296;
    column[i * 2 + 1] = Math.floor(value / 4294967296);
    return this.next;
  }

  private protocol(at: number, column: Uint8Array, i: number): number {
    const { bytes } = this;
    if (bytes[at] === 0xa3 && at + 4 <= this.end && (bytes[at + 3] | 32) === 112) {
      const a = bytes[at + 1] | 32;
      const b = bytes[at + 2] | 32;
      if (a === 116 && b === 99) {
        column[i] = 6;
        return at + 4;
      }
      if (a === 117 && b === 100) {
        column[i] = 17;
        return at + 4;
      }
      return -1;
    }
    return this.small(at, column, i, 255);
  }

  /** Steps over a number, word or ASCII text of a key that no column holds. */
  private skip(at: number): number {
    const { bytes } = this;
    const t = bytes[at];
    if (t === 0xc0 || t === 0xc2 || t === 0xc3) return at + 1;
    const stop = this.text(at);
    if (stop < 0) return Number.isNaN(this.number(at)) ? -1 : this.next;
    for (let p = this.textStart; p < stop; p++) if (bytes[p] >= 0x80) return -1;
    return stop;
  }
}

function wordsOf(head: Uint8Array): Int32Array {
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  return Int32Array.from({ length: head.length >> 2 }, (_, w) => view.getInt32(w * 4, true));
}

/** Columns of a structure's values; null when it has keys twice, or some that are for the general path. */
function compile(definition: Definition, maxKeys: number): Int8Array | null {
  const { head, count } = definition;
  if (count > maxKeys) return null;
  const keys = new Int8Array(count);
  let at = head[3] === 0xdc ? 6 : 4;
  for (let place = 0; place < count; place++) {
    const t = head[at];
    if (t === 0xda) return null;
    const start = t === 0xd9 ? at + 2 : at + 1;
    at = start + (t === 0xd9 ? head[at + 1] : t - 0xa0);
    const key = lookUpKey(head, start, at);
    if (key < 0) return null;
    keys[place] = key;
  }
  return keys;
}

// Where a MessagePack message ends, found without decoding it: sources cut streams of concatenated messages with it.
//
// msgpackr adds record structures: `d4 72 id [keys…] values…` defines structure `id` (0x40–0x7f) and is its first
// instance; later the single byte `id` and the values are an instance (`d5 72 id high` and `id high` for more than 64
// structures). So a message's length can depend on definitions of earlier messages: the walker keeps those in force, and
// `context` hands them to whoever decodes from the middle of the stream.

/** `walk` and `resume` return this when the message goes on behind the given bytes … */
export const INCOMPLETE = -1;
/** … and this when the bytes are no MessagePack, or define more structure than any producer does. */
export const INVALID = -2;

/** Bytes of all definitions in force; real ones are a few hundred bytes. */
const DEFINITION_BYTES = 1 << 20;

export interface Definition {
  /** Number of keys, so of values in an instance. */
  readonly count: number;
  /** `d4 72 id [keys…]` or `d5 72 id high [keys…]`, without values. */
  readonly head: Uint8Array;
}

/** Index of a structure: id & 0x3f, and with a high byte (high << 5) + that. */
export function structureIndex(id: number, high: number): number {
  return (high << 5) + (id & 0x3f);
}

export class MsgpackWalker {
  private readonly definitions = new Map<number, Definition>();
  /** Definitions of the message under way: in force behind it only when it turns out whole. */
  private readonly pending = new Map<number, Definition>();
  /** Low ids that are followed by a high byte. */
  private readonly twoByte = new Set<number>();
  private bytesHeld = 0;
  private cached: Uint8Array | null = null;
  private need = 0;
  private skip = 0;
  private lastCount = 0;
  /** After INCOMPLETE: bytes of the given range that need not be given again to `resume`. */
  consumed = 0;

  /** Walks one message that starts at `at`. Returns the offset behind it, INCOMPLETE or INVALID. */
  walk(bytes: Uint8Array, at: number, end: number): number {
    this.pending.clear();
    this.need = 1;
    this.skip = 0;
    return this.resume(bytes, at, end);
  }

  /**
   * Walks on after INCOMPLETE: `bytes[at…]` must be what followed the `consumed` bytes. So a message longer than any
   * buffer can be stepped over without keeping it.
   */
  resume(bytes: Uint8Array, at: number, end: number): number {
    let i = at;
    for (;;) {
      if (this.skip > 0) {
        const step = Math.min(this.skip, end - i);
        this.skip -= step;
        i += step;
        if (this.skip > 0) break;
      }
      if (this.need === 0) {
        this.commit();
        return i;
      }
      if (i >= end) break;
      const next = this.token(bytes, i, end);
      if (next === INVALID) return INVALID;
      if (next === INCOMPLETE) break;
      i = next;
    }
    this.consumed = i - at;
    return INCOMPLETE;
  }

  /** The definitions in force (heads one after the other), or null when there are none. For `Segment.context`. */
  context(): Uint8Array | null {
    if (this.definitions.size === 0) return null;
    if (this.cached === null) {
      const heads = [...this.definitions.keys()]
        .sort((a, b) => a - b)
        .map((index) => this.definitions.get(index)!.head);
      this.cached = new Uint8Array(this.bytesHeld);
      let at = 0;
      for (const head of heads) {
        this.cached.set(head, at);
        at += head.length;
      }
    }
    return this.cached;
  }

  /** The structure that `index` names now, if any. */
  structure(index: number): Definition | undefined {
    return this.definitions.get(index);
  }

  /** Forgets every definition. */
  clear(): void {
    this.definitions.clear();
    this.pending.clear();
    this.twoByte.clear();
    this.bytesHeld = 0;
    this.cached = null;
  }

  /** True when the low id is followed by a high byte. */
  isTwoByte(low: number): boolean {
    return this.twoByte.has(low);
  }

  /** Puts definitions in force that an earlier `context()` gave, as when a file is resumed in the middle. */
  restore(context: Uint8Array): void {
    for (let at = 0; at < context.length; ) {
      const next = this.define(context, at, context.length);
      if (next < 0) return;
      at = next;
    }
    this.commit();
  }

  /** Reads one token (header and fixed part) at `i`; sets `need` and `skip`. */
  private token(bytes: Uint8Array, i: number, end: number): number {
    const t = bytes[i];
    if (t < 0x40 || t >= 0xe0) return this.scalar(i + 1);
    if (t < 0x80) return this.instance(bytes, i, end);
    if (t < 0x90) return this.nested(i + 1, (t - 0x80) * 2);
    if (t < 0xa0) return this.nested(i + 1, t - 0x90);
    if (t < 0xc0) return this.payload(i + 1, t - 0xa0);
    switch (t) {
      case 0xc0:
      case 0xc2:
      case 0xc3:
        return this.scalar(i + 1);
      case 0xc4:
      case 0xd9:
        return i + 2 > end ? INCOMPLETE : this.payload(i + 2, bytes[i + 1]);
      case 0xc5:
      case 0xda:
        return i + 3 > end ? INCOMPLETE : this.payload(i + 3, u16(bytes, i + 1));
      case 0xc6:
      case 0xdb:
        return i + 5 > end ? INCOMPLETE : this.payload(i + 5, u32(bytes, i + 1));
      case 0xc7:
        return i + 2 > end ? INCOMPLETE : this.payload(i + 2, bytes[i + 1] + 1);
      case 0xc8:
        return i + 3 > end ? INCOMPLETE : this.payload(i + 3, u16(bytes, i + 1) + 1);
      case 0xc9:
        return i + 5 > end ? INCOMPLETE : this.payload(i + 5, u32(bytes, i + 1) + 1);
      case 0xca:
      case 0xce:
      case 0xd2:
        return this.payload(i + 1, 4);
      case 0xcb:
      case 0xcf:
      case 0xd3:
        return this.payload(i + 1, 8);
      case 0xcc:
      case 0xd0:
        return this.payload(i + 1, 1);
      case 0xcd:
      case 0xd1:
        return this.payload(i + 1, 2);
      case 0xd4:
      case 0xd5: {
        if (i + 2 > end) return INCOMPLETE;
        if (bytes[i + 1] === 0x72) return this.definition(bytes, i, end);
        return this.payload(i + 1, t === 0xd4 ? 2 : 3);
      }
      case 0xd6:
        return this.payload(i + 1, 5);
      case 0xd7:
        return this.payload(i + 1, 9);
      case 0xd8:
        return this.payload(i + 1, 17);
      case 0xdc:
        return i + 3 > end ? INCOMPLETE : this.nested(i + 3, u16(bytes, i + 1));
      case 0xdd:
        return i + 5 > end ? INCOMPLETE : this.nested(i + 5, u32(bytes, i + 1));
      case 0xde:
        return i + 3 > end ? INCOMPLETE : this.nested(i + 3, u16(bytes, i + 1) * 2);
      case 0xdf:
        return i + 5 > end ? INCOMPLETE : this.nested(i + 5, u32(bytes, i + 1) * 2);
      default:
        return INVALID; // 0xc1 is never used
    }
  }

  private scalar(next: number): number {
    this.need--;
    return next;
  }

  private nested(next: number, values: number): number {
    this.need += values - 1;
    return next;
  }

  private payload(next: number, length: number): number {
    this.need--;
    this.skip = length;
    return next;
  }

  /** 0x40–0x7f: an instance of a known structure, or else (as in plain MessagePack) the number 64–127. */
  private instance(bytes: Uint8Array, i: number, end: number): number {
    const low = bytes[i] & 0x3f;
    let index = low;
    let next = i + 1;
    if (this.twoByte.has(low)) {
      if (next >= end) return INCOMPLETE;
      index = structureIndex(low, bytes[next++]);
    }
    const known = this.pending.get(index) ?? this.definitions.get(index);
    return known === undefined ? this.scalar(next) : this.nested(next, known.count);
  }

  private definition(bytes: Uint8Array, i: number, end: number): number {
    const next = this.define(bytes, i, end);
    return next < 0 ? next : this.nested(next, this.lastCount);
  }

  /** Reads the head of a definition at `i` into `pending`. */
  private define(bytes: Uint8Array, i: number, end: number): number {
    const wide = bytes[i] === 0xd5;
    const keys = i + (wide ? 4 : 3);
    if (keys >= end) return INCOMPLETE;
    const id = bytes[i + 2];
    if (id < 0x40 || id > 0x7f) return INVALID;
    let at = keys + 1;
    let count = bytes[keys] - 0x90;
    if (bytes[keys] === 0xdc) {
      if (at + 2 > end) return INCOMPLETE;
      count = u16(bytes, at);
      at += 2;
    } else if (count < 0 || count > 15) return INVALID;
    for (let k = 0; k < count; k++) {
      if (at >= end) return INCOMPLETE;
      const t = bytes[at];
      if (t >= 0xa0 && t < 0xc0) at += 1 + t - 0xa0;
      else if (t === 0xd9 && at + 1 < end) at += 2 + bytes[at + 1];
      else if (t === 0xda && at + 2 < end) at += 3 + u16(bytes, at + 1);
      else return (t === 0xd9 || t === 0xda) && at + 3 > end ? INCOMPLETE : INVALID;
      if (at - i > DEFINITION_BYTES) return INVALID;
    }
    if (at > end) return INCOMPLETE;
    const low = id & 0x3f;
    if (wide) this.twoByte.add(low);
    const index = structureIndex(low, wide ? bytes[i + 3] : 0);
    const old = this.definitions.get(index);
    const again = old !== undefined && same(old.head, bytes, i, at); // producers may repeat it in every message
    this.pending.set(index, again ? old : { count, head: bytes.slice(i, at) });
    this.lastCount = count;
    let held = this.bytesHeld;
    for (const one of this.pending.values()) if (one !== old) held += one.head.length;
    return held > DEFINITION_BYTES ? INVALID : at;
  }

  private commit(): void {
    if (this.pending.size === 0) return;
    for (const [index, definition] of this.pending) {
      const old = this.definitions.get(index);
      if (old === definition) continue;
      this.bytesHeld += definition.head.length - (old?.head.length ?? 0);
      this.definitions.set(index, definition);
      this.cached = null;
    }
    this.pending.clear();
  }
}

function same(head: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (head.length !== end - start) return false;
  for (let i = 0; i < head.length; i++) if (head[i] !== bytes[start + i]) return false;
  return true;
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 8) | bytes[at + 1];
}

function u32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}

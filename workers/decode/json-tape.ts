// One JSON record read once, strictly, into a flat list of its members: where every key and value stands, with no
// strings made. Decoders of JSON dialects pick their fields from it by path, so that digits beyond 2^53 stay exact.
//
// A path joins keys by dots, so `{"id":{"orig_h":…}}` and `{"id.orig_h":…}` are the same field: Zeek writes both.

import { textOf, utf8 } from '../../src/model/bytes.ts';
import type { Limits } from '../../src/model/control.ts';
import type { RejectCode } from '../../src/model/reject.ts';

export const KIND = { text: 1, escapedText: 2, number: 3, true: 4, false: 5, null: 6, object: 7, array: 8 } as const;

const SEED = 0x811c9dc5;
const step = (hash: number, byte: number): number => Math.imul(hash ^ byte, 0x01000193);
const FORBIDDEN = utf8('__proto__');

/** The paths that a decoder reads; `slot(path)` is the index of a path in `JsonTape.slots`. */
export class PathPlan {
  readonly paths: readonly string[];
  private readonly bytes: readonly Uint8Array[];
  private readonly table: Int16Array;
  private readonly hashes: Int32Array;

  constructor(paths: readonly string[]) {
    this.paths = paths;
    this.bytes = paths.map((path) => utf8(path));
    let size = 16;
    while (size < paths.length * 4) size *= 2;
    this.table = new Int16Array(size).fill(-1);
    this.hashes = Int32Array.from(this.bytes, (path) => path.reduce(step, SEED));
    for (let slot = 0; slot < paths.length; slot++) {
      let at = this.hashes[slot] & (size - 1);
      while (this.table[at] >= 0) at = (at + 1) & (size - 1);
      this.table[at] = slot;
    }
  }

  slot(path: string): number {
    const slot = this.paths.indexOf(path);
    if (slot < 0) throw new Error(`path ${path} is not planned`);
    return slot;
  }

  /** Slot of the path with this hash and length whose tail is `bytes[start, end)`, or -1. */
  match(hash: number, length: number, bytes: Uint8Array, start: number, end: number): number {
    const mask = this.table.length - 1;
    for (let at = hash & mask; this.table[at] >= 0; at = (at + 1) & mask) {
      const slot = this.table[at];
      const path = this.bytes[slot];
      if (this.hashes[slot] !== hash || path.length !== length) continue;
      let i = end - 1;
      let j = length - 1;
      while (i >= start && bytes[i] === path[j]) {
        i--;
        j--;
      }
      if (i < start) return slot;
    }
    return -1;
  }
}

/** Reused from record to record. After `read` returned false, `code`, `detail` and `position` say why. */
export class JsonTape {
  /** Members in the order of the record, objects before what they hold; members inside arrays are not listed. */
  count = 0;
  parent = new Int32Array(64);
  kind = new Uint8Array(64);
  keyStart = new Int32Array(64);
  keyEnd = new Int32Array(64);
  /** Without the quotes for text. */
  valueStart = new Int32Array(64);
  valueEnd = new Int32Array(64);
  /** Member of each planned path, or -1. */
  readonly slots: Int32Array;
  /** Scalar and array members that the plan does not know. */
  unknown = 0;
  /** True when an integer of the record has more than 15 digits, so that a double may not hold it. */
  wideNumbers = false;
  code: RejectCode = 'syntax';
  detail = '';
  position = 0;

  bytes: Uint8Array = new Uint8Array(0);
  private end = 0;
  private at = 0;
  private keys = 0;
  private readonly plan: PathPlan;
  private readonly limits: Limits;

  constructor(plan: PathPlan, limits: Limits) {
    this.plan = plan;
    this.limits = limits;
    this.slots = new Int32Array(plan.paths.length);
  }

  /** Reads `bytes[start, end)`, which must be one JSON object and nothing else but white space. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    this.count = 0;
    this.keys = 0;
    this.unknown = 0;
    this.wideNumbers = false;
    this.slots.fill(-1);
    this.space();
    if (this.at >= end || bytes[this.at] !== 123) return this.fail('syntax', 'is not a JSON object');
    if (!this.object(-1, SEED, 0, 1)) return false;
    this.space();
    return this.at === end || this.fail('syntax', 'has bytes after the object');
  }

  /** Text of a member's value; of a number or word its bytes. */
  text(member: number): string {
    const start = this.valueStart[member];
    const end = this.valueEnd[member];
    if (this.kind[member] === KIND.escapedText) return JSON.parse(textOf(this.bytes, start - 1, end + 1)) as string;
    return textOf(this.bytes, start, end);
  }

  isText(member: number): boolean {
    return this.kind[member] <= KIND.escapedText;
  }

  key(member: number): string {
    return JSON.parse(textOf(this.bytes, this.keyStart[member] - 1, this.keyEnd[member] + 1)) as string;
  }

  private object(parent: number, hash: number, pathLength: number, depth: number): boolean {
    const { bytes, end } = this;
    if (depth > this.limits.depth) return this.fail('too_deep', `nests deeper than ${this.limits.depth}`);
    this.at++;
    this.space();
    if (this.at < end && bytes[this.at] === 125) {
      this.at++;
      return true;
    }
    for (;;) {
      if (this.at >= end || bytes[this.at] !== 34) return this.fail('syntax', 'has no key where one must stand');
      const keyStart = this.at + 1;
      const keyKind = this.string();
      if (keyKind === 0) return false;
      const keyEnd = this.at - 1;
      if (++this.keys > this.limits.keys) return this.fail('too_many_keys', `has more than ${this.limits.keys} keys`);
      this.space();
      if (this.at >= end || bytes[this.at] !== 58) return this.fail('syntax', 'lacks a colon after a key');
      this.at++;
      this.space();
      const member = this.member(parent, keyStart, keyEnd);
      if (!this.name(member, keyKind, hash, pathLength, depth)) return false;
      this.space();
      const c = this.at < end ? bytes[this.at] : 0;
      this.at++;
      if (c === 125) return true;
      if (c !== 44) {
        this.at--;
        return this.fail('syntax', 'lacks a comma or brace after a value');
      }
      this.space();
    }
  }

  /** Finds the member's slot, then reads its value. */
  private name(member: number, keyKind: number, parentHash: number, parentLength: number, depth: number): boolean {
    let bytes = this.bytes;
    let start = this.keyStart[member];
    let end = this.keyEnd[member];
    if (keyKind === KIND.escapedText) {
      bytes = utf8(this.key(member));
      start = 0;
      end = bytes.length;
    }
    if (end - start === FORBIDDEN.length && FORBIDDEN.every((byte, i) => bytes[start + i] === byte)) {
      return this.fail('forbidden_key', 'has a key __proto__');
    }
    let hash = parentLength === 0 ? parentHash : step(parentHash, 46);
    for (let i = start; i < end; i++) hash = step(hash, bytes[i]);
    const length = parentLength === 0 ? end - start : parentLength + 1 + end - start;
    const slot = this.plan.match(hash, length, bytes, start, end);
    if (slot >= 0) {
      if (this.slots[slot] >= 0) return this.fail('duplicate_key', `has the key ${this.plan.paths[slot]} twice`);
      this.slots[slot] = member;
    }
    this.valueStart[member] = this.at;
    const c = this.at < this.end ? this.bytes[this.at] : 0;
    if (c === 123) {
      this.kind[member] = KIND.object;
      if (!this.object(member, hash, length, depth + 1)) return false;
      this.valueEnd[member] = this.at;
      return true;
    }
    if (slot < 0) this.unknown++;
    const kind = this.value(depth);
    if (kind === 0) return false;
    this.kind[member] = kind;
    const text = kind <= KIND.escapedText ? 1 : 0;
    this.valueStart[member] += text;
    this.valueEnd[member] = this.at - text;
    return true;
  }

  /** Reads a value (objects inside arrays included) and returns its kind, 0 on failure. */
  private value(depth: number): number {
    const c = this.at < this.end ? this.bytes[this.at] : 0;
    if (c === 34) return this.string();
    if (c === 45 || (c >= 48 && c <= 57)) return this.number();
    if (c === 116) return this.word('true', KIND.true);
    if (c === 102) return this.word('false', KIND.false);
    if (c === 110) return this.word('null', KIND.null);
    if (c === 91) return this.array(depth + 1) ? KIND.array : 0;
    if (c === 123) return this.hidden(depth + 1) ? KIND.object : 0;
    this.fail('syntax', 'has no value where one must stand');
    return 0;
  }

  /** An object inside an array: checked, never listed. */
  private hidden(depth: number): boolean {
    const { count, slots, unknown } = this;
    const before = slots.slice();
    const fine = this.object(-2, 0, 1, depth);
    this.count = count;
    this.unknown = unknown;
    slots.set(before);
    return fine;
  }

  private array(depth: number): boolean {
    if (depth > this.limits.depth) return this.fail('too_deep', `nests deeper than ${this.limits.depth}`);
    this.at++;
    this.space();
    if (this.at < this.end && this.bytes[this.at] === 93) {
      this.at++;
      return true;
    }
    for (;;) {
      if (this.value(depth) === 0) return false;
      this.space();
      const c = this.at < this.end ? this.bytes[this.at] : 0;
      this.at++;
      if (c === 93) return true;
      if (c !== 44) {
        this.at--;
        return this.fail('syntax', 'lacks a comma or bracket after a value');
      }
      this.space();
    }
  }

  private string(): number {
    const { bytes, end } = this;
    let kind: number = KIND.text;
    for (let i = this.at + 1; i < end; i++) {
      const c = bytes[i];
      if (c === 34) {
        this.at = i + 1;
        return kind;
      }
      if (c < 32) {
        this.at = i;
        this.fail('syntax', 'has a control character in a string');
        return 0;
      }
      if (c !== 92) continue;
      kind = KIND.escapedText;
      i++;
      const letter = i < end ? bytes[i] : 0;
      if (letter === 117) {
        for (let digit = 1; digit <= 4; digit++) {
          if (i + digit >= end || !isHex(bytes[i + digit])) return this.badEscape(i);
        }
        i += 4;
      } else if (!ESCAPES.includes(letter)) return this.badEscape(i);
    }
    this.at = end;
    this.fail('syntax', 'ends inside a string');
    return 0;
  }

  private badEscape(at: number): 0 {
    this.at = Math.min(at, this.end);
    this.fail('syntax', 'has an unknown escape in a string');
    return 0;
  }

  private number(): number {
    const { bytes, end } = this;
    const start = this.at;
    let i = bytes[start] === 45 ? start + 1 : start;
    const first = i;
    while (i < end && isDigit(bytes[i])) i++;
    let fine = i > first && (bytes[first] !== 48 || i === first + 1);
    const whole = i;
    if (fine && i < end && bytes[i] === 46) {
      const point = ++i;
      while (i < end && isDigit(bytes[i])) i++;
      fine = i > point;
    }
    if (fine && i < end && (bytes[i] | 32) === 101) {
      i++;
      if (i < end && (bytes[i] === 43 || bytes[i] === 45)) i++;
      const exponent = i;
      while (i < end && isDigit(bytes[i])) i++;
      fine = i > exponent;
    }
    this.at = i;
    if (!fine) {
      this.fail('syntax', 'has a malformed number');
      return 0;
    }
    if (i === whole && i - first > 15) this.wideNumbers = true;
    return KIND.number;
  }

  private word(word: string, kind: number): number {
    for (let i = 0; i < word.length; i++) {
      if (this.at + i >= this.end || this.bytes[this.at + i] !== word.charCodeAt(i)) {
        this.fail('syntax', 'has no value where one must stand');
        return 0;
      }
    }
    this.at += word.length;
    return kind;
  }

  private space(): void {
    while (this.at < this.end) {
      const c = this.bytes[this.at];
      if (c !== 32 && c !== 9 && c !== 10 && c !== 13) return;
      this.at++;
    }
  }

  private member(parent: number, keyStart: number, keyEnd: number): number {
    const member = this.count++;
    if (member === this.parent.length) this.grow();
    this.parent[member] = parent;
    this.keyStart[member] = keyStart;
    this.keyEnd[member] = keyEnd;
    return member;
  }

  private grow(): void {
    const bigger = (old: Int32Array): Int32Array<ArrayBuffer> => {
      const next = new Int32Array(old.length * 2);
      next.set(old);
      return next;
    };
    this.parent = bigger(this.parent);
    this.keyStart = bigger(this.keyStart);
    this.keyEnd = bigger(this.keyEnd);
    this.valueStart = bigger(this.valueStart);
    this.valueEnd = bigger(this.valueEnd);
    const kind = new Uint8Array(this.kind.length * 2);
    kind.set(this.kind);
    this.kind = kind;
  }

  private fail(code: RejectCode, what: string): false {
    this.code = code;
    this.position = this.at;
    this.detail = `the record ${what}`;
    return false;
  }
}

const ESCAPES: readonly number[] = [34, 92, 47, 98, 102, 110, 114, 116];
const isDigit = (c: number): boolean => c >= 48 && c <= 57;
const isHex = (c: number): boolean => isDigit(c) || ((c | 32) >= 97 && (c | 32) <= 102);

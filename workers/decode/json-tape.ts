// One JSON record read once, strictly, into a flat list of its members: where every key and value stands, with no
// strings made. Decoders of JSON dialects pick their fields from it by path, so that digits beyond 2^53 stay exact.
//
// A path joins keys by dots, so `{"id":{"orig_h":…}}` and `{"id.orig_h":…}` are the same field: Zeek writes both.

import type { MemberTape } from '../../rules/plan/index.ts';
import { asciiOf, textOf } from '../../src/model/bytes.ts';
import type { Limits } from '../../src/model/control.ts';
import { JsonScanner, KIND } from './json-scanner.ts';
import { isForbidden, KeyNames, keyText, MOST_NAMES, ROOT, UNNAMED } from './key-names.ts';
import type { PathPlan } from './path-plan.ts';

/** Reused from record to record. */
export class JsonTape extends JsonScanner implements MemberTape {
  /** Members of the record at hand: [first, count), in its order, objects before what they hold; those inside arrays are not listed. */
  first = 0;
  count = 0;
  /** Member that holds it, or -1. */
  parent = new Int32Array(1024);
  kind = new Uint8Array(1024);
  /** Number of the key (see key-names.ts), or UNNAMED. */
  name = new Int16Array(1024);
  keyStart = new Int32Array(1024);
  keyEnd = new Int32Array(1024);
  /** Without the quotes for text. */
  valueStart = new Int32Array(1024);
  valueEnd = new Int32Array(1024);
  /** Member of each planned path, or -1. */
  readonly slots: Int32Array;
  /** Scalar and array members that the plan does not know. */
  unknown = 0;
  /** True when a key of the record has no number. */
  unnamed = false;
  readonly names: KeyNames;

  private keys = 0;
  /** By number of a key + 1 (0: none): the key that followed it last. Producers seldom change the order. */
  private readonly follower = new Int16Array(MOST_NAMES + 1).fill(-1);
  private lastName = -1;
  /** Slot by number of a key, -2 when not looked up. */
  private slotOf = new Int16Array(256).fill(-2);
  private version = 0;
  private batch = 0;
  private readonly plan: PathPlan;
  private readonly limits: Limits;

  constructor(plan: PathPlan, limits: Limits, names: KeyNames = new KeyNames()) {
    super();
    this.plan = plan;
    this.limits = limits;
    this.names = names;
    this.slots = new Int32Array(plan.paths.length);
  }

  /** Begins or goes on with a batch, named by what is new for each: members that were kept of another one are void. */
  open(batch: number): void {
    if (this.batch === batch) return;
    this.batch = batch;
    this.first = this.count = 0;
    if (this.version === this.names.version) return;
    this.version = this.names.version;
    this.follower.fill(-1);
    this.slotOf.fill(-2);
  }

  /** The members of the record just read stay until the next batch. */
  keep(): void {
    this.first = this.count;
  }

  /** Reads `bytes[start, end)`, which must be one JSON object and nothing else but white space. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    this.count = this.first;
    this.keys = 0;
    this.lastName = -1;
    this.unknown = 0;
    this.wideNumbers = this.unnamed = false;
    this.slots.fill(-1);
    this.space();
    if (this.at >= end || bytes[this.at] !== 123) return this.fail('syntax', 'is not a JSON object');
    if (!this.object(-1, ROOT, 1)) return false;
    this.space();
    return this.at === end || this.fail('syntax', 'has bytes after the object');
  }

  /** Text of a member's value; of a number or word its bytes. */
  text(member: number): string {
    const start = this.valueStart[member];
    const end = this.valueEnd[member];
    const kind = this.kind[member];
    if (kind === KIND.escapedText || kind === KIND.oddText) {
      return JSON.parse(textOf(this.bytes, start - 1, end + 1)) as string;
    }
    return kind < KIND.object ? asciiOf(this.bytes, start, end) : textOf(this.bytes, start, end);
  }

  value(member: number): unknown {
    switch (this.kind[member]) {
      case KIND.number: {
        const text = this.text(member);
        const number = Number(text);
        return Number.isInteger(number) && !Number.isSafeInteger(number) && isWhole(text) ? text : number;
      }
      case KIND.true:
        return true;
      case KIND.false:
        return false;
      case KIND.null:
        return null;
      case KIND.object:
        return this.objectOf(member, member + 1);
      case KIND.array:
        return JSON.parse(this.text(member));
      default:
        return this.text(member);
    }
  }

  /** The members from `first` on that `parent` holds (-1: the record), as an object. */
  objectOf(parent: number, first: number, last = this.lastOf(parent)): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    for (let member = first; member < last; member++)
      if (this.parent[member] === parent) object[this.key(member)] = this.value(member);
    return object;
  }

  /** Behind the last member that an object holds. */
  private lastOf(object: number): number {
    const end = this.valueEnd[object];
    let member = object + 1;
    while (member < this.count && this.keyStart[member] > this.keyStart[object] && this.keyStart[member] < end)
      member++;
    return member;
  }

  isText(member: number): boolean {
    return this.kind[member] <= KIND.oddText;
  }

  key(member: number): string {
    const name = this.name[member];
    return name >= 0 ? this.names.keys[name] : keyText(this.bytes, this.keyStart[member], this.keyEnd[member]);
  }

  private object(parent: number, parentName: number, depth: number): boolean {
    const { bytes, end } = this;
    if (depth > this.limits.depth) return this.fail('too_deep', `nests deeper than ${this.limits.depth}`);
    this.at++;
    this.space();
    if (this.at < end && bytes[this.at] === 125) {
      this.at++;
      return true;
    }
    for (;;) {
      const member = this.openMember(parent, parentName);
      if (member < 0) return false;
      if (++this.keys > this.limits.keys) return this.fail('too_many_keys', `has more than ${this.limits.keys} keys`);
      if (!this.colon()) return false;
      if (!this.readMember(member, depth)) return false;
      if (this.at < end && bytes[this.at] <= 32) this.space();
      const c = this.at < end ? bytes[this.at] : 0;
      this.at++;
      if (c === 125) return true;
      if (c !== 44) {
        this.at--;
        return this.fail('syntax', 'lacks a comma or brace after a value');
      }
      if (this.at < end && bytes[this.at] <= 32) this.space();
    }
  }

  private colon(): boolean {
    const { bytes, end } = this;
    if (this.at < end && bytes[this.at] <= 32) this.space();
    if (this.at >= end || bytes[this.at] !== 58) return this.fail('syntax', 'lacks a colon after a key');
    this.at++;
    if (this.at < end && bytes[this.at] <= 32) this.space();
    return true;
  }

  /** Reads a key: the new member, or -1. */
  private openMember(parent: number, parentName: number): number {
    const { bytes, end, names } = this;
    if (this.at >= end || bytes[this.at] !== 34) {
      this.fail('syntax', 'has no key where one must stand');
      return -1;
    }
    const start = this.at + 1;
    let name = this.follower[this.lastName + 1];
    const expectedEnd = name < 0 ? 0 : start + names.length[name];
    if (name >= 0 && expectedEnd < end && bytes[expectedEnd] === 34 && this.isExpected(name, parentName, start)) {
      this.at = expectedEnd + 1;
    } else {
      const kind = this.string();
      if (kind === 0) return -1;
      const keyEnd = this.at - 1;
      if (isForbidden(kind, bytes, start, keyEnd)) {
        this.fail('forbidden_key', 'has a key __proto__');
        return -1;
      }
      name = names.find(parentName, bytes, start, keyEnd);
      if (name === UNNAMED) this.unnamed = true;
      else this.follower[this.lastName + 1] = name;
    }
    this.lastName = Math.max(name, -1);
    const member = this.count++;
    if (member === this.parent.length) this.grow();
    this.parent[member] = parent;
    this.name[member] = name;
    this.keyStart[member] = start;
    this.keyEnd[member] = this.at - 1;
    return member;
  }

  /** A known key holds no raw quote that would end it sooner: equal bytes are the same key. */
  private isExpected(name: number, parentName: number, start: number): boolean {
    const { bytes, names } = this;
    if (names.parent[name] !== parentName) return false;
    const own = names.bytes;
    const from = names.start[name];
    const length = names.length[name];
    for (let i = 0; i < length; i++) if (own[from + i] !== bytes[start + i]) return false;
    return true;
  }

  private slotOfMember(member: number): number {
    const name = this.name[member];
    if (name < 0) return this.plan.find(this.pathOf(member));
    if (name >= this.slotOf.length) {
      const grown = new Int16Array(this.slotOf.length * 2 + name).fill(-2);
      grown.set(this.slotOf);
      this.slotOf = grown;
    }
    let slot = this.slotOf[name];
    if (slot === -2) {
      slot = this.plan.find(this.names.paths[name]);
      this.slotOf[name] = slot;
    }
    return slot;
  }

  private pathOf(member: number): string {
    const parent = this.parent[member];
    return parent < 0 ? this.key(member) : `${this.pathOf(parent)}.${this.key(member)}`;
  }

  /** Finds the member's slot, then reads its value. */
  private readMember(member: number, depth: number): boolean {
    const slot = this.slotOfMember(member);
    if (slot >= 0) {
      if (this.slots[slot] >= 0) return this.fail('duplicate_key', `has the key ${this.plan.paths[slot]} twice`);
      this.slots[slot] = member;
    }
    const c = this.at < this.end ? this.bytes[this.at] : 0;
    if (c === 123) {
      this.valueStart[member] = this.at;
      this.kind[member] = KIND.object;
      if (!this.object(member, this.name[member], depth + 1)) return false;
      this.valueEnd[member] = this.at;
      return true;
    }
    if (slot < 0) this.unknown++;
    const text = c === 34 ? 1 : 0;
    this.valueStart[member] = this.at + text;
    const kind = this.take(depth);
    if (kind === 0) return false;
    this.kind[member] = kind;
    this.valueEnd[member] = this.at - text;
    return true;
  }

  /** Reads a value (objects inside arrays included) and returns its kind, 0 on failure. */
  private take(depth: number): number {
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
    const { bytes, end } = this;
    if (depth > this.limits.depth) return this.fail('too_deep', `nests deeper than ${this.limits.depth}`);
    this.at++;
    this.space();
    if (this.at < end && bytes[this.at] === 125) {
      this.at++;
      return true;
    }
    for (;;) {
      const start = this.at + 1;
      if (this.at >= end || bytes[this.at] !== 34) return this.fail('syntax', 'has no key where one must stand');
      const kind = this.string();
      if (kind === 0) return false;
      if (++this.keys > this.limits.keys) return this.fail('too_many_keys', `has more than ${this.limits.keys} keys`);
      if (isForbidden(kind, bytes, start, this.at - 1)) return this.fail('forbidden_key', 'has a key __proto__');
      if (!this.colon()) return false;
      if (this.take(depth) === 0) return false;
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

  private array(depth: number): boolean {
    if (depth > this.limits.depth) return this.fail('too_deep', `nests deeper than ${this.limits.depth}`);
    this.at++;
    this.space();
    if (this.at < this.end && this.bytes[this.at] === 93) {
      this.at++;
      return true;
    }
    for (;;) {
      if (this.take(depth) === 0) return false;
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
    const name = new Int16Array(this.name.length * 2);
    name.set(this.name);
    this.name = name;
    const kind = new Uint8Array(this.kind.length * 2);
    kind.set(this.kind);
    this.kind = kind;
  }
}

const isWhole = (text: string): boolean => /^-?\d+$/.test(text);

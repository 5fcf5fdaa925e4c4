// The keys of JSON objects, each with a small number, so that a key that was met before is told by comparing bytes and what
// follows from it is looked up in arrays. A key is known by its own bytes and by the key of the object that it stands in.

import { MEMBER_KIND } from '../../rules/plan/index.ts';
import { textOf, utf8 } from '../../src/model/bytes.ts';

/** Guarantee 4: records name their own keys. What comes beyond is UNNAMED until the table is emptied. */
export const MOST_NAMES = 8192;
const MOST_BYTES = 512 * 1024;

/** In the place of the parent of a key of the record itself. */
export const ROOT = -1;
export const UNNAMED = -2;

const SLOTS = MOST_NAMES * 4;

export class KeyNames {
  /** Raised when all numbers become void. */
  version = 0;
  count = 0;
  /** By number: where its bytes stand in `bytes`, as the records write them, and the key of its object. */
  readonly start = new Int32Array(MOST_NAMES);
  readonly length = new Int32Array(MOST_NAMES);
  readonly parent = new Int32Array(MOST_NAMES);
  bytes = new Uint8Array(16 * 1024);
  /** By number: the key, and the path to it, joined by dots. */
  readonly keys: string[] = [];
  readonly paths: string[] = [];
  private used = 0;
  private readonly table = new Int16Array(SLOTS).fill(-1);
  private readonly byPath = new Map<string, number[]>();

  /** Makes room when there is none left: between batches only, since what was read refers to the numbers. */
  trim(): void {
    if (this.count < MOST_NAMES && this.used < MOST_BYTES) return;
    this.version++;
    this.count = this.used = 0;
    this.keys.length = this.paths.length = 0;
    this.table.fill(-1);
    this.byPath.clear();
  }

  /** Number of the key written as `from[start, end)`, without its quotes; UNNAMED when there are too many. */
  find(parent: number, from: Uint8Array, start: number, end: number): number {
    let hash = Math.imul(parent + 3, 0x9e3779b1) ^ (end - start);
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ from[i], 0x01000193);
    let at = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    for (; this.table[at] >= 0; at = (at + 1) & (SLOTS - 1)) {
      const id = this.table[at];
      if (this.parent[id] === parent && this.is(id, from, start, end)) return id;
    }
    return parent === UNNAMED ? UNNAMED : this.add(at, parent, from, start, end);
  }

  /** Whether `from[start, end)` are the bytes of the key. */
  is(id: number, from: Uint8Array, start: number, end: number): boolean {
    const length = this.length[id];
    if (end - start !== length) return false;
    const { bytes } = this;
    const own = this.start[id];
    for (let i = 0; i < length; i++) if (bytes[own + i] !== from[start + i]) return false;
    return true;
  }

  /** Numbers of a path, however it is cut into keys; none when no record had it. */
  ofPath(path: string): readonly number[] {
    return this.byPath.get(path) ?? [];
  }

  private add(at: number, parent: number, from: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (this.count >= MOST_NAMES || this.used + length > MOST_BYTES) {
      this.used = Math.max(this.used, MOST_BYTES - length);
      return UNNAMED;
    }
    if (this.used + length > this.bytes.length) {
      const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.used + length));
      grown.set(this.bytes);
      this.bytes = grown;
    }
    const id = this.count++;
    this.table[at] = id;
    this.parent[id] = parent;
    this.start[id] = this.used;
    this.length[id] = length;
    for (let i = 0; i < length; i++) this.bytes[this.used + i] = from[start + i];
    this.used += length;
    const key = keyText(from, start, end);
    const path = parent === ROOT ? key : `${this.paths[parent]}.${key}`;
    this.keys.push(key);
    this.paths.push(path);
    const known = this.byPath.get(path);
    if (known === undefined) this.byPath.set(path, [id]);
    else known.push(id);
    return id;
  }
}

/** A key as text: its bytes may hold escapes. */
export function keyText(bytes: Uint8Array, start: number, end: number): string {
  for (let i = start; i < end; i++) if (bytes[i] === 92) return JSON.parse(textOf(bytes, start - 1, end + 1)) as string;
  return textOf(bytes, start, end);
}

const FORBIDDEN = '__proto__';
const FORBIDDEN_BYTES = utf8(FORBIDDEN);

/** Whether a key is one that no record may have. `kind` is that of its text. */
export function isForbidden(kind: number, bytes: Uint8Array, start: number, end: number): boolean {
  if (kind !== MEMBER_KIND.text) return keyText(bytes, start, end) === FORBIDDEN;
  return end - start === FORBIDDEN.length && FORBIDDEN_BYTES.every((byte, i) => bytes[start + i] === byte);
}

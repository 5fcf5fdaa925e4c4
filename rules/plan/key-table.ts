// Exact values by hash, whatever the case of what is looked up, without making strings in lower case.

import { FOLDED } from './literal-search.ts';

interface Entry<T> {
  readonly key: string;
  readonly item: T;
}

export class KeyTable<T> {
  private readonly byHash = new Map<number, Entry<T>[]>();
  /** No key is longer, so that longer texts need no lookup: lower case is never shorter. */
  longest = 0;

  get size(): number {
    return this.byHash.size;
  }

  /** What is kept under `key`, which is in lower case; made when it is new. */
  at(key: string, make: () => T): T {
    const hash = hashOf(key);
    let entries = this.byHash.get(hash);
    if (entries === undefined) {
      entries = [];
      this.byHash.set(hash, entries);
    }
    const known = entries.find((entry) => entry.key === key);
    if (known !== undefined) return known.item;
    const item = make();
    entries.push({ key, item });
    this.longest = Math.max(this.longest, key.length);
    return item;
  }

  /** By an ASCII text of any case, or one in lower case. */
  get(text: string): T | undefined {
    const entries = this.byHash.get(hashOf(text));
    if (entries === undefined) return undefined;
    for (let i = 0; i < entries.length; i++) if (isSame(entries[i].key, text)) return entries[i].item;
    return undefined;
  }

  /** By the text written as `bytes[start, end)` of a JSON text: ASCII, with no escapes but those of quotes and backslashes. */
  getRaw(bytes: Uint8Array, start: number, end: number): T | undefined {
    if (end - start > this.longest * 2) return undefined;
    let hash = 0;
    let at = start;
    for (let i = 0; i < HASHED && at < end; i++) {
      if (bytes[at] === 92) at++;
      hash = (Math.imul(hash, 31) + FOLDED[bytes[at++]]) | 0;
    }
    const entries = this.byHash.get(hash & 0x3fffffff);
    if (entries === undefined) return undefined;
    for (let i = 0; i < entries.length; i++) if (isWritten(entries[i].key, bytes, start, end)) return entries[i].item;
    return undefined;
  }
}

function isWritten(key: string, bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  for (let i = 0; i < key.length; i++) {
    if (bytes[at] === 92) at++;
    if (at >= end || FOLDED[bytes[at++]] !== key.charCodeAt(i)) return false;
  }
  return at === end;
}

/** Of so many characters a hash is made: what they begin with tells keys apart well enough. */
const HASHED = 24;

function hashOf(text: string): number {
  let hash = 0;
  const length = Math.min(text.length, HASHED);
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    hash = (Math.imul(hash, 31) + (code < 128 ? FOLDED[code] : code)) | 0;
  }
  return hash & 0x3fffffff; // a small integer
}

function isSame(key: string, text: string): boolean {
  if (key.length !== text.length) return false;
  for (let i = 0; i < key.length; i++) {
    const code = text.charCodeAt(i);
    if ((code < 128 ? FOLDED[code] : code) !== key.charCodeAt(i)) return false;
  }
  return true;
}

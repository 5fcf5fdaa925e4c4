// Exact values by hash, whatever the case of what is looked up, without making strings in lower case.

import { FOLDED } from './literal-search.ts';

interface Entry<T> {
  readonly key: string;
  readonly items: T[];
}

export class KeyTable<T> {
  private readonly byHash = new Map<number, Entry<T>[]>();
  /** No key is longer, so that longer texts need no lookup: lower case is never shorter. */
  longest = 0;

  get size(): number {
    return this.byHash.size;
  }

  /** `key` is in lower case. */
  add(key: string, item: T): void {
    const hash = hashOf(key);
    let entries = this.byHash.get(hash);
    if (entries === undefined) {
      entries = [];
      this.byHash.set(hash, entries);
    }
    const known = entries.find((entry) => entry.key === key);
    if (known === undefined) entries.push({ key, items: [item] });
    else known.items.push(item);
    this.longest = Math.max(this.longest, key.length);
  }

  /** By an ASCII text of any case, or one in lower case. */
  get(text: string): readonly T[] | undefined {
    const entries = this.byHash.get(hashOf(text));
    if (entries === undefined) return undefined;
    for (let i = 0; i < entries.length; i++) if (isSame(entries[i].key, text)) return entries[i].items;
    return undefined;
  }
}

function hashOf(text: string): number {
  let hash = text.length;
  for (let i = 0; i < text.length; i++) {
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

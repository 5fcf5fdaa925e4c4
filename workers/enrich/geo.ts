// Country and autonomous system of an address from MaxMind-format databases. The tree is walked on the address words,
// without making a string; `maxmind` reads the header and the data section. Records differ between publishers, so the
// usual names are all understood: MaxMind, DB-IP, IPinfo, ip-location-db.

import { readFileSync } from 'node:fs';
import { Reader } from 'maxmind';
import { ipText, isV4 } from '../../src/model/ip.ts';

export interface Place {
  /** ISO 3166-1 alpha-2, or ''. */
  readonly country: string;
  /** 0 when the database does not say. */
  readonly asn: number;
}

export const NOWHERE: Place = { country: '', asn: 0 };
/** Distinct records remembered a database: countries are few hundred, autonomous systems some 80,000. */
const MAX_PLACES = 1 << 17;

export class GeoDatabase {
  private readonly tree: Buffer;
  private readonly reader: Reader<Record<string, unknown> & never>;
  private readonly nodeCount: number;
  private readonly recordSize: number;
  private readonly nodeBytes: number;
  private readonly v4Start: number;
  private readonly v4Only: boolean;
  /** Node below each value of the first 16 bits of an IPv4 address, 0 while unknown: half of the walk is saved. */
  private readonly v4Roots = new Uint32Array(1 << 16);
  private readonly places = new Map<number, Place>();

  /** Throws what the file system or the reader throws: a database that cannot be read is a broken configuration. */
  constructor(path: string) {
    this.tree = readFileSync(path);
    this.reader = new Reader(this.tree);
    const { nodeCount, recordSize, ipVersion } = this.reader.metadata;
    this.nodeCount = nodeCount;
    this.recordSize = recordSize;
    this.nodeBytes = recordSize / 4;
    this.v4Only = ipVersion === 4;
    let node = 0;
    for (let depth = 0; !this.v4Only && depth < 96 && node < nodeCount; depth++) node = this.child(node, 0);
    this.v4Start = node;
  }

  lookup(words: Uint32Array, at: number): Place {
    const pointer = this.find(words, at);
    if (pointer === 0) return NOWHERE;
    const known = this.places.get(pointer);
    if (known) return known;
    const place = placeOf(this.reader.get(ipText(words, at)));
    if (this.places.size < MAX_PLACES) this.places.set(pointer, place);
    return place;
  }

  /** Value of the leaf that the address falls into; 0 when the database knows nothing of it. */
  private find(words: Uint32Array, at: number): number {
    const v4 = isV4(words, at);
    if (!v4 && this.v4Only) return 0;
    let node = 0;
    if (v4) {
      const word = words[at + 3];
      this.v4Roots[word >>> 16] ||= this.walk(this.v4Start, word, 31, 16);
      node = this.walk(this.v4Roots[word >>> 16], word, 15, 0);
    } else {
      for (let w = 0; w < 4; w++) node = this.walk(node, words[at + w], 31, 0);
    }
    return node > this.nodeCount ? node : 0;
  }

  /** Follows the bits of `word` from bit `first` down to bit `last`, or to a leaf. */
  private walk(from: number, word: number, first: number, last: number): number {
    let node = from;
    for (let bit = first; bit >= last && node < this.nodeCount; bit--) node = this.child(node, (word >>> bit) & 1);
    return node;
  }

  private child(node: number, side: number): number {
    const tree = this.tree;
    const at = node * this.nodeBytes;
    if (this.recordSize === 24) {
      const left = at + side * 3;
      return (tree[left] << 16) | (tree[left + 1] << 8) | tree[left + 2];
    }
    if (this.recordSize === 32) return tree.readUInt32BE(at + side * 4);
    const middle = tree[at + 3];
    return side === 0
      ? ((middle & 0xf0) << 20) | tree.readUIntBE(at, 3)
      : ((middle & 0x0f) << 24) | tree.readUIntBE(at + 4, 3);
  }
}

/** The first country and the first autonomous system that the databases, in their order, know. */
export function lookupPlace(databases: readonly GeoDatabase[], words: Uint32Array, at: number): Place {
  if (databases.length === 1) return databases[0].lookup(words, at);
  let country = '';
  let asn = 0;
  for (const database of databases) {
    const place = database.lookup(words, at);
    country ||= place.country;
    asn ||= place.asn;
  }
  return { country, asn };
}

function placeOf(record: unknown): Place {
  const country =
    text(member(record, 'country_code')) ||
    text(member(member(record, 'country'), 'iso_code')) ||
    text(member(member(record, 'registered_country'), 'iso_code')) ||
    text(member(record, 'country'));
  const system = member(record, 'autonomous_system_number') ?? member(record, 'asn');
  const asn = typeof system === 'string' ? Number(system.replace(/^AS/i, '')) : system;
  return {
    country: /^[A-Z]{2}$/.test(country) ? country : '',
    asn: typeof asn === 'number' && Number.isInteger(asn) && asn > 0 && asn <= 0xffffffff ? asn : 0,
  };
}

function member(record: unknown, key: string): unknown {
  if (typeof record !== 'object' || record === null || !Object.hasOwn(record, key)) return undefined;
  return (record as Record<string, unknown>)[key];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

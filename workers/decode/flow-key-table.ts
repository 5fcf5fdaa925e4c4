// The keys of a flow record as the fast scanners compare them: four bytes at a time, without making a string.

import { utf8 } from '../../src/model/bytes.ts';
import { FLOW_KEYS, K, NATIVE_KEYS } from './native-keys.ts';

/** Stands for a key that no column holds. */
export const UNKNOWN = FLOW_KEYS.length;

export const REQUIRED = (1 << K.timestamp) | (1 << K.source_ip) | (1 << K.destination_ip) | (1 << K.protocol);
export const HAS_TENANT = 1 << K.tenant_id;
/** Without these, what a record is and whose is for the general path to say. */
export const DECISIVE = REQUIRED | HAS_TENANT;

/** Words of a key in `KeyTable.words`: little-endian, those at 0, 4, length - 4, 8 and 12. */
export const KEY_STRIDE = 8;

/** Bytes behind any offset that a comparison may touch. */
export const LONGEST_KEY = 32;

export interface KeyTable {
  readonly words: Int32Array;
  /** Bytes of a key as `spell` wrote it; 8 where a key is too short to compare and always looked up. */
  readonly lengths: Int32Array;
}

/** `spell` gives a key as it stands in the input, with what surrounds it. */
export function keyTable(spell: (key: string) => string): KeyTable {
  const words = new Int32Array(KEY_STRIDE * (UNKNOWN + 1)).fill(-1); // 0xff is in no UTF-8: nothing matches it
  const lengths = new Int32Array(UNKNOWN + 1).fill(8);
  for (let key = 0; key < UNKNOWN; key++) {
    const text = Buffer.from(spell(FLOW_KEYS[key]), 'latin1');
    if (text.length < 8 || text.length > 20) continue;
    lengths[key] = text.length;
    [0, 4, text.length - 4, 8, 12].forEach((at, k) => {
      if (at + 4 <= text.length) words[key * KEY_STRIDE + k] = text.readInt32LE(at);
    });
  }
  return { words, lengths };
}

const NAMES = FLOW_KEYS.map((key) => utf8(key));

/** Keys that are none of a flow's but that decide what a record is: a record with one is for the general path. */
const OTHER: ReadonlySet<string> = new Set(NATIVE_KEYS.slice(UNKNOWN).filter((key) => !key.includes('.')));
const LONGEST_OTHER = Math.max(...[...OTHER].map((key) => key.length));

/** The key `bytes[start, end)`: a flow key, or UNKNOWN; -1 when the record is for the general path. */
export function lookUpKey(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  for (let key = 0; key < UNKNOWN; key++) {
    const name = NAMES[key];
    if (name.length !== length) continue;
    let k = 0;
    while (k < length && bytes[start + k] === name[k]) k++;
    if (k === length) return key;
  }
  // Keys with a dot may spell a path, and __proto__ is refused by the general path.
  if (length === 0 || length > 64 || bytes[start] === 95) return -1;
  let name = '';
  for (let k = start; k < end; k++) {
    const c = bytes[k];
    if (c === 46 || c > 126) return -1;
    if (length <= LONGEST_OTHER) name += String.fromCharCode(c);
  }
  return OTHER.has(name) ? -1 : UNKNOWN;
}

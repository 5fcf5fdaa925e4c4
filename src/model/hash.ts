// 128-bit hashes for identifiers: MurmurHash3 x86_128 (Austin Appleby, public domain), four u32 words out.
// Not cryptographic; used where producers are trusted not to collide on purpose within their own tenant.

import { utf8 } from './bytes.ts';

/** The four words of the last `hash128` call, most significant first. Read them before the next call. */
export const hashWords = new Uint32Array(4);

const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;

const rotl = (x: number, r: number): number => (x << r) | (x >>> (32 - r));

function fmix(x: number): number {
  let h = x;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Hashes `bytes[start, end)` with `seed` into `hashWords`. */
export function hash128(bytes: Uint8Array, start: number, end: number, seed: number): void {
  const length = end - start;
  let h1 = seed;
  let h2 = seed;
  let h3 = seed;
  let h4 = seed;
  let at = start;
  const word = (i: number): number => bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
  for (; at + 16 <= end; at += 16) {
    h1 ^= Math.imul(rotl(Math.imul(word(at), C1), 15), C2);
    h1 = (Math.imul(rotl(h1, 19) + h2, 5) + 0x561ccd1b) | 0;
    h2 ^= Math.imul(rotl(Math.imul(word(at + 4), C2), 16), C3);
    h2 = (Math.imul(rotl(h2, 17) + h3, 5) + 0x0bcaa747) | 0;
    h3 ^= Math.imul(rotl(Math.imul(word(at + 8), C3), 17), C4);
    h3 = (Math.imul(rotl(h3, 15) + h4, 5) + 0x96cd1c35) | 0;
    h4 ^= Math.imul(rotl(Math.imul(word(at + 12), C4), 18), C1);
    h4 = (Math.imul(rotl(h4, 13) + h1, 5) + 0x32ac3b17) | 0;
  }
  const tail = [0, 0, 0, 0];
  for (let i = 0; at + i < end; i++) tail[i >> 2] |= bytes[at + i] << ((i & 3) << 3);
  const rest = length & 15;
  if (rest > 12) h4 ^= Math.imul(rotl(Math.imul(tail[3], C4), 18), C1);
  if (rest > 8) h3 ^= Math.imul(rotl(Math.imul(tail[2], C3), 17), C4);
  if (rest > 4) h2 ^= Math.imul(rotl(Math.imul(tail[1], C2), 16), C3);
  if (rest > 0) h1 ^= Math.imul(rotl(Math.imul(tail[0], C1), 15), C2);
  h1 ^= length;
  h2 ^= length;
  h3 ^= length;
  h4 ^= length;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = (h2 + h1) | 0;
  h3 = (h3 + h1) | 0;
  h4 = (h4 + h1) | 0;
  h1 = fmix(h1);
  h2 = fmix(h2);
  h3 = fmix(h3);
  h4 = fmix(h4);
  h1 = (h1 + h2 + h3 + h4) | 0;
  hashWords[0] = h1;
  hashWords[1] = h2 + h1;
  hashWords[2] = h3 + h1;
  hashWords[3] = h4 + h1;
}

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');

/** 32 hex digits of the hash of `bytes`. */
export function hashHex(bytes: Uint8Array, seed = 0): string {
  hash128(bytes, 0, bytes.length, seed);
  return hex(hashWords[0]) + hex(hashWords[1]) + hex(hashWords[2]) + hex(hashWords[3]);
}

/** A UUID (version 8: custom) made from text. The parts are joined by a NUL, so that ('a','bc') and ('ab','c') differ. */
export function uuidFrom(...parts: readonly string[]): string {
  const bytes = utf8(parts.join('\0'));
  hash128(bytes, 0, bytes.length, 0x77656972);
  stampUuid(hashWords, 0);
  return uuidText(hashWords, 0);
}

/** Sets version 8 and the RFC 9562 variant on the four words at `at`. */
export function stampUuid(words: Uint32Array, at: number): void {
  words[at + 1] = (words[at + 1] & 0xffff0fff) | 0x8000;
  words[at + 2] = (words[at + 2] & 0x3fffffff) | 0x80000000;
}

const uuidScratch = Buffer.alloc(36, '-');
/** Where the hex digits of a UUID's text stand, byte by byte. */
const UUID_PLACES = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const DIGITS = Buffer.from('0123456789abcdef');

/** Canonical text of the UUID in four words (most significant first) at `at`. */
export function uuidText(words: Uint32Array, at: number): string {
  for (let i = 0; i < 16; i++) {
    const byte = words[at + (i >> 2)] >>> (24 - (i & 3) * 8);
    const place = UUID_PLACES[i];
    uuidScratch[place] = DIGITS[(byte >>> 4) & 15];
    uuidScratch[place + 1] = DIGITS[byte & 15];
  }
  return uuidScratch.toString('latin1', 0, 36);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** Writes a canonical UUID text as four words at `at`; false (and nothing written) when it is not one. */
export function uuidWords(text: string, words: Uint32Array, at: number): boolean {
  if (!UUID.test(text)) return false;
  const digits = text.replaceAll('-', '');
  for (let i = 0; i < 4; i++) words[at + i] = Number.parseInt(digits.slice(i * 8, i * 8 + 8), 16);
  return true;
}

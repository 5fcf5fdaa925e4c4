// IP addresses as four u32 words, most significant first. IPv4 is kept as ::ffff:a.b.c.d, so one address has one form.

export const V4_PREFIX = 0x0000ffff;

/** True when the four words at `at` hold an IPv4 (or IPv4-mapped IPv6) address. */
export function isV4(words: Uint32Array, at: number): boolean {
  return words[at] === 0 && words[at + 1] === 0 && words[at + 2] === V4_PREFIX;
}

/** Reads `bytes[start, end)` as an IPv4 or IPv6 address into `out[at..at+4)`; false when it is none. Zone ids are refused. */
export function parseIpBytes(bytes: Uint8Array, start: number, end: number, out: Uint32Array, at: number): boolean {
  return parseV4(bytes, start, end, out, at) || parseV6(bytes, start, end, out, at);
}

function parseV4(bytes: Uint8Array, start: number, end: number, out: Uint32Array, at: number): boolean {
  let value = 0;
  let part = -1;
  let dots = 0;
  for (let i = start; i < end; i++) {
    const c = bytes[i];
    if (c >= 48 && c <= 57) {
      if (part === 0) return false; // a leading zero is octal to some readers: refuse
      part = part < 0 ? c - 48 : part * 10 + c - 48;
      if (part > 255) return false;
    } else if (c === 46) {
      if (part < 0 || ++dots > 3) return false;
      value = (value << 8) | part;
      part = -1;
    } else return false;
  }
  if (dots !== 3 || part < 0) return false;
  out[at] = 0;
  out[at + 1] = 0;
  out[at + 2] = V4_PREFIX;
  out[at + 3] = (value << 8) | part;
  return true;
}

const groups = new Uint16Array(8);
const embedded = new Uint32Array(4);

function parseV6(bytes: Uint8Array, start: number, end: number, out: Uint32Array, at: number): boolean {
  if (end - start < 2 || end - start > 45) return false;
  let count = 0;
  let gap = -1;
  let i = start;
  if (bytes[i] === 58) {
    if (bytes[i + 1] !== 58) return false;
    gap = 0;
    i += 2;
  }
  while (i < end) {
    let value = 0;
    let digits = 0;
    let j = i;
    for (; j < end; j++) {
      const d = hexDigit(bytes[j]);
      if (d < 0) break;
      value = (value << 4) | d;
      if (++digits > 4) return false;
    }
    if (j < end && bytes[j] === 46) {
      if (count > 6 || !parseV4(bytes, i, end, embedded, 0)) return false;
      groups[count++] = embedded[3] >>> 16;
      groups[count++] = embedded[3] & 0xffff;
      i = end;
      break;
    }
    if (digits === 0 || count === 8) return false;
    groups[count++] = value;
    i = j;
    if (i === end) break;
    if (bytes[i] !== 58) return false;
    i++;
    if (i < end && bytes[i] === 58) {
      if (gap >= 0) return false;
      gap = count;
      i++;
    } else if (i === end) return false;
  }
  if (gap < 0 ? count !== 8 : count > 7) return false;
  for (let g = 0; g < 4; g++) out[at + g] = 0;
  const tail = gap < 0 ? 0 : count - gap;
  const head = count - tail;
  for (let g = 0; g < head; g++) put(out, at, g, groups[g]);
  for (let g = 0; g < tail; g++) put(out, at, 8 - tail + g, groups[head + g]);
  return true;
}

function put(out: Uint32Array, at: number, group: number, value: number): void {
  const word = at + (group >> 1);
  out[word] = group & 1 ? out[word] | value : out[word] | (value << 16);
}

function hexDigit(c: number): number {
  if (c >= 48 && c <= 57) return c - 48;
  const lower = c | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

const scratch = new Uint8Array(64);

/** As `parseIpBytes`, from a string. */
export function parseIp(text: string, out: Uint32Array, at = 0): boolean {
  if (text.length > 45) return false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c > 127) return false;
    scratch[i] = c;
  }
  return parseIpBytes(scratch, 0, text.length, out, at);
}

/** Canonical text (RFC 5952; IPv4 and IPv4-mapped as dotted quad). */
export function ipText(words: Uint32Array, at = 0): string {
  if (isV4(words, at)) {
    const w = words[at + 3];
    return `${w >>> 24}.${(w >>> 16) & 255}.${(w >>> 8) & 255}.${w & 255}`;
  }
  const g: number[] = [];
  for (let i = 0; i < 8; i++) g.push(i & 1 ? words[at + (i >> 1)] & 0xffff : words[at + (i >> 1)] >>> 16);
  let best = -1;
  let bestLength = 1;
  for (let i = 0; i < 8; ) {
    let j = i;
    while (j < 8 && g[j] === 0) j++;
    if (j - i > bestLength) {
      best = i;
      bestLength = j - i;
    }
    i = Math.max(j, i + 1);
  }
  const text = (from: number, to: number): string =>
    g
      .slice(from, to)
      .map((x) => x.toString(16))
      .join(':');
  return best < 0 ? text(0, 8) : `${text(0, best)}::${text(best + bestLength, 8)}`;
}

/** A prefix: four words and a length in bits of the 128-bit form (IPv4 /n is /96+n). */
export interface Prefix {
  readonly words: Uint32Array;
  readonly bits: number;
}

/** Reads `addr` or `addr/len`; null when it is neither. Host bits are cleared. */
export function parsePrefix(text: string): Prefix | null {
  const slash = text.indexOf('/');
  const words = new Uint32Array(4);
  const address = slash < 0 ? text : text.slice(0, slash);
  if (!parseIp(address, words)) return null;
  const short = !address.includes(':');
  let bits = 128;
  if (slash >= 0) {
    const length = text.slice(slash + 1);
    if (!/^\d{1,3}$/.test(length)) return null;
    const n = Number(length);
    if (n > (short ? 32 : 128)) return null;
    bits = short ? n + 96 : n;
  }
  for (let i = 0; i < 4; i++) words[i] &= mask(bits - i * 32);
  return { words, bits };
}

function mask(bits: number): number {
  if (bits >= 32) return 0xffffffff;
  return bits <= 0 ? 0 : -1 << (32 - bits);
}

/** True when the address at `at` lies in the prefix. */
export function inPrefix(prefix: Prefix, words: Uint32Array, at: number): boolean {
  for (let i = 0; i < 4; i++) {
    const m = mask(prefix.bits - i * 32);
    if (((words[at + i] ^ prefix.words[i]) & m) !== 0) return false;
  }
  return true;
}

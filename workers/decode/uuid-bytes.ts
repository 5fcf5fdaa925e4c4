// UUID texts to words, two digits at a time.

/** Two hex digits (little-endian pair as read) → their byte; 0x100 for any other pair. */
const HEX = new Uint16Array(65_536).fill(0x100);
for (let byte = 0; byte < 256; byte++) {
  const text = byte.toString(16).padStart(2, '0');
  for (const a of [text[0], text[0].toUpperCase()]) {
    for (const b of [text[1], text[1].toUpperCase()]) HEX[a.charCodeAt(0) | (b.charCodeAt(0) << 8)] = byte;
  }
}

/** Reads the 36 characters at `at` (all inside `view`) into four words at `quad`; false when they are no UUID. */
export function readUuid(bytes: Uint8Array, view: DataView, at: number, id: Uint32Array, quad: number): boolean {
  if (bytes[at + 8] !== 45 || bytes[at + 13] !== 45 || bytes[at + 18] !== 45 || bytes[at + 23] !== 45) return false;
  const a = HEX[view.getUint16(at, true)];
  const b = HEX[view.getUint16(at + 2, true)];
  const c = HEX[view.getUint16(at + 4, true)];
  const d = HEX[view.getUint16(at + 6, true)];
  const e = HEX[view.getUint16(at + 9, true)];
  const f = HEX[view.getUint16(at + 11, true)];
  const g = HEX[view.getUint16(at + 14, true)];
  const h = HEX[view.getUint16(at + 16, true)];
  const j = HEX[view.getUint16(at + 19, true)];
  const k = HEX[view.getUint16(at + 21, true)];
  const l = HEX[view.getUint16(at + 24, true)];
  const m = HEX[view.getUint16(at + 26, true)];
  const n = HEX[view.getUint16(at + 28, true)];
  const o = HEX[view.getUint16(at + 30, true)];
  const p = HEX[view.getUint16(at + 32, true)];
  const q = HEX[view.getUint16(at + 34, true)];
  if (((a | b | c | d | e | f | g | h | j | k | l | m | n | o | p | q) & 0x100) !== 0) return false;
  id[quad] = (a << 24) | (b << 16) | (c << 8) | d;
  id[quad + 1] = (e << 24) | (f << 16) | (g << 8) | h;
  id[quad + 2] = (j << 24) | (k << 16) | (l << 8) | m;
  id[quad + 3] = (n << 24) | (o << 16) | (p << 8) | q;
  return true;
}

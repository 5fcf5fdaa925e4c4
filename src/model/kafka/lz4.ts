// LZ4 frames. Format: github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md and lz4_Block_format.md. Checksums are not checked:
// the broker has checked the batch's own.

import { CodecError } from './codec-error.ts';
import { copyMatch } from './snappy.ts';

const MAGIC = 0x184d2204;
const BLOCK_SIZES = [0, 0, 0, 0, 1 << 16, 1 << 18, 1 << 20, 1 << 22];

/** Throws CodecError for bytes that are no LZ4 frame, or that would become more than `limit` bytes. */
export function unlz4(bytes: Uint8Array, limit: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 7 || view.getUint32(0, true) !== MAGIC) throw new CodecError('it is no LZ4 frame');
  const flags = bytes[4];
  if (flags >>> 6 !== 1) throw new CodecError('its LZ4 version is not known');
  const blockSize = BLOCK_SIZES[(bytes[5] >>> 4) & 7];
  if (blockSize === 0) throw new CodecError('its LZ4 block size is not known');
  let at = 6 + (flags & 8 ? 8 : 0) + (flags & 1 ? 4 : 0) + 1;
  const checksum = flags & 16 ? 4 : 0;
  let out = new Uint8Array(Math.min(limit, Math.max(1024, bytes.length * 4)));
  let to = 0;
  for (;;) {
    if (at + 4 > bytes.length) throw new CodecError('an LZ4 frame is cut off');
    const header = view.getUint32(at, true);
    at += 4;
    if (header === 0) return out.subarray(0, to);
    const length = header & 0x7fffffff;
    if (length > bytes.length - at) throw new CodecError('an LZ4 block is cut off');
    const room = Math.min(limit, to + blockSize);
    if (out.length < room) {
      const grown = new Uint8Array(Math.min(limit, Math.max(room, out.length * 2)));
      grown.set(out.subarray(0, to));
      out = grown;
    }
    if (header >>> 31 === 1) {
      if (length > room - to) throw tooLong(limit, to + length);
      out.set(bytes.subarray(at, at + length), to);
      to += length;
    } else to = block(bytes, at, at + length, out, to, room, limit);
    at += length + checksum;
  }
}

const tooLong = (limit: number, size: number): CodecError =>
  size > limit ? CodecError.tooLarge(limit) : new CodecError('an LZ4 block is longer than its frame allows');

function block(
  bytes: Uint8Array,
  from: number,
  end: number,
  out: Uint8Array,
  start: number,
  room: number,
  limit: number,
): number {
  let at = from;
  let to = start;
  while (at < end) {
    const token = bytes[at++];
    let literals = token >>> 4;
    if (literals === 15)
      for (let more = 255; more === 255; literals += more) {
        if (at >= end) throw new CodecError('an LZ4 literal is cut off');
        more = bytes[at++];
      }
    if (literals > end - at) throw new CodecError('an LZ4 literal is cut off');
    if (literals > room - to) throw tooLong(limit, to + literals);
    if (literals <= 16) for (let i = 0; i < literals; i++) out[to + i] = bytes[at + i];
    else out.set(bytes.subarray(at, at + literals), to);
    at += literals;
    to += literals;
    if (at === end) return to; // the last sequence has no match
    if (at + 2 > end) throw new CodecError('an LZ4 match is cut off');
    const distance = bytes[at] | (bytes[at + 1] << 8);
    at += 2;
    let length = token & 15;
    if (length === 15)
      for (let more = 255; more === 255; length += more) {
        if (at >= end) throw new CodecError('an LZ4 match is cut off');
        more = bytes[at++];
      }
    length += 4;
    if (distance === 0 || distance > to) throw new CodecError('an LZ4 match points outside');
    if (length > room - to) throw tooLong(limit, to + length);
    copyMatch(out, to, distance, length);
    to += length;
  }
  return to;
}

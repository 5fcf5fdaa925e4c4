// Snappy decompression, bare and in the xerial framing that Java clients write.
// Formats: github.com/google/snappy/blob/main/format_description.txt; framing of xerial snappy-java (SnappyOutputStream).

import { CodecError } from './codec-error.ts';

const XERIAL = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00];
const XERIAL_HEADER = 16;

/** Throws CodecError for bytes that are no Snappy, or that would become more than `limit` bytes. */
export function unsnappy(bytes: Uint8Array, limit: number): Uint8Array {
  if (!XERIAL.every((byte, i) => bytes[i] === byte)) return block(bytes, limit);
  if (bytes.length < XERIAL_HEADER) throw new CodecError('a Snappy header is cut off');
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (let at = XERIAL_HEADER; at < bytes.length; ) {
    if (at + 4 > bytes.length) throw new CodecError('a Snappy block is cut off');
    const length = ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
    at += 4;
    if (length > bytes.length - at) throw new CodecError('a Snappy block is cut off');
    const piece = block(bytes.subarray(at, at + length), limit - size);
    pieces.push(piece);
    size += piece.length;
    at += length;
  }
  return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces, size);
}

function block(bytes: Uint8Array, limit: number): Uint8Array {
  let at = 0;
  let size = 0;
  for (let scale = 1; ; scale *= 128) {
    if (at >= bytes.length || at > 4) throw new CodecError('a Snappy block has no length');
    const byte = bytes[at++];
    size += (byte & 127) * scale;
    if (byte < 128) break;
  }
  if (size > limit) throw CodecError.tooLarge(limit);
  const out = new Uint8Array(size);
  let to = 0;
  while (at < bytes.length) {
    const tag = bytes[at++];
    const kind = tag & 3;
    if (kind === 0) {
      let length = tag >>> 2;
      if (length >= 60) {
        const extra = length - 59;
        if (at + extra > bytes.length) throw new CodecError('a Snappy literal is cut off');
        length = 0;
        for (let i = extra - 1; i >= 0; i--) length = length * 256 + bytes[at + i];
        at += extra;
      }
      length++;
      if (length > bytes.length - at || length > size - to) throw new CodecError('a Snappy literal is cut off');
      if (length <= 16) for (let i = 0; i < length; i++) out[to + i] = bytes[at + i];
      else out.set(bytes.subarray(at, at + length), to);
      at += length;
      to += length;
      continue;
    }
    const width = kind === 3 ? 4 : kind;
    if (at + width > bytes.length) throw new CodecError('a Snappy copy is cut off');
    let length: number;
    let distance: number;
    if (kind === 1) {
      length = 4 + ((tag >>> 2) & 7);
      distance = ((tag >>> 5) << 8) | bytes[at];
    } else {
      length = 1 + (tag >>> 2);
      distance = bytes[at] | (bytes[at + 1] << 8);
      if (kind === 3) distance += bytes[at + 2] * 65_536 + bytes[at + 3] * 16_777_216;
    }
    at += width;
    if (distance === 0 || distance > to || length > size - to) throw new CodecError('a Snappy copy points outside');
    copyMatch(out, to, distance, length);
    to += length;
  }
  if (to !== size) throw new CodecError('a Snappy block is shorter than it says');
  return out;
}

/** Repeats the `length` bytes that begin `distance` before `to`; they may overlap what is being written. */
export function copyMatch(out: Uint8Array, to: number, distance: number, length: number): void {
  const from = to - distance;
  if (distance >= length && length > 32) out.copyWithin(to, from, from + length);
  else for (let i = 0; i < length; i++) out[to + i] = out[from + i];
}

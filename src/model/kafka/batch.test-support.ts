// A writer of record batches from the documentation of the format alone (kafka.apache.org/documentation/#recordbatch): nothing of what it
// tests is used. What may be wrong in a hostile batch can be said in its place.

import { gzipSync } from 'node:zlib';
import { CODECS, type Codec } from './codecs.ts';
import { lz4Block, lz4Frame, snappyBlock, xerial, zstdFrame } from './compress.test-support.ts';

export interface PlainRecord {
  readonly offsetDelta: number;
  readonly timestampDelta: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly (readonly [name: string, value: Uint8Array | null])[];
}

export interface BatchOptions {
  readonly baseOffset?: number;
  readonly baseTimestamp?: number;
  readonly maxTimestamp?: number;
  readonly codec?: Codec;
  readonly logAppendTime?: boolean;
  readonly transactional?: boolean;
  readonly control?: boolean;
  readonly producerId?: number;
  /** Lies. */
  readonly count?: number;
  readonly lastOffsetDelta?: number;
  readonly codecNumber?: number;
  /** In place of the records' bytes, before compression. */
  readonly body?: Uint8Array;
  /** In place of the records' compressed bytes. */
  readonly packed?: Uint8Array;
}

export function record(value: string | Uint8Array | null, more: Partial<PlainRecord> = {}): PlainRecord {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return { offsetDelta: 0, timestampDelta: 0, key: null, value: bytes, headers: [], ...more };
}

export function zigzag(value: number): number[] {
  let rest = value < 0 ? -value * 2 - 1 : value * 2;
  const out: number[] = [];
  for (; rest >= 128; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128);
  return [...out, rest];
}

function nullable(bytes: Uint8Array | null): Buffer {
  return bytes === null ? Buffer.from(zigzag(-1)) : Buffer.concat([Buffer.from(zigzag(bytes.length)), bytes]);
}

export function recordBytes({ offsetDelta, timestampDelta, key, value, headers }: PlainRecord): Buffer {
  const body = Buffer.concat([
    Buffer.from([0, ...zigzag(timestampDelta), ...zigzag(offsetDelta)]),
    nullable(key),
    nullable(value),
    Buffer.from(zigzag(headers.length)),
    ...headers.flatMap(([name, text]) => [nullable(Buffer.from(name)), nullable(text)]),
  ]);
  return Buffer.concat([Buffer.from(zigzag(body.length)), body]);
}

function pack(codec: Codec, bytes: Buffer): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < Math.max(1, bytes.length); at += 30_000) pieces.push(bytes.subarray(at, at + 30_000));
  if (codec === 'gzip') return gzipSync(bytes);
  if (codec === 'snappy') return xerial(pieces.map((literal) => snappyBlock([{ literal, distance: 1, length: 0 }])));
  const options = { contentSize: false, blockChecksums: false, dictionaryId: false };
  if (codec === 'lz4')
    return lz4Frame(
      pieces.map((piece) => ({ bytes: lz4Block([], piece), stored: false })),
      options,
    );
  return codec === 'zstd' ? zstdFrame(pieces.map((raw) => ({ raw }))) : bytes;
}

export function recordBatch(records: readonly PlainRecord[], options: BatchOptions = {}): Buffer {
  const { codec = 'none', baseOffset = 0, baseTimestamp = 1_700_000_000_000, producerId = -1 } = options;
  const body = options.body ?? Buffer.concat(records.map(recordBytes));
  const packed = options.packed ?? pack(codec, Buffer.from(body));
  const head = Buffer.alloc(61);
  head.writeBigInt64BE(BigInt(baseOffset), 0);
  head.writeInt32BE(49 + packed.length, 8);
  head.writeInt32BE(0, 12); // partition leader epoch
  head.writeInt8(2, 16);
  const flags = (options.logAppendTime ? 8 : 0) | (options.transactional ? 16 : 0) | (options.control ? 32 : 0);
  head.writeInt16BE((options.codecNumber ?? CODECS.indexOf(codec)) | flags, 21);
  head.writeInt32BE(options.lastOffsetDelta ?? Math.max(0, ...records.map(({ offsetDelta }) => offsetDelta)), 23);
  head.writeBigInt64BE(BigInt(baseTimestamp), 27);
  const latest = Math.max(0, ...records.map(({ timestampDelta }) => timestampDelta));
  head.writeBigInt64BE(BigInt(options.maxTimestamp ?? baseTimestamp + latest), 35);
  head.writeBigInt64BE(BigInt(producerId), 43);
  head.writeInt16BE(-1, 51);
  head.writeInt32BE(-1, 53);
  head.writeInt32BE(options.count ?? records.length, 57);
  const batch = Buffer.concat([head, packed]);
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
}

/** CRC-32C (Castagnoli), bit by bit. */
function crc32c(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

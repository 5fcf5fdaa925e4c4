// The compressions of Kafka record batches.

import * as zlib from 'node:zlib';
import { gunzipSync } from 'node:zlib';
import { CodecError } from './codec-error.ts';
import { unlz4 } from './lz4.ts';
import { unsnappy } from './snappy.ts';
import { unzstd } from './zstd.ts';

export { CodecError } from './codec-error.ts';

export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type Codec = (typeof CODECS)[number];

/** Decompresses the records of a batch. Throws CodecError for what cannot be read or becomes more than `limit` bytes. */
export function decompress(codec: Codec, bytes: Uint8Array, limit: number): Uint8Array {
  try {
    switch (codec) {
      case 'none':
        return bytes;
      case 'gzip':
        return gunzipSync(bytes, { maxOutputLength: limit });
      case 'snappy':
        return unsnappy(bytes, limit);
      case 'lz4':
        return unlz4(bytes, limit);
      case 'zstd':
        return native ? native(bytes, { maxOutputLength: limit }) : unzstd(bytes, limit);
    }
  } catch (error) {
    if (error instanceof CodecError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw code === 'ERR_BUFFER_TOO_LARGE' ? CodecError.tooLarge(limit) : new CodecError(message);
  }
}

type Zstd = (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;

/** Node has zstd of its own from 22.15 on; it is several times as fast. */
const native = (zlib as unknown as { zstdDecompressSync?: Zstd }).zstdDecompressSync;

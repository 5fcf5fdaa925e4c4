// Which reader an input needs: by its first bytes, since names lie; the name decides only when there are too few bytes.

import { GZIP, InflateReader, NODE_ZSTD, nodeHasZstd } from './inflate.ts';
import type { RawInput } from './input.ts';
import { type ByteReader, PlainReader } from './reader.ts';
import { FzstdReader } from './zstd.ts';

export type Compression = 'none' | 'gzip' | 'zstd';

export async function compressionOf(input: RawInput): Promise<Compression> {
  const head = new Uint8Array(4);
  let count = 0;
  while (count < 4) {
    const more = await input.read(head.subarray(count), count, true);
    if (more === 0) break;
    count += more;
  }
  if (count === 0) return 'none';
  const named = /\.(gz|zst)$/i.exec(input.path)?.[1]?.toLowerCase();
  if (begins(head, count, GZIP.magic, named === 'gz')) return 'gzip';
  if (begins(head, count, NODE_ZSTD.magic, named === 'zst')) return 'zstd';
  const skippable = count === 4 && head[0] >> 4 === 5 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18;
  return skippable ? 'zstd' : 'none';
}

function begins(head: Uint8Array, count: number, magic: readonly number[], named: boolean): boolean {
  const compared = Math.min(count, magic.length);
  if (compared < magic.length && !named) return false;
  for (let i = 0; i < compared; i++) if (head[i] !== magic[i]) return false;
  return true;
}

/** A reader that stands at the beginning. */
export function readerOf(input: RawInput, compression: Compression): ByteReader {
  if (compression === 'gzip') return new InflateReader(input, GZIP);
  if (compression === 'zstd') return nodeHasZstd ? new InflateReader(input, NODE_ZSTD) : new FzstdReader(input);
  return new PlainReader(input);
}

// Whether two files that begin alike are one: the fingerprint is short, and logs of one program may share a long head.

import { beginsAs, type FileRegistry } from './identity.ts';
import { openInput, type RawInput } from './input.ts';
import type { ByteReader } from './reader.ts';
import { type Opened, openStream } from './reading.ts';
import type { FileProgress } from './source.ts';

/** How far files are compared. */
const COMPARED_BYTES = 1 << 20;
const PIECE_BYTES = 64 * 1024;

/** The known file that an opened one is, or null for a new one. */
export async function knownAs({ input, head }: Opened, registry: FileRegistry): Promise<FileProgress | null> {
  for (const known of registry.alike(head, input.path)) {
    if (known.path === input.path || !(await differs(input, known))) return known;
  }
  return null;
}

/** Whether the file that is known still lies where it was, and holds something else. A file that is gone was renamed. */
async function differs(input: RawInput, known: FileProgress): Promise<boolean> {
  const there = await openInput(known.path).catch(() => null);
  if (there === null) return false;
  try {
    if (there.inode === input.inode) return false;
    const other = await openStream(there);
    const one = await openStream(input);
    try {
      return beginsAs(known, other.head) && !(await agree(one.reader, other.reader));
    } finally {
      other.reader.close();
      one.reader.close();
    }
  } finally {
    await there.close();
  }
}

/** As far as both go. */
async function agree(one: ByteReader, other: ByteReader): Promise<boolean> {
  const [left, right] = [Buffer.alloc(PIECE_BYTES), Buffer.alloc(PIECE_BYTES)];
  for (let at = 0; at < COMPARED_BYTES; at += PIECE_BYTES) {
    const common = Math.min(await fill(one, left), await fill(other, right));
    if (left.compare(right, 0, common, 0, common) !== 0) return false;
    if (common < PIECE_BYTES) return true;
  }
  return true;
}

async function fill(reader: ByteReader, target: Buffer): Promise<number> {
  let filled = 0;
  while (filled < target.length) {
    const count = await reader.read(target.subarray(filled), true);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}

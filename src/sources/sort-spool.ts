// The sorted spools of a source: which exist, what went into them, and batches of their records.

import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OperationalError } from '../cli/verb.ts';
import type { Segment } from '../model/batch.ts';
import type { Slab } from '../model/slabs.ts';
import type { ReadingSettings } from './reading.ts';
import { FRAME_HEADER, type Origin } from './sort-frames.ts';
import type { FileProgress, SourceBatch } from './source.ts';

/** What a complete spool is: written last, so that a spool without it is the rest of an interrupted sort. */
export interface Manifest {
  readonly version: 1;
  /** 'sorted:' and a hash of what went in. */
  readonly id: string;
  /** Files as they will be known once the spool is read. */
  readonly inputs: readonly FileProgress[];
  /** Bytes on disk of the inputs, for progress. */
  readonly inputBytes: number;
  readonly origins: readonly Origin[];
}

type StoredOrigin = Omit<Origin, 'context'> & { readonly context: string | null };

export class SpoolFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  dataPath(id: string): string {
    return join(this.path, `${id.replace(':', '-')}.frames`);
  }

  /** Complete spools, and (without data) what went into spools that were read and removed. */
  async manifests(): Promise<readonly Manifest[]> {
    const names = (await readdir(this.path).catch(() => [])).filter((name) => name.endsWith('.json')).sort();
    return Promise.all(
      names.map(async (name) => {
        const stored = JSON.parse(await readFile(join(this.path, name), 'utf8')) as Omit<Manifest, 'origins'> & {
          origins: readonly StoredOrigin[];
        };
        const origins = stored.origins.map(({ context, ...rest }) => ({
          ...rest,
          context: context === null ? null : new Uint8Array(Buffer.from(context, 'base64')),
        }));
        return { ...stored, origins };
      }),
    );
  }

  async complete(manifest: Manifest): Promise<void> {
    const origins = manifest.origins.map(({ context, ...rest }) => ({
      ...rest,
      context: context === null ? null : Buffer.from(context).toString('base64'),
    }));
    const path = join(this.path, `${manifest.id.replace(':', '-')}.json`);
    await writeFile(`${path}.next`, JSON.stringify({ ...manifest, origins }));
    await rename(`${path}.next`, path);
  }

  /** Keeps the books of a spool that was read and committed, not its data. */
  async retire(manifest: Manifest): Promise<void> {
    await this.complete({ ...manifest, origins: [] });
    await rm(this.dataPath(manifest.id), { force: true });
  }

  async drop(manifest: Manifest): Promise<void> {
    await rm(join(this.path, `${manifest.id.replace(':', '-')}.json`), { force: true });
    await rm(this.dataPath(manifest.id), { force: true });
  }

  /** An empty folder but for complete spools. */
  async prepare(): Promise<void> {
    await mkdir(this.path, { recursive: true });
    const complete = new Set((await this.manifests()).map(({ id }) => id.replace(':', '-')));
    for (const name of await readdir(this.path)) {
      const kept = name.endsWith('.json') || (name.endsWith('.frames') && complete.has(name.slice(0, -7)));
      if (!kept) await rm(join(this.path, name), { force: true });
    }
  }
}

export interface SpoolStretch {
  readonly from: number;
  readonly to: number;
  /** Null for the time of reading. */
  readonly appendedAtMs: number | null;
  readonly now: () => number;
  readonly moved: (position: number) => void;
}

/** Batches of a spool's records, in sorted order; each segment is as if it had been read from its own file. */
export async function* spoolBatches(
  folder: SpoolFolder,
  manifest: Manifest,
  settings: ReadingSettings,
  stretch: SpoolStretch,
  signal: AbortSignal,
): AsyncGenerator<SourceBatch> {
  const path = folder.dataPath(manifest.id);
  const size = await stat(path).then(
    (about) => about.size,
    () => -1,
  );
  if (size < stretch.from || (stretch.to !== Number.POSITIVE_INFINITY && size < stretch.to)) {
    throw new OperationalError(
      'replay_input_missing',
      `${path}, which an interrupted run was reading, is gone or cut.`,
    );
  }
  const end = Math.min(stretch.to, size);
  const handle = await open(path, 'r');
  let slab = await settings.slabs.acquire();
  try {
    let position = stretch.from;
    while (position < end && !signal.aborted) {
      const want = Math.min(end - position, slab.bytes.length);
      let filled = 0;
      while (filled < want) {
        const { bytesRead } = await handle.read(slab.bytes, filled, want - filled, position + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      let at = 0;
      while (at < filled && !signal.aborted) {
        const { segments, next } = unframe(slab, at, filled, manifest, settings);
        if (next === at) break; // the frame goes on behind the slab
        const first = at;
        const range = { file: manifest.id, from: position + at, to: position + next, referenceMs: 0 };
        at = next;
        const held = slab;
        held.retain();
        stretch.moved(range.to);
        const used = segments[segments.length - 1].end;
        yield {
          bytes: held.bytes.subarray(first, used),
          segments: segments.map((s) => ({ ...s, start: s.start - first, end: s.end - first })),
          ranges: [{ ...range, appendedAtMs: stretch.appendedAtMs ?? stretch.now() }],
          progressBytes: Math.floor((manifest.inputBytes * range.to) / size),
          release: () => held.release(),
        };
      }
      if (at === 0 && !signal.aborted) throw new Error(`${path}: a frame is longer than a slab`);
      position += at;
      slab.release();
      slab = await settings.slabs.acquire();
    }
  } finally {
    slab.release();
    await handle.close();
  }
}

/** Moves records together over their frame headers, from `at` on; neighbours in a file become one segment. */
function unframe(
  slab: Slab,
  at: number,
  filled: number,
  manifest: Manifest,
  settings: ReadingSettings,
): { segments: readonly Segment[]; next: number } {
  const { buffer } = slab;
  const segments: Segment[] = [];
  let next = at;
  let to = at;
  let origin = -1;
  let start = to;
  let base = 0;
  const close = (): void => {
    if (origin < 0) return;
    const { file, format, referenceMs, context, fault } = manifest.origins[origin];
    segments.push({ format, start, end: to, base, file, source: settings.source, context, referenceMs, fault });
  };
  for (let records = 0; settings.batchRecords === 0 || records < settings.batchRecords; records++) {
    if (filled - next < FRAME_HEADER || to - at >= settings.batchBytes) break;
    const length = buffer.readUInt32LE(next);
    if (filled - next < FRAME_HEADER + length) break;
    const from = buffer.readUInt32LE(next + 4);
    const position = buffer.readDoubleLE(next + 8);
    const adjacent = from === origin && position === base + (to - start) && manifest.origins[from].fault === null;
    if (!adjacent) {
      close();
      origin = from;
      start = to;
      base = position;
    }
    buffer.copyWithin(to, next + FRAME_HEADER, next + FRAME_HEADER + length);
    to += length;
    next += FRAME_HEADER + length;
  }
  close();
  return { segments, next };
}

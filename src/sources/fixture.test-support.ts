// What the tests of the sources share: temporary folders, sources with small slabs, and streams put together again.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { SlabPool } from '../model/slabs.ts';
import { createSource } from './create.ts';
import {
  type FileProgress,
  type Range,
  type Source,
  type SourceBatch,
  type SourceOptions,
  slabBytes,
} from './source.ts';

export interface Settings extends Partial<Omit<SourceOptions, 'definition' | 'limits' | 'slabs'>> {
  readonly format?: string;
  readonly recordBytes?: number;
  readonly slabCount?: number;
}

export interface Kit {
  readonly folder: string;
  readonly slabs: SlabPool[];
  source(settings: Settings): Source;
  /** Fails if a slab was not given back. */
  close(): void;
}

export function kit(): Kit {
  const folder = mkdtempSync(join(tmpdir(), 'weir-source-'));
  const slabs: SlabPool[] = [];
  return {
    folder,
    slabs,
    source({ format = 'native-json', recordBytes = 4096, batchBytes = 1024, slabCount = 3, ...rest }) {
      const size = slabBytes(batchBytes, recordBytes);
      const pool = new SlabPool(size, size * slabCount);
      slabs.push(pool);
      return createSource({
        definition: {
          name: 'test',
          tenant: 'acme',
          pop: 'fra1',
          format,
          logsource: { product: '', category: '', service: '' },
          timezone: 'UTC',
          year: 0,
          latenessMs: 0,
        },
        index: 7,
        input: join(folder, '*.log'),
        follow: false,
        order: 'arrival',
        stateDirectory: join(folder, 'state'),
        slabs: pool,
        batchBytes,
        limits: { recordBytes, depth: 32, keys: 256 },
        now: () => 1_700_000_000_000,
        clock: () => 1_700_000_000_000, // what tests write was written in the future: it counts as settled
        stdin: Readable.from([]),
        ...rest,
      });
    },
    close() {
      for (const pool of slabs) assert.equal(pool.used, 0, 'every slab was given back');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A batch with its bytes copied out of the slab. */
export interface Copied extends Omit<SourceBatch, 'release'> {
  /** Segments' bytes as text (latin1: one character a byte). */
  readonly texts: readonly string[];
}

export function copyOf(batch: SourceBatch): Copied {
  const bytes = Uint8Array.from(batch.bytes);
  const texts = batch.segments.map(({ start, end }) => Buffer.from(bytes).toString('latin1', start, end));
  return { bytes, segments: batch.segments, ranges: batch.ranges, progressBytes: batch.progressBytes, texts };
}

export async function collect(batches: AsyncIterable<SourceBatch>): Promise<Copied[]> {
  const all: Copied[] = [];
  for await (const batch of batches) {
    all.push(copyOf(batch));
    batch.release();
  }
  return all;
}

export const NO_PROGRESS: ReadonlyMap<string, FileProgress> = new Map();
export const NEVER = new AbortController().signal;

export async function readAll(source: Source, progress = NO_PROGRESS): Promise<Copied[]> {
  return collect(source.batches(progress, NEVER));
}

/** All bytes of all segments that are no faults, in order. */
export function textOf(batches: readonly Copied[]): string {
  return batches.flatMap((b) => b.texts.filter((_, i) => b.segments[i].fault === null)).join('');
}

export function faultsOf(batches: readonly Copied[]) {
  return batches.flatMap((b) =>
    b.segments.flatMap((s, i) => (s.fault === null ? [] : [{ ...s.fault, base: s.base, text: b.texts[i] }])),
  );
}

export function rangesOf(batches: readonly Copied[]): Range[] {
  return batches.flatMap((b) => [...b.ranges]);
}

/** Progress as the ledger would hold it when everything up to the end of `ranges` is committed. */
export function committed(source: Source, ranges: readonly Range[]): Map<string, FileProgress> {
  const at = new Map<string, number>();
  for (const { file, to } of ranges) at.set(file, to);
  const progress = new Map<string, FileProgress>();
  for (const [id, file] of source.files()) {
    const position = at.get(id) ?? 0;
    const known = { ...file, position, done: file.done && file.position === position };
    progress.set(id, JSON.parse(JSON.stringify(known)) as FileProgress);
  }
  return progress;
}

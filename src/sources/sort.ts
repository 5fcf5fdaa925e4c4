// External merge sort of a bounded input by event time: runs within a memory budget, merged into one sorted spool.

import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { OperationalError } from '../cli/verb.ts';
import { framingOf, type Segment } from '../model/batch.ts';
import { hashHex } from '../model/hash.ts';
import type { RecordTimes } from '../model/work.ts';
import { ContextTracker } from './sort-context.ts';
import { FrameReader, FrameWriter, type Origin } from './sort-frames.ts';
import { SortRun } from './sort-run.ts';
import type { SourceBatch } from './source.ts';

/** Runs merged at once: bounds open files and read buffers. */
const FAN_IN = 64;
/** Distinct contexts kept in memory (one is some 100 bytes to a few KB); real input has a handful. */
const MAX_ORIGINS = 1_000_000;
const MAX_CONTEXT_BYTES = 256 << 20;

export class EventTimeSort {
  private readonly folder: string;
  private readonly runBytes: number;
  private readonly origins: Origin[] = [];
  private readonly originOf = new Map<string, number>();
  private contextBytes = 0;
  private readonly lastTime = new Map<string, number>();
  private run = new SortRun();
  private readonly files: string[] = [];
  private made = 0;
  records = 0;

  constructor(folder: string, runBytes: number) {
    this.folder = folder;
    this.runBytes = runBytes;
  }

  /** Takes the records of a batch; its bytes are copied. */
  async add(batch: SourceBatch, times: RecordTimes): Promise<void> {
    const bytes = this.run.keep(batch.bytes);
    let record = 0;
    for (const segment of batch.segments) {
      if (segment.fault !== null) {
        this.piece(segment, segment.start, segment.end, Number.NaN, this.originFor(segment, null), bytes);
        while (record < times.starts.length && times.starts[record] < segment.end) record++;
        continue;
      }
      record = this.segment(segment, times, record, bytes);
    }
    if (this.run.bytes >= this.runBytes) await this.spill();
  }

  /** Writes the sorted spool to `path`; returns what its frames refer to. */
  async finish(path: string, signal: AbortSignal): Promise<readonly Origin[]> {
    const next = `${path}.next`;
    if (this.files.length === 0) await this.write(next, (writer) => this.run.writeSorted(writer));
    else {
      if (this.run.count > 0) await this.spill();
      while (this.files.length > FAN_IN) {
        const group = this.files.splice(0, FAN_IN);
        const merged = this.name();
        await this.write(merged, (writer) => this.merge(group, writer, signal));
        this.files.unshift(merged); // stays first: equal times keep the order of arrival
      }
      await this.write(next, (writer) => this.merge(this.files, writer, signal));
    }
    if (!signal.aborted) await rename(next, path);
    return this.origins;
  }

  private segment(segment: Segment, times: RecordTimes, first: number, bytes: number): number {
    const { starts, lengths, timesMs } = times;
    const tracker = new ContextTracker(segment);
    const buffer = this.run.chunk(bytes);
    const inLines = framingOf(segment.format) === 'lines';
    let at = segment.start;
    let record = first;
    const put = (end: number, timeMs: number): void => {
      if (end <= at) return;
      this.piece(segment, at, end, timeMs, this.originFor(segment, tracker.context()), bytes);
      tracker.observe(buffer, at, end);
      at = end;
    };
    for (; record < starts.length && starts[record] < segment.end; record++) {
      put(starts[record], Number.NaN); // what no record covers: headers, blank lines
      const end = starts[record] + lengths[record];
      put(Math.min(segment.end, inLines && buffer[end] === 10 ? end + 1 : end), timesMs[record]);
    }
    put(segment.end, Number.NaN);
    return record;
  }

  private piece(segment: Segment, start: number, end: number, timeMs: number, origin: number, chunk: number): void {
    const last = this.lastTime.get(segment.file) ?? Number.NEGATIVE_INFINITY;
    const time = Number.isNaN(timeMs) ? last : timeMs;
    this.lastTime.set(segment.file, time);
    this.run.add(time, origin, segment.base + start - segment.start, chunk, start, end);
    this.records++;
  }

  private originFor(segment: Segment, context: Uint8Array | null): number {
    const { file, format, referenceMs, fault } = segment;
    const contextKey = context === null ? '' : hashHex(context);
    const faultKey = fault === null ? '' : `${segment.base}:${fault.code}`;
    const key = `${file} ${format} ${referenceMs} ${contextKey} ${faultKey}`;
    const known = this.originOf.get(key);
    if (known !== undefined) return known;
    this.contextBytes += context?.length ?? 0;
    if (this.origins.length >= MAX_ORIGINS || this.contextBytes > MAX_CONTEXT_BYTES) {
      throw new OperationalError(
        'sort_too_many_headers',
        'The input changes its headers or record structures too often to be sorted; read it with --order arrival.',
      );
    }
    this.originOf.set(key, this.origins.length);
    this.origins.push({ file, format, referenceMs, context, fault });
    return this.origins.length - 1;
  }

  private async spill(): Promise<void> {
    const path = this.name();
    await this.write(path, (writer) => this.run.writeSorted(writer));
    this.files.push(path);
    this.run = new SortRun();
  }

  private name(): string {
    return join(this.folder, `run-${this.made++}.part`);
  }

  private async write(path: string, fill: (writer: FrameWriter) => Promise<void>): Promise<void> {
    const handle = await open(path, 'w');
    try {
      const writer = new FrameWriter(handle);
      await fill(writer);
      await writer.flush();
      await handle.datasync();
    } catch (error) {
      if (error instanceof OperationalError) throw error;
      throw new OperationalError('sort_failed', `${path} cannot be written: ${(error as Error).message}.`, error);
    } finally {
      await handle.close();
    }
  }

  private async merge(paths: readonly string[], writer: FrameWriter, signal: AbortSignal): Promise<void> {
    const bufferBytes = Math.max(64 * 1024, Math.min(1 << 20, Math.floor(this.runBytes / paths.length)));
    const handles: FileHandle[] = [];
    try {
      for (const path of paths) handles.push(await open(path, 'r'));
      const heap: FrameReader[] = [];
      for (const [i, handle] of handles.entries()) {
        const reader = new FrameReader(handle, bufferBytes, i);
        if (await step(reader)) push(heap, reader);
      }
      while (heap.length > 0 && !signal.aborted) {
        const top = heap[0];
        writer.put(top.origin, top.base, top.timeMs, top.bytes);
        if (writer.isFull) await writer.flush();
        if (top.advance() || (await step(top))) sink(heap);
        else {
          const last = heap.pop()!;
          if (heap.length > 0) {
            heap[0] = last;
            sink(heap);
          }
        }
      }
    } finally {
      for (const handle of handles) await handle.close();
    }
    for (const path of paths) await rm(path, { force: true });
  }
}

async function step(reader: FrameReader): Promise<boolean> {
  while (!reader.advance()) if (!(await reader.load())) return false;
  return true;
}

function before(a: FrameReader, b: FrameReader): boolean {
  return a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.rank < b.rank);
}

function push(heap: FrameReader[], reader: FrameReader): void {
  let i = heap.push(reader) - 1;
  while (i > 0) {
    const parent = (i - 1) >> 1;
    if (!before(heap[i], heap[parent])) return;
    [heap[i], heap[parent]] = [heap[parent], heap[i]];
    i = parent;
  }
}

function sink(heap: FrameReader[]): void {
  for (let i = 0; ; ) {
    let least = i;
    for (const child of [2 * i + 1, 2 * i + 2]) {
      if (child < heap.length && before(heap[child], heap[least])) least = child;
    }
    if (least === i) return;
    [heap[i], heap[least]] = [heap[least], heap[i]];
    i = least;
  }
}

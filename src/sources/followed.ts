// One file that is being written: what is new in it, and what became of it.

import { stat } from 'node:fs/promises';
import type { Tail } from './cutter.ts';
import type { FileRegistry } from './identity.ts';
import { beginsAs, FINGERPRINT_BYTES } from './identity.ts';
import { type Opened, openStream, Reading, type ReadingSettings } from './reading.ts';
import type { FileProgress, SourceBatch, SourceNote } from './source.ts';

/** How long after a rotation the writer may still append to the old file. */
const ROTATION_GRACE_MS = 1000;

export interface FollowKit {
  readonly registry: FileRegistry;
  readonly settings: ReadingSettings;
  readonly now: () => number;
  readonly note: (code: SourceNote['code'], path: string, message: string) => void;
}

export class Followed {
  readonly file: string;
  readonly inode: string;
  path: string;
  /** 'read': nothing will come any more; 'replaced': what it held was cut off, it must be looked at anew. */
  finished: 'read' | 'replaced' | null = null;
  private readonly kit: FollowKit;
  private readonly opened: Opened;
  private reading: Reading;
  private seenSize = -1;
  private rotatedAt: number | null = null;
  /** Only under a name that is not followed: read to its end, then left. */
  readonly rotated: boolean;

  constructor(opened: Opened, file: FileProgress, kit: FollowKit, rotated: boolean) {
    this.opened = opened;
    this.file = file.file;
    this.inode = opened.input.inode;
    this.path = opened.input.path;
    this.kit = kit;
    this.rotated = rotated;
    this.reading = new Reading(opened, file.file, kit.settings, file.formatUnknown);
    if (this.reading.format === null) kit.registry.update(file.file, { formatUnknown: true });
  }

  rename(path: string): void {
    if (this.path === path) return;
    this.path = path;
    this.rotatedAt = null;
    this.kit.registry.update(this.file, { path });
  }

  size(): Promise<number> {
    return this.opened.input.size();
  }

  /** Batches of what was appended since the last call. */
  async *news(signal: AbortSignal): AsyncGenerator<SourceBatch> {
    const size = await this.size();
    if (size !== this.seenSize) {
      if (this.opened.compression !== 'none') yield* this.compressed(size, signal);
      else if (await this.wasCut(size)) return;
      else yield* this.plain(size, signal);
      if (signal.aborted) return;
      this.seenSize = size;
      this.rotatedAt = null; // it is still being written
      if (this.finished !== null) return;
    }
    if (await this.isOver()) yield* this.last(signal);
  }

  async close(): Promise<void> {
    this.reading.close();
    this.opened.reader.close();
    await this.opened.input.close();
  }

  private async *plain(size: number, signal: AbortSignal): AsyncGenerator<SourceBatch> {
    const start = this.kit.registry.get(this.file)?.position ?? 0;
    if (this.seenSize >= 0) this.reading.again();
    else if (!(await this.reading.seek(start, signal))) return;
    if (size > this.reading.position) yield* this.reading.run(this.stretch('hold'), signal);
  }

  /** A compressed file cannot be read on: it is read again from its beginning when it has grown. */
  private async *compressed(size: number, signal: AbortSignal): AsyncGenerator<SourceBatch> {
    for (const tail of ['hold', 'emit'] as const) {
      if (!(await this.anew(signal))) return;
      yield* this.reading.run(this.stretch(tail), signal);
      if (signal.aborted) return;
      if (this.reading.fault?.code === 'input_truncated') {
        this.kit.note('waiting', this.path, 'ends in the middle; waiting for the rest.');
        return;
      }
    }
    this.finish(size);
  }

  private async anew(signal: AbortSignal): Promise<boolean> {
    const opened = await openStream(this.opened.input);
    this.reading.close();
    const refused = this.kit.registry.get(this.file)?.formatUnknown;
    this.reading = new Reading(opened, this.file, this.kit.settings, refused);
    return this.reading.seek(this.kit.registry.get(this.file)?.position ?? 0, signal);
  }

  /** Whether the file was truncated, or truncated and written anew beyond where reading stands. */
  private async wasCut(size: number): Promise<boolean> {
    const known = this.kit.registry.get(this.file)!;
    const head = Buffer.alloc(FINGERPRINT_BYTES);
    const count = await this.opened.input.read(head, 0, false);
    const begins = head.subarray(0, count);
    if (size >= known.position && beginsAs(known, begins)) {
      this.kit.registry.meet(known, begins, this.path, known.referenceMs);
      return false;
    }
    this.kit.note('truncated_file', this.path, 'was truncated and is read from its beginning again.');
    this.kit.registry.update(this.file, { done: true });
    this.finished = 'replaced';
    return true;
  }

  /** Rotated away or deleted, and quiet since. */
  private async isOver(): Promise<boolean> {
    const about = await stat(this.path).catch(() => null);
    const gone = about === null || `${about.dev}:${about.ino}` !== this.inode;
    if (!gone && !this.rotated) {
      this.rotatedAt = null;
      return false;
    }
    const now = performance.now();
    this.rotatedAt ??= now;
    return this.rotated || now - this.rotatedAt >= ROTATION_GRACE_MS;
  }

  private async *last(signal: AbortSignal): AsyncGenerator<SourceBatch> {
    if (this.opened.compression === 'none') {
      this.reading.again();
      yield* this.reading.run(this.stretch('emit'), signal);
      if (signal.aborted) return;
    }
    this.finish(await this.size());
  }

  private finish(inputBytes: number): void {
    const { registry } = this.kit;
    registry.update(this.file, { position: this.reading.position, done: true, inputBytes });
    this.finished = 'read';
  }

  private stretch(tail: Tail) {
    const { registry, now } = this.kit;
    return {
      to: Number.POSITIVE_INFINITY,
      tail,
      times: () => {
        const at = now();
        return { referenceMs: at, appendedAtMs: at };
      },
      moved: (position: number) => registry.update(this.file, { position, done: false }),
      progressBase: 0,
    };
  }
}

// Frames of sort runs and sorted spools: where a record came from, when it happened, and its bytes.
// u32 length, u32 origin (index into the list of origins), f64 position in its file, f64 event time in ms; then the bytes.

import type { FileHandle } from 'node:fs/promises';
import type { FormatName, Segment } from '../model/batch.ts';

export const FRAME_HEADER = 24;
const WRITE_BYTES = 1 << 20;

/** What records have in common, so that a frame needs only an index. */
export interface Origin {
  readonly file: string;
  readonly format: FormatName;
  readonly referenceMs: number;
  readonly context: Uint8Array | null;
  readonly fault: Segment['fault'];
}

/** Appends frames to a file through one buffer: `put`, and `flush` when it `isFull`. */
export class FrameWriter {
  private readonly handle: FileHandle;
  private buffer = Buffer.allocUnsafe(2 * WRITE_BYTES);
  private filled = 0;

  constructor(handle: FileHandle) {
    this.handle = handle;
  }

  get isFull(): boolean {
    return this.filled >= WRITE_BYTES;
  }

  put(origin: number, base: number, timeMs: number, bytes: Uint8Array): void {
    const end = this.filled + FRAME_HEADER + bytes.length;
    if (end > this.buffer.length) {
      const grown = Buffer.allocUnsafe(end);
      this.buffer.copy(grown, 0, 0, this.filled);
      this.buffer = grown;
    }
    this.buffer.writeUInt32LE(bytes.length, this.filled);
    this.buffer.writeUInt32LE(origin, this.filled + 4);
    this.buffer.writeDoubleLE(base, this.filled + 8);
    this.buffer.writeDoubleLE(timeMs, this.filled + 16);
    this.buffer.set(bytes, this.filled + FRAME_HEADER);
    this.filled = end;
  }

  async flush(): Promise<void> {
    for (let at = 0; at < this.filled; ) {
      at += (await this.handle.write(this.buffer, at, this.filled - at)).bytesWritten;
    }
    this.filled = 0;
  }
}

/** Frames of a run, one after the other. After `advance` the fields are those of the frame it stands on. */
export class FrameReader {
  timeMs = 0;
  length = 0;
  origin = 0;
  base = 0;
  readonly rank: number;
  private readonly handle: FileHandle;
  private buffer: Buffer;
  private at = 0;
  private filled = 0;
  private position = 0;
  private bodyAt = 0;

  /** `rank` decides between frames of equal time. */
  constructor(handle: FileHandle, bufferBytes: number, rank: number) {
    this.handle = handle;
    this.rank = rank;
    this.buffer = Buffer.allocUnsafe(bufferBytes);
  }

  get bytes(): Uint8Array {
    return this.buffer.subarray(this.bodyAt, this.bodyAt + this.length);
  }

  /** Moves to the next frame from memory alone; false when `load` must be called first. */
  advance(): boolean {
    if (this.filled - this.at < FRAME_HEADER) return false;
    const length = this.buffer.readUInt32LE(this.at);
    if (this.filled - this.at < FRAME_HEADER + length) return false;
    this.length = length;
    this.origin = this.buffer.readUInt32LE(this.at + 4);
    this.base = this.buffer.readDoubleLE(this.at + 8);
    this.timeMs = this.buffer.readDoubleLE(this.at + 16);
    this.bodyAt = this.at + FRAME_HEADER;
    this.at = this.bodyAt + length;
    return true;
  }

  /** Reads on from the file; false at its end. */
  async load(): Promise<boolean> {
    this.buffer.copyWithin(0, this.at, this.filled);
    this.filled -= this.at;
    this.at = 0;
    const need = this.filled >= FRAME_HEADER ? FRAME_HEADER + this.buffer.readUInt32LE(0) : FRAME_HEADER;
    if (need > this.buffer.length) {
      const grown = Buffer.allocUnsafe(need);
      this.buffer.copy(grown, 0, 0, this.filled);
      this.buffer = grown;
    }
    const { bytesRead } = await this.handle.read(
      this.buffer,
      this.filled,
      this.buffer.length - this.filled,
      this.position,
    );
    this.position += bytesRead;
    this.filled += bytesRead;
    return bytesRead > 0;
  }
}

// Records of one sort run in memory: their bytes as they came, and columns that say what each is.

import type { FrameWriter } from './sort-frames.ts';

export class SortRun {
  /** Memory in use. */
  bytes = 0;
  count = 0;
  private readonly chunks: Buffer[] = [];
  private times = new Float64Array(1024);
  private bases = new Float64Array(1024);
  private origins = new Uint32Array(1024);
  private chunkOf = new Uint32Array(1024);
  private starts = new Uint32Array(1024);
  private ends = new Uint32Array(1024);

  /** Copies a batch's bytes; returns the number of the copy. */
  keep(bytes: Uint8Array): number {
    this.chunks.push(Buffer.from(bytes));
    this.bytes += bytes.length;
    return this.chunks.length - 1;
  }

  chunk(number: number): Buffer {
    return this.chunks[number];
  }

  add(timeMs: number, origin: number, base: number, chunk: number, start: number, end: number): void {
    if (this.count === this.times.length) this.grow();
    const i = this.count++;
    this.times[i] = timeMs;
    this.bases[i] = base;
    this.origins[i] = origin;
    this.chunkOf[i] = chunk;
    this.starts[i] = start;
    this.ends[i] = end;
    this.bytes += 36; // the columns and the order below
  }

  async writeSorted(writer: FrameWriter): Promise<void> {
    const { times, bases, origins, chunkOf, starts, ends } = this;
    const order = new Uint32Array(this.count);
    for (let i = 0; i < order.length; i++) order[i] = i;
    order.sort((a, b) => (times[a] < times[b] ? -1 : times[a] > times[b] ? 1 : a - b));
    for (const i of order) {
      writer.put(origins[i], bases[i], times[i], this.chunks[chunkOf[i]].subarray(starts[i], ends[i]));
      if (writer.isFull) await writer.flush();
    }
  }

  private grow(): void {
    const size = this.count * 2;
    const wider = <T extends Float64Array | Uint32Array>(old: T, fresh: T): T => {
      fresh.set(old);
      return fresh;
    };
    this.times = wider(this.times, new Float64Array(size));
    this.bases = wider(this.bases, new Float64Array(size));
    this.origins = wider(this.origins, new Uint32Array(size));
    this.chunkOf = wider(this.chunkOf, new Uint32Array(size));
    this.starts = wider(this.starts, new Uint32Array(size));
    this.ends = wider(this.ends, new Uint32Array(size));
  }
}

// Decompressed bytes of one input, read forward into memory that the caller owns.

import type { RejectCode } from '../model/reject.ts';
import type { RawInput } from './input.ts';

export interface ReaderFault {
  readonly code: RejectCode;
  readonly detail: string;
}

export interface ByteReader {
  /**
   * Bytes put into `target`. 0 when `ended`, or, unless `wait`, when there is nothing yet.
   * A compressed input knows with its last bytes that they were the last: `ended` and `fault` are set with them.
   */
  read(target: Uint8Array, wait: boolean): Promise<number>;
  /** The first `count` decompressed bytes (fewer if there are no more now) without consuming them; only before any read. */
  peek(count: number): Promise<Uint8Array>;
  /** Moves forward to `position`; returns where it got to, which is less when the input is shorter. */
  skipTo(position: number): Promise<number>;
  readonly position: number;
  readonly ended: boolean;
  /** Why the input ended early, if it did. */
  readonly fault: ReaderFault | null;
  /** Bytes on disk consumed. */
  readonly inputBytes: number;
  /** Frees the decompressor; the input stays open. */
  close(): void;
}

export class PlainReader implements ByteReader {
  position = 0;
  ended = false;
  readonly fault = null;
  private readonly input: RawInput;

  constructor(input: RawInput, position = 0) {
    this.input = input;
    this.position = position;
  }

  get inputBytes(): number {
    return this.position;
  }

  async read(target: Uint8Array, wait: boolean): Promise<number> {
    const count = await this.input.read(target, this.position, wait);
    this.position += count;
    this.ended = count === 0 && this.input.endsAt(this.position);
    return count;
  }

  async peek(count: number): Promise<Uint8Array> {
    const head = new Uint8Array(count);
    let filled = 0;
    while (filled < count) {
      const more = await this.input.read(head.subarray(filled), this.position + filled, false);
      if (more === 0) break;
      filled += more;
    }
    return head.subarray(0, filled);
  }

  async skipTo(position: number): Promise<number> {
    this.position = Math.min(position, await this.input.size());
    return this.position;
  }

  close(): void {}
}

/** Reader over chunks that a decompressor gives. Always one chunk ahead, so that it knows its end when it gets there. */
export abstract class ChunkReader implements ByteReader {
  position = 0;
  fault: ReaderFault | null = null;
  private queue: Uint8Array[] = [];
  private finished = false;

  abstract readonly inputBytes: number;
  /** The next chunk (never empty), or null at the end, with `fault` set if it came early. */
  protected abstract pull(): Promise<Uint8Array | null>;
  abstract close(): void;

  get ended(): boolean {
    return this.finished && this.queue.length === 0;
  }

  async read(target: Uint8Array): Promise<number> {
    let count = 0;
    while (count < target.length && (await this.ahead())) {
      const chunk = this.queue[0];
      const part = Math.min(chunk.length, target.length - count);
      target.set(part === chunk.length ? chunk : chunk.subarray(0, part), count);
      if (part === chunk.length) this.queue.shift();
      else this.queue[0] = chunk.subarray(part);
      count += part;
    }
    await this.ahead();
    this.position += count;
    return count;
  }

  async peek(count: number): Promise<Uint8Array> {
    let held = this.queue.reduce((sum, chunk) => sum + chunk.length, 0);
    while (held < count && !this.finished) {
      const chunk = await this.next();
      held += chunk?.length ?? 0;
    }
    return Buffer.concat(this.queue).subarray(0, count);
  }

  async skipTo(position: number): Promise<number> {
    while (this.position < position && (await this.ahead())) {
      const chunk = this.queue[0];
      const part = Math.min(chunk.length, position - this.position);
      if (part === chunk.length) this.queue.shift();
      else this.queue[0] = chunk.subarray(part);
      this.position += part;
    }
    await this.ahead();
    return this.position;
  }

  private async ahead(): Promise<boolean> {
    if (this.queue.length === 0 && !this.finished) await this.next();
    return this.queue.length > 0;
  }

  private async next(): Promise<Uint8Array | null> {
    const chunk = await this.pull();
    if (chunk === null) this.finished = true;
    else this.queue.push(chunk);
    return chunk;
  }
}

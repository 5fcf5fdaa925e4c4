// Standard input for verbs that store nothing: read once, forward, with no spool. What was read last is kept for a moment,
// since formats and compressions are told by the first bytes.

import type { RawInput } from './input.ts';

/** More than anybody looks back. */
const KEPT_BYTES = 1 << 17;

export class PipeInput implements RawInput {
  readonly path = '-';
  readonly modifiedMs: number;
  readonly inode = 'pipe';
  private readonly chunks: AsyncIterator<unknown>;
  private held: Buffer = Buffer.alloc(0);
  /** Position of `held` in the stream. */
  private base = 0;
  private ended = false;

  constructor(stream: NodeJS.ReadableStream, nowMs: number) {
    this.chunks = stream[Symbol.asyncIterator]();
    this.modifiedMs = nowMs;
  }

  async writtenMs(): Promise<null> {
    return null;
  }

  async size(): Promise<number> {
    return this.base + this.held.length;
  }

  /** Waits for bytes even where it need not: only the end of the stream gives 0. */
  async read(target: Uint8Array, position: number): Promise<number> {
    while (!this.ended && position >= this.base + this.held.length) await this.more();
    const from = position - this.base;
    if (from < 0) throw new Error('standard input cannot be read again');
    const count = Math.min(target.length, this.held.length - from);
    if (count <= 0) return 0;
    target.set(this.held.subarray(from, from + count));
    const passed = from + count - KEPT_BYTES;
    if (passed > KEPT_BYTES) {
      this.held = this.held.subarray(passed);
      this.base += passed;
    }
    return count;
  }

  endsAt(position: number): boolean {
    return this.ended && position >= this.base + this.held.length;
  }

  async close(): Promise<void> {
    await this.chunks.return?.();
  }

  private async more(): Promise<void> {
    const { value, done } = await this.chunks.next();
    if (done === true) this.ended = true;
    else this.held = Buffer.concat([this.held, Buffer.from(value as Uint8Array)]);
  }
}

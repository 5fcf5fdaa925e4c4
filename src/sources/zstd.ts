// Zstandard without Node's own (before Node 22.15): fzstd, in JavaScript, on the main thread. It does not verify content
// checksums. Frame headers are looked at first: a frame may ask for a window of 2 GB, and memory is bounded (guarantee 4).

import { Decompress } from 'fzstd';
import type { RawInput } from './input.ts';
import { ChunkReader } from './reader.ts';

const INPUT_CHUNK = 16 * 1024;
/** As the zstd tool does without --long. */
const MAX_WINDOW = 128 * 1024 * 1024;

export class FzstdReader extends ChunkReader {
  inputBytes = 0;
  private readonly input: RawInput;
  private readonly decompress: Decompress;
  private readonly frames = new FrameGuard();
  private readonly out: Uint8Array[] = [];
  private over = false;

  constructor(input: RawInput) {
    super();
    this.input = input;
    this.decompress = new Decompress((chunk) => {
      if (chunk.length > 0) this.out.push(chunk);
    });
  }

  close(): void {}

  protected async pull(): Promise<Uint8Array | null> {
    while (this.out.length === 0 && !this.over) await this.feed();
    return this.out.shift() ?? null;
  }

  private async feed(): Promise<void> {
    const chunk = new Uint8Array(INPUT_CHUNK);
    const count = await this.input.read(chunk, this.inputBytes, true);
    const { good, problem } = this.frames.check(chunk.subarray(0, count));
    try {
      this.decompress.push(chunk.subarray(0, good), count === 0 || problem !== '');
      if (problem !== '') throw new Error(problem);
    } catch (error) {
      this.over = true;
      const message = problem === '' ? (error as Error).message : problem;
      this.fault =
        count === 0
          ? { code: 'input_truncated', detail: 'the zstd stream ends before its end mark' }
          : {
              code: 'input_corrupt',
              detail: `the zstd stream cannot be read near its byte ${this.inputBytes}: ${message}`,
            };
    }
    this.inputBytes += count;
    if (count === 0) this.over = true;
  }
}

/** Follows frame and block headers (RFC 8878, section 3.1) without decoding, to refuse what would take too much memory. */
class FrameGuard {
  private skip = 0;
  private held: number[] = [];
  private state: 'frame' | 'block' = 'frame';
  private checksum = false;

  /** How much of the chunk comes before what is wrong, and what that is, or ''. */
  check(chunk: Uint8Array): { readonly good: number; readonly problem: string } {
    for (let i = 0; i < chunk.length; ) {
      const step = Math.min(this.skip, chunk.length - i);
      this.skip -= step;
      i += step;
      if (i === chunk.length) break;
      this.held.push(chunk[i++]);
      const problem = this.state === 'frame' ? this.frame(this.held) : this.block(this.held);
      if (problem !== '') return { good: Math.max(0, i - this.held.length), problem };
    }
    return { good: chunk.length, problem: '' };
  }

  private frame(h: readonly number[]): string {
    if (h.length < 4) return '';
    if (h[0] >> 4 === 5 && h[1] === 0x2a && h[2] === 0x4d && h[3] === 0x18) {
      if (h.length === 8) this.next('frame', (h[4] | (h[5] << 8) | (h[6] << 16) | (h[7] << 24)) >>> 0);
      return '';
    }
    if (h[0] !== 0x28 || h[1] !== 0xb5 || h[2] !== 0x2f || h[3] !== 0xfd) return 'what follows the frame is no zstd';
    if (h.length < 5) return '';
    const single = (h[4] & 0x20) !== 0;
    const sizeBytes = [single ? 1 : 0, 2, 4, 8][h[4] >> 6];
    const dictionaryBytes = [0, 1, 2, 4][h[4] & 3];
    const length = 5 + (single ? 0 : 1) + dictionaryBytes + sizeBytes;
    if (h.length < length) return '';
    let window = 0;
    if (single) {
      for (let i = sizeBytes - 1; i >= 0; i--) window = window * 256 + h[length - sizeBytes + i];
    } else window = 2 ** (10 + (h[5] >> 3)) * (1 + (h[5] & 7) / 8);
    if (window > MAX_WINDOW) return `a frame needs a window of ${window} bytes, more than ${MAX_WINDOW}`;
    this.checksum = (h[4] & 4) !== 0;
    this.next('block', 0);
    return '';
  }

  private block(h: readonly number[]): string {
    if (h.length < 3) return '';
    const header = h[0] | (h[1] << 8) | (h[2] << 16);
    const size = header >> 3;
    const type = (header >> 1) & 3;
    if (size > 128 * 1024 || type === 3) return 'a block header is not valid';
    const last = (header & 1) === 1;
    this.next(last ? 'frame' : 'block', (type === 1 ? 1 : size) + (last && this.checksum ? 4 : 0));
    return '';
  }

  private next(state: 'frame' | 'block', skip: number): void {
    this.state = state;
    this.skip = skip;
    this.held = [];
  }
}

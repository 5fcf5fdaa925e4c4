// Gzip (with several members) and, where Node has it, Zstandard: decompressed in Node's thread pool, not on the main thread.

import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { createGunzip } from 'node:zlib';
import type { RawInput } from './input.ts';
import { ChunkReader } from './reader.ts';

const INPUT_CHUNK = 32 * 1024;
/** Output is taken in pieces of this size; the stream holds back when two are waiting. */
const OUTPUT_CHUNK = 256 * 1024;

type Decompressor = Transform & { readonly bytesWritten: number };
/** Node 22.15 and later; the types of Node 20 do not know it. */
type MaybeZstd = { readonly createZstdDecompress?: (options: { chunkSize: number }) => Decompressor };

export const nodeHasZstd = typeof (zlib as MaybeZstd).createZstdDecompress === 'function';

export interface Codec {
  readonly name: string;
  readonly magic: readonly number[];
  create(): Decompressor;
}

export const GZIP: Codec = {
  name: 'gzip',
  magic: [0x1f, 0x8b],
  create: () => createGunzip({ chunkSize: OUTPUT_CHUNK }),
};

export const NODE_ZSTD: Codec = {
  name: 'zstd',
  magic: [0x28, 0xb5, 0x2f, 0xfd],
  create: () => (zlib as MaybeZstd).createZstdDecompress!({ chunkSize: OUTPUT_CHUNK }),
};

export class InflateReader extends ChunkReader {
  private readonly input: RawInput;
  private readonly codec: Codec;
  private stream: Decompressor;
  /** Where the compressed member begins that `stream` reads. */
  private memberAt = 0;
  private inputAt = 0;
  private inputEnded = false;
  private lastWriteAt = 0;
  private given = 0;
  /** After an error, what was given before is dropped on the second way through. */
  private drop = 0;
  /** From here on the input is fed byte by byte, so that everything before the damage is kept. */
  private finelyFrom = Number.POSITIVE_INFINITY;
  private writing = false;
  private error: (Error & { code?: string }) | null = null;
  private streamEnded = false;
  private wake: () => void = () => {};

  constructor(input: RawInput, codec: Codec) {
    super();
    this.input = input;
    this.codec = codec;
    this.stream = this.begin();
  }

  get inputBytes(): number {
    return this.inputAt;
  }

  close(): void {
    this.stream.destroy();
  }

  protected async pull(): Promise<Uint8Array | null> {
    for (;;) {
      const chunk = this.stream.read() as Buffer | null;
      if (chunk !== null) {
        const fresh = Math.max(0, chunk.length - this.drop);
        this.drop -= chunk.length - fresh;
        if (fresh === 0) continue;
        this.given += fresh;
        return chunk.subarray(chunk.length - fresh);
      }
      if (this.error !== null) {
        if (!(await this.afterError(this.error))) return null;
      } else if (this.streamEnded) {
        if (!(await this.afterMember())) return null;
      } else if (this.writing) {
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
      } else await this.feed();
    }
  }

  private begin(): Decompressor {
    const stream = this.codec.create();
    this.writing = false;
    this.error = null;
    this.streamEnded = false;
    const current = (change: () => void) => () => {
      if (this.stream !== stream) return; // an event of a stream that was given up
      change();
      this.wake();
    };
    stream.on(
      'readable',
      current(() => {}),
    );
    stream.on(
      'end',
      current(() => {
        this.streamEnded = true;
      }),
    );
    stream.on('error', (error: Error) =>
      current(() => {
        this.error = error;
      })(),
    );
    return stream;
  }

  private async feed(): Promise<void> {
    if (this.inputEnded) {
      // Only now, when all output was taken: an unfinished member is an error that throws away what it still holds.
      this.writing = true;
      this.stream.end();
      return;
    }
    const fine = this.inputAt >= this.finelyFrom;
    const room = fine ? 1 : Math.min(INPUT_CHUNK, this.finelyFrom - this.inputAt);
    const chunk = Buffer.allocUnsafe(room);
    const count = await this.input.read(chunk, this.inputAt, true);
    if (count === 0) {
      this.inputEnded = true;
      return;
    }
    this.lastWriteAt = this.inputAt;
    this.inputAt += count;
    this.writing = true;
    const stream = this.stream;
    stream.write(chunk.subarray(0, count), () => {
      if (this.stream !== stream) return;
      this.writing = false;
      this.wake();
    });
  }

  /** True when reading goes on: a second way through, finely, to save what came before the damage. */
  private async afterError(error: Error & { code?: string }): Promise<boolean> {
    if (this.inputEnded && error.code === 'Z_BUF_ERROR') {
      this.fault = { code: 'input_truncated', detail: `the ${this.codec.name} stream ends before its end mark` };
      return false;
    }
    if (this.finelyFrom === Number.POSITIVE_INFINITY) {
      this.finelyFrom = this.lastWriteAt;
      this.drop = this.given;
      this.given = 0;
      this.restart(0);
      return true;
    }
    this.fault = {
      code: 'input_corrupt',
      detail: `the ${this.codec.name} stream cannot be read behind its byte ${this.lastWriteAt}: ${error.message}`,
    };
    return false;
  }

  /** A member has ended and the stream wants no more: is another one behind it? */
  private async afterMember(): Promise<boolean> {
    const next = this.memberAt + this.stream.bytesWritten;
    const behind = Buffer.alloc(64 * 1024);
    const { magic } = this.codec;
    let count = 0;
    while (count < magic.length) {
      const more = await this.input.read(behind.subarray(count), next + count, true);
      if (more === 0) break;
      count += more;
    }
    if (count >= magic.length && magic.every((byte, i) => behind[i] === byte)) {
      this.restart(next);
      return true;
    }
    if (behind.subarray(0, count).some((byte) => byte !== 0)) {
      this.fault = {
        code: 'input_corrupt',
        detail: `what follows the ${this.codec.name} stream at its byte ${next} is no ${this.codec.name}`,
      };
    }
    this.inputAt = next + count;
    return false;
  }

  private restart(at: number): void {
    const old = this.stream;
    this.memberAt = at;
    this.inputAt = at;
    this.inputEnded = false;
    this.stream = this.begin();
    old.destroy();
  }
}

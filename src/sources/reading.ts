// One opened input, told by its content: what it is, in which format, and its batches from any position.

import { type FormatName, framingOf } from '../model/batch.ts';
import { bufferOf } from '../model/bytes.ts';
import { SlabPool } from '../model/slabs.ts';
import { SNIFF_BYTES, sniff } from '../model/sniff.ts';
import { type CutPlan, Cutter, KEPT_BYTES, type Tail } from './cutter.ts';
import { createFramer, type Framer } from './framing.ts';
import type { RawInput } from './input.ts';
import { type Compression, compressionOf, readerOf } from './open.ts';
import { type ByteReader, PlainReader, type ReaderFault } from './reader.ts';
import type { SourceBatch } from './source.ts';

export interface Opened {
  readonly input: RawInput;
  readonly compression: Compression;
  readonly reader: ByteReader;
  /** First decompressed bytes, for fingerprint and format; empty for an empty input. */
  readonly head: Uint8Array;
  /** Set when nothing at all could be decompressed: the input then stands for itself, byte for byte, as one fault. */
  readonly unreadable: ReaderFault | null;
}

export async function openStream(input: RawInput): Promise<Opened> {
  const compression = await compressionOf(input);
  const reader = readerOf(input, compression);
  const head = await reader.peek(SNIFF_BYTES);
  if (head.length > 0 || reader.fault === null) return { input, compression, reader, head, unreadable: null };
  reader.close();
  const plain = new PlainReader(input);
  return { input, compression, reader: plain, head: await plain.peek(SNIFF_BYTES), unreadable: reader.fault };
}

/** What every reading of a source shares. */
export interface ReadingSettings {
  readonly format: string;
  readonly source: number;
  readonly slabs: SlabPool;
  readonly batchBytes: number;
  readonly batchRecords: number;
  readonly recordBytes: number;
}

export interface Stretch {
  /** Infinity for the end of the input. */
  readonly to: number;
  readonly tail: Tail;
  readonly times: CutPlan['times'];
  readonly moved: (position: number) => void;
  /** Bytes on disk of all inputs before this one. */
  readonly progressBase: number;
}

export class Reading {
  readonly opened: Opened;
  readonly file: string;
  /** Null when no known format fits. */
  readonly format: FormatName | null;
  private readonly settings: ReadingSettings;
  private readonly framer: Framer | null;
  private reader: ByteReader;
  private at = 0;

  /** `refused`: replay and what is added repeat what was made of the file when no format fitted. */
  constructor(opened: Opened, file: string, settings: ReadingSettings, refused = false) {
    this.opened = opened;
    this.file = file;
    this.settings = settings;
    this.format = opened.unreadable === null && !refused ? formatOf(settings.format, opened) : null;
    this.framer = this.format === null ? null : createFramer(this.format, settings.recordBytes);
    this.reader = opened.reader;
  }

  /** Where the next batch begins. */
  get position(): number {
    return this.at;
  }

  get fault(): ReaderFault | null {
    return this.reader.fault;
  }

  /** Moves forward to a record boundary; false when the input ends before it. */
  async seek(position: number, signal: AbortSignal): Promise<boolean> {
    if (position === this.at) return true;
    if (this.framer === null || this.framer.seekable) {
      this.at = await this.reader.skipTo(position);
      return this.at === position;
    }
    // What a record means depends on what came before it (a header, a record structure): walk through that again.
    const { batchBytes, recordBytes } = this.settings;
    await this.passMark();
    const own = new SlabPool(batchBytes + recordBytes + 64, 0);
    const stretch = {
      to: position,
      tail: 'emit',
      times: () => ({ referenceMs: 0, appendedAtMs: 0 }),
      moved: () => {},
      progressBase: 0,
    } as const;
    for await (const batch of this.cutter(stretch, own, 0, signal)) batch.release();
    return this.at === position;
  }

  /** Batches from where it stands. A followed file is read on with a later call. */
  async *run(stretch: Stretch, signal: AbortSignal): AsyncGenerator<SourceBatch> {
    const { slabs, batchRecords } = this.settings;
    if (this.framer === null) yield* this.wholly(stretch, signal);
    else {
      await this.passMark();
      yield* this.cutter(stretch, slabs, batchRecords, signal);
    }
  }

  /** A byte order mark before text is no part of the first record. */
  private async passMark(): Promise<void> {
    if (this.at > 0 || framingOf(this.format!) !== 'lines') return;
    const { head } = this.opened;
    const marked = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf;
    if (marked) this.at = await this.reader.skipTo(3);
  }

  /** Reads on behind an end that has moved: plain inputs only. */
  again(): void {
    this.reader = new PlainReader(this.opened.input, this.at);
  }

  close(): void {
    this.reader.close();
  }

  private cutter(stretch: Stretch, slabs: SlabPool, batchRecords: number, signal: AbortSignal) {
    const { source, batchBytes, recordBytes } = this.settings;
    const cutter = new Cutter(
      {
        reader: this.reader,
        framer: this.framer!,
        file: this.file,
        format: this.format!,
        source,
        from: this.at,
        to: stretch.to,
        tail: stretch.tail,
        slabs,
        batchBytes,
        batchRecords,
        recordBytes,
        times: stretch.times,
        moved: (position) => {
          this.at = position;
          stretch.moved(position);
        },
        progressBytes: () => stretch.progressBase + this.reader.inputBytes,
      },
      signal,
    );
    return cutter.run();
  }

  /** An input that cannot be cut into records at all: one fault with its head, and the rest is passed over. */
  private async *wholly(stretch: Stretch, signal: AbortSignal): AsyncGenerator<SourceBatch> {
    const { slabs, source } = this.settings;
    const slab = await slabs.acquire();
    try {
      const from = this.at;
      const most = Math.min(KEPT_BYTES, slab.bytes.length, stretch.to - from);
      let kept = 0;
      while (kept < most) {
        const count = await this.reader.read(slab.bytes.subarray(kept, most), true);
        if (count === 0) break;
        kept += count;
      }
      if (kept === 0 || signal.aborted) return;
      this.at = await this.reader.skipTo(stretch.to);
      if (signal.aborted) return;
      const cause = this.opened.unreadable ?? {
        code: 'format_unknown',
        detail: 'no known format fits what the file begins with',
      };
      const { referenceMs, appendedAtMs } = stretch.times();
      stretch.moved(this.at);
      slab.retain();
      yield {
        bytes: slab.bytes.subarray(0, kept),
        segments: [
          {
            format: 'native-json', // there is none; a fault is never decoded
            start: 0,
            end: kept,
            base: from,
            file: this.file,
            source,
            context: null,
            referenceMs,
            fault: { ...cause, length: this.at - from },
          },
        ],
        ranges: [{ file: this.file, from, to: this.at, referenceMs, appendedAtMs }],
        progressBytes: stretch.progressBase + this.reader.inputBytes,
        release: () => slab.release(),
      };
    } finally {
      slab.release();
    }
  }
}

/** The format set for the source, or the one sniffed, or null. Blank lines are none to refuse: any line format skips them. */
export function formatOf(configured: string, opened: Opened): FormatName | null {
  if (configured !== 'auto') return configured as FormatName;
  return isBlank(opened.head) ? 'native-json' : sniff(opened.head, opened.input.path);
}

/** Whether a file is nothing but blank lines so far. */
export function isBlank(head: Uint8Array): boolean {
  return head.length < SNIFF_BYTES && /^\uFEFF?\s*$/.test(bufferOf(head).toString('utf8'));
}

// Cuts one stretch of one file into batches of whole records, read straight into slabs. Everything that is no record
// becomes a fault segment in its place, so that nothing is skipped silently and memory stays bounded.

import type { FormatName, Segment } from '../model/batch.ts';
import type { Slab, SlabPool } from '../model/slabs.ts';
import type { Framer, Trouble } from './framing.ts';
import type { ByteReader, ReaderFault } from './reader.ts';
import type { SourceBatch } from './source.ts';

/** How much of something that is no record is kept for the dead letters. */
export const KEPT_BYTES = 64 * 1024;

/**
 * What becomes of a record without its end at the end of the input: it is emitted (as a fault if that cannot be a
 * record), left for later (a followed file), or a fault in any case (the rest of the input is lost).
 */
export type Tail = 'emit' | 'hold' | 'lost';

export interface CutPlan {
  /** Stands at `from`. */
  readonly reader: ByteReader;
  /** Stands at `from` too: has seen the records before it, if it needs to. */
  readonly framer: Framer;
  readonly file: string;
  readonly format: FormatName;
  readonly source: number;
  /** Position in the decompressed file where to begin. */
  readonly from: number;
  /** Position where to end: a record boundary, or Infinity for the end of the input. */
  readonly to: number;
  readonly tail: Tail;
  readonly slabs: SlabPool;
  readonly batchBytes: number;
  /** 0 for no cap. */
  readonly batchRecords: number;
  readonly recordBytes: number;
  readonly times: () => { readonly referenceMs: number; readonly appendedAtMs: number };
  /** Called with the position behind each batch before it is yielded. */
  readonly moved: (position: number) => void;
  /** Bytes on disk read so far over all files. */
  readonly progressBytes: () => number;
}

/** Never filled, so that any segment fits into a slab again with a sort frame's header before it. */
const HEADROOM = 32;

export class Cutter {
  private readonly plan: CutPlan;
  private readonly signal: AbortSignal;
  private slab: Slab | null = null;
  /** Position in the file of the slab's first byte. */
  private base: number;
  /** Bytes of the slab in use, and how many of them are cut off already. */
  private filled = 0;
  private at = 0;
  private faultTold = false;

  constructor(plan: CutPlan, signal: AbortSignal) {
    this.plan = plan;
    this.signal = signal;
    this.base = plan.from;
  }

  async *run(): AsyncGenerator<SourceBatch> {
    this.slab = await this.plan.slabs.acquire();
    try {
      while (!this.signal.aborted) {
        await this.fill();
        if (this.signal.aborted) return;
        yield* this.cutFilled();
        if (this.signal.aborted) return;
        if (this.exhausted) {
          yield* this.tail();
          return;
        }
        if (this.at > 0) await this.freshSlab([this.at, this.filled]);
      }
    } finally {
      this.slab?.release();
      this.slab = null;
    }
  }

  private get exhausted(): boolean {
    return this.plan.reader.ended || this.base + this.filled >= this.plan.to;
  }

  /** Reads up to a batch, or on when a record is longer than that. Waits for input only when there is nothing new. */
  private async fill(): Promise<void> {
    const { reader, to, batchBytes } = this.plan;
    const capacity = this.slab!.bytes.length - HEADROOM;
    const want = this.filled < batchBytes ? batchBytes : Math.min(capacity, this.filled + batchBytes);
    let wait = true;
    while (this.filled < want && !this.exhausted) {
      const room = Math.min(want - this.filled, to - this.base - this.filled);
      const count = await reader.read(this.slab!.bytes.subarray(this.filled, this.filled + room), wait);
      this.filled += count;
      if (count === 0) return;
      wait = false;
    }
  }

  private async *cutFilled(): AsyncGenerator<SourceBatch> {
    const { framer, batchRecords } = this.plan;
    while (this.at < this.filled && !this.signal.aborted) {
      const context = framer.context();
      const from = this.at;
      const end = framer.cut(this.slab!.buffer, from, this.filled, batchRecords);
      if (end > from) {
        this.at = end;
        yield this.batch([this.segment(from, end, context)], this.base + from);
        continue;
      }
      const trouble = framer.trouble(this.slab!.buffer, from, this.filled);
      if (trouble === null) return;
      const batch = await this.stepOver(trouble);
      if (batch === null) return;
      yield batch;
    }
  }

  /** What is left at the end of the input. */
  private *tail(): Generator<SourceBatch> {
    const { framer, reader, tail } = this.plan;
    if (tail === 'hold' || this.at === this.filled) return;
    const from = this.at;
    const context = framer.context();
    this.at = this.filled;
    if (framer.endsRecord && reader.fault === null && tail === 'emit') {
      yield this.batch([this.segment(from, this.at, context)], this.base + from);
      return;
    }
    const cause: ReaderFault = reader.fault ?? {
      code: 'input_truncated',
      detail: 'the input ends in the middle of a record',
    };
    this.faultTold = true;
    const start = this.base + from;
    const end = Math.min(this.at, from + KEPT_BYTES);
    yield this.batch([this.fault(from, end, start, cause, this.at - from)], start);
  }

  /**
   * Emits the head of something that is no record and moves behind it, however long it is, without keeping it.
   * Null when the end of a followed input was reached first: it is looked at again when there is more.
   */
  private async stepOver({ code, detail, skipper }: Trouble): Promise<SourceBatch | null> {
    const { reader, recordBytes, tail, to } = this.plan;
    const start = this.base + this.at;
    const found = skipper.scan(this.slab!.buffer, this.at, this.filled);
    if (found >= 0) {
      const from = this.at;
      const keep = Math.min(KEPT_BYTES, recordBytes, found - from);
      this.at = found;
      const length = found - from - skipper.separator;
      return this.batch([this.fault(from, from + keep, start, { code, detail }, length)], start);
    }
    const keep = Math.min(KEPT_BYTES, recordBytes, this.filled - this.at);
    const seen = this.at + skipper.consumed;
    // The head goes to [0, keep) of a slab of its own, and behind it what the skipper wants to see again.
    let skipped = skipper.consumed;
    let again = this.filled - seen;
    await this.freshSlab([this.at, this.at + keep], [seen, this.filled]);
    const { bytes, buffer } = this.slab!;
    let length: number;
    for (;;) {
      const room = Math.min(bytes.length - keep - again, to - start - skipped - again);
      const count = room > 0 ? await reader.read(bytes.subarray(keep + again, keep + again + room), true) : 0;
      if (this.signal.aborted) return null;
      again += count;
      if (count === 0) {
        if (tail === 'hold' && !skipper.rest) return null;
        length = skipped + again;
        this.moveTo(start + length, keep, keep);
        break;
      }
      const next = skipper.scan(buffer, keep, keep + again);
      if (next >= 0) {
        const behind = start + skipped + next - keep;
        length = behind - start - skipper.separator;
        this.moveTo(behind, next, keep + again);
        break;
      }
      skipped += skipper.consumed;
      again -= skipper.consumed;
      buffer.copyWithin(keep, keep + skipper.consumed, keep + skipper.consumed + again);
    }
    return this.batch([this.fault(0, keep, start, { code, detail }, length)], start);
  }

  /** The slab's offset `at` is `position` in the file; bytes up to `filled` follow. */
  private moveTo(position: number, at: number, filled: number): void {
    this.base = position - at;
    this.at = at;
    this.filled = filled;
  }

  /** Goes on in a new slab that begins with the given pieces of the old one, which workers may still be reading. */
  private async freshSlab(...pieces: readonly (readonly [number, number])[]): Promise<void> {
    const kept = Buffer.concat(pieces.map(([from, to]) => this.slab!.buffer.subarray(from, to)));
    const base = this.base + pieces[0][0];
    this.slab!.release();
    this.slab = null;
    this.slab = await this.plan.slabs.acquire();
    this.slab.bytes.set(kept);
    this.base = base;
    this.at = 0;
    this.filled = kept.length;
  }

  private segment(start: number, end: number, context: Uint8Array | null): Cut {
    return { start, end, base: this.base + start, context, fault: null };
  }

  private fault(start: number, end: number, base: number, { code, detail }: ReaderFault, length: number): Cut {
    return { start, end, base, context: null, fault: { code, detail, length } };
  }

  /** A batch of what was just cut: the stream from `from` to where `at` stands now. */
  private batch(cuts: readonly Cut[], from: number): SourceBatch {
    const { reader, file, format, source, times, tail, moved, progressBytes } = this.plan;
    const slab = this.slab!;
    const position = this.base + this.at;
    const all = [...cuts];
    if (reader.fault !== null && reader.ended && tail !== 'hold' && this.at === this.filled && !this.faultTold) {
      // The input broke off behind a whole record: told with that record, so that the telling has a place in the stream.
      this.faultTold = true;
      const last = cuts[cuts.length - 1].end;
      all.push(this.fault(last, last, position, reader.fault, 0));
    }
    const first = all[0].start;
    const { referenceMs, appendedAtMs } = times();
    slab.retain();
    moved(position);
    return {
      bytes: slab.bytes.subarray(first, all[all.length - 1].end),
      segments: all.map((cut) => ({
        ...cut,
        start: cut.start - first,
        end: cut.end - first,
        format,
        file,
        source,
        referenceMs,
      })),
      ranges: [{ file, from, to: position, referenceMs, appendedAtMs }],
      progressBytes: progressBytes(),
      release: () => slab.release(),
    };
  }
}

type Cut = Pick<Segment, 'start' | 'end' | 'base' | 'context' | 'fault'>;

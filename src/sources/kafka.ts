// One partition of one topic as a source: raw record batches in order of their offsets. A range is a range of offsets; replay
// fetches the same ones again.

import { OperationalError } from '../cli/verb.ts';
import type { FetchTarget } from '../kafka/fetcher.ts';
import { type Fetched, OffsetOutOfRange, type RawRecordBatch } from '../kafka/reader.ts';
import type { Segment } from '../model/batch.ts';
import { Pulse } from '../model/pulse.ts';
import type { SlabPool } from '../model/slabs.ts';
import type { FileProgress, Overflow, Range, Source, SourceBatch, SourceNote } from './source.ts';

/** Bytes that all streams of a process have fetched and not yet handed on. */
export class FetchBudget {
  used = 0;
  readonly limit: number;
  constructor(limit: number) {
    this.limit = limit;
  }
}

export interface KafkaStreamOptions {
  /** Of the configured source. */
  readonly name: string;
  readonly index: number;
  readonly topic: string;
  readonly partition: number;
  readonly slabs: SlabPool;
  readonly batchBytes: number;
  readonly budget: FetchBudget;
  /** Registers with the fetcher, and takes back. */
  readonly fetcher: { add(target: FetchTarget): void; remove(target: FetchTarget): void; poke(): void };
  /** First offset that the broker has, and the one behind the last. */
  readonly offsets: () => Promise<{ readonly first: number; readonly end: number }>;
  readonly missingOffsets: 'stop' | 'earliest';
  readonly now: () => number;
  readonly note: (note: SourceNote) => void;
}

/**
 * Compressed records become several times as many bytes: a worker gets fewer of them at once. Every record batch and every record
 * counts, since a few bytes may hold very many (guarantee 4; unpack.ts has what one record batch may become).
 */
const EXPANSION = 4;
const BATCH_WEIGHT = 2048;
const RECORD_WEIGHT = 64;

export class KafkaStream implements Overflow, FetchTarget {
  readonly name: string;
  readonly index: number;
  readonly bounded = false;
  readonly topic: string;
  readonly partition: number;
  /** Identity of the stream. */
  readonly file: string;
  private readonly options: KafkaStreamOptions;
  /** Offset of what is handed on next, and of what is fetched next; -1 while nobody reads. */
  position = -1;
  private fetching = -1;
  private queue: Fetched[] = [];
  private queued = 0;
  private failure: Error | null = null;
  private readonly arrival = new Pulse();
  /** Offset behind the last record that there is, as last heard; -1 before that. */
  private high = -1;
  /** When the last record handed on was appended, ms since 1970; 0 before the first. */
  private appendedMs = 0;

  constructor(options: KafkaStreamOptions) {
    this.options = options;
    this.name = options.name;
    this.index = options.index;
    this.topic = options.topic;
    this.partition = options.partition;
    this.file = `${options.topic}/${options.partition}`;
  }

  /** Records that there are and that were not handed on; null while nothing is known. */
  get lag(): number | null {
    return this.position < 0 || this.high < 0 ? null : Math.max(0, this.high - this.position);
  }

  /** It would be fetched if the budget allowed it. */
  get paused(): boolean {
    const { budget } = this.options;
    return this.fetching >= 0 && this.queue.length === 0 && budget.used >= budget.limit;
  }

  /** How long ago what is handed on now was appended; 0 when nothing waits, or nothing is known yet. */
  behindMs(now: number): number {
    return this.lag === 0 || this.appendedMs === 0 ? 0 : Math.max(0, now - this.appendedMs);
  }

  async end(): Promise<number> {
    return (await this.options.offsets()).end;
  }

  reaches(high: number): void {
    this.high = Math.max(this.high, high);
  }

  wanted(): number | null {
    const { budget } = this.options;
    if (this.fetching < 0 || this.queue.length > 0 || budget.used >= budget.limit || this.failure) return null;
    return this.fetching;
  }

  deliver(fetched: Fetched): void {
    const bytes = bytesOf(fetched);
    this.fetching = fetched.next;
    this.queue.push(fetched);
    this.queued += bytes;
    this.options.budget.used += bytes;
    this.arrival.fire();
  }

  fail(error: Error): void {
    this.failure = error;
    this.arrival.fire();
  }

  async *batches(progress: ReadonlyMap<string, FileProgress>, signal: AbortSignal): AsyncGenerator<SourceBatch> {
    const known = progress.get(this.file)?.position;
    yield* this.read(known ?? (await this.options.offsets()).first, Number.POSITIVE_INFINITY, null, signal);
  }

  async *replay(
    ranges: readonly Range[],
    _progress: ReadonlyMap<string, FileProgress>,
    signal: AbortSignal,
  ): AsyncGenerator<SourceBatch> {
    for (const range of ranges) yield* this.read(range.from, range.to, range.appendedAtMs, signal);
  }

  again(): Source {
    // A budget of its own: the stream that reads on may have used up the common one, and waits for this.
    return new KafkaStream({ ...this.options, budget: new FetchBudget(this.options.budget.limit) });
  }

  files(): ReadonlyMap<string, FileProgress> {
    if (this.position < 0) return new Map();
    const progress: FileProgress = {
      file: this.file,
      path: this.file,
      fingerprint: '',
      fingerprintLength: 0,
      generation: 0,
      position: this.position,
      done: false,
      inputBytes: 0,
      referenceMs: 0,
    };
    return new Map([[this.file, progress]]);
  }

  notes(): readonly SourceNote[] {
    return [];
  }

  async totalBytes(): Promise<number> {
    return 0;
  }

  async committed(): Promise<void> {}

  /** Offsets [from, to), cut exactly there. `fetchedAtMs` is the journal's, or null for now. */
  private async *read(
    from: number,
    to: number,
    fetchedAtMs: number | null,
    signal: AbortSignal,
  ): AsyncGenerator<SourceBatch> {
    const { fetcher } = this.options;
    this.forget();
    this.failure = null;
    this.position = from;
    this.fetching = from;
    const aborted = (): void => this.arrival.fire();
    signal.addEventListener('abort', aborted);
    fetcher.add(this);
    try {
      while (this.position < to && !signal.aborted) {
        fetcher.poke();
        const fetched = await this.next(signal);
        if (fetched === null) continue;
        yield* this.pack(fetched, to, fetchedAtMs, signal);
      }
    } finally {
      signal.removeEventListener('abort', aborted);
      fetcher.remove(this);
      this.fetching = -1;
      this.forget();
    }
  }

  private async next(signal: AbortSignal): Promise<Fetched | null> {
    if (this.queue.length === 0 && !this.failure && !signal.aborted) await this.arrival.wait();
    if (signal.aborted) return null;
    if (this.failure) return this.lost(this.failure);
    return this.queue.shift() ?? null;
  }

  /** The broker does not have what comes next. */
  private async lost(error: Error): Promise<null> {
    if (!(error instanceof OffsetOutOfRange)) throw error;
    const { first: earliest } = await this.options.offsets();
    const gap = earliest - this.position;
    if (this.options.missingOffsets === 'stop' || gap <= 0)
      throw new OperationalError(
        'offset_missing',
        `${this.file}: the broker does not have offset ${this.position}, it begins at ${earliest}. Records were deleted before Weir read them, or the topic was made anew. Set kafka.missing_offsets: earliest to go on with what there is.`,
        error,
      );
    this.options.note({
      code: 'gap',
      path: this.file,
      message: `lacks the offsets ${this.position} to ${earliest - 1}: the broker no longer has them`,
    });
    this.failure = null;
    this.position = earliest;
    this.fetching = earliest;
    return null;
  }

  /** Record batches of one answer as batches for the workers. */
  private async *pack(
    fetched: Fetched,
    to: number,
    fetchedAtMs: number | null,
    signal: AbortSignal,
  ): AsyncGenerator<SourceBatch> {
    const { batchBytes } = this.options;
    const { batches } = fetched;
    for (let i = 0; i < batches.length && this.position < to && !signal.aborted; ) {
      const first = i;
      for (let weight = 0; i < batches.length && batches[i].baseOffset < to; i++) {
        weight += weightOf(batches[i]);
        if (weight > batchBytes && i > first) break;
      }
      if (i === first) break; // all that follows lies behind the end
      yield await this.batch(batches.slice(first, i), to, fetchedAtMs ?? this.options.now());
    }
    this.spent(bytesOf(fetched));
    if (signal.aborted) return;
    if (this.position < to) this.position = Math.min(to, Math.max(this.position, fetched.next)); // markers and gaps at the end
  }

  private async batch(batches: readonly RawRecordBatch[], to: number, appendedAtMs: number): Promise<SourceBatch> {
    const size = batches.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const { slabs } = this.options;
    const slab = size <= slabs.size ? await slabs.acquire() : null;
    // A record batch may be longer than a slab; the broker's max.message.bytes bounds it.
    const memory = slab?.bytes ?? new Uint8Array(new SharedArrayBuffer(size));
    const segments: Segment[] = [];
    const from = this.position;
    const until = Math.min(to, batches[batches.length - 1].lastOffset + 1);
    let at = 0;
    for (const { bytes } of batches) {
      memory.set(bytes, at);
      segments.push({
        format: 'native-json', // the worker looks at the records
        start: at,
        end: at + bytes.length,
        base: 0,
        file: this.file,
        source: this.index,
        context: null,
        referenceMs: appendedAtMs,
        fault: null,
        kafka: { partition: this.partition, from, to: until },
      });
      at += bytes.length;
    }
    this.position = until;
    this.appendedMs = batches[batches.length - 1].maxTimestamp;
    return {
      bytes: memory.subarray(0, at),
      segments,
      ranges: [{ file: this.file, from, to: until, referenceMs: appendedAtMs, appendedAtMs }],
      progressBytes: 0,
      appendedMs: this.appendedMs,
      release: () => slab?.release(),
    };
  }

  /** What was fetched and not handed on is fetched again by whoever reads next. */
  private forget(): void {
    this.spent(this.queued);
    this.queue = [];
  }

  private spent(bytes: number): void {
    const counted = Math.min(bytes, this.queued);
    this.queued -= counted;
    this.options.budget.used -= counted;
  }
}

function weightOf({ bytes, compressed, count }: RawRecordBatch): number {
  return compressed ? BATCH_WEIGHT + Math.max(bytes.length * EXPANSION, count * RECORD_WEIGHT) : bytes.length;
}

function bytesOf({ batches }: Fetched): number {
  return batches.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

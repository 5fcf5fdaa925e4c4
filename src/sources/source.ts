// What every source is: raw batches out, in stream order; exact ranges again for recovery; what it knows of its files.

import type { Segment } from '../model/batch.ts';
import type { Limits, SourceDefinition } from '../model/control.ts';
import type { SlabPool } from '../model/slabs.ts';
import type { RecordTimes } from '../model/work.ts';

/** A journaled piece of a stream: bytes [from, to) of the decompressed file, whole records only. */
export interface Range {
  /** File identity, as in `Segment.file` (or `sorted:…` for an event-time ordered source). */
  readonly file: string;
  readonly from: number;
  readonly to: number;
  /** `Segment.referenceMs` of everything in the range; 0 for a sorted source, whose spool knows each record's own. */
  readonly referenceMs: number;
  /** `RawBatch.appendedAtMs` of everything in the range; equal for all ranges of one batch. */
  readonly appendedAtMs: number;
}

export interface SourceBatch {
  readonly bytes: Uint8Array;
  readonly segments: readonly Segment[];
  readonly ranges: readonly Range[];
  /** Input bytes on disk that were read so far over all files (compressed ones as compressed), for progress. */
  readonly progressBytes: number;
  /** When the last of it was appended to its topic (ms since 1970), where something tells; for metrics and quotas. */
  readonly appendedMs?: number;
  /** Must be called exactly once, when no worker needs the bytes any more: it frees the slab. */
  release(): void;
}

/** JSON-safe: persisted with the ledger, and no later than the first journaled range that names the file. */
export interface FileProgress {
  /** Identity: never changes once given. */
  readonly file: string;
  /** For people only; files are found again by fingerprint. */
  readonly path: string;
  /** Hash of the first `fingerprintLength` decompressed bytes; grows with a growing file up to 4,096 bytes. */
  readonly fingerprint: string;
  readonly fingerprintLength: number;
  /** Files of equal fingerprint that were begun anew (truncated and rewritten alike) are told apart by this. */
  readonly generation: number;
  /** Decompressed bytes read. The pipeline replaces it by what is committed. */
  readonly position: number;
  /** Nothing is left to read as far as is known. Only meaningful together with `position`. */
  readonly done: boolean;
  /** Size on disk when it was done: an equal size says cheaply that nothing was added. */
  readonly inputBytes: number;
  readonly referenceMs: number;
  /** It was refused as a whole, as no known format fitted: it is begun anew once one does. */
  readonly formatUnknown?: boolean;
  /** Hash of the first `wideLength` bytes (up to 64 KiB), once there are more than the fingerprint covers. */
  readonly wide?: string;
  readonly wideLength?: number;
}

/** Something the user should be told once at the end: a copy that was not read again, a file that was skipped. */
export interface SourceNote {
  readonly code:
    | 'already_read'
    | 'unfinished_line'
    | 'truncated_file'
    | 'rotated'
    | 'waiting'
    | 'sorted'
    | 'spool_reused'
    | 'gap';
  readonly path: string;
  /** Goes on where the path ended: 'holds nothing …'. */
  readonly message: string;
}

export interface Source {
  readonly name: string;
  /** Position in `ControlSnapshot.sources`. */
  readonly index: number;
  readonly bounded: boolean;
  /** Records that there are and that were not handed on; null while nothing is known. Absent where nothing can tell. */
  readonly lag?: number | null;
  /**
   * Unread input in stream order; resumes from `progress`. Ends when a bounded source is exhausted or `signal` aborts.
   * Throws OperationalError: input_missing, input_is_directory, input_unreadable.
   */
  batches(progress: ReadonlyMap<string, FileProgress>, signal: AbortSignal): AsyncIterable<SourceBatch>;
  /**
   * Exactly these ranges again, in the order given; a batch never crosses the end of a range.
   * Throws OperationalError('replay_input_missing') naming the path when the bytes are gone or differ.
   */
  replay(
    ranges: readonly Range[],
    progress: ReadonlyMap<string, FileProgress>,
    signal: AbortSignal,
  ): AsyncIterable<SourceBatch>;
  /** Another instance of it, to `replay` ranges with while this one reads on. */
  again(): Source;
  /** Files as known so far, by identity, with those found already read. `position` is read, not committed. */
  files(): ReadonlyMap<string, FileProgress>;
  notes(): readonly SourceNote[];
  /** Input bytes on disk, for progress display; 0 when unknown (stdin). */
  totalBytes(): Promise<number>;
  /** After a bounded run's last commit: removes spools and sort runs that nothing needs any more. */
  committed(): Promise<void>;
}

/** A source of what was parked. */
export interface Overflow extends Source {
  /** Records that there are and that were not handed on; null while nothing is known. */
  readonly lag: number | null;
  /** Offset of what is handed on next; -1 before anything was read. */
  readonly position: number;
  /** Offset behind the last record that there is now. */
  end(): Promise<number>;
}

export interface SourceOptions {
  readonly definition: SourceDefinition;
  readonly index: number;
  /** '-' for standard input; else paths and globs. A plain existing path wins over its reading as a glob. */
  readonly input: string | readonly string[];
  readonly follow: boolean;
  readonly order: 'arrival' | 'event-time';
  /** For the stdin spool and the runs of an event-time sort. */
  readonly stateDirectory: string;
  /** Slabs of at least batchBytes + limits.recordBytes (see `slabBytes`). */
  readonly slabs: SlabPool;
  /** Default 4 MiB. */
  readonly batchBytes?: number;
  /** Exact cap of records a batch; 0 (default) for no cap. */
  readonly batchRecords?: number;
  readonly limits: Limits;
  /** ms since 1970; read once a batch, journaled with its range. */
  readonly now: () => number;
  /** The exact time, which `now` need not be: tells whether a file is being written. Default Date.now. */
  readonly clock?: () => number;
  /** Waits while a file is watched for growth; default one second. */
  readonly settle?: () => Promise<unknown>;
  readonly stdin?: NodeJS.ReadableStream;
  /** Needed for order 'event-time': decodes the times in workers. Must not release the batch. */
  readonly timesOf?: (batch: SourceBatch) => Promise<RecordTimes>;
  /** Memory for one run of an event-time sort, bytes; default 128 MiB. */
  readonly sortBytes?: number;
}

export const DEFAULT_BATCH_BYTES = 4 << 20;

/** The slab size that a source with these settings needs: a batch, and the longest record that may straddle its end. */
export function slabBytes(batchBytes: number, recordBytes: number): number {
  return batchBytes + recordBytes + 64;
}

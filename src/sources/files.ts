// Files and globs, read once to their end, one after the other in name order.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Limits } from '../model/control.ts';
import { knownAs } from './compare.ts';
import type { Tail } from './cutter.ts';
import { discover, sizeOf } from './discover.ts';
import { FileRegistry } from './identity.ts';
import { openInput, type RawInput } from './input.ts';
import { formatOf, type Opened, openStream, Reading, type ReadingSettings } from './reading.ts';
import { replayRanges } from './replay.ts';
import {
  DEFAULT_BATCH_BYTES,
  type FileProgress,
  type Range,
  type Source,
  type SourceBatch,
  type SourceNote,
  type SourceOptions,
} from './source.ts';

export function settingsOf(options: SourceOptions): ReadingSettings {
  const limits: Limits = options.limits;
  return {
    format: options.definition.format,
    source: options.index,
    slabs: options.slabs,
    batchBytes: options.batchBytes ?? DEFAULT_BATCH_BYTES,
    batchRecords: options.batchRecords ?? 0,
    recordBytes: limits.recordBytes,
  };
}

export function inputsOf(options: SourceOptions): readonly string[] {
  return typeof options.input === 'string' ? [options.input] : options.input;
}

/** A file that was written so recently may be in the middle of a record: it is watched for a moment. */
const SETTLED_MS = 10_000;
const WATCHED_MS = 1000;

/** What becomes of a last record without its end: 'settled' emits it unless the file is being written, and else holds it. */
export type Ending = Tail | 'settled';

/** Reads inputs to their end and keeps the books on them: shared by files and standard input. */
export class FileReader {
  readonly registry: FileRegistry;
  readonly notes: SourceNote[] = [];
  private readonly options: SourceOptions;
  private readonly settings: ReadingSettings;
  /** Bytes on disk of the inputs that are read or left out. */
  private passed = 0;

  constructor(options: SourceOptions) {
    this.options = options;
    this.settings = settingsOf(options);
    this.registry = new FileRegistry(options.definition.name);
  }

  /**
   * What of an input has not been read. 'hold' leaves a record without its end for later and the file not done.
   */
  async *read(input: RawInput, ending: Ending, signal: AbortSignal): AsyncGenerator<SourceBatch> {
    const opened = await openStream(input);
    try {
      if (opened.head.length > 0) yield* this.unread(opened, ending, signal);
    } finally {
      opened.reader.close();
    }
  }

  private async *unread(opened: Opened, ending: Ending, signal: AbortSignal): AsyncGenerator<SourceBatch> {
    const { registry } = this;
    const { input, head } = opened;
    const ended = ending !== 'hold' && input.endsAt(Number.MAX_SAFE_INTEGER);
    const size = ended ? await input.size() : 0;
    const known = await this.recognise(opened, ending);
    const reference = Math.min(this.options.now(), input.modifiedMs);
    const file = this.identify(known, head, input.path, reference);
    if (ended && known?.done === true && known.inputBytes === size) {
      this.passed += size;
      this.alreadyRead(input.path, known);
      return;
    }
    const reading = new Reading(opened, file.file, this.settings);
    const formatUnknown = reading.format === null && opened.unreadable === null;
    if (formatUnknown !== (file.formatUnknown ?? false)) registry.update(file.file, { formatUnknown });
    if (!(await reading.seek(file.position, signal))) {
      if (!signal.aborted) this.shorter(input.path, known ?? file);
      this.passed += size;
      return;
    }
    let any = false;
    // A compressed stream knows its end; of a plain file the end is judged when it is reached.
    const plain = opened.compression === 'none';
    const stretch = {
      to: Number.POSITIVE_INFINITY,
      tail: ending !== 'settled' ? ending : plain ? 'hold' : 'emit',
      times: () => ({ referenceMs: file.referenceMs, appendedAtMs: this.options.now() }),
      moved: (position: number) => registry.update(file.file, { position, done: false }),
      progressBase: this.passed,
    } as const;
    for await (const batch of reading.run(stretch, signal)) {
      any = true;
      yield batch;
    }
    if (signal.aborted) return;
    this.passed += size;
    if (ending === 'hold') return;
    if (ending === 'settled' && plain) {
      const unfinished = (await input.size()) - reading.position;
      if (unfinished > 0 && (await this.isBeingWritten(input))) {
        const { position } = reading;
        registry.update(file.file, { position, done: true, inputBytes: position }); // its size will differ: read on then
        this.unfinished(input.path, position, unfinished);
        return;
      }
      reading.again();
      for await (const batch of reading.run({ ...stretch, tail: 'emit' }, signal)) {
        any = true;
        yield batch;
      }
      if (signal.aborted) return;
    }
    registry.update(file.file, { position: reading.position, done: true, inputBytes: await input.size() });
    if (known !== null && !any) this.alreadyRead(input.path, known);
    else if (known !== null && known.path !== input.path && known.position > 0) this.readOn(input.path, known);
  }

  /** The file as it is known; one that was refused for its format is not, once a format fits. */
  private async recognise(opened: Opened, ending: Ending): Promise<FileProgress | null> {
    const { head, input } = opened;
    const lies = ending === 'settled'; // a spool may still be coming in
    const known = lies ? await knownAs(opened, this.registry) : this.registry.find(head, input.path);
    const refused = known?.formatUnknown === true && opened.unreadable === null;
    return refused && formatOf(this.settings.format, opened) !== null ? null : known;
  }

  private identify(known: FileProgress | null, head: Uint8Array, path: string, reference: number): FileProgress {
    if (known === null) return this.registry.create(head, path, reference);
    if (this.registry.wasMet(known.file)) return known;
    // What is read on after an interruption keeps its reference; what was added since has a newer one.
    return this.registry.meet(known, head, path, known.done ? reference : known.referenceMs);
  }

  /** True when the file grows while it is looked at. One that rests is complete, with or without a last newline. */
  private async isBeingWritten(input: RawInput): Promise<boolean> {
    const { clock = Date.now, settle = () => sleep(WATCHED_MS) } = this.options;
    const written = await input.writtenMs();
    // Clocks of file servers run ahead at times; a date far in the future says nothing.
    if (written === null || Math.abs(clock() - written) >= SETTLED_MS) return false;
    const before = await input.size();
    await settle();
    return (await input.size()) > before;
  }

  private unfinished(path: string, position: number, bytes: number): void {
    const message =
      `its last ${bytes} bytes (from ${position}) were a record without its end, and the file is being written: ` +
      'the next run reads on from there (or use --follow).';
    this.notes.push({ code: 'unfinished_line', path, message });
  }

  private alreadyRead(path: string, known: FileProgress): void {
    const same = known.path === path;
    const message = same
      ? 'holds nothing that was not read before.'
      : `holds what was already read as ${known.path}; it is not read twice.`;
    this.notes.push({ code: 'already_read', path, message });
  }

  /** The shorter of two files that agree as far as it goes, or one that shrank. The longer one keeps the name. */
  private shorter(path: string, known: FileProgress): void {
    const { file, path: longer, position } = known;
    this.registry.update(file, { path: longer });
    const message =
      longer === path
        ? `is shorter now than the ${position} bytes that were read of it before; nothing of it is read.`
        : `begins as ${longer}, of which ${position} bytes were read, and is shorter: it counts as read already.`;
    this.notes.push({ code: 'already_read', path, message });
  }

  private readOn(path: string, known: FileProgress): void {
    const message = `begins as ${known.path}, of which ${known.position} bytes were read: it is read on from there.`;
    this.notes.push({ code: 'already_read', path, message });
  }
}

export class FilesSource implements Source {
  readonly name: string;
  readonly index: number;
  readonly bounded = true;
  private readonly options: SourceOptions;
  private readonly reader: FileReader;

  constructor(options: SourceOptions) {
    this.options = options;
    this.name = options.definition.name;
    this.index = options.index;
    this.reader = new FileReader(options);
  }

  async *batches(progress: ReadonlyMap<string, FileProgress>, signal: AbortSignal): AsyncGenerator<SourceBatch> {
    this.reader.registry.load(progress);
    for (const path of await discover(inputsOf(this.options))) {
      if (signal.aborted) return;
      const input = await openInput(path);
      try {
        yield* this.reader.read(input, 'settled', signal);
      } finally {
        await input.close();
      }
    }
  }

  replay(ranges: readonly Range[], progress: ReadonlyMap<string, FileProgress>, signal: AbortSignal) {
    this.reader.registry.load(progress);
    return replayRanges(ranges, this.reader.registry, inputsOf(this.options), settingsOf(this.options), signal);
  }

  again(): Source {
    return new FilesSource(this.options);
  }

  files(): ReadonlyMap<string, FileProgress> {
    return this.reader.registry.files();
  }

  notes(): readonly SourceNote[] {
    return this.reader.notes;
  }

  async totalBytes(): Promise<number> {
    return sizeOf(await discover(inputsOf(this.options)));
  }

  async committed(): Promise<void> {}
}

// Standard input through a spool: what an interrupted run had taken from the pipe is read first.

import { SNIFF_BYTES } from '../model/sniff.ts';
import { FileReader, settingsOf } from './files.ts';
import { beginsAs } from './identity.ts';
import { openInput, type RawInput } from './input.ts';
import { openStream } from './reading.ts';
import { replayRanges } from './replay.ts';
import type { FileProgress, Range, Source, SourceBatch, SourceNote, SourceOptions } from './source.ts';
import { folderOf, leftovers, removeSpool, SpoolInput } from './spool.ts';

/** How long to wait for enough of a slow stream to tell it by. */
const PATIENCE_MS = 1000;

export class StdinSource implements Source {
  readonly name: string;
  readonly index: number;
  readonly bounded = true;
  private readonly options: SourceOptions;
  private readonly folder: string;
  private readonly reader: FileReader;
  /** Spools of which nothing is needed once all that was taken is committed. */
  private readonly finished: string[] = [];

  constructor(options: SourceOptions) {
    this.options = options;
    this.name = options.definition.name;
    this.index = options.index;
    this.folder = folderOf(options.stateDirectory, 'stdin', this.name);
    this.reader = new FileReader(options);
  }

  async *batches(progress: ReadonlyMap<string, FileProgress>, signal: AbortSignal): AsyncGenerator<SourceBatch> {
    this.reader.registry.load(progress);
    const old = await leftovers(this.folder);
    const { stdin = process.stdin, now } = this.options;
    const spool = await SpoolInput.open(this.folder, stdin, now(), signal);
    try {
      for (const [i, { path, whole }] of old.entries()) {
        yield* this.file(path, whole ? 'emit' : 'hold', signal);
        if (signal.aborted) return;
        if (!whole) {
          // The pipe broke off here. Whoever sends the same again goes on where it did; else the rest is lost.
          const following =
            i + 1 < old.length ? await this.headOf(old[i + 1].path) : await this.headOfSpool(spool, signal);
          if (signal.aborted) return;
          if (!this.goesOn(path, following)) yield* this.file(path, 'lost', signal);
          if (signal.aborted) return;
        }
        this.finished.push(path);
      }
      await this.headOfSpool(spool, signal);
      if (signal.aborted) return;
      yield* this.reader.read(spool, 'emit', signal);
      if (!signal.aborted) this.finished.push(spool.path);
    } finally {
      await spool.close();
    }
  }

  async *replay(
    ranges: readonly Range[],
    progress: ReadonlyMap<string, FileProgress>,
    signal: AbortSignal,
  ): AsyncGenerator<SourceBatch> {
    this.reader.registry.load(progress);
    const paths = (await leftovers(this.folder)).map(({ path }) => path);
    yield* replayRanges(ranges, this.reader.registry, paths, settingsOf(this.options), signal);
  }

  again(): Source {
    return new StdinSource(this.options);
  }

  files(): ReadonlyMap<string, FileProgress> {
    return this.reader.registry.files();
  }

  notes(): readonly SourceNote[] {
    return this.reader.notes.map((note) => ({
      ...note,
      path: '-',
      message: 'standard input holds nothing that was not read before.',
    }));
  }

  async totalBytes(): Promise<number> {
    return 0;
  }

  async committed(): Promise<void> {
    for (const path of this.finished.splice(0)) await removeSpool(path);
  }

  private async *file(path: string, tail: 'emit' | 'hold' | 'lost', signal: AbortSignal): AsyncGenerator<SourceBatch> {
    const input = await openInput(path);
    try {
      yield* this.reader.read(input, tail, signal);
    } finally {
      await input.close();
    }
  }

  private async headOf(path: string): Promise<Uint8Array> {
    const input = await openInput(path);
    try {
      return await headOf(input);
    } finally {
      await input.close();
    }
  }

  /** Waits for enough of it: a whole line at least, and more if it comes soon. */
  private async headOfSpool(spool: SpoolInput, signal: AbortSignal): Promise<Uint8Array> {
    await spool.available(SNIFF_BYTES, PATIENCE_MS);
    const bytes = Buffer.alloc(SNIFF_BYTES);
    for (;;) {
      const count = await spool.read(bytes, 0, true);
      if (signal.aborted) return new Uint8Array(0);
      if (count === SNIFF_BYTES || spool.endsAt(count) || bytes.subarray(0, count).includes(10)) break;
      await spool.available(count + 1, 3_600_000);
    }
    return spool.isEmpty ? new Uint8Array(0) : headOf(spool);
  }

  private goesOn(path: string, head: Uint8Array): boolean {
    for (const file of this.files().values()) {
      if (file.path === path && file.fingerprintLength > 0 && beginsAs(file, head)) return true;
    }
    return false;
  }
}

async function headOf(input: RawInput): Promise<Uint8Array> {
  const opened = await openStream(input);
  opened.reader.close();
  return opened.head;
}

// A bounded source in arrival or event-time order. In event-time order all new input is sorted into a spool first, and
// the stream is then the spool: its positions are journaled, so that a restart goes on in it.

import { utf8 } from '../model/bytes.ts';
import { hashHex } from '../model/hash.ts';
import type { RecordTimes } from '../model/work.ts';
import { settingsOf } from './files.ts';
import { EventTimeSort } from './sort.ts';
import { type Manifest, SpoolFolder, spoolBatches } from './sort-spool.ts';
import type { FileProgress, Range, Source, SourceBatch, SourceNote, SourceOptions } from './source.ts';
import { folderOf } from './spool.ts';

const SORT_BYTES = 128 << 20;
/** Batches whose times are being decoded at once. */
const DEPTH = 4;
const SORTED = 'sorted:';

export class OrderedSource implements Source {
  readonly name: string;
  readonly index: number;
  readonly bounded = true;
  private readonly options: SourceOptions;
  private readonly inner: Source;
  private readonly folder: SpoolFolder;
  private readonly spools = new Map<string, FileProgress>();
  private readonly own: SourceNote[] = [];
  private readonly finished: Manifest[] = [];
  /** What the inner source gave is either in the stream or in a complete spool. */
  private innerIsSafe = false;
  /** Files as the ledger knows them: those that were sorted are booked with their spool instead. */
  private known: ReadonlyMap<string, FileProgress> = new Map();

  constructor(options: SourceOptions, inner: Source) {
    this.options = options;
    this.inner = inner;
    this.name = inner.name;
    this.index = inner.index;
    this.folder = new SpoolFolder(folderOf(options.stateDirectory, 'sort', inner.name));
  }

  async *batches(progress: ReadonlyMap<string, FileProgress>, signal: AbortSignal): AsyncGenerator<SourceBatch> {
    this.known = progress;
    const eventTime = this.options.order === 'event-time';
    const covered = new Map(progress);
    for (const manifest of await this.folder.manifests()) {
      const at = progress.get(manifest.id);
      if (at?.done !== true) {
        if (at === undefined && !eventTime) {
          await this.folder.drop(manifest); // sorted, but never begun
          continue;
        }
        this.own.push({
          code: 'spool_reused',
          path: manifest.id,
          message: 'an interrupted run had sorted this input already; it is not sorted again.',
        });
        yield* this.spool(manifest, at?.position ?? 0, signal);
        if (signal.aborted) return;
      } else if (manifest.origins.length > 0) this.finished.push(manifest);
      for (const file of manifest.inputs) {
        if ((covered.get(file.file)?.position ?? -1) <= file.position) covered.set(file.file, file);
      }
    }
    if (!eventTime) {
      this.innerIsSafe = true;
      yield* this.inner.batches(covered, signal);
      return;
    }
    const manifest = await this.sort(covered, signal);
    if (manifest !== null) yield* this.spool(manifest, 0, signal);
  }

  async *replay(
    ranges: readonly Range[],
    progress: ReadonlyMap<string, FileProgress>,
    signal: AbortSignal,
  ): AsyncGenerator<SourceBatch> {
    this.known = progress;
    const manifests = new Map((await this.folder.manifests()).map((manifest) => [manifest.id, manifest]));
    for (let i = 0; i < ranges.length; ) {
      const range = ranges[i];
      if (!range.file.startsWith(SORTED)) {
        let end = i;
        while (end < ranges.length && !ranges[end].file.startsWith(SORTED)) end++;
        yield* this.inner.replay(ranges.slice(i, end), progress, signal);
        i = end;
        continue;
      }
      const empty = { version: 1, id: range.file, inputs: [], inputBytes: 0, origins: [] } as const;
      const manifest = manifests.get(range.file) ?? empty;
      const { from, to, appendedAtMs } = range;
      const stretch = { from, to, appendedAtMs, now: this.options.now, moved: () => {} };
      this.book(manifest, to, false);
      yield* spoolBatches(this.folder, manifest, settingsOf(this.options), stretch, signal);
      if (signal.aborted) return;
      i++;
    }
  }

  again(): Source {
    return new OrderedSource(this.options, this.inner.again());
  }

  files(): ReadonlyMap<string, FileProgress> {
    const read = this.options.order === 'event-time' ? this.known : this.inner.files();
    return new Map([...read, ...this.spools]);
  }

  notes(): readonly SourceNote[] {
    return [...this.own, ...this.inner.notes()];
  }

  totalBytes(): Promise<number> {
    return this.inner.totalBytes();
  }

  async committed(): Promise<void> {
    for (const manifest of this.finished.splice(0)) await this.folder.retire(manifest);
    if (this.innerIsSafe) await this.inner.committed();
  }

  /** Sorts what is new; null when there is nothing or the run was stopped. */
  private async sort(covered: ReadonlyMap<string, FileProgress>, signal: AbortSignal): Promise<Manifest | null> {
    await this.folder.prepare();
    const sort = new EventTimeSort(this.folder.path, this.options.sortBytes ?? SORT_BYTES);
    const timesOf = this.options.timesOf!;
    const running: { batch: SourceBatch; times: Promise<RecordTimes> }[] = [];
    let inputBytes = 0;
    const take = async (): Promise<void> => {
      const { batch, times } = running.shift()!;
      try {
        await sort.add(batch, await times);
      } finally {
        batch.release();
      }
    };
    try {
      for await (const batch of this.inner.batches(covered, signal)) {
        const times = timesOf(batch);
        times.catch(() => {}); // reported where it is awaited, in order
        running.push({ batch, times });
        inputBytes = batch.progressBytes;
        if (running.length >= Math.min(DEPTH, this.options.slabs.count - 1)) await take();
      }
      while (running.length > 0) await take();
    } finally {
      for (const { batch, times } of running.splice(0)) {
        await times.catch(() => {});
        batch.release();
      }
    }
    if (signal.aborted) return null;
    if (sort.records === 0) {
      this.innerIsSafe = true;
      return null;
    }
    const inputs = [...this.inner.files().values()].filter(
      (file) => file.position !== covered.get(file.file)?.position,
    );
    const parts = inputs.map(({ file, position }) => `${file} ${covered.get(file)?.position ?? 0} ${position}`);
    const id = SORTED + hashHex(utf8([...parts].sort().join('\n')));
    const origins = await sort.finish(this.folder.dataPath(id), signal);
    if (signal.aborted) return null;
    const manifest = { version: 1, id, inputs, inputBytes, origins } as const;
    await this.folder.complete(manifest);
    this.innerIsSafe = true;
    return manifest;
  }

  private async *spool(manifest: Manifest, from: number, signal: AbortSignal): AsyncGenerator<SourceBatch> {
    let position = from;
    this.book(manifest, position, false);
    const moved = (to: number): void => {
      position = to;
      this.book(manifest, to, false);
    };
    const stretch = { from, to: Number.POSITIVE_INFINITY, appendedAtMs: null, now: this.options.now, moved };
    yield* spoolBatches(this.folder, manifest, settingsOf(this.options), stretch, signal);
    if (signal.aborted) return;
    this.book(manifest, position, true);
    this.finished.push(manifest);
  }

  private book({ id, inputBytes }: Manifest, position: number, done: boolean): void {
    const rest = { fingerprint: '', fingerprintLength: 0, generation: 0, inputBytes, referenceMs: 0 };
    this.spools.set(id, { file: id, path: id, ...rest, position, done });
  }
}

// Files that are being written: read on as they grow, through rotation and truncation, until the run is stopped.

import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDynamicPattern } from 'tinyglobby';
import { SNIFF_BYTES } from '../model/sniff.ts';
import { discoverPresent, siblings, sizeOf } from './discover.ts';
import { inputsOf, settingsOf } from './files.ts';
import { Followed, type FollowKit } from './followed.ts';
import { beginsAs, FileRegistry } from './identity.ts';
import { checkReadable, openInput } from './input.ts';
import { formatOf, isBlank, type Opened, openStream } from './reading.ts';
import { replayRanges } from './replay.ts';
import type { FileProgress, Range, Source, SourceBatch, SourceNote, SourceOptions } from './source.ts';
import { Waker } from './waker.ts';

const POLL_MS = 250;

export class FollowSource implements Source {
  readonly name: string;
  readonly index: number;
  readonly bounded = false;
  private readonly options: SourceOptions;
  private readonly registry: FileRegistry;
  private readonly told: SourceNote[] = [];
  /** Open files by inode: a file stays the same when it is renamed. */
  private readonly active = new Map<string, Followed>();
  /** Inodes that were looked at and left, with the size they had then. */
  private readonly left = new Map<string, number>();
  /** Inodes of files that were truncated: what they hold now is a new file, however alike it begins. */
  private readonly cutOff = new Set<string>();

  constructor(options: SourceOptions) {
    this.options = options;
    this.name = options.definition.name;
    this.index = options.index;
    this.registry = new FileRegistry(this.name);
  }

  async *batches(progress: ReadonlyMap<string, FileProgress>, signal: AbortSignal): AsyncGenerator<SourceBatch> {
    this.registry.load(progress);
    await this.checkInputs();
    const waker = new Waker();
    try {
      await this.adoptRotated();
      while (!signal.aborted) {
        await this.discover();
        waker.watch(new Set([...this.active.values()].map((followed) => dirname(followed.path))));
        let any = false;
        for (const followed of this.inOrder()) {
          for await (const batch of followed.news(signal)) {
            any = true;
            yield batch;
          }
          if (signal.aborted) return;
          if (followed.finished) await this.leave(followed);
        }
        if (!any) await waker.wait(POLL_MS, signal);
      }
    } finally {
      waker.close();
      for (const followed of this.active.values()) await followed.close();
      this.active.clear();
    }
  }

  replay(ranges: readonly Range[], progress: ReadonlyMap<string, FileProgress>, signal: AbortSignal) {
    this.registry.load(progress);
    return replayRanges(ranges, this.registry, inputsOf(this.options), settingsOf(this.options), signal);
  }

  again(): Source {
    return new FollowSource(this.options);
  }

  files(): ReadonlyMap<string, FileProgress> {
    return this.registry.files();
  }

  notes(): readonly SourceNote[] {
    return this.told;
  }

  async totalBytes(): Promise<number> {
    return sizeOf(await discoverPresent(inputsOf(this.options)));
  }

  async committed(): Promise<void> {}

  /** A named file must be there; what a glob will match may come later. Folders and forbidden files fail at once. */
  private async checkInputs(): Promise<void> {
    for (const input of inputsOf(this.options)) {
      if (existsSync(input) || !isDynamicPattern(input)) await checkReadable(input);
      else if ((await discoverPresent([input])).length === 0) {
        this.note('waiting', input, 'matches no file yet; waiting for one.');
      }
    }
  }

  /** Files that were rotated away while nothing ran: what is left of them is read before what replaced them. */
  private async adoptRotated(): Promise<void> {
    for (const file of this.registry.files().values()) {
      if (file.done || file.position === 0) continue;
      if (await this.begins(file.path, file)) continue;
      for (const path of await siblings(file.path)) {
        if (!(await this.begins(path, file))) continue;
        await this.attach(path, true);
        break;
      }
    }
  }

  /** What was rotated away comes before what replaced it; then name order. */
  private inOrder(): readonly Followed[] {
    const rank = (followed: Followed): number => (followed.rotated ? 0 : 1);
    return [...this.active.values()].sort((a, b) => rank(a) - rank(b) || (a.path < b.path ? -1 : 1));
  }

  private async begins(path: string, file: FileProgress): Promise<boolean> {
    const input = await openInput(path).catch(() => null);
    if (input === null) return false;
    const opened = await openStream(input);
    opened.reader.close();
    await input.close();
    return beginsAs(file, opened.head);
  }

  private async discover(): Promise<void> {
    for (const path of await discoverPresent(inputsOf(this.options))) {
      const about = await stat(path).catch(() => null);
      if (about === null || about.isDirectory()) continue;
      const inode = `${about.dev}:${about.ino}`;
      const followed = this.active.get(inode);
      if (followed !== undefined) followed.rename(path);
      else if (about.size > 0 && this.left.get(inode) !== about.size) await this.attach(path, false);
    }
  }

  private async attach(path: string, rotated: boolean): Promise<void> {
    const input = await openInput(path).catch(() => null);
    if (input === null) return; // gone again, or not readable now
    if (this.active.has(input.inode)) return input.close();
    const size = await input.size();
    const opened = await openStream(input);
    const file = this.identify(opened, size);
    if (file === null) {
      opened.reader.close();
      await input.close();
      return;
    }
    const kit: FollowKit = {
      registry: this.registry,
      settings: settingsOf(this.options),
      now: this.options.now,
      note: (code, at, message) => this.note(code, at, message),
    };
    const followed = new Followed(opened, file, kit, rotated);
    this.active.set(input.inode, followed);
    this.left.delete(input.inode);
  }

  /** The file's identity, or null when there is not enough of it to tell, or nothing new in it. */
  private identify(opened: Opened, size: number): FileProgress | null {
    const { head, input, unreadable, compression } = opened;
    const { registry } = this;
    const now = this.options.now();
    const leave = (): null => {
      this.left.set(input.inode, size);
      return null;
    };
    if (head.length === 0 || unreadable !== null) return leave();
    const { format } = this.options.definition;
    const undecided = head.length < SNIFF_BYTES && !head.includes(10);
    if (undecided && formatOf(format, opened) === null) return leave();
    if (format === 'auto' && isBlank(head)) return leave();
    const found = registry.find(head, input.path);
    const known = found?.formatUnknown && formatOf(format, opened) !== null ? null : found;
    if (known === null || this.cutOff.delete(input.inode)) return registry.create(head, input.path, now);
    for (const other of this.active.values()) if (other.file === known.file) return null; // a copy: when that one is left
    if (compression === 'none' && size < known.position) {
      if (known.path === input.path) return registry.create(head, input.path, now);
      this.note('already_read', input.path, `begins as ${known.path}, which was read; it is left out.`);
      return leave();
    }
    return registry.meet(known, head, input.path, now);
  }

  private async leave(followed: Followed): Promise<void> {
    this.active.delete(followed.inode);
    if (followed.finished === 'replaced') this.cutOff.add(followed.inode);
    else this.left.set(followed.inode, await followed.size());
    await followed.close();
  }

  private note(code: SourceNote['code'], path: string, message: string): void {
    if (this.told.some((note) => note.code === code && note.path === path)) return;
    this.told.push({ code, path, message });
  }
}

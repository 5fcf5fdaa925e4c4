// How far a lane has come in every file (or partition) of its sources: as read, and as of the last closed block.

import type { FileProgress, Source } from '../sources/source.ts';
import type { JournalPart } from './journal.ts';
import type { Commit } from './ledger.ts';

type Files = Map<string, FileProgress>;
type Named = readonly (readonly [source: string, file: FileProgress])[];

export class Positions {
  private readonly lane: string;
  private readonly sources: readonly Source[];
  /** Position of every file as of the last closed block, by source. */
  private readonly closed = new Map<string, Files>();
  /** The same as far as the input has been read; runs ahead by what is in flight. */
  private readonly read = new Map<string, Files>();
  private readonly journaled = new Set<string>();

  constructor(lane: string, sources: readonly Source[], committed: Named) {
    this.lane = lane;
    this.sources = sources;
    for (const { name } of sources) {
      this.closed.set(name, new Map());
      this.read.set(name, new Map());
    }
    for (const named of committed) this.know(named);
    this.foresee(committed);
  }

  sourceOf(name: string): Source {
    const source = this.sources.find((own) => own.name === name);
    if (!source) throw new Error(`the journal of lane ${this.lane} names a source that is not configured: ${name}`);
    return source;
  }

  /** Where reading goes on. */
  ahead({ name }: Source): ReadonlyMap<string, FileProgress> {
    return this.read.get(name) ?? new Map();
  }

  /** Files that a journaled block names: it is about to be read again. */
  foresee(files: Named): void {
    for (const [source, file] of files) this.read.get(source)?.set(file.file, file);
  }

  moveAhead(part: JournalPart): void {
    advance(this.read.get(part.source), this.sourceOf(part.source), part.ranges);
  }

  /** A block was closed; `files` are those that its journal entry describes, if it is repeated. */
  close(parts: readonly JournalPart[], files: Named): void {
    for (const named of files) this.know(named);
    for (const { source, ranges } of parts) advance(this.closed.get(source), this.sourceOf(source), ranges);
  }

  /** Files of a new block that no journal entry has described so far; they are from now on. */
  newFiles(parts: readonly JournalPart[]): Named {
    const fresh: (readonly [string, FileProgress])[] = [];
    for (const { source, ranges } of parts) {
      const seen = this.sourceOf(source).files();
      for (const { file } of ranges) {
        const meta = seen.get(file);
        if (!meta || this.journaled.has(file)) continue;
        this.journaled.add(file);
        fresh.push([source, { ...meta, position: 0, done: false }]);
      }
    }
    return fresh;
  }

  /** Every known file at the position of the last closed block; done only when the source has nothing after it. */
  snapshot(): Commit['files'] {
    return this.sources.flatMap((source) => {
      const seen = source.files();
      const at = this.closed.get(source.name) ?? new Map<string, FileProgress>();
      return [...new Set([...at.keys(), ...seen.keys()])].flatMap((id) => {
        const meta = seen.get(id) ?? at.get(id);
        if (!meta) return [];
        const position = at.get(id)?.position ?? 0;
        return [[source.name, { ...meta, position, done: meta.done && meta.position === position }] as const];
      });
    });
  }

  private know([source, file]: Named[number]): void {
    const known = this.closed.get(source) ?? new Map<string, FileProgress>();
    this.closed.set(source, known);
    known.set(file.file, file);
    this.journaled.add(file.file);
  }
}

/** Moves files to the end of `ranges`; a file that is new takes its description from the source. */
function advance(files: Files | undefined, source: Source, ranges: JournalPart['ranges']): void {
  for (const { file, to } of ranges) {
    const known = files?.get(file) ?? source.files().get(file);
    if (known) files?.set(file, { ...known, position: to, done: false });
  }
}

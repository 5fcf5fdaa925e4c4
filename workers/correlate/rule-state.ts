// What one rule remembers of one tenant: a window for each group, and its open alerts.

import type { Found, JudgedWindow } from '../../rules/correlate/judged-window.ts';
import { isJudgedWindow } from '../../rules/correlate/kinds.ts';
import type { Window, WindowResult } from '../../rules/correlate/window.ts';
import type { ByteWriter } from '../../src/model/bytes.ts';
import { hash128, hashWords } from '../../src/model/hash.ts';
import type { HitsReader } from '../../src/model/hits.ts';
import { AlertBook } from './alert-book.ts';
import { type ByteReader, DamagedSnapshot } from './byte-reader.ts';
import type { Clock } from './clock.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { DueHeap } from './due-heap.ts';
import { EvidencePool, type EvidenceReference, type StreamNames } from './evidence-pool.ts';
import { GroupTable } from './group-table.ts';
import type { OpenAlert } from './open-alert.ts';

export interface GroupLimits {
  readonly groups: number;
  /** Window entries over all groups. */
  readonly entries: number;
  /** Evidence references a group. */
  readonly references: number;
}

/** Groups are looked through for dead ones after this many events, or as many as there are groups. */
const SWEEP_EVERY = 4096;

/** The format version from which on windows of judged rules are what they are. */
const JUDGED_SINCE = 4;

export class RuleState {
  compiled: CompiledRule;
  readonly book = new AlertBook();
  readonly groups = new GroupTable<Window>();
  readonly pool = new EvidencePool();
  /** Clocks of the datasets that have fed the rule. */
  readonly clocks: Clock[] = [];
  /** Of a judged rule: its groups by their next moments. */
  private readonly due = new DueHeap();
  /** Row of the last `feed`; -1 when the event had been counted. */
  private row = -1;
  private entries = 0;
  private sinceSweep = 0;
  /** Event and group of the last feed: see CompiledRule.oncePerEvent. */
  private lastEvent = -1;
  private readonly lastKey = new Uint32Array(4);

  constructor(compiled: CompiledRule) {
    this.compiled = compiled;
  }

  /** Takes an event into the window of its group. Returns the group's row when the condition holds, else -1. */
  feed(
    key: Uint8Array,
    serial: number,
    clock: Clock,
    timeMs: number,
    value: number,
    item: number,
    result: WindowResult,
  ): number {
    const { compiled, groups, lastKey } = this;
    hash128(key, 0, key.length, 0);
    if (compiled.oncePerEvent) {
      const same =
        lastKey[0] === hashWords[0] &&
        lastKey[1] === hashWords[1] &&
        lastKey[2] === hashWords[2] &&
        lastKey[3] === hashWords[3];
      if (same && this.lastEvent === serial) return this.skip();
      this.lastEvent = serial;
      lastKey.set(hashWords);
    }
    this.row = groups.find();
    if (this.row < 0) this.row = groups.add(compiled.kind.make(), timeMs);
    this.follow(clock);
    const window = groups.items[this.row];
    const before = window.size;
    const holds = window.add(timeMs, value, item, compiled.shape, result);
    this.entries += window.size - before;
    if (isJudgedWindow(window)) {
      if (window.key.length === 0) window.key = key.slice();
      this.due.note(window);
    }
    if (timeMs > groups.last[this.row]) groups.last[this.row] = timeMs;
    return holds ? this.row : -1;
  }

  /** The rule waits for this clock too, before it says that something did not happen. */
  follow(clock: Clock): void {
    if (this.clocks[0] !== clock && !this.clocks.includes(clock)) this.clocks.push(clock);
  }

  /** Of a judged rule: no group has a moment before this. */
  get dueMs(): number {
    return this.due.dueMs;
  }

  /** Judges every moment before `beforeMs`. `found` is told the group; those that are over are forgotten. */
  judge(beforeMs: number, found: (window: JudgedWindow, ...of: Parameters<Found>) => void): void {
    for (let window = this.due.next(beforeMs); window !== undefined; window = this.due.next(beforeMs)) {
      const before = window.size;
      const of = window;
      window.judge(beforeMs, this.compiled.shape, (...what) => found(of, ...what));
      this.entries += window.size - before;
      if (window.dueMs < Infinity) this.due.note(window);
      else this.remove(this.rowOf(window));
    }
  }

  /** The row of a window that has a key. */
  rowOf({ key }: JudgedWindow): number {
    hash128(key, 0, key.length, 0);
    return this.groups.find();
  }

  private skip(): number {
    this.row = -1;
    return -1;
  }

  /** References to earlier events of a group, within the window that ends at `endMs`. */
  references(row: number, endMs: number, names: StreamNames): EvidenceReference[] {
    // What is judged may be that nothing came: then the last events before the silence speak for the group.
    const from = this.compiled.judged ? -Infinity : endMs - (this.compiled.shape.timespanMs || Infinity);
    return this.pool.list(this.groups.tails[row], names).filter(({ timeMs }) => timeMs > from && timeMs <= endMs);
  }

  /** Notes the event of the last `feed` for later alerts of its group. */
  note(limit: number, reader: HitsReader, event: number, stream: number): void {
    const { groups, row } = this;
    if (row < 0 || limit === 0) return;
    const full = groups.counts[row] >= limit;
    groups.tails[row] = this.pool.add(groups.tails[row], full, reader, event, stream);
    if (!full) groups.counts[row]++;
  }

  /** Keeps to the budget: groups that no event can reach any more go first, then the oldest. Returns how many of those. */
  trim(limits: GroupLimits): number {
    const { groups } = this;
    const over = groups.size > limits.groups || this.entries > limits.entries;
    if (!over && ++this.sinceSweep < Math.max(SWEEP_EVERY, groups.size)) return 0;
    this.sinceSweep = 0;
    this.sweep();
    let evicted = 0;
    if (groups.size > limits.groups) {
      evicted += this.evict(groups.size - Math.max(1, Math.floor((limits.groups * 15) / 16)));
    }
    while (this.entries > limits.entries && groups.size > 1) evicted += this.evict(Math.ceil(groups.size / 16));
    return evicted;
  }

  renameStreams(rename: (stream: number) => number): void {
    for (let row = 0; row < this.groups.size; row++) this.pool.rename(this.groups.tails[row], rename);
  }

  save(out: ByteWriter, streamOf: (stream: number) => number): void {
    const { groups } = this;
    out.varint(this.book.table.size);
    for (const open of this.book.table.items)
      out.string(JSON.stringify({ ...open, book: 0, clock: open.clock.dataset }));
    out.varint(this.sinceSweep);
    out.varint(this.clocks.length);
    for (const clock of this.clocks) out.string(clock.dataset);
    out.varint(groups.size);
    const numbers: number[] = [];
    for (let row = 0; row < groups.size; row++) {
      for (let i = 0; i < 4; i++) out.u32(groups.keyWord(row, i));
      out.f64(groups.last[row]);
      numbers.length = 0;
      groups.items[row].save(numbers);
      putNumbers(out, numbers);
      numbers.length = 0;
      this.pool.save(groups.tails[row], numbers, streamOf);
      putNumbers(out, numbers);
    }
  }

  /** Reads what `save` wrote into an empty state. */
  load(reader: ByteReader, streams: readonly number[], clockOf: (dataset: string) => Clock, version: number): void {
    loadAlerts(reader, this.book, clockOf);
    this.sinceSweep = reader.varint();
    for (let count = reader.varint(); count > 0; count--) this.clocks.push(clockOf(reader.string()));
    for (let count = reader.varint(); count > 0; count--) {
      for (let i = 0; i < 4; i++) hashWords[i] = reader.u32();
      const last = reader.f64();
      const numbers = reader.numbers();
      const references = reader.numbers();
      // Before this version such a rule counted as events came: its windows begin anew, its alerts stay.
      if (this.compiled.judged && version < JUDGED_SINCE) continue;
      const window = this.compiled.kind.load(numbers);
      const row = this.groups.add(window, last);
      this.groups.tails[row] = this.pool.load(references, streams);
      this.groups.counts[row] = references.length / 7;
      this.entries += window.size;
      if (isJudgedWindow(window)) this.due.note(window);
    }
    if (!reader.done) throw new DamagedSnapshot('the correlation snapshot has bytes too many');
  }

  private sweep(): void {
    const { timespanMs, retentionMs } = this.compiled.shape;
    if (timespanMs <= 0) return; // first_seen without a timespan remembers for good
    if (this.compiled.judged) return; // its groups go when they have been judged
    let slowest = Infinity;
    for (const clock of this.clocks) slowest = Math.min(slowest, clock.maxMs);
    const dead = slowest - retentionMs;
    for (let row = this.groups.size - 1; row >= 0; row--) if (this.groups.last[row] <= dead) this.remove(row);
  }

  private evict(count: number): number {
    const rows = this.groups.oldest(count);
    for (const row of rows) this.remove(row);
    return rows.length;
  }

  private remove(row: number): void {
    const window = this.groups.items[row];
    this.entries -= window.size;
    if (isJudgedWindow(window)) this.due.forget(window);
    this.pool.release(this.groups.tails[row]);
    this.groups.remove(row);
  }
}

/** The alerts are the first part of what `RuleState.save` wrote, and can be read without the rule. */
export function loadAlerts(reader: ByteReader, book: AlertBook, clockOf: (dataset: string) => Clock): void {
  for (let count = reader.varint(); count > 0; count--) {
    const saved = JSON.parse(reader.string()) as Omit<OpenAlert, 'clock'> & { clock: string };
    book.adopt({ ...saved, closeMs: saved.closeMs ?? Infinity, book, clock: clockOf(saved.clock) });
  }
}

function putNumbers(out: ByteWriter, numbers: readonly number[]): void {
  out.varint(numbers.length);
  for (const number of numbers) out.f64(number);
}

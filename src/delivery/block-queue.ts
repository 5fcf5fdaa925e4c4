// Journaled blocks of a lane on their way into the stores: one after the other, a few behind the lane, then their commit.

import type { OutputName } from '../model/outputs.ts';
import { Pulse } from '../model/pulse.ts';
import type { BlockEffects } from '../model/work.ts';
import type { StoreBlock } from '../sinks/sink.ts';
import type { OpenBlock, Regime } from './block.ts';
import type { BlockWriter } from './block-writer.ts';
import { discard } from './discard.ts';
import type { JournalEntry } from './journal.ts';
import type { LaneParts } from './lane.ts';
import type { Commit } from './ledger.ts';

/**
 * Blocks that may be in flight to the stores before the lane waits (guarantee 4): so many full ones, or more small ones that have as
 * many rows together. So a slow flow store holds up a lane's alerts only when there is really much that waits for it.
 */
const FULL_BLOCKS = 2;
const MOST_BLOCKS = 30;

/** What somebody waits for. */
const URGENT: ReadonlySet<OutputName> = new Set(['threat_analytics', 'alerts', 'alert_messages']);

export class BlockQueue {
  /** Set once anything goes wrong, here or in the lane: nothing more is written. */
  failed: unknown = null;
  private readonly parts: LaneParts;
  private readonly writer: BlockWriter;
  private writing: Promise<void> = Promise.resolve();
  /** A block has left the queue. */
  private readonly left = new Pulse();
  private readonly inFlight: { readonly rows: number; readonly commit: boolean }[] = [];

  constructor(parts: LaneParts, writer: BlockWriter) {
    this.parts = parts;
    this.writer = writer;
  }

  /** Blocks in flight. */
  get unwritten(): number {
    return this.inFlight.length;
  }

  /** A commit is on its way: it holds a copy of the lane's state. */
  get committing(): boolean {
    return this.inFlight.some(({ commit }) => commit);
  }

  throwIfFailed(): void {
    if (this.failed) throw this.failed;
  }

  /** Resolves when there is room for another block; throws once failed. `files`: how far they were read with this block. */
  async add(
    block: OpenBlock,
    entry: JournalEntry,
    files: Commit['files'],
    journaled: Promise<BlockEffects>,
  ): Promise<void> {
    const flight = { rows: block.rows, commit: entry.commit };
    this.inFlight.push(flight);
    const previous = this.writing;
    this.writing = this.store(block, entry, files, journaled, previous)
      .catch((error: unknown) => {
        this.failed ??= error;
      })
      .finally(() => {
        this.inFlight.splice(this.inFlight.indexOf(flight), 1);
        this.left.fire();
      });
    while (this.full) await this.left.wait();
    this.throwIfFailed();
  }

  private get full(): boolean {
    const rows = this.inFlight.reduce((sum, block) => sum + block.rows, 0);
    const many = rows > FULL_BLOCKS * this.parts.settings.blockRows;
    return this.unwritten > MOST_BLOCKS || (this.unwritten > FULL_BLOCKS && many);
  }

  /** All that was added is stored and committed; throws once failed. */
  async written(): Promise<void> {
    await this.writing;
    this.throwIfFailed();
  }

  async persist(
    seq: number,
    { control, parked = [] }: Partial<Regime> & Pick<Regime, 'control'>,
    files: Commit['files'],
    state: Uint8Array | null,
  ): Promise<void> {
    const { log, reach } = this.parts;
    reach('before-commit');
    await log.save({ version: 1, seq, control, ...(parked.length > 0 ? { parked } : {}), files, state });
  }

  private async store(
    block: OpenBlock,
    entry: JournalEntry,
    files: Commit['files'],
    journaled: Promise<BlockEffects>,
    previous: Promise<void>,
  ): Promise<void> {
    const { name, router, observer, settings } = this.parts;
    const effects = await journaled;
    const inserts = block.inserts(name, entry, effects.rows);
    const stored = new Map<string, number>();
    const ahead = inserts.filter(({ table }) => settings.alertsAhead && URGENT.has(table));
    const alerts = this.write(ahead, entry, stored);
    alerts.catch(() => {}); // told below
    await previous;
    if (this.failed) return;
    const others = inserts.filter((insert) => !ahead.includes(insert));
    await this.write(others, entry, stored);
    await alerts;
    for (const { chunks, parcels = [] } of inserts) {
      discard(chunks);
      await router.forget(parcels);
    }
    observer.stored(effects, stored, name);
    if (effects.snapshot) await this.persist(entry.seq, entry, files, effects.snapshot);
  }

  /** Writes inserts one after the other; adds up rows in `stored`, by table. */
  private async write(inserts: readonly StoreBlock[], entry: JournalEntry, stored: Map<string, number>): Promise<void> {
    const { reach, observer } = this.parts;
    for (const insert of inserts) {
      reach('before-insert');
      const refused = await this.writer.write(insert, entry);
      reach('after-insert');
      stored.set(insert.table, (stored.get(insert.table) ?? 0) + insert.rows - refused);
      if (refused > 0) observer.refused(refused);
    }
  }
}

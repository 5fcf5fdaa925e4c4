// The packets of one exporter (or observation domain of it), by what it counts: what was lost, and how often it began anew.
//
// Mostly that is one numbering. A second one far from it may be the exporter after a restart, a long gap, or another part of it
// (a line card, an engine) whose number the collector does not hand on. It is followed for a while before that is decided: where
// the old one has fallen silent it was a restart, or a gap when the new one is ahead; where both go on, each counts for itself.

import { distance, type Runs } from '../model/sequence-runs.ts';
import { SequenceTrack } from './sequence-track.ts';

/** How many packets may come before one that is late, when all come the same way. */
const REACH = 256;
/** The same for partitions, which are read in turns of thousands of records. */
const REACH_SPREAD = 16 * REACH;
/** Packets of a numbering after which it is one. */
const CONFIRM = 16;
/** Batches in which two numberings went on, after which they are two: the last packets before a restart may be late. */
const TOGETHER = 16;
/** A packet has up to about 30 records, of which those that count records are told. */
const RECORDS = 32;
/** Ahead by more is a numbering that began anyhow, not a gap: no outage is that long. */
const LONGEST_GAP = 2 ** 24;
const MOST_TRACKS = 3;

export interface Tally {
  readonly lost: number;
  readonly restarts: number;
}

export class SequenceStream {
  private readonly flows: boolean;
  /** Last heard first. */
  private tracks: SequenceTrack[] = [];
  private lost = 0;
  private restarts = 0;

  constructor(flows: boolean) {
    this.flows = flows;
  }

  /** What is missing and may come yet. */
  get open(): number {
    return this.tracks.reduce((sum, track) => sum + (track.confirmed ? track.open : 0), 0);
  }

  /** Runs of one batch. `spread`: its packets come by several partitions. Returns what has become certain with it. */
  add(runs: Runs, spread: boolean): Tally {
    const scale = this.flows ? RECORDS : 1;
    const reach = (spread ? REACH_SPREAD : REACH) * scale;
    const heard = new Set<SequenceTrack>();
    for (let at = 0; at < runs.length; at += 3) heard.add(this.place(runs.slice(at, at + 3), reach));
    this.judge(heard, CONFIRM * scale);
    for (const track of this.tracks) {
      track.settle(reach);
      if (track.confirmed) this.lost += track.take();
    }
    const tally = { lost: this.lost, restarts: this.restarts };
    this.lost = 0;
    this.restarts = 0;
    return tally;
  }

  private place(run: Runs, reach: number): SequenceTrack {
    let nearest: SequenceTrack | null = null;
    let away = reach;
    for (const track of this.tracks) {
      const own = track.away(run[0]);
      if (own >= away) continue;
      nearest = track;
      away = own;
    }
    if (nearest !== null) {
      nearest.add(run);
      return nearest;
    }
    const track = new SequenceTrack(run, this.flows);
    track.confirmed = this.tracks.length === 0;
    if (this.tracks.length === MOST_TRACKS) this.drop();
    this.tracks.push(track);
    return track;
  }

  /** Makes room: the one not heard for longest, and rather one that never became a numbering. */
  private drop(): void {
    const doubtful = this.tracks.findLastIndex(({ confirmed }) => !confirmed);
    this.tracks.splice(doubtful < 0 ? this.tracks.length - 1 : doubtful, 1);
  }

  /** Decides what the numberings are that this batch had something of. */
  private judge(heard: ReadonlySet<SequenceTrack>, enough: number): void {
    const before = this.tracks.filter((track) => !heard.has(track));
    this.tracks = [...heard, ...before];
    for (const track of this.tracks) {
      // The order inside a batch is not known: with several in it, none came alone.
      if (heard.size === 1 && heard.has(track)) continue;
      track.aloneFrom = track.head;
      track.together++;
    }
    for (const track of heard) {
      if (track.confirmed) continue;
      if (track.head - track.aloneFrom >= enough) this.succeed(track);
      else if (track.together >= TOGETHER && track.head - track.start >= enough) track.confirmed = true;
    }
  }

  /** The numbering takes the place of all others: they have fallen silent. */
  private succeed(track: SequenceTrack): void {
    const former = this.tracks.find(({ confirmed }) => confirmed);
    for (const other of this.tracks) {
      if (other === track || !other.confirmed) continue;
      other.settle(0);
      this.lost += other.take();
    }
    if (former !== undefined) {
      const gap = distance(track.start >>> 0, former.head >>> 0);
      if (gap > 0 && gap <= LONGEST_GAP) this.lost += gap;
      else this.restarts++;
    }
    track.confirmed = true;
    this.tracks = [track];
  }
}

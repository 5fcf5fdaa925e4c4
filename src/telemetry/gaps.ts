// What exporters sent and never came, told by their sequence numbers, as metrics. Batches of all lanes of this process are put
// together here: a few numbers a run of packets, never one an event. Bounded: exporters most recently heard, a few numberings each.

import { LRUCache } from 'lru-cache';
import { countsFlows, endOf } from '../model/sequence-runs.ts';
import type { SequenceSight } from '../model/work.ts';
import type { Metrics } from './registry.ts';
import { SequenceStream } from './sequence-stream.ts';

/** Types and observation domains of an exporter that are followed. */
const MOST_STREAMS = 8;
/** Names are what records say; addresses are shorter. */
const LONGEST_NAME = 64;
/** Numbers after which older ones weigh half, in the share that is missing. */
const MEMORY = 100_000;
const UNITS = ['flows', 'packets'] as const;

interface Known {
  readonly tenant: string;
  readonly exporter: string;
  readonly streams: Map<string, SequenceStream>;
  /** Partitions that its records came by. */
  readonly lanes: Set<string>;
  came: number;
  missing: number;
}

export class Gaps {
  /** Whether this process reads every partition. */
  readsAll: () => boolean = () => true;
  private readonly metrics: Metrics;
  private readonly known: LRUCache<string, Known> | null;
  /** How many devices share a series: tenants that are not told apart are one, "other". */
  private readonly series = new Map<string, number>();

  /** `most` = 0: none. */
  constructor(metrics: Metrics, most: number) {
    this.metrics = metrics;
    const dispose = (known: Known): void => this.forget(known);
    this.known = most > 0 ? new LRUCache<string, Known>({ max: most, dispose, noDisposeOnSet: true }) : null;
  }

  /** Those of one batch, which came by `lane`: a partition, or '' for what has none. */
  note(sights: readonly SequenceSight[], lane: string): void {
    for (const sight of sights) {
      const known = this.find(sight);
      if (known === null) return;
      known.lanes.add(lane);
      const spread = known.lanes.size > 1;
      const whole = this.readsAll();
      if (spread && !whole) {
        // The rest of its packets is read elsewhere: nothing can be told here, and nothing of now may count later.
        known.streams.clear();
        continue;
      }
      this.count(known, sight, spread, whole);
    }
  }

  private count(known: Known, { type, domain, runs }: SequenceSight, spread: boolean, whole: boolean): void {
    const flows = countsFlows(type);
    const key = `${type} ${domain}`;
    let stream = known.streams.get(key);
    if (stream === undefined) {
      if (known.streams.size >= MOST_STREAMS) return;
      stream = new SequenceStream(flows);
      known.streams.set(key, stream);
    }
    const { lost, restarts } = stream.add(runs, spread);
    let came = 0;
    for (let at = 0; at < runs.length; at += 3) came += endOf(runs, at, flows) - runs[at];
    known.came += came;
    known.missing += lost;
    // By one of several partitions at random, half or more is missing here and nothing is lost.
    const elsewhere = !whole && (known.missing + stream.open) * 3 > known.came;
    if (known.came > MEMORY) {
      known.came /= 2;
      known.missing /= 2;
    }
    if (elsewhere) return;
    const { tenant, exporter } = known;
    const unit = UNITS[flows ? 0 : 1];
    this.metrics.add('weir_exporter_numbered_total', came, { tenant, exporter, unit });
    this.metrics.add('weir_exporter_lost_total', lost, { tenant, exporter, unit });
    this.metrics.add('weir_exporter_restarts_total', restarts, { tenant, exporter });
  }

  private find({ owner, tenant, exporter: name }: SequenceSight): Known | null {
    if (this.known === null) return null;
    const exporter = name.slice(0, LONGEST_NAME);
    const key = `${owner} ${exporter}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const made: Known = { tenant, exporter, streams: new Map(), lanes: new Set(), came: 0, missing: 0 };
    const series = seriesOf(made);
    this.series.set(series, (this.series.get(series) ?? 0) + 1);
    this.known.set(key, made);
    return made;
  }

  private forget(known: Known): void {
    const { tenant, exporter } = known;
    const series = seriesOf(known);
    const others = (this.series.get(series) ?? 1) - 1;
    if (others > 0) {
      this.series.set(series, others);
      return;
    }
    this.series.delete(series);
    for (const unit of UNITS) {
      this.metrics.remove('weir_exporter_numbered_total', { tenant, exporter, unit });
      this.metrics.remove('weir_exporter_lost_total', { tenant, exporter, unit });
    }
    this.metrics.remove('weir_exporter_restarts_total', { tenant, exporter });
  }
}

const seriesOf = ({ tenant, exporter }: Known): string => `${tenant} ${exporter}`;

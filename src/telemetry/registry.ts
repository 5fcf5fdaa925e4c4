// Keeps the values of the catalogue's metrics. What has a value at any time (memory, lag) is asked for when it is scraped.

import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { type LabelsOf, METRICS, type MetricName } from './metrics.ts';

/** Inserts take from milliseconds to a server's time-out. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Values that a label takes beyond a configured set (codes of servers) before further ones become `other`. */
const MOST_VALUES = 64;

export class Metrics {
  private readonly registry = new Registry();
  private readonly counters = new Map<string, Counter>();
  private readonly gauges = new Map<string, Gauge>();
  private readonly histograms = new Map<string, Histogram>();
  private readonly refreshers: (() => void)[] = [];
  private readonly known = new Map<string, Set<string>>();

  constructor() {
    for (const [name, { type, labels, help }] of Object.entries(METRICS)) {
      const options = { name, help, labelNames: [...labels], registers: [this.registry] };
      if (type === 'counter') this.counters.set(name, new Counter(options));
      else if (type === 'gauge') this.gauges.set(name, new Gauge(options));
      else this.histograms.set(name, new Histogram({ ...options, buckets: SECONDS }));
    }
  }

  add<N extends MetricName>(name: N, value: number, ...labels: LabelsOf<N>): void {
    if (value > 0) this.counters.get(name)?.inc(labels[0] ?? {}, value);
  }

  /** A counter that something else counts: its value as of now. */
  total<N extends MetricName>(name: N, value: number, ...labels: LabelsOf<N>): void {
    const counter = this.counters.get(name);
    counter?.remove(labels[0] ?? {});
    counter?.inc(labels[0] ?? {}, value);
  }

  set<N extends MetricName>(name: N, value: number, ...labels: LabelsOf<N>): void {
    this.gauges.get(name)?.set(labels[0] ?? {}, value);
  }

  observe<N extends MetricName>(name: N, value: number, ...labels: LabelsOf<N>): void {
    this.histograms.get(name)?.observe(labels[0] ?? {}, value);
  }

  /** Forgets all series of a gauge, before it is set anew. */
  clear(name: MetricName): void {
    this.gauges.get(name)?.reset();
  }

  /** Forgets one series. */
  remove<N extends MetricName>(name: N, ...labels: LabelsOf<N>): void {
    (this.counters.get(name) ?? this.gauges.get(name))?.remove(labels[0] ?? {});
  }

  /** `value` as a label, or 'other' when the label has taken too many values already. */
  bounded(label: string, value: string): string {
    const seen = this.known.get(label) ?? new Set();
    this.known.set(label, seen);
    if (seen.has(value)) return value;
    if (seen.size >= MOST_VALUES) return 'other';
    seen.add(value);
    return value;
  }

  /** Called before every exposition, to set what is not counted. */
  onScrape(refresh: () => void): void {
    this.refreshers.push(refresh);
  }

  /** Prometheus text exposition. */
  text(): Promise<string> {
    for (const refresh of this.refreshers) refresh();
    return this.registry.metrics();
  }
}

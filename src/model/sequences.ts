// The sequence numbers of a batch's records, by exporter: a decoder notes each, and the batch gives runs.

import { countsFlows, distance, joinRuns, type Runs } from './sequence-runs.ts';

/** Numbers of one exporter, tenant, type and domain of a batch. Ids are the dictionary's. */
export interface SequenceGroup {
  readonly exporter: number;
  /** Index into the snapshot's tenants. */
  readonly tenant: number;
  readonly type: number;
  /** IPFIX's observation domain; 0 where the collector names none. */
  readonly domain: number;
  /** Numbers as they came, and how many records in a row had each. */
  readonly numbers: number[];
  readonly counts: number[];
}

/** Most groups of a batch; those beyond, made up most likely, are not told apart and so not counted. */
const MOST_GROUPS = 1024;

export class Sequences {
  private groups: SequenceGroup[] = [];
  private readonly byExporter = new Map<number, SequenceGroup[]>();
  private last: SequenceGroup | null = null;

  /** One record. Its packet's other records mostly are next to it, and cost a few comparisons. */
  note(exporter: number, tenant: number, type: number, domain: number, number: number): void {
    let group = this.last;
    if (
      group === null ||
      group.exporter !== exporter ||
      group.tenant !== tenant ||
      group.type !== type ||
      group.domain !== domain
    ) {
      group = this.find(exporter, tenant, type, domain);
      if (group === null) return;
      this.last = group;
    }
    const { numbers, counts } = group;
    const end = numbers.length - 1;
    if (end >= 0 && numbers[end] === number) counts[end]++;
    else {
      numbers.push(number);
      counts.push(1);
    }
  }

  get all(): readonly SequenceGroup[] {
    return this.groups;
  }

  reset(): void {
    if (this.groups.length === 0) return;
    this.groups = [];
    this.byExporter.clear();
    this.last = null;
  }

  private find(exporter: number, tenant: number, type: number, domain: number): SequenceGroup | null {
    let own = this.byExporter.get(exporter);
    if (own === undefined) {
      own = [];
      this.byExporter.set(exporter, own);
    }
    const known = own.find((group) => group.tenant === tenant && group.type === type && group.domain === domain);
    if (known !== undefined) return known;
    if (this.groups.length >= MOST_GROUPS) return null;
    const group = { exporter, tenant, type, domain, numbers: [], counts: [] };
    own.push(group);
    this.groups.push(group);
    return group;
  }
}

/** Numbers are unwrapped around the first. */
export function runsOf({ type, numbers, counts }: SequenceGroup): Runs {
  const first = numbers[0] ?? 0;
  const away = Float64Array.from(numbers, (number) => distance(number, first));
  const order = Uint32Array.from(numbers.keys());
  if (away.some((value, i) => i > 0 && value < away[i - 1])) order.sort((a, b) => away[a] - away[b]);
  const runs: Runs = [];
  for (const i of order) runs.push(first + away[i], first + away[i], counts[i]);
  return joinRuns(runs, countsFlows(type));
}

// The product's way from raw bytes to hits, as `weir rules match --logsource … --json` goes it: one source a log source.

import type { Rule, RuleLogSource } from '../../rules/model.ts';
import type { RawBatch } from '../../src/model/batch.ts';
import { utf8 } from '../../src/model/bytes.ts';
import { type ControlSnapshot, plainSource, plainTenant } from '../../src/model/control.ts';
import { uuidFrom } from '../../src/model/hash.ts';
import { segment, snapshotOf } from '../../workers/decode/fixture.test-support.ts';
import { RuleRun } from '../../workers/rule-run.ts';
import { LISTS } from './lists.ts';
import { isShown } from './record.ts';

/** Stands in for parts that a rule's log source leaves open: what the record says of itself then cannot change it. */
const OTHER = 'unsaid';

/**
 * When every synthesised record happens, unless its rule says otherwise. Of few digits, since keywords look into numbers: a rule for
 * the word 6 must have events that do not show it.
 */
export const EVENT_MS = 1_777_777_777_777;

export function eventSource({ product, category, service }: RuleLogSource): RuleLogSource {
  return { product: product || OTHER, category: category || OTHER, service: service || OTHER };
}

export interface Shown {
  /** Positions of the rules that hit, ascending. */
  readonly hits: readonly number[];
  /** Why the record was refused; '' when it was not. */
  readonly refused: string;
}

/** Rules by log source of the events that they are shown to, compiled once. */
export class Production {
  private readonly run: RuleRun;
  private readonly sources: readonly RuleLogSource[];
  private batches = 0;

  constructor(rules: readonly Rule[], sources: readonly RuleLogSource[]) {
    this.sources = sources;
    this.run = new RuleRun(snapshotFor(sources), { rules, problems: [] });
  }

  /** Lines are records of the source at `index`. */
  show(index: number, lines: readonly string[]): Shown[] {
    const shown = lines.map(() => ({ hits: [] as number[], refused: '' }));
    const found = this.run.run(this.batchOf(index, lines), (reject) => {
      shown[reject.record - 1].refused = `${reject.code}: ${reject.detail}`;
    });
    for (const { record, rule } of found) shown[record - 1].hits.push(rule.index);
    for (const { hits } of shown) hits.sort((a, b) => a - b);
    return shown;
  }

  /** What of `rules` events of the source are shown to. */
  planOf(index: number, rules: readonly Rule[]): Rule[] {
    return rules.filter((rule) => isShown(rule.logsource, this.sources[index]));
  }

  private batchOf(source: number, lines: readonly string[]): RawBatch {
    const bytes = utf8(lines.map((line) => `${line}\n`).join(''));
    // Its own file, so that records are numbered from 1.
    const one = segment({ end: bytes.length, file: (this.batches++).toString(16).padStart(32, '0'), source });
    return { bytes, segments: [one], appendedAtMs: Date.UTC(2100, 0, 1) };
  }
}

function snapshotFor(sources: readonly RuleLogSource[]): ControlSnapshot {
  return snapshotOf({
    tenants: [{ ...plainTenant(uuidFrom('tenant', 'proof'), 'proof'), lists: LISTS }],
    sources: sources.map((logsource, i) => ({
      ...plainSource(`source-${i}`),
      tenant: 'proof',
      format: 'native-json',
      logsource,
    })),
  });
}

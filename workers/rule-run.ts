// Rules over records without storing anything, through the stages that a run uses: decode, enrich, decide, match, correlate.
// In: raw batches in stream order. Out: which rule hit which record.

import { loadRules } from '../rules/index.ts';
import type { Rule, RuleSet } from '../rules/model.ts';
import type { RawBatch } from '../src/model/batch.ts';
import { type ControlSnapshot, plainTenant } from '../src/model/control.ts';
import { isUuid, uuidFrom } from '../src/model/hash.ts';
import { HitsReader, HitsWriter } from '../src/model/hits.ts';
import type { RejectedRecord } from '../src/model/records.ts';
import { Correlator } from './correlate/index.ts';
import { createMatcher } from './match/index.ts';
import { RecordNumbers } from './record-numbers.ts';
import { createStages, decodeAnew, enrichAndDecide, type Stages } from './stages.ts';

export interface RecordHit {
  /** From 1; see record-numbers.ts. */
  readonly record: number;
  /** File identity, as in `Segment.file`. */
  readonly file: string;
  readonly rule: Rule;
}

export interface RecordReject extends RejectedRecord {
  readonly record: number;
}

/** Guarantee 4: records name their own tenants; those beyond this many are rejected as unknown. */
const MOST_TENANTS = 10_000;

interface RunStages extends Stages {
  readonly matchRules: ReturnType<typeof createMatcher>;
}

export class RuleRun {
  readonly rules: RuleSet;
  /** Records read, and how many of them were rejected, by code. */
  read = 0;
  readonly rejected = new Map<string, number>();
  private snapshot: ControlSnapshot;
  private readonly strangers = new Set<string>();
  private readonly hits = new HitsWriter();
  private readonly numbers = new RecordNumbers();
  /** Null without correlations: single events need no state. */
  private readonly correlator: Correlator | null;
  private stages: RunStages;

  /** The snapshot's only source must name the tenant of records that name none. */
  constructor(snapshot: ControlSnapshot, rules: RuleSet = loadRules(snapshot.rules)) {
    this.snapshot = snapshot;
    this.rules = rules;
    this.correlator = rules.rules.some(({ correlation }) => correlation !== null) ? new Correlator('rules') : null;
    this.stages = this.build();
  }

  /** Hits of the batch by record, then rule. The batch may be reused once it has returned. */
  run(packed: RawBatch, onReject: ((reject: RecordReject) => void) | null = null): RecordHit[] {
    const batch = this.decode(packed);
    const { decoded, matchRules } = this.stages;
    enrichAndDecide(this.stages);
    matchRules(batch, decoded, this.hits);
    this.read += decoded.read;
    for (const { code } of decoded.rejects) this.rejected.set(code, (this.rejected.get(code) ?? 0) + 1);
    const places = this.places(this.hits.take());
    const found: RecordHit[] = [];
    this.numbers.pass(batch, decoded, (index, numberAt) => {
      const { file, base, start, end } = batch.segments[index];
      const own = places.filter(
        (hit) => hit.file === file && hit.position >= base && hit.position < base + end - start,
      );
      own.sort((a, b) => a.position - b.position || a.rule.index - b.rule.index);
      for (const { position, rule } of own) found.push({ record: numberAt(start + position - base), file, rule });
      if (onReject === null) return;
      for (const reject of decoded.rejects)
        if (reject.segment === index) onReject({ ...reject, record: numberAt(reject.rawStart) });
    });
    return found;
  }

  private decode(packed: RawBatch): RawBatch {
    for (;;) {
      this.strangers.clear();
      const batch = decodeAnew(this.stages, packed);
      if (this.strangers.size === 0 || this.snapshot.tenants.length >= MOST_TENANTS) return batch;
      this.welcome();
    }
  }

  /** Tenants that only records name get what every tenant has: lists and policies are the configuration's. */
  private welcome(): void {
    const room = MOST_TENANTS - this.snapshot.tenants.length;
    const names = new Map([...this.strangers].map((name) => [name.toLowerCase(), name]));
    const made = [...names.keys()]
      .slice(0, room)
      .map((name) => plainTenant(isUuid(name) ? name : uuidFrom('tenant', name), name));
    this.snapshot = { ...this.snapshot, tenants: [...this.snapshot.tenants, ...made] };
    this.stages = this.build();
  }

  private build(): RunStages {
    const { snapshot, rules, strangers } = this;
    this.correlator?.apply(snapshot, withoutSingle(rules));
    const stages = createStages(snapshot, strangers);
    return { ...stages, matchRules: createMatcher(snapshot, rules, stages.dictionary) };
  }

  private places(bytes: Uint8Array): { file: string; position: number; rule: Rule }[] {
    const { rules } = this.rules;
    const reader = new HitsReader(bytes);
    const found: { file: string; position: number; rule: Rule }[] = [];
    for (const { target, event } of reader.hits()) {
      const rule = rules[target];
      if (rule.correlation !== null) continue;
      found.push({ file: reader.file(event), position: reader.position(event), rule });
    }
    if (this.correlator === null) return found;
    this.correlator.add(bytes);
    const byId = new Map(rules.map((rule) => [rule.id, rule]));
    for (const { alert } of this.correlator.take(false).fired) {
      const rule = byId.get(alert.rule.id);
      const last = alert.evidence[alert.evidence.length - 1];
      if (rule !== undefined && last !== undefined) found.push({ file: last.stream, position: last.position, rule });
    }
    return found;
  }
}

/** Rules of single events are told by the matcher; the correlator need not keep alerts for them. */
function withoutSingle(set: RuleSet): RuleSet {
  return { ...set, rules: set.rules.map((rule) => (rule.correlation === null ? { ...rule, alerting: false } : rule)) };
}

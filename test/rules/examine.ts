// Synthesised events shown to the product and to the interpreter: both must say of an event's own rule what it was made for,
// and must agree on every other rule of the plan.

import type { Rule, RuleLogSource } from '../../rules/model.ts';
import { interpret } from '../../rules/plan/interpret.test-support.ts';
import type { Predicate } from '../../rules/predicate.ts';
import { EVENT_MS, eventSource, Production } from './production.ts';
import { forInterpreter, RecordSubject } from './record.ts';
import { type Options, type Skip, type Synthesised, synthesise } from './synthesise.ts';

export interface Disagreement {
  readonly kind: 'product is wrong' | 'interpreter is wrong' | 'both are wrong' | 'another rule differs' | 'refused';
  readonly rule: Rule;
  readonly leaf: string;
  /** What the event was made for; of another rule, what the interpreter says. */
  readonly expected: boolean;
  readonly line: string;
  readonly detail: string;
}

export interface Tally {
  rules: number;
  leaves: number;
  flipped: number;
  events: number;
  matching: number;
  /** (rule, event) pairs on which product and interpreter were compared, and those where both hit. */
  pairs: number;
  hits: number;
  readonly skips: Skip[];
  readonly disagreements: Disagreement[];
}

/** Every event and the rules that hit it; for the second oracle. */
export type Witness = (event: Synthesised, source: RuleLogSource, hits: readonly number[]) => void;

export class Examiner {
  readonly tally: Tally = {
    rules: 0,
    leaves: 0,
    flipped: 0,
    events: 0,
    matching: 0,
    pairs: 0,
    hits: 0,
    skips: [],
    disagreements: [],
  };
  private readonly rules: readonly Rule[];
  private readonly places = new Map<string, number>();
  private readonly sources: RuleLogSource[] = [];
  private readonly production: Production;
  private readonly plain: readonly Predicate[];

  constructor(rules: readonly Rule[]) {
    this.rules = rules;
    for (const { logsource } of rules) {
      const source = eventSource(logsource);
      const key = keyOf(source);
      if (!this.places.has(key)) this.places.set(key, this.sources.push(source) - 1);
    }
    this.production = new Production(rules, this.sources);
    this.plain = rules.map(({ detection }) => forInterpreter(detection ?? { kind: 'constant', value: false }));
  }

  /** `others`: of every so many events, all rules of the plan are compared. */
  examine(rules: readonly Rule[], options: Options, others: number, witness: Witness | null = null): void {
    const bySource = new Map<number, Synthesised[]>();
    for (const rule of rules) {
      const made = synthesise(rule, options);
      this.tally.rules++;
      this.tally.leaves += made.leaves;
      this.tally.flipped += made.flipped;
      this.tally.skips.push(...made.skips);
      const place = this.places.get(keyOf(eventSource(rule.logsource))) ?? -1;
      const events = bySource.get(place);
      if (events === undefined) bySource.set(place, [...made.events]);
      else events.push(...made.events);
    }
    for (const [place, events] of bySource) {
      for (let from = 0; from < events.length; from += 500) {
        this.compare(place, events.slice(from, from + 500), others, witness);
      }
    }
  }

  private compare(place: number, events: readonly Synthesised[], others: number, witness: Witness | null): void {
    const { tally, rules, plain } = this;
    const source = this.sources[place];
    const lines = events.map(({ record }) => JSON.stringify(record));
    const shown = this.production.show(place, lines);
    const plan = this.production.planOf(place, rules);
    for (const [i, event] of events.entries()) {
      const { hits, refused } = shown[i];
      const hit = new Set(hits);
      const subject = new RecordSubject(event.record, source, EVENT_MS);
      const own = rules[event.rule];
      const told = { rule: own, leaf: event.leaf, expected: event.matches, line: lines[i] };
      tally.events++;
      if (event.matches) tally.matching++;
      if (refused !== '') {
        tally.disagreements.push({ ...told, kind: 'refused', detail: refused });
        continue;
      }
      witness?.(event, source, hits);
      const product = hit.has(event.rule) === event.matches;
      const interpreter = interpret(plain[event.rule], subject) === event.matches;
      if (!product || !interpreter) {
        const kind = product ? 'interpreter is wrong' : interpreter ? 'product is wrong' : 'both are wrong';
        tally.disagreements.push({ ...told, kind, detail: '' });
      }
      if (tally.events % others !== 0) continue;
      for (const rule of plan) {
        tally.pairs++;
        const expected = interpret(plain[rule.index], subject);
        if (expected && hit.has(rule.index)) tally.hits++;
        if (expected === hit.has(rule.index) || rule.index === event.rule) continue;
        const kind = 'another rule differs';
        tally.disagreements.push({
          kind,
          rule,
          leaf: event.leaf,
          expected,
          line: lines[i],
          detail: `event of ${own.title}`,
        });
      }
    }
  }
}

const keyOf = ({ product, category, service }: RuleLogSource): string => `${product}/${category}/${service}`;

// Predicates compiled into one plan over log events. Every alternative of a rule waits under one of its conjuncts: under
// the values of an equality (a hash lookup a field), or under a shared test of a field that the event has; only those that
// are woken are verified. One multi-pattern automaton a field can take the place of the shared tests.

import type { FieldTest, Predicate } from '../predicate.ts';
import { keyOfValue, keysOfTest, numericKeyOfValue } from './keys.ts';
import { type EventTest, LogTests } from './log-test.ts';
import type { FieldValues, LogRecord, LogView } from './log-view.ts';
import { alternatives, normalize } from './normal.ts';
import type { PlanEnvironment } from './table.ts';

interface Waiting {
  readonly rule: number;
  readonly verify: readonly EventTest[];
}

interface FieldIndex {
  readonly slot: number;
  readonly equal: Map<string, Waiting[]>;
  readonly shared: { readonly test: EventTest; readonly waiting: Waiting[] }[];
}

export class LogPlan<R extends LogRecord> {
  private readonly view: LogView<R>;
  private readonly fields: FieldIndex[] = [];
  private readonly always: Waiting[] = [];
  private readonly matched: number[] = [];

  /** `predicates[i]` is reported as `ids[i]`. */
  constructor(
    predicates: readonly Predicate[],
    ids: readonly number[],
    view: LogView<R>,
    environment: PlanEnvironment,
  ) {
    this.view = view;
    const tests = new LogTests(view, environment);
    const drafts = predicates.flatMap((predicate, i) =>
      alternatives(normalize(predicate), () => false).map((parts) => ({ rule: ids[i], parts })),
    );
    const crowd = crowdsOf(drafts.flatMap(({ parts }) => parts));
    const byField = new Map<string, FieldIndex>();
    const shared = new Map<EventTest, Waiting[]>();
    for (const { rule, parts } of drafts) {
      const lead = leadOf(parts, crowd);
      const rest = lead !== null && keysOfTest(lead) === null ? parts.filter((part) => part !== lead) : parts;
      const waiting = { rule, verify: rest.map((part) => tests.compile(part)) };
      if (lead === null) {
        this.always.push(waiting);
        continue;
      }
      let index = byField.get(lead.field);
      if (index === undefined) {
        index = { slot: view.slot(lead.field), equal: new Map(), shared: [] };
        byField.set(lead.field, index);
        this.fields.push(index);
      }
      const keys = keysOfTest(lead);
      if (keys !== null) {
        for (const key of keys) index.equal.set(key, [...(index.equal.get(key) ?? []), waiting]);
        continue;
      }
      const test = tests.compile(lead);
      const others = shared.get(test);
      if (others !== undefined) others.push(waiting);
      else {
        const first = [waiting];
        shared.set(test, first);
        index.shared.push({ test, waiting: first });
      }
    }
  }

  /** Ids of the predicates that hold for the event bound to the view, ascending; reused by the next call. */
  match(): readonly number[] {
    const { matched } = this;
    matched.length = 0;
    for (const field of this.fields) {
      const values = this.view.values(field.slot);
      if (field.equal.size > 0) this.lookUp(field.equal, values);
      if (!values.present) continue;
      for (const { test, waiting } of field.shared) if (test()) this.wake(waiting);
    }
    this.wake(this.always);
    if (matched.length > 1) matched.sort((a, b) => a - b);
    return matched;
  }

  private lookUp(equal: Map<string, Waiting[]>, { values, folded }: FieldValues): void {
    if (values.length === 0) this.wakeKey(equal, '');
    for (let i = 0; i < values.length; i++) {
      this.wakeKey(equal, keyOfValue(values[i], folded[i]));
      const number = numericKeyOfValue(values[i], folded[i]);
      if (number !== '') this.wakeKey(equal, number);
    }
  }

  private wakeKey(equal: Map<string, Waiting[]>, key: string): void {
    const waiting = equal.get(key);
    if (waiting !== undefined) this.wake(waiting);
  }

  private wake(waiting: readonly Waiting[]): void {
    next: for (const { rule, verify } of waiting) {
      for (const test of verify) if (!test()) continue next;
      if (!this.matched.includes(rule)) this.matched.push(rule);
    }
  }
}

type Crowds = ReadonlyMap<string, number>;

/** How many alternatives could wait under a key: the fewer, the better the key. */
function crowdsOf(parts: readonly Predicate[]): Crowds {
  const crowds = new Map<string, number>();
  for (const part of parts) {
    if (part.kind !== 'field') continue;
    for (const key of keysOfTest(part) ?? []) {
      const id = `${part.field}\0${key}`;
      crowds.set(id, (crowds.get(id) ?? 0) + 1);
    }
  }
  return crowds;
}

/** Tests that need a present field: an event without the field need not be asked. */
const NEEDS_FIELD = new Set(['contains', 'startswith', 'endswith', 'pattern', 'regex', 'cidr', 'list', 'number']);

function leadOf(parts: readonly Predicate[], crowds: Crowds): FieldTest | null {
  let best: FieldTest | null = null;
  let bestScore = Number.POSITIVE_INFINITY;
  for (const part of parts) {
    if (part.kind !== 'field') continue;
    const score = scoreOf(part, crowds);
    if (score < bestScore) {
      best = part;
      bestScore = score;
    }
  }
  return best;
}

/** Low is selective. Equalities beat shared tests, long substrings beat short ones. */
function scoreOf(test: FieldTest, crowds: Crowds): number {
  const keys = keysOfTest(test);
  if (keys !== null) return keys.reduce((sum, key) => sum + (crowds.get(`${test.field}\0${key}`) ?? 0), 0);
  if (!NEEDS_FIELD.has(test.test) || (test.test === 'number' && test.op === 'neq')) return Number.POSITIVE_INFINITY;
  const shortest = 'values' in test ? Math.min(...test.values.map((value) => String(value).length)) : 2;
  return 1_000_000 - Math.min(shortest, 1000);
}

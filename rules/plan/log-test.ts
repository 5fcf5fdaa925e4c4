// Predicates over the bound event of a LogView as closures. A field test that several rules share is evaluated once an event.

import type { FieldTest, Predicate } from '../predicate.ts';
import type { LogRecord, LogView } from './log-view.ts';
import { normalize } from './normal.ts';
import { calendarTest, referenceHolds } from './row-test.ts';
import { compileScalar } from './scalar.ts';
import type { PlanEnvironment } from './table.ts';

export type EventTest = () => boolean;

/** Of the event that showed something last. */
export interface Sighting {
  stamp: number;
}

/** A test whose answer is kept as long as the view is bound to the same event. */
export class Memo {
  /** Where the test holds exactly if the event shows one of these, which whoever scans events sees to. */
  sightings: readonly Sighting[] | null = null;
  private readonly view: { readonly stamp: number };
  private readonly test: EventTest;
  private stamp = 0;
  private result = false;

  constructor(view: { readonly stamp: number }, test: EventTest) {
    this.view = view;
    this.test = test;
  }

  holds(): boolean {
    const { stamp } = this.view;
    if (this.stamp !== stamp) {
      this.result = this.sightings === null ? this.test() : this.isSeen(this.sightings, stamp);
      this.stamp = stamp;
    }
    return this.result;
  }

  private isSeen(sightings: readonly Sighting[], stamp: number): boolean {
    for (let i = 0; i < sightings.length; i++) if (sightings[i].stamp === stamp) return true;
    return false;
  }
}

/** One predicate alone, over whatever event is bound to the view. */
export function compileEvent<R extends LogRecord>(
  predicate: Predicate,
  view: LogView<R>,
  environment: PlanEnvironment,
): EventTest {
  const memo = new LogTests(view, environment).compile(normalize(predicate));
  return () => memo.holds();
}

export class LogTests<R extends LogRecord> {
  private readonly view: LogView<R>;
  private readonly environment: PlanEnvironment;
  private readonly shared = new Map<string, { readonly test: FieldTest; readonly memo: Memo }>();

  constructor(view: LogView<R>, environment: PlanEnvironment) {
    this.view = view;
    this.environment = environment;
  }

  /** Every test of a field that was compiled so far. */
  each(visit: (test: FieldTest, memo: Memo) => void): void {
    for (const { test, memo } of this.shared.values()) visit(test, memo);
  }

  /** Compiles a normalized predicate. */
  compile(predicate: Predicate): Memo {
    if (predicate.kind !== 'field') return new Memo(this.view, this.composed(predicate));
    const key = JSON.stringify(predicate);
    let known = this.shared.get(key);
    if (known === undefined) {
      known = { test: predicate, memo: new Memo(this.view, this.test(predicate)) };
      this.shared.set(key, known);
    }
    return known.memo;
  }

  private composed(predicate: Exclude<Predicate, FieldTest>): EventTest {
    switch (predicate.kind) {
      case 'constant':
        return () => predicate.value;
      case 'not': {
        const inner = this.compile(predicate.of);
        return () => !inner.holds();
      }
      case 'and': {
        const parts = predicate.of.map((part) => this.compile(part));
        return () => {
          for (let i = 0; i < parts.length; i++) if (!parts[i].holds()) return false;
          return true;
        };
      }
      case 'or': {
        const parts = predicate.of.map((part) => this.compile(part));
        return () => {
          for (let i = 0; i < parts.length; i++) if (parts[i].holds()) return true;
          return false;
        };
      }
    }
  }

  private test(test: FieldTest): EventTest {
    const { view, environment } = this;
    if (test.test === 'keywords') throw new TypeError('keywords are normalized away');
    if (test.test === 'time' || test.test === 'timeofday') {
      const holds = calendarTest(test, environment);
      return () => holds(view.record.tenant, view.record.ms);
    }
    const slot = view.slot(test.field);
    switch (test.test) {
      case 'exists':
        return () => view.values(slot).present === test.value;
      case 'null':
        return () => {
          const field = view.values(slot);
          return field.hasNull || (field.count === 0 && !field.hasObject);
        };
      case 'fieldref': {
        const other = view.slot(test.other);
        return () => {
          const field = view.values(slot);
          const others = view.values(other);
          for (let i = 0; i < field.count; i++)
            for (let j = 0; j < others.count; j++)
              if (referenceHolds(test.mode, field.value(i), others.value(j))) return true;
          return false;
        };
      }
      case 'list':
        return () => {
          const { tenant } = view.record;
          const field = view.values(slot);
          for (let i = 0; i < field.count; i++)
            if (environment.member(tenant, test.list, test.mode ?? 'member', field.text(i))) return true;
          return false;
        };
      case 'number':
        if (test.op === 'neq') {
          const equal = this.test({ ...test, op: 'eq' });
          return () => !equal();
        }
    }
    const scalar = compileScalar(test, environment.addresses);
    const empty = test.test === 'equals' && test.values.includes('');
    return () => {
      const field = view.values(slot);
      for (let i = 0; i < field.count; i++) if (scalar(field.value(i), field.text(i), field.fold(i))) return true;
      return empty && field.typed && !field.present;
    };
  }
}

// Predicates over the bound event of a LogView as closures. A field test that several rules share is evaluated once an event.

import type { FieldTest, Predicate } from '../predicate.ts';
import type { LogRecord, LogView } from './log-view.ts';
import { calendarTest, referenceHolds } from './row-test.ts';
import { compileScalar } from './scalar.ts';
import type { PlanEnvironment } from './table.ts';

export type EventTest = () => boolean;

/** A test whose answer is kept as long as the view is bound to the same event. */
export class Memo {
  /** Whoever scans the event sets `decided` to its stamp where the test holds: it need not be evaluated. */
  isDecided = false;
  decided = 0;
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
    if (this.isDecided) return this.decided === stamp;
    if (this.stamp !== stamp) {
      this.result = this.test();
      this.stamp = stamp;
    }
    return this.result;
  }
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
          return field.hasNull || (field.values.length === 0 && !field.hasObject);
        };
      case 'fieldref': {
        const other = view.slot(test.other);
        return () => {
          const others = view.values(other).values;
          return view
            .values(slot)
            .values.some((value) => others.some((part) => referenceHolds(test.mode, value, part)));
        };
      }
      case 'list':
        return () => {
          const { tenant } = view.record;
          return view
            .values(slot)
            .texts.some((text) => environment.member(tenant, test.list, test.mode ?? 'member', text));
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
      const { values } = field;
      if (values.length > 0) {
        const { texts, folded } = field;
        for (let i = 0; i < values.length; i++) if (scalar(values[i], texts[i], folded[i])) return true;
      }
      return empty && field.typed && !field.present;
    };
  }
}

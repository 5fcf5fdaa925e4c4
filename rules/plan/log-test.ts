// Predicates over the bound event of a LogView as closures. A field test that several rules share is evaluated once an event.

import type { FieldTest, Predicate } from '../predicate.ts';
import type { LogRecord, LogView } from './log-view.ts';
import { calendarTest, referenceHolds } from './row-test.ts';
import { compileScalar } from './scalar.ts';
import type { PlanEnvironment } from './table.ts';

export type EventTest = () => boolean;

export class LogTests<R extends LogRecord> {
  private readonly view: LogView<R>;
  private readonly environment: PlanEnvironment;
  private readonly shared = new Map<string, EventTest>();

  constructor(view: LogView<R>, environment: PlanEnvironment) {
    this.view = view;
    this.environment = environment;
  }

  /** Compiles a normalized predicate. */
  compile(predicate: Predicate): EventTest {
    switch (predicate.kind) {
      case 'constant':
        return () => predicate.value;
      case 'not': {
        const inner = this.compile(predicate.of);
        return () => !inner();
      }
      case 'and': {
        const parts = predicate.of.map((part) => this.compile(part));
        return () => {
          for (const part of parts) if (!part()) return false;
          return true;
        };
      }
      case 'or': {
        const parts = predicate.of.map((part) => this.compile(part));
        return () => {
          for (const part of parts) if (part()) return true;
          return false;
        };
      }
      case 'field': {
        const key = JSON.stringify(predicate);
        const known = this.shared.get(key) ?? this.oncePerEvent(this.test(predicate));
        this.shared.set(key, known);
        return known;
      }
    }
  }

  private oncePerEvent(test: EventTest): EventTest {
    const { view } = this;
    let stamp = 0;
    let result = false;
    return () => {
      if (stamp !== view.stamp) {
        stamp = view.stamp;
        result = test();
      }
      return result;
    };
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
      const { values, texts, folded, typed, present } = view.values(slot);
      for (let i = 0; i < values.length; i++) if (scalar(values[i], texts[i], folded[i])) return true;
      return empty && typed && !present;
    };
  }
}

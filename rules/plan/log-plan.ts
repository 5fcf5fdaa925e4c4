// Predicates compiled into one plan over log events. Each waits for triggers, one of which any event that passes must pull: exact
// values by a hash lookup a field, literals by one automaton a field, and fields that must be there. Only those whose trigger
// was pulled are verified.

import type { FieldTest, Predicate } from '../predicate.ts';
import { Automaton, type Literal } from './automaton.ts';
import { keyOfValue, numericKeyOfValue } from './keys.ts';
import { LogTests, type Memo } from './log-test.ts';
import type { FieldValues, LogRecord, LogView } from './log-view.ts';
import { normalize } from './normal.ts';
import type { PlanEnvironment } from './table.ts';
import { crowdsOf, isDecidedByLiterals, literalsOf, nameOf, type Trigger, triggersOf } from './triggers.ts';

/** One predicate. */
interface Waiting {
  readonly rule: number;
  readonly verify: Memo;
  /** Of the event that woke it last. */
  stamp: number;
}

/** What one literal does: it decides tests, and wakes predicates. */
interface Effect {
  readonly decides: Memo[];
  readonly wakes: Waiting[];
}

class FieldIndex {
  readonly slot: number;
  readonly equal = new Map<string, Waiting[]>();
  /** No key is longer, so that long texts need no lookup. */
  longestKey = 0;
  /** Some key reads as a number, which other spellings equal. */
  numeric = false;
  readonly present: Waiting[] = [];
  readonly literals: Literal[] = [];
  readonly effects: Effect[] = [];
  automaton: Automaton | null = null;
  private readonly places = new Map<string, Effect>();

  constructor(slot: number) {
    this.slot = slot;
  }

  effectOf(literal: Literal, name: string): Effect {
    let effect = this.places.get(name);
    if (effect === undefined) {
      effect = { decides: [], wakes: [] };
      this.places.set(name, effect);
      this.literals.push(literal);
      this.effects.push(effect);
    }
    return effect;
  }
}

export class LogPlan<R extends LogRecord> {
  private readonly view: LogView<R>;
  /** By slot of the view. */
  private readonly indexes: (FieldIndex | undefined)[] = [];
  /** Fields that are not told by the keys of an event: they are asked of every one. */
  private readonly asked: FieldIndex[] = [];
  private readonly always: Waiting[] = [];
  private readonly woken: Waiting[] = [];
  private readonly matched: number[] = [];
  private index!: FieldIndex;

  /** `predicates[i]` is reported as `ids[i]`. */
  constructor(
    predicates: readonly Predicate[],
    ids: readonly number[],
    view: LogView<R>,
    environment: PlanEnvironment,
  ) {
    this.view = view;
    const tests = new LogTests(view, environment);
    const normal = predicates.map((predicate) => normalize(predicate));
    const crowds = crowdsOf(normal);
    const led = new Set<string>();
    normal.forEach((predicate, i) => {
      const waiting = { rule: ids[i], verify: tests.compile(predicate), stamp: 0 };
      const triggers = triggersOf(predicate, crowds);
      if (triggers === null) this.always.push(waiting);
      else
        for (const trigger of new Map(triggers.map((one) => [nameOf(one), one])).values()) {
          led.add(nameOf(trigger));
          this.wait(waiting, trigger);
        }
    });
    tests.each((test, memo) => this.decide(test, memo, led));
    for (const index of this.indexes) {
      if (index === undefined) continue;
      if (index.literals.length > 0) index.automaton = new Automaton(index.literals);
      if (view.isComputed(index.slot) || index.equal.has('')) this.asked.push(index);
    }
  }

  /** Ids of the predicates that hold for the event bound to the view, ascending; reused by the next call. */
  match(): readonly number[] {
    const { view, matched, woken, indexes } = this;
    matched.length = woken.length = 0;
    const present = view.present();
    for (let i = 0; i < present.length; i++) {
      const index = indexes[present[i]];
      if (index !== undefined) this.ask(index);
    }
    for (const index of this.asked) if (!view.isPresent(index.slot) || view.isComputed(index.slot)) this.ask(index);
    for (const waiting of woken) if (waiting.verify.holds()) matched.push(waiting.rule);
    for (const waiting of this.always) if (waiting.verify.holds()) matched.push(waiting.rule);
    if (matched.length > 1) matched.sort((a, b) => a - b);
    return matched;
  }

  private wait(waiting: Waiting, trigger: Trigger): void {
    const slot = this.view.slot(trigger.field);
    this.indexes[slot] ??= new FieldIndex(slot);
    const index = this.indexes[slot];
    if (trigger.kind === 'present') index.present.push(waiting);
    else if (trigger.kind === 'literal') index.effectOf(trigger.literal, nameOf(trigger)).wakes.push(waiting);
    else {
      const { key } = trigger;
      index.equal.set(key, [...(index.equal.get(key) ?? []), waiting]);
      index.longestKey = Math.max(index.longestKey, key.length);
      index.numeric ||= /\d/.test(key);
    }
  }

  /** A test all of whose literals are looked for anyway needs no evaluation of its own. */
  private decide(test: FieldTest, memo: Memo, led: ReadonlySet<string>): void {
    if (!isDecidedByLiterals(test)) return;
    const { field } = test;
    const named = (literalsOf(test) ?? []).map((literal) => ({
      literal,
      name: nameOf({ field, kind: 'literal', literal }),
    }));
    const index = this.indexes[this.view.slot(field)];
    if (index === undefined || !named.every(({ name }) => led.has(name))) return;
    for (const { literal, name } of named) index.effectOf(literal, name).decides.push(memo);
    memo.isDecided = true;
  }

  private ask(index: FieldIndex): void {
    const { view } = this;
    const field = view.values(index.slot);
    if (index.equal.size > 0) this.lookUp(index, field);
    if (!field.present) return;
    if (index.present.length > 0) this.wake(index.present);
    const { automaton } = index;
    if (automaton === null) return;
    this.index = index;
    const { texts } = field;
    for (let i = 0; i < texts.length; i++)
      if (!automaton.scan(texts[i], this.found)) automaton.scanFolded(field.folded[i], this.found);
  }

  private readonly found = (literal: number): void => {
    const { decides, wakes } = this.index.effects[literal];
    const { stamp } = this.view;
    for (let i = 0; i < decides.length; i++) decides[i].decided = stamp;
    this.wake(wakes);
  };

  private lookUp({ equal, longestKey, numeric }: FieldIndex, field: FieldValues): void {
    const { values, texts } = field;
    if (values.length === 0) this.wakeKey(equal, '');
    for (let i = 0; i < values.length; i++) {
      // A number has other spellings, and lower case may be longer by a few characters.
      if (texts[i].length > longestKey * 3 + 40) continue;
      const folded = field.folded[i];
      this.wakeKey(equal, keyOfValue(values[i], folded));
      if (!numeric) continue;
      const number = numericKeyOfValue(values[i], folded);
      if (number !== '') this.wakeKey(equal, number);
    }
  }

  private wakeKey(equal: Map<string, Waiting[]>, key: string): void {
    const waiting = equal.get(key);
    if (waiting !== undefined) this.wake(waiting);
  }

  private wake(waiting: readonly Waiting[]): void {
    const { stamp } = this.view;
    for (let i = 0; i < waiting.length; i++) {
      const one = waiting[i];
      if (one.stamp === stamp) continue;
      one.stamp = stamp;
      this.woken.push(one);
    }
  }
}

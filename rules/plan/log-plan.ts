// Predicates compiled into one plan over log events. Each waits for triggers, one of which any event that passes must pull: exact
// values by a hash lookup a field, literals in one pass over a field, and fields that must be there. Only those whose trigger
// was pulled are verified.

import type { Predicate } from '../predicate.ts';
import { KeyTable } from './key-table.ts';
import { numericKeyOfValue } from './keys.ts';
import { isAscii, type Literal, LiteralSearch } from './literal-search.ts';
import { LogTests, type Memo, type Sighting } from './log-test.ts';
import type { FieldValues, LogRecord, LogView } from './log-view.ts';
import { normalize } from './normal.ts';
import type { PlanEnvironment } from './table.ts';
import { isDecidedByLiterals, type Trigger, Triggers } from './triggers.ts';

/** One predicate. */
interface Waiting {
  readonly rule: number;
  readonly verify: Memo;
  /** Of the event that woke it last. */
  stamp: number;
}

/** Of one literal: the event that showed it last, and who waits for it. */
interface Sign extends Sighting {
  readonly wakes: Waiting[];
}

class FieldIndex {
  readonly slot: number;
  readonly equal = new KeyTable<Waiting>();
  /** Some key reads as a number, which other spellings equal. */
  numeric = false;
  /** Some wait for an event without the field. */
  absent = false;
  readonly present: Waiting[] = [];
  readonly literals: Literal[] = [];
  /** By literal. */
  readonly signs: Sign[] = [];
  search: LiteralSearch | null = null;
  private readonly places = new Map<string, Sign>();

  constructor(slot: number) {
    this.slot = slot;
  }

  /** By the trigger's name; undefined when nobody waits for it. */
  sign(name: string): Sign | undefined {
    return this.places.get(name);
  }

  addSign(literal: Literal, name: string): Sign {
    const sign = { stamp: 0, wakes: [] };
    this.places.set(name, sign);
    this.literals.push(literal);
    this.signs.push(sign);
    return sign;
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
    const triggers = new Triggers(normal);
    normal.forEach((predicate, i) => {
      const waiting = { rule: ids[i], verify: tests.compile(predicate), stamp: 0 };
      const pulled = triggers.of(predicate);
      if (pulled === null) this.always.push(waiting);
      else for (const trigger of pulled) this.wait(waiting, trigger);
    });
    tests.each((test, memo) => {
      if (isDecidedByLiterals(test)) this.decide(memo, triggers.ofTest(test) ?? []);
    });
    for (const index of this.indexes) {
      if (index === undefined) continue;
      if (index.literals.length > 0) index.search = new LiteralSearch(index.literals);
      if (view.isComputed(index.slot) || index.absent) this.asked.push(index);
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
    for (const index of this.asked) if (!view.isPresent(index.slot)) this.ask(index);
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
    else if (trigger.kind === 'literal') {
      const { name, literal } = trigger;
      (index.sign(name) ?? index.addSign(literal, name)).wakes.push(waiting);
    } else {
      const { key } = trigger;
      index.equal.add(key, waiting);
      index.numeric ||= /\d/.test(key);
      index.absent ||= key === '';
    }
  }

  /** A test all of whose literals are looked for anyway needs no evaluation of its own. */
  private decide(memo: Memo, literals: readonly Trigger[]): void {
    const signs = literals.map(({ field, name }) => this.indexes[this.view.slot(field)]?.sign(name));
    if (signs.every((sign) => sign !== undefined)) memo.sightings = signs;
  }

  private ask(index: FieldIndex): void {
    const { view } = this;
    const field = view.values(index.slot);
    if (index.equal.size > 0) this.lookUp(index, field);
    if (!field.present) return;
    if (index.present.length > 0) this.wake(index.present);
    const { search } = index;
    if (search === null) return;
    this.index = index;
    for (let i = 0; i < field.count; i++)
      if (!search.scan(field.text(i), this.found)) search.scanFolded(field.fold(i), this.found);
  }

  private readonly found = (literal: number): void => {
    const sign = this.index.signs[literal];
    if (sign.stamp === this.view.stamp) return;
    sign.stamp = this.view.stamp;
    this.wake(sign.wakes);
  };

  private lookUp({ equal, numeric }: FieldIndex, field: FieldValues): void {
    if (field.count === 0) this.wakeKey(equal, '');
    for (let i = 0; i < field.count; i++) {
      const text = field.text(i);
      if (text.length <= equal.longest) this.wakeKey(equal, isAscii(text) ? text : field.fold(i));
      if (!numeric) continue;
      const number = numericKeyOfValue(field.value(i), text);
      if (number !== '') this.wakeKey(equal, number);
    }
  }

  private wakeKey(equal: KeyTable<Waiting>, key: string): void {
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

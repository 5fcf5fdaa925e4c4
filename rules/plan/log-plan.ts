// Predicates compiled into one plan over log events. Each waits for triggers, one of which any event that passes must pull: exact
// values by a hash lookup a field, literals in one pass over a field, and fields that must be there. Only those whose trigger
// was pulled are verified.

import type { FieldTest, Predicate } from '../predicate.ts';
import { KeyTable } from './key-table.ts';
import { numericKeyOfValue } from './keys.ts';
import { isAscii, type Literal, LiteralSearch } from './literal-search.ts';
import { MEMBER_KIND, type MemberTape } from './log-members.ts';
import { LogTests, type Memo, type Sighting } from './log-test.ts';
import { collectAll, FieldValues, type LogRecord, type LogView, type Scope } from './log-view.ts';
import { normalize } from './normal.ts';
import { RawSearch } from './raw-search.ts';
import { SkipSearch } from './skip-search.ts';
import type { PlanEnvironment } from './table.ts';
import { isDecidedByKeys, isDecidedByLiterals, type Trigger, Triggers } from './triggers.ts';

/** Bytes that the text of a number may begin with. */
const NUMBER_BEGINS: ReadonlySet<number> = new Set([...'+-.0123456789'].map((c) => c.charCodeAt(0)));

/** No longer text is read as a number (see scalar.ts). */
const LONGEST_NUMBER = 40;
const QUOTE = 34;
const BACKSLASH = 92;

function afterSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at] === 32 || bytes[at] === 9 || bytes[at] === 10 || bytes[at] === 13) at++;
  return at;
}

/** Where the quote stands that ends a text of ASCII with no escapes but those of quotes and backslashes; -1 of any other. */
function endOfPlain(bytes: Uint8Array, from: number): number {
  let at = from;
  for (; bytes[at] !== QUOTE; at++) {
    if (bytes[at] > 127) return -1;
    if (bytes[at] !== BACKSLASH) continue;
    at++;
    if (bytes[at] !== QUOTE && bytes[at] !== BACKSLASH) return -1;
  }
  return at;
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]);
  return text;
}

/** One predicate. */
interface Waiting {
  readonly rule: number;
  readonly verify: Memo;
  /** Of the event that woke it last. */
  stamp: number;
}

/** Of one literal or key: the event that showed it last, and who waits for it. */
interface Sign extends Sighting {
  readonly wakes: Waiting[];
}

/** Shorter literals are in most texts: to find them all costs more than to ask a text for one when need be. */
const WORTH_FINDING = 5;

function signOf(index: FieldIndex, literal: Literal, name: string): Sign | null {
  return index.sign(name) ?? (literal.text.length < WORTH_FINDING ? null : index.addSign(literal, name));
}

const newSign = (): Sign => ({ stamp: 0, wakes: [] });

class FieldIndex {
  readonly slot: number;
  readonly equal = new KeyTable<Sign>();
  /** Some key reads as a number, which other spellings equal. */
  numeric = false;
  /** Some wait for an event without the field. */
  absent = false;
  readonly present: Waiting[] = [];
  readonly literals: Literal[] = [];
  /** By literal. */
  readonly signs: Sign[] = [];
  /** Some literal may be in the text of a number, or of true and false. */
  inNumbers = false;
  inWords = false;
  private texts: LiteralSearch | null = null;
  private raw: RawSearch | SkipSearch | null = null;
  private readonly places = new Map<string, Sign>();

  constructor(slot: number) {
    this.slot = slot;
  }

  /** By the trigger's name; undefined when nobody waits for it. */
  sign(name: string): Sign | undefined {
    return this.places.get(name);
  }

  /** Finds the literals in strings. Both searches are made when the first event of their kind comes. */
  textSearch(): LiteralSearch {
    this.texts ??= new LiteralSearch(this.literals);
    return this.texts;
  }

  /** Finds them in JSON. */
  rawSearch(): RawSearch | SkipSearch {
    this.raw ??= SkipSearch.of(this.literals) ?? new RawSearch(this.literals);
    return this.raw;
  }

  addSign(literal: Literal, name: string): Sign {
    const sign = newSign();
    this.places.set(name, sign);
    this.literals.push(literal);
    this.signs.push(sign);
    this.inNumbers ||= /^[-+.0-9e]*$/.test(literal.text);
    this.inWords ||= 'true'.includes(literal.text) || 'false'.includes(literal.text);
    return sign;
  }
}

export class LogPlan<R extends LogRecord> {
  private readonly view: LogView<R>;
  private readonly keywords: number;
  private readonly scope: Scope<R>;
  /** By slot of the view. */
  private readonly indexes: (FieldIndex | undefined)[] = [];
  /** Fields that are not told by the keys of an event: they are asked of every one. */
  private readonly asked: FieldIndex[] = [];
  private readonly always: Waiting[] = [];
  private readonly woken: Waiting[] = [];
  private wokenCount = 0;
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
    view.openScope();
    this.keywords = view.slot('');
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
      this.decide(test, memo, triggers.ofTest(test) ?? []);
    });
    for (const index of this.indexes) {
      if (index === undefined) continue;
      if (view.isComputed(index.slot) || index.absent) this.asked.push(index);
    }
    this.scope = view.closeScope();
  }

  /** Ids of the predicates that hold for the event bound to the view, ascending; reused by the next call. */
  match(): readonly number[] {
    const { view, matched, woken, indexes } = this;
    if (matched.length > 0) matched.length = 0;
    this.wokenCount = 0;
    view.enter(this.scope);
    const present = view.countPresent();
    for (let i = 0; i < present; i++) {
      const index = indexes[view.presentAt(i)];
      if (index !== undefined) this.ask(index);
    }
    for (const index of this.asked) if (!view.isPresent(index.slot)) this.ask(index);
    for (let i = 0; i < this.wokenCount; i++) if (woken[i].verify.holds()) matched.push(woken[i].rule);
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
      index.equal.at(key, newSign).wakes.push(waiting);
      index.numeric ||= /\d/.test(key);
      index.absent ||= key === '';
    }
  }

  /** A test that holds exactly where one of some literals or keys is seen needs no evaluation of its own. */
  private decide(test: FieldTest, memo: Memo, triggers: readonly Trigger[]): void {
    const index = this.indexes[this.view.slot(test.field)];
    if (index === undefined) return;
    if (isDecidedByKeys(test)) {
      // Fields that are looked up for nothing else are not looked up for this.
      if (index.equal.size > 0)
        memo.sightings = test.values.map((value) => index.equal.at(value.toLowerCase(), newSign));
    } else if (isDecidedByLiterals(test) && index.literals.length > 0) {
      const signs = triggers.map((one) => (one.kind === 'literal' ? signOf(index, one.literal, one.name) : null));
      if (signs.every((sign) => sign !== null)) memo.sightings = signs;
    }
  }

  private ask(index: FieldIndex): void {
    const { view } = this;
    const { tape = null } = view.record;
    if (tape !== null) {
      const member = view.plainMember(index.slot);
      if (member >= 0) {
        this.askMember(index, tape, member);
        return;
      }
      const array = view.arrayMember(index.slot);
      if (array >= 0 && this.askArray(index, tape, array)) return;
      if (index.slot === this.keywords && index.equal.size === 0 && index.present.length === 0) {
        this.askAll(index, tape);
        return;
      }
    }
    const field = view.values(index.slot);
    if (index.equal.size > 0) this.lookUp(index, field);
    if (!field.present) return;
    if (index.present.length > 0) this.wake(index.present);
    if (index.literals.length === 0) return;
    const search = index.textSearch();
    this.index = index;
    for (let i = 0; i < field.count; i++)
      if (!search.scan(field.text(i), this.found)) search.scanFolded(field.fold(i), this.found);
  }

  /** A field that a plain text holds: no string is made of it. */
  private askMember(index: FieldIndex, tape: MemberTape, member: number): void {
    if (index.present.length > 0) this.wake(index.present);
    this.askText(index, tape.bytes, tape.valueStart[member], tape.valueEnd[member]);
  }

  /** A field that an array of such texts holds. False when it is anything else: then all of it is asked for again. */
  private askArray(index: FieldIndex, tape: MemberTape, member: number): boolean {
    const { bytes } = tape;
    const end = tape.valueEnd[member] - 1;
    let at = afterSpace(bytes, tape.valueStart[member] + 1);
    if (at >= end) return false;
    for (;;) {
      if (bytes[at] !== QUOTE) return false;
      const close = endOfPlain(bytes, at + 1);
      if (close < 0) return false;
      this.askText(index, bytes, at + 1, close);
      at = afterSpace(bytes, close + 1);
      if (at >= end) break;
      at = afterSpace(bytes, at + 1); // behind the comma
    }
    if (index.present.length > 0) this.wake(index.present);
    return true;
  }

  private askText(index: FieldIndex, bytes: Uint8Array, start: number, end: number): void {
    if (index.equal.size > 0) {
      const sign = index.equal.getRaw(bytes, start, end);
      if (sign !== undefined) this.see(sign);
      if (index.numeric && NUMBER_BEGINS.has(bytes[start]) && end - start <= LONGEST_NUMBER) {
        const text = textOf(bytes, start, end);
        const number = numericKeyOfValue(text, text);
        if (number !== '') this.wakeKey(index.equal, number);
      }
    }
    if (index.literals.length === 0) return;
    this.index = index;
    index.rawSearch().scan(bytes, start, end, this.found);
  }

  /** Keywords: literals in any value. */
  private askAll(index: FieldIndex, tape: MemberTape): void {
    const { first = 0, last = 0 } = this.view.record;
    if (index.literals.length === 0) return;
    const search = index.textSearch();
    const raw = index.rawSearch();
    const { kind, bytes, valueStart, valueEnd } = tape;
    this.index = index;
    for (let member = first; member < last; member++) {
      const one = kind[member];
      if (one <= MEMBER_KIND.escapedText) raw.scan(bytes, valueStart[member], valueEnd[member], this.found);
      else if (one === MEMBER_KIND.oddText || one === MEMBER_KIND.array) this.searchTexts(search, tape.value(member));
      else if (one === MEMBER_KIND.number ? index.inNumbers : one <= MEMBER_KIND.false && index.inWords)
        this.searchTexts(search, tape.value(member));
    }
  }

  private searchTexts(search: LiteralSearch, value: unknown): void {
    const texts = new FieldValues(false);
    collectAll(value, texts);
    for (let i = 0; i < texts.count; i++)
      if (!search.scan(texts.text(i), this.found)) search.scanFolded(texts.fold(i), this.found);
  }

  private readonly found = (literal: number): void => this.see(this.index.signs[literal]);

  private see(sign: Sign): void {
    if (sign.stamp === this.view.stamp) return;
    sign.stamp = this.view.stamp;
    this.wake(sign.wakes);
  }

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

  private wakeKey(equal: KeyTable<Sign>, key: string): void {
    const sign = equal.get(key);
    if (sign !== undefined) this.see(sign);
  }

  private wake(waiting: readonly Waiting[]): void {
    const { stamp } = this.view;
    for (let i = 0; i < waiting.length; i++) {
      const one = waiting[i];
      if (one.stamp === stamp) continue;
      one.stamp = stamp;
      this.woken[this.wokenCount++] = one;
    }
  }
}

// A native record read from JSON text, for the general path.

import { textOf } from '../../src/model/bytes.ts';
import type { Instant } from '../../src/model/records.ts';
import type { DecodeContext } from './context.ts';
import { Decimal, NESTED, type Value } from './fields.ts';
import { KIND } from './json-scanner.ts';
import { JsonTape } from './json-tape.ts';
import { logSourceOf } from './log-source.ts';
import { LogSourceMemo } from './log-source-memo.ts';
import { NativeRecord } from './native-general.ts';
import { K, NATIVE_PLAN } from './native-keys.ts';
import { DECLARED, declaredSource, NATIVE_SUBJECT, otherMoment, pushFields } from './native-log.ts';

/** Number literals up to this long are exact as doubles when they are all digits. */
const EXACT_DIGITS = 15;

/** Objects that Windows events are nested in: such a record is taken apart (see windows-event.ts). */
const NESTING = ['Event', 'System', 'winlog', 'EventData', 'event_data'];

export class JsonRecord extends NativeRecord {
  readonly tape: JsonTape;
  private readonly sources: LogSourceMemo;

  constructor(context: DecodeContext) {
    super(context);
    this.tape = new JsonTape(NATIVE_PLAN, context.limits, context.names);
    this.sources = new LogSourceMemo(this.tape, DECLARED);
  }

  /** Reads `bytes[start, end)`; false after the record was rejected. */
  read(start: number, end: number): boolean {
    const { tape, batch } = this;
    this.start = start;
    this.length = end - start;
    this.tenant = this.context.rejectTenantOf(this.sourceIndex);
    let first = start;
    while (first < end && (batch.bytes[first] === 32 || batch.bytes[first] === 9)) first++;
    if (batch.bytes[first] !== 123) {
      this.reject('format_mismatch', 'the line is no JSON object');
      return false;
    }
    if (!tape.read(batch.bytes, start, end)) {
      const segment = batch.segments[this.segmentIndex];
      this.reject(tape.code, `${tape.detail} (at byte ${segment.base + tape.position - segment.start})`);
      return false;
    }
    this.unknown = tape.unknown;
    return true;
  }

  override has(key: number): boolean {
    const member = this.tape.slots[key];
    return member >= 0 && this.tape.kind[member] !== KIND.null;
  }

  override at(key: number): Value | undefined {
    const member = this.tape.slots[key];
    return member < 0 ? undefined : this.value(member);
  }

  override acceptLog(moment: Instant | null): void {
    const { tape, context, batch, out, start, length, tenant, segmentIndex } = this;
    // A key without a number cannot be told by it.
    if (tape.unnamed || this.isNested()) {
      const json = textOf(batch.bytes, start, start + length);
      pushFields(this, moment, tape.objectOf(-1, tape.first, tape.count), json);
      return;
    }
    const place = { segment: segmentIndex, rawStart: start, rawLength: length };
    const log = context.freshLog().begin(tape, NATIVE_SUBJECT, batch, place, tenant);
    const at = moment ?? otherMoment(this, (name) => log.scalar([name]));
    if (at === null) return;
    log.ms = at.ms;
    log.ns = at.ns;
    log.logsource = this.sources.of(() => logSourceOf(declaredSource(this), log.fields));
    if (context.pushJsonLog(out, log, this.text('pop_id'))) tape.keep();
  }

  override metadata(): Record<string, string> {
    const { tape } = this;
    const member = tape.slots[K.metadata];
    const texts: Record<string, string> = {};
    if (member < 0 || tape.kind[member] !== KIND.object) return texts;
    for (let one = member + 1; one < tape.count; one++) {
      if (tape.parent[one] !== member || tape.kind[one] >= KIND.null) continue;
      texts[tape.key(one)] = tape.text(one);
    }
    return texts;
  }

  private value(member: number): Value | undefined {
    const { tape } = this;
    switch (tape.kind[member]) {
      case KIND.number: {
        const text = tape.text(member);
        return text.length <= EXACT_DIGITS && !/[^0-9]/.test(text) ? Number(text) : new Decimal(text);
      }
      case KIND.true:
        return true;
      case KIND.false:
        return false;
      case KIND.null:
        return undefined;
      case KIND.object:
      case KIND.array:
        return NESTED;
      default:
        return tape.text(member);
    }
  }

  private isNested(): boolean {
    const { tape } = this;
    for (const key of NESTING)
      for (const name of tape.names.ofPath(key))
        for (let member = tape.first; member < tape.count; member++)
          if (tape.name[member] === name && tape.kind[member] === KIND.object) return true;
    return false;
  }
}

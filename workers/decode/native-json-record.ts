// A native record read from JSON text, for the general path.

import { textOf } from '../../src/model/bytes.ts';
import type { DecodeContext } from './context.ts';
import { Decimal, NESTED, type Value } from './fields.ts';
import { JsonTape, KIND } from './json-tape.ts';
import { NativeRecord } from './native-general.ts';
import { K, NATIVE_PLAN } from './native-keys.ts';

/** Number literals up to this long are exact as doubles when they are all digits. */
const EXACT_DIGITS = 15;

export class JsonRecord extends NativeRecord {
  private readonly tape: JsonTape;

  constructor(context: DecodeContext) {
    super(context);
    this.tape = new JsonTape(NATIVE_PLAN, context.limits);
  }

  /** Reads `bytes[start, end)`; false after the record was rejected. */
  read(start: number, end: number): boolean {
    const { tape, batch, values } = this;
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
    const { slots } = tape;
    for (let key = 0; key < values.length; key++) values[key] = slots[key] < 0 ? undefined : this.value(slots[key]);
    this.unknown = tape.unknown;
    return true;
  }

  override fields(): { fields: Record<string, unknown>; json: string } {
    const json = textOf(this.batch.bytes, this.start, this.start + this.length);
    const fields = JSON.parse(json) as Record<string, unknown>;
    if (this.tape.wideNumbers) this.widen(fields);
    return { fields, json };
  }

  override metadata(): Record<string, string> {
    const member = this.tape.slots[K.metadata];
    const texts: Record<string, string> = {};
    if (member < 0 || this.tape.kind[member] !== KIND.object) return texts;
    for (let one = member + 1; one < this.tape.count; one++) {
      if (this.tape.parent[one] !== member || this.tape.kind[one] >= KIND.null) continue;
      texts[this.tape.key(one)] = this.tape.text(one);
    }
    return texts;
  }

  private value(member: number): Value | undefined {
    const { tape } = this;
    switch (tape.kind[member]) {
      case KIND.text:
      case KIND.escapedText:
        return tape.text(member);
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
      default:
        return NESTED;
    }
  }

  /** Integers that a double cannot hold become texts with all their digits (those inside arrays stay rounded). */
  private widen(root: Record<string, unknown>): void {
    const { tape } = this;
    const holders: unknown[] = [];
    for (let member = 0; member < tape.count; member++) {
      const parent = tape.parent[member];
      // A key that stands twice keeps its last value, which may be something else than the tape's first.
      const holder = (parent < 0 ? root : holders[parent]) as Record<string, unknown> | undefined;
      if (typeof holder !== 'object' || holder === null) continue;
      if (tape.kind[member] === KIND.object) holders[member] = holder[tape.key(member)];
      else if (tape.kind[member] === KIND.number) {
        const key = tape.key(member);
        const digits = tape.text(member);
        const wide = typeof holder[key] === 'number' && !Number.isSafeInteger(holder[key]);
        if (wide && /^-?\d+$/.test(digits)) holder[key] = digits;
      }
    }
  }
}

// Fields of one log event by the names that rules use: the exact key first, then a dotted path through objects and arrays,
// then the canonical columns, then the other names of the same thing. Every name is resolved at most once an event.

import type { Scalar } from './table.ts';

/** What the plan needs of an event; `fields` is hostile: only own keys are read. */
export interface LogRecord {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly tenant: number;
  readonly ms: number;
  readonly logsource: { readonly product: string; readonly category: string; readonly service: string };
}

export interface LogFieldNames<R extends LogRecord> {
  /** Reader of a canonical column ('' is absent), or null when the name is none. */
  canonical(name: string): ((record: R) => string) | null;
  /** Other names of the same thing, best first. */
  aliases(name: string): readonly string[];
}

/** A resolved field. */
export interface FieldValues {
  present: boolean;
  hasNull: boolean;
  /** Holds an object, which is a value but passes no test of one. */
  hasObject: boolean;
  /** A canonical column: '' and absent are one. */
  readonly typed: boolean;
  readonly values: Scalar[];
  readonly texts: string[];
  /** Texts in lower case. */
  readonly folded: string[];
}

interface Slot<R extends LogRecord> extends FieldValues {
  readonly name: string;
  readonly path: readonly string[] | null;
  readonly canonical: ((record: R) => string) | null;
  readonly aliases: readonly { readonly name: string; readonly path: readonly string[] | null }[];
  stamp: number;
}

export class LogView<R extends LogRecord> {
  record!: R;
  /** Counts events: what was computed under another stamp is stale. */
  stamp = 0;
  private readonly names: LogFieldNames<R>;
  private readonly slots: Slot<R>[] = [];
  private readonly places = new Map<string, number>();

  constructor(names: LogFieldNames<R>) {
    this.names = names;
  }

  bind(record: R): void {
    this.record = record;
    this.stamp++;
  }

  slot(name: string): number {
    let place = this.places.get(name);
    if (place === undefined) {
      const canonical = this.names.canonical(name);
      const aliases = this.names.aliases(name).map((alias) => ({ name: alias, path: pathOf(alias) }));
      const values = {
        present: false,
        hasNull: false,
        hasObject: false,
        values: [],
        texts: [],
        folded: [],
        typed: canonical !== null,
      };
      place = this.slots.push({ name, path: pathOf(name), canonical, aliases, stamp: 0, ...values }) - 1;
      this.places.set(name, place);
    }
    return place;
  }

  values(slot: number): FieldValues {
    const known = this.slots[slot];
    if (known.stamp !== this.stamp) {
      known.stamp = this.stamp;
      this.resolve(known);
    }
    return known;
  }

  private resolve(slot: Slot<R>): void {
    slot.present = slot.hasNull = slot.hasObject = false;
    slot.values.length = slot.texts.length = slot.folded.length = 0;
    const { fields } = this.record;
    if (slot.name === '') {
      // Keyword searches ask every text of the event.
      slot.present = true;
      collectTexts(fields, slot);
      const message = this.names.canonical('message')?.(this.record) ?? '';
      if (message !== '') add(slot, message);
      return;
    }
    if (lookUp(fields, slot.name, slot.path, slot)) return;
    const canonical = slot.canonical?.(this.record) ?? '';
    if (canonical !== '') {
      slot.present = true;
      add(slot, canonical);
      return;
    }
    for (const alias of slot.aliases) if (lookUp(fields, alias.name, alias.path, slot)) return;
  }
}

/** The values of a field of a plain JSON object, found as in events but by this one name. */
export function jsonValues(fields: object, name: string): readonly Scalar[] {
  const into: FieldValues = {
    present: false,
    hasNull: false,
    hasObject: false,
    typed: false,
    values: [],
    texts: [],
    folded: [],
  };
  lookUp(fields, name, pathOf(name), into);
  return into.values;
}

function pathOf(name: string): string[] | null {
  return name.includes('.') ? name.split('.') : null;
}

function lookUp(fields: object, name: string, path: readonly string[] | null, into: FieldValues): boolean {
  if (Object.hasOwn(fields, name)) {
    into.present = true;
    collect((fields as Record<string, unknown>)[name], into);
    return true;
  }
  if (path !== null) walk(fields, path, 0, into);
  return into.present;
}

/** Array elements are alternatives at every step. Depth is bounded by limits.depth, which decoding enforces. */
function walk(value: unknown, path: readonly string[], at: number, into: FieldValues): void {
  if (at === path.length) {
    into.present = true;
    collect(value, into);
  } else if (Array.isArray(value)) for (const element of value) walk(element, path, at, into);
  else if (typeof value === 'object' && value !== null && Object.hasOwn(value, path[at])) {
    walk((value as Record<string, unknown>)[path[at]], path, at + 1, into);
  }
}

function collect(value: unknown, into: FieldValues): void {
  if (value === null || value === undefined) into.hasNull = true;
  else if (Array.isArray(value)) for (const element of value) collect(element, into);
  else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') add(into, value);
  else if (typeof value === 'bigint') add(into, String(value));
  else into.hasObject = true;
}

function add(into: FieldValues, value: Scalar): void {
  const text = String(value);
  into.values.push(value);
  into.texts.push(text);
  into.folded.push(text.toLowerCase());
}

function collectTexts(value: unknown, into: FieldValues): void {
  if (typeof value === 'string') add(into, value);
  else if (Array.isArray(value)) for (const element of value) collectTexts(element, into);
  else if (typeof value === 'object' && value !== null)
    for (const part of Object.values(value)) collectTexts(part, into);
}

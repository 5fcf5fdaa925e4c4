// Fields of one log event by the names that rules use: the exact key first, then a dotted path through objects and arrays,
// then the canonical columns, then the other names of the same thing. Every name is resolved at most once an event.

import { MEMBER_KIND, type MemberNames, type MemberTape } from './log-members.ts';
import type { Scalar } from './table.ts';

/** What the plan needs of an event; `fields` is hostile: only own keys are read. */
export interface LogRecord {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly tenant: number;
  readonly ms: number;
  readonly logsource: { readonly product: string; readonly category: string; readonly service: string };
  /** Where the event is JSON that was not parsed: its members are [first, last) of the tape, and `fields` is costly. */
  readonly tape?: MemberTape | null;
  readonly first?: number;
  readonly last?: number;
  /** Fields beside `fields`, which win. */
  readonly derived?: Readonly<Record<string, unknown>> | null;
}

export interface LogFieldNames<R extends LogRecord> {
  /** Reader of a canonical column ('' is absent), or null when the name is none. */
  canonical(name: string): ((record: R) => string) | null;
  /** Other names of the same thing, best first. */
  aliases(name: string): readonly string[];
}

/** A resolved field. Its arrays are used again for the next event: `count` says how much of them holds. */
export class FieldValues {
  present = false;
  hasNull = false;
  /** Holds an object, which is a value but passes no test of one. */
  hasObject = false;
  /** A canonical column: '' and absent are one. */
  readonly typed: boolean;
  count = 0;
  private readonly values: Scalar[] = [];
  private readonly folds: string[] = [];
  private folded = 0;

  constructor(typed: boolean) {
    this.typed = typed;
  }

  reset(): void {
    this.present = this.hasNull = this.hasObject = false;
    this.count = this.folded = 0;
  }

  add(value: Scalar): void {
    this.values[this.count++] = value;
  }

  value(i: number): Scalar {
    return this.values[i];
  }

  first(): Scalar | undefined {
    return this.count > 0 ? this.values[0] : undefined;
  }

  text(i: number): string {
    const value = this.values[i];
    return typeof value === 'string' ? value : String(value);
  }

  /** The text in lower case. */
  fold(i: number): string {
    for (; this.folded <= i; this.folded++) this.folds[this.folded] = this.text(this.folded).toLowerCase();
    return this.folds[i];
  }

  all(): Scalar[] {
    return this.values.slice(0, this.count);
  }
}

class Slot<R extends LogRecord> extends FieldValues {
  readonly name: string;
  readonly place: number;
  readonly path: readonly string[] | null;
  readonly canonical: ((record: R) => string) | null;
  readonly aliases: readonly { readonly name: string; readonly path: readonly string[] | null }[];
  /** Of the event whose values these are. */
  stamp = 0;
  /** Of the event that was bound when it was made, or has an object where its path begins: its keys tell nothing. */
  unlisted: number;
  /** Of the event that has a key for it; the best such key, and what it holds. */
  listed = 0;
  rank = 0;
  found: unknown = null;
  /** Where the event is a tape: the member that holds it, or -1. */
  member = -1;
  /** Of the event of which `presentAt` names it. */
  named = 0;

  constructor(names: LogFieldNames<R>, name: string, place: number, stamp: number) {
    const canonical = names.canonical(name);
    super(canonical !== null);
    this.name = name;
    this.place = place;
    this.path = pathOf(name);
    this.canonical = canonical;
    this.aliases = names.aliases(name).map((alias) => ({ name: alias, path: pathOf(alias) }));
    this.unlisted = stamp;
  }
}

/** What a key of an event means: the slot it is a name of, the better the lower the rank; below 0 it begins a path. */
interface Meaning<R extends LogRecord> {
  readonly slot: Slot<R>;
  readonly rank: number;
}

/** The fields that a plan asks for, so that keys of an event which mean others are passed over. */
export interface Scope<R extends LogRecord> {
  readonly places: ReadonlySet<number>;
  /** What keys of a tape mean, by their numbers. */
  byName: (readonly Meaning<R>[] | undefined)[];
}

const OWN_NAME = 0;
const PATH = -1;

export class LogView<R extends LogRecord> {
  record!: R;
  /** Counts events: what was computed under another stamp is stale. */
  stamp = 0;
  private readonly fieldNames: LogFieldNames<R>;
  private readonly slots: Slot<R>[] = [];
  private readonly places = new Map<string, number>();
  private readonly meanings = new Map<string, Meaning<R>[]>();
  /** Of the event whose keys were listed. */
  private listed = 0;
  private readonly has: number[] = [];
  private hasCount = 0;
  /** What keys of a tape mean, by their numbers. */
  private names: MemberNames | null = null;
  private version = 0;
  private scopes: Scope<R>[] = [];
  private scope: Scope<R> | null = null;
  /** Every field of every plan. */
  private readonly everything: Scope<R>;
  private collecting: Set<number> | null = null;
  /** Of the event whose keys were listed for all fields. */
  private complete = 0;

  constructor(names: LogFieldNames<R>) {
    this.fieldNames = names;
    this.everything = { places: new Set(), byName: [] };
    this.scopes = [this.everything];
  }

  /** From here on the fields that are named become a scope. */
  openScope(): void {
    this.collecting = new Set();
  }

  closeScope(): Scope<R> {
    const scope = { places: this.collecting ?? new Set<number>(), byName: [] };
    this.collecting = null;
    this.scopes.push(scope);
    return scope;
  }

  /** Only fields of the scope are looked for in the event, as long as no others are asked for. */
  enter(scope: Scope<R>): void {
    if (this.listed !== this.stamp) this.scope = scope;
  }

  bind(record: R): void {
    this.record = record;
    this.stamp++;
    this.scope = null;
  }

  slot(name: string): number {
    let place = this.places.get(name);
    if (place === undefined) {
      place = this.slots.length;
      const slot = new Slot(this.fieldNames, name, place, this.stamp);
      this.slots.push(slot);
      this.places.set(name, place);
      if (this.listed === this.stamp) this.name(slot); // the keys have been gone through already: it may be there
      for (const [i, one] of [slot, ...slot.aliases].entries()) {
        this.mean(one.name, { slot, rank: OWN_NAME + i });
        if (one.path !== null) this.mean(one.path[0], { slot, rank: PATH });
      }
    }
    this.collecting?.add(place);
    return place;
  }

  values(place: number): FieldValues {
    const slot = this.slots[place];
    if (slot.stamp !== this.stamp) {
      slot.stamp = this.stamp;
      slot.reset();
      this.resolve(slot);
    }
    return slot;
  }

  /** How many slots the event has a key for; those that are computed are not among them. */
  countPresent(): number {
    if (this.listed !== this.stamp) this.list();
    return this.hasCount;
  }

  /** The i-th of them. */
  presentAt(i: number): number {
    return this.has[i];
  }

  /** Whether `presentAt` names it. */
  isPresent(place: number): boolean {
    if (this.listed !== this.stamp) this.list();
    return this.slots[place].named === this.stamp;
  }

  /** Has values where the event has no key for it: from a canonical column, or from all of its texts. */
  isComputed(place: number): boolean {
    return this.slots[place].typed || this.slots[place].name === '';
  }

  private name(slot: Slot<R>): void {
    if (slot.named === this.stamp || this.isComputed(slot.place)) return;
    slot.named = this.stamp;
    this.has[this.hasCount++] = slot.place;
  }

  private mean(key: string, meaning: Meaning<R>): void {
    this.forget();
    const known = this.meanings.get(key);
    if (known === undefined) this.meanings.set(key, [meaning]);
    else known.push(meaning);
  }

  /** Goes through the keys of the event once, instead of looking for every name of every field. */
  private list(): void {
    this.listed = this.stamp;
    this.hasCount = 0;
    if (this.scope === null) this.complete = this.stamp;
    this.listFor(this.scope);
  }

  /** `scope` is null for all fields. */
  private listFor(scope: Scope<R> | null): void {
    const { record } = this;
    const { tape = null, derived = null } = record;
    if (tape !== null) this.listMembers(tape, scope ?? this.everything);
    else this.listKeys(record.fields, scope);
    if (derived !== null) this.listKeys(derived, scope);
  }

  /** A field that is not of the scope is asked for. */
  private finish(): void {
    this.complete = this.stamp;
    this.listFor(null);
  }

  private listKeys(fields: Readonly<Record<string, unknown>>, scope: Scope<R> | null): void {
    for (const key of Object.keys(fields)) {
      const known = this.meanings.get(key);
      if (known === undefined) continue;
      const value = fields[key];
      for (let i = 0; i < known.length; i++)
        if (scope === null || scope.places.has(known[i].slot.place))
          this.note(known[i], typeof value === 'object' && value !== null, -1, value);
    }
  }

  private listMembers(tape: MemberTape, scope: Scope<R>): void {
    const { parent, name, kind, names } = tape;
    const { first = 0, last = 0 } = this.record;
    if (this.names !== names || this.version !== names.version) {
      this.names = names;
      this.version = names.version;
      this.forget();
    }
    const { byName } = scope;
    for (let member = first; member < last; member++) {
      if (parent[member] >= 0) continue;
      const known = byName[name[member]] ?? this.meaningOf(name[member], names, scope);
      for (let i = 0; i < known.length; i++) this.note(known[i], kind[member] >= MEMBER_KIND.object, member, null);
    }
  }

  private meaningOf(name: number, names: MemberNames, scope: Scope<R>): readonly Meaning<R>[] {
    const all = this.meanings.get(names.keys[name]) ?? [];
    const own = scope === this.everything ? all : all.filter(({ slot }) => scope.places.has(slot.place));
    // Without holes, so that it stays an array.
    for (let i = scope.byName.length; i <= name; i++) scope.byName.push(undefined);
    scope.byName[name] = own;
    return own;
  }

  private forget(): void {
    for (const scope of this.scopes) scope.byName = [];
  }

  /** Of two keys of one name the later counts. */
  private note({ slot, rank }: Meaning<R>, nests: boolean, member: number, value: unknown): void {
    const { stamp } = this;
    if (rank === PATH) {
      if (!nests) return;
      slot.unlisted = stamp;
    } else if (slot.listed !== stamp || rank <= slot.rank) {
      slot.listed = stamp;
      slot.rank = rank;
      slot.member = member;
      slot.found = value;
    }
    this.name(slot);
  }

  /**
   * The member that alone holds the field's value, which is a text of ASCII with no escapes but those of quotes and backslashes;
   * -1 for everything else. The tape is that of the record.
   */
  plainMember(place: number): number {
    const slot = this.slots[place];
    const { tape = null } = this.record;
    if (tape === null || slot.listed !== this.stamp || slot.unlisted === this.stamp || slot.member < 0) return -1;
    if (slot.typed && slot.rank !== OWN_NAME) return -1;
    return tape.kind[slot.member] <= MEMBER_KIND.escapedText ? slot.member : -1;
  }

  /** As `plainMember`, of a field whose value is an array. */
  arrayMember(place: number): number {
    const slot = this.slots[place];
    const { tape = null } = this.record;
    if (tape === null || slot.listed !== this.stamp || slot.member < 0 || slot.typed) return -1;
    // Of an array a path begins in, but only objects in it are gone into: that is for whoever finds one.
    return tape.kind[slot.member] === MEMBER_KIND.array && slot.rank === OWN_NAME ? slot.member : -1;
  }

  private resolve(slot: Slot<R>): void {
    if (slot.name === '') {
      // Keyword searches ask every value of the event as text.
      slot.present = true;
      this.collectAll(slot);
      slot.hasNull = false;
      return;
    }
    if (this.listed !== this.stamp) this.list();
    if (this.complete !== this.stamp && !this.scope?.places.has(slot.place)) this.finish();
    if (slot.unlisted === this.stamp) {
      this.search(slot);
      return;
    }
    const listed = slot.listed === this.stamp;
    if (!(listed && slot.rank === OWN_NAME) && this.fromColumn(slot)) return;
    if (!listed) return;
    slot.present = true;
    const { tape = null } = this.record;
    collect(slot.member >= 0 && tape !== null ? tape.value(slot.member) : slot.found, slot);
  }

  private collectAll(slot: Slot<R>): void {
    const { record } = this;
    const { tape = null } = record;
    if (tape === null) collectAll(record.fields, slot);
    else
      for (let member = record.first ?? 0; member < (record.last ?? 0); member++)
        if (tape.kind[member] !== MEMBER_KIND.object) collectAll(tape.value(member), slot);
    const message = this.fieldNames.canonical('message')?.(record) ?? '';
    if (message !== '') slot.add(message);
  }

  private fromColumn(slot: Slot<R>): boolean {
    const canonical = slot.canonical?.(this.record) ?? '';
    if (canonical === '') return false;
    slot.present = true;
    slot.add(canonical);
    return true;
  }

  private search(slot: Slot<R>): void {
    const { fields, derived = null } = this.record;
    if (derived !== null && lookUp(derived, slot.name, null, slot)) return;
    if (lookUp(fields, slot.name, slot.path, slot) || this.fromColumn(slot)) return;
    for (const alias of slot.aliases) if (lookUp(fields, alias.name, alias.path, slot)) return;
  }
}

/** The values of a field of a plain JSON object, found as in events but by this one name. */
export function jsonValues(fields: object, name: string): readonly Scalar[] {
  const into = new FieldValues(false);
  lookUp(fields, name, pathOf(name), into);
  return into.all();
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
  else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') into.add(value);
  else if (typeof value === 'bigint') into.add(String(value));
  else into.hasObject = true;
}

/** Every scalar of a value, at any depth. */
export function collectAll(value: unknown, into: FieldValues): void {
  if (Array.isArray(value)) for (const element of value) collectAll(element, into);
  else if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) collectAll(part, into);
  else collect(value, into);
}

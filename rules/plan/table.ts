// What the plan knows of the data it matches: columns by field name, and a few services of the host. Implemented for
// flows in workers/match/flow-table.ts; `rules/` itself imports nothing of the host.

/** One value of a field. A field may have several (arrays, a protocol's number and name): a test holds if any value fits. */
export type Scalar = string | number | boolean;

/** Addresses as four u32 words, most significant first; IPv4 as ::ffff:a.b.c.d. */
export interface AddressCodec {
  parse(text: string, out: Uint32Array, at: number): boolean;
  /** null when the text is neither an address nor a prefix. `bits` counts in the 128-bit form. */
  parsePrefix(text: string): { readonly words: Uint32Array; readonly bits: number } | null;
  inPrefix(prefix: { readonly words: Uint32Array; readonly bits: number }, words: Uint32Array, at: number): boolean;
  /**
   * Longest-prefix match over `prefixes`: 1 + the position of the longest that holds the address, 0 for none. Addresses
   * with the same answer lie in the same of all prefixes.
   */
  table(
    prefixes: readonly { readonly words: Uint32Array; readonly bits: number }[],
  ): (words: Uint32Array, at: number) => number;
}

export type ListMode = 'member' | 'contains' | 'startswith' | 'endswith';

export interface PlanEnvironment {
  readonly addresses: AddressCodec;
  /**
   * True when `text` is in the tenant's (or the global) list of that name, or contains, starts or ends with one of its
   * values. A list that does not exist is empty.
   */
  member(tenant: number, list: string, mode: ListMode, text: string): boolean;
  /** The same for an address that is at hand as words. */
  memberAddress(tenant: number, list: string, words: Uint32Array, at: number): boolean;
  /** Wall clock of the tenant's time zone as if it were UTC, ms since 1970. */
  localMs(tenant: number, timeMs: number): number;
}

interface ColumnBase {
  /** Columns with the same id hold the same values. */
  readonly id: string;
  /** The field's values in a row, addresses as canonical text; empty when absent. The slow way, right for every kind. */
  values(row: number): readonly Scalar[];
}

/** Small integers, e.g. ports, or indices into something; each code stands for fixed values. */
export interface CodeColumn extends ColumnBase {
  readonly kind: 'code';
  /** Codes are below this. */
  readonly size: number;
  codes(): ArrayLike<number>;
  /** True when every value is the code itself, never absent: numeric tests may read the code. */
  readonly numeric: boolean;
  /** Set for a column that parts rows into worlds of their own (the tenant): tests of it come first. */
  readonly partition?: boolean;
}

/** Strings interned in a dictionary; id 0 is absent. */
export interface DictionaryColumn extends ColumnBase {
  readonly kind: 'dictionary';
  ids(): Uint32Array;
  /** Ids in use are below this. */
  idLimit(): number;
  /** Grows whenever ids change their meaning. */
  generation(): number;
}

/** Doubles; NaN is absent. */
export interface NumberColumn extends ColumnBase {
  readonly kind: 'number';
  at(row: number): number;
}

/** Addresses; all zeros is absent. */
export interface AddressColumn extends ColumnBase {
  readonly kind: 'address';
  /** Four words a row. */
  words(): Uint32Array;
}

/** Anything else: read value by value. */
export interface SlowColumn extends ColumnBase {
  readonly kind: 'slow';
}

export type TableColumn = CodeColumn | DictionaryColumn | NumberColumn | AddressColumn | SlowColumn;

/** Rows to match. The arrays behind the columns change from batch to batch; the column objects do not. */
export interface Table {
  /**
   * The column of a field as a rule names it; an unknown name yields a slow column over the raw record, and '' one of every
   * text of the row, for keyword searches.
   */
  column(field: string): TableColumn;
  tenant(row: number): number;
  /** Event time for calendar tests, ms since 1970. */
  timeMs(row: number): number;
}

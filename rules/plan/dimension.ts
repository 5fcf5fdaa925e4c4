// A column as seen by the plan: rows fall into classes, two rows in one class pass exactly the same of the column's
// conjuncts. A class is found by one table lookup a row; conjuncts are evaluated once per distinct value.

import type { FieldTest, Predicate } from '../predicate.ts';
import { type AddressPrefix, prefixesOf } from './address-test.ts';
import { keyOfValue, keysOfTest, numericKeyOfValue } from './keys.ts';
import { testsOf } from './normal.ts';
import type { RowTest } from './row-test.ts';
import { numericOf } from './scalar.ts';
import type { AddressCodec, AddressColumn, CodeColumn, DictionaryColumn, NumberColumn, TableColumn } from './table.ts';

/** Guarantee 4: a dimension with more classes than this starts anew between batches. */
const MAX_CLASSES = 8192;

interface Conjunct {
  readonly predicate: Predicate;
  readonly test: RowTest;
}

/** True when the column's values can be classed with respect to the predicate, which reads this column alone. */
export function isClassable(predicate: Predicate, column: TableColumn, addresses: AddressCodec): boolean {
  return testsOf(predicate).every((test) => {
    if (['list', 'time', 'timeofday', 'fieldref', 'keywords'].includes(test.test)) return false;
    if (test.test === 'null' || test.test === 'exists') return column.kind !== 'slow';
    switch (column.kind) {
      case 'code':
      case 'dictionary':
        return true;
      case 'number':
        return test.test === 'number' || test.test === 'numbers' || test.test === 'equals';
      case 'address':
        return prefixesOf(test, addresses) !== null;
      default:
        return false;
    }
  });
}

export class Dimension {
  readonly column: TableColumn;
  /** Class of each row of the batch, from 1. */
  classes = new Uint32Array(1024);
  /** By class: 1 for each conjunct that holds. */
  truths: Uint8Array[] = [new Uint8Array(0)];
  private readonly conjuncts: Conjunct[] = [];
  private readonly places = new Map<string, number>();
  private readonly addresses: AddressCodec;
  private classIds = new Map<string, number>();
  /** Code, dictionary id or interval → class; 0 = not seen yet. */
  private known = new Uint16Array(0);
  private locate: (count: number) => void = () => {};
  private sparse = new Map<string, number[]>();
  private dense: number[] = [];

  constructor(column: TableColumn, addresses: AddressCodec) {
    this.column = column;
    this.addresses = addresses;
  }

  /** Registers a conjunct and returns its number; equal ones share it. */
  add(predicate: Predicate, test: () => RowTest): number {
    const key = JSON.stringify(predicate);
    let place = this.places.get(key);
    if (place === undefined) {
      place = this.conjuncts.push({ predicate, test: test() }) - 1;
      this.places.set(key, place);
    }
    return place;
  }

  /** Call once after the last `add`. */
  build(): void {
    const column = this.column;
    const byKey = column.kind === 'code' || column.kind === 'dictionary';
    this.conjuncts.forEach(({ predicate }, place) => {
      const keys = byKey && predicate.kind === 'field' ? keysOfTest(predicate) : null;
      if (keys === null) this.dense.push(place);
      else for (const key of keys) this.sparse.set(key, [...(this.sparse.get(key) ?? []), place]);
    });
    if (column.kind === 'code') this.locate = this.codeLocator(column);
    else if (column.kind === 'dictionary') this.locate = this.dictionaryLocator(column);
    else if (column.kind === 'number') this.locate = this.numberLocator(column);
    else if (column.kind === 'address') this.locate = this.addressLocator(column);
  }

  /** Fills `classes` for rows [0, count). */
  classify(count: number): void {
    if (count > this.classes.length) this.classes = new Uint32Array(Math.max(count, this.classes.length * 2));
    this.locate(count);
  }

  get overfull(): boolean {
    return this.truths.length > MAX_CLASSES;
  }

  /** Forgets all classes; whoever holds class numbers must forget them too. */
  reset(): void {
    this.truths = [new Uint8Array(0)];
    this.classIds = new Map();
    this.known.fill(0);
  }

  private codeLocator(column: CodeColumn): (count: number) => void {
    this.known = new Uint16Array(column.size);
    return (count) => {
      const { classes, known } = this;
      const codes = column.codes();
      for (let row = 0; row < count; row++) {
        const code = codes[row];
        classes[row] = known[code] || this.discover(code, row);
      }
    };
  }

  private dictionaryLocator(column: DictionaryColumn): (count: number) => void {
    this.known = new Uint16Array(1024);
    let generation = column.generation();
    return (count) => {
      if (generation !== column.generation()) {
        generation = column.generation();
        this.known.fill(0);
      }
      if (column.idLimit() > this.known.length) {
        const grown = new Uint16Array(column.idLimit() * 2);
        grown.set(this.known);
        this.known = grown;
      }
      const { classes, known } = this;
      const ids = column.ids();
      for (let row = 0; row < count; row++) {
        const id = ids[row];
        classes[row] = known[id] || this.discover(id, row);
      }
    };
  }

  private numberLocator(column: NumberColumn): (count: number) => void {
    const bounds = new Set<number>();
    for (const test of this.tests()) {
      if (test.test === 'number') bounds.add(test.value);
      else if (test.test === 'numbers') for (const value of test.values) bounds.add(value);
      else if (test.test === 'equals') for (const value of test.values) bounds.add(numericOf(value));
    }
    const sorted = Float64Array.from([...bounds].filter((bound) => !Number.isNaN(bound))).sort();
    // Interval 2j lies below bound j, 2j+1 is bound j itself; the last is for absent values.
    const absent = sorted.length * 2 + 1;
    this.known = new Uint16Array(absent + 1);
    return (count) => {
      const { classes, known } = this;
      for (let row = 0; row < count; row++) {
        const value = column.at(row);
        let low = 0;
        let high = sorted.length;
        while (low < high) {
          const middle = (low + high) >>> 1;
          if (sorted[middle] < value) low = middle + 1;
          else high = middle;
        }
        let interval = absent;
        if (!Number.isNaN(value)) interval = low < sorted.length && sorted[low] === value ? low * 2 + 1 : low * 2;
        classes[row] = known[interval] || this.discover(interval, row);
      }
    };
  }

  private addressLocator(column: AddressColumn): (count: number) => void {
    // All zeros means absent, so it is told apart from the rest.
    const prefixes: AddressPrefix[] = [{ words: new Uint32Array(4), bits: 128 }];
    const seen = new Set<string>();
    for (const test of this.tests()) {
      for (const prefix of prefixesOf(test, this.addresses) ?? []) {
        const key = `${prefix.words.join()}/${prefix.bits}`;
        if (!seen.has(key)) prefixes.push(prefix);
        seen.add(key);
      }
    }
    const lookup = this.addresses.table(prefixes);
    this.known = new Uint16Array(prefixes.length + 1);
    return (count) => {
      const { classes, known } = this;
      const words = column.words();
      for (let row = 0; row < count; row++) {
        const interval = lookup(words, row * 4);
        classes[row] = known[interval] || this.discover(interval, row);
      }
    };
  }

  private tests(): FieldTest[] {
    return this.conjuncts.flatMap(({ predicate }) => testsOf(predicate));
  }

  private discover(value: number, row: number): number {
    const holding: number[] = [];
    const consider = (places: readonly number[]): void => {
      for (const place of places) if (this.conjuncts[place].test(row) && !holding.includes(place)) holding.push(place);
    };
    consider(this.dense);
    if (this.sparse.size > 0) {
      const values = this.column.values(row);
      for (const scalar of values.length === 0 ? [''] : values) {
        const folded = String(scalar).toLowerCase();
        consider(this.sparse.get(keyOfValue(scalar, folded)) ?? []);
        const number = numericKeyOfValue(scalar, folded);
        if (number !== '') consider(this.sparse.get(number) ?? []);
      }
    }
    const key = holding.sort((a, b) => a - b).join();
    let id = this.classIds.get(key);
    if (id === undefined) {
      const truth = new Uint8Array(this.conjuncts.length);
      for (const place of holding) truth[place] = 1;
      id = this.truths.push(truth) - 1;
      // Beyond what the tables can number (one hostile batch), rows share no classes and are simply discovered again.
      if (id > 0xffff) return id;
      this.classIds.set(key, id);
    }
    this.known[value] = id;
    return id;
  }
}

// Predicates over the rows of a table as closures: what verifies candidates, and what decides once per distinct value.

import type { FieldTest, Predicate } from '../predicate.ts';
import { prefixesOf } from './address-test.ts';
import { calendarPart, inTimeOfDay, minuteOfDay } from './calendar.ts';
import { AFFIX, comparison, compileScalar, numericOf, type PureTest } from './scalar.ts';
import type {
  AddressColumn,
  CodeColumn,
  DictionaryColumn,
  PlanEnvironment,
  Scalar,
  Table,
  TableColumn,
} from './table.ts';

/** Tests of columns with more codes than this are decided row by row. */
const MAX_KNOWN_CODES = 4096;

export type RowTest = (row: number) => boolean;

/** Compiles a normalized predicate. */
export function compileRow(predicate: Predicate, table: Table, environment: PlanEnvironment): RowTest {
  switch (predicate.kind) {
    case 'constant':
      return () => predicate.value;
    case 'not': {
      const inner = compileRow(predicate.of, table, environment);
      return (row) => !inner(row);
    }
    case 'and':
      return allOf(predicate.of.map((part) => compileRow(part, table, environment)));
    case 'or': {
      const parts = predicate.of.map((part) => compileRow(part, table, environment));
      return (row) => {
        for (let i = 0; i < parts.length; i++) if (parts[i](row)) return true;
        return false;
      };
    }
    case 'field':
      return compileTest(predicate, table, environment);
  }
}

export function allOf(parts: readonly RowTest[]): RowTest {
  if (parts.length === 1) return parts[0];
  if (parts.length === 2) {
    const [first, second] = parts;
    return (row) => first(row) && second(row);
  }
  return (row) => {
    for (let i = 0; i < parts.length; i++) if (!parts[i](row)) return false;
    return true;
  };
}

function compileTest(test: FieldTest, table: Table, environment: PlanEnvironment): RowTest {
  if (test.test === 'keywords') throw new TypeError('keywords are normalized away');
  if (test.test === 'time' || test.test === 'timeofday') return compileTime(test, table, environment);
  const column = table.column(test.field);
  if (test.test === 'null' || test.test === 'exists') {
    const absent = absence(column);
    const wanted = test.test === 'null' || !test.value;
    return (row) => absent(row) === wanted;
  }
  if (test.test === 'fieldref') return compileReference(test, column, table.column(test.other));
  if (test.test === 'list') return compileList(test, column, table, environment);
  if (test.test === 'number' && test.op === 'neq') {
    const equal = compilePure({ ...test, op: 'eq' }, column, environment);
    return (row) => !equal(row);
  }
  const pure = compilePure(test, column, environment);
  // A typed column keeps '' and absent as one: `field: ''` asks for either.
  if (test.test !== 'equals' || !test.values.includes('')) return pure;
  const absent = absence(column);
  return (row) => absent(row) || pure(row);
}

function absence(column: TableColumn): RowTest {
  switch (column.kind) {
    case 'number':
      return (row) => Number.isNaN(column.at(row));
    case 'dictionary':
      return (row) => column.ids()[row] === 0;
    case 'address':
      return (row) => isZero(column.words(), row * 4);
    default:
      return (row) => column.values(row).length === 0;
  }
}

function isZero(words: Uint32Array, at: number): boolean {
  return (words[at] | words[at + 1] | words[at + 2] | words[at + 3]) === 0;
}

type PureFieldTest = Extract<FieldTest, PureTest>;

function compilePure(test: PureFieldTest, column: TableColumn, environment: PlanEnvironment): RowTest {
  if (column.kind === 'number') {
    const direct = numericTest(test);
    if (direct !== null) return (row) => direct(column.at(row));
  }
  if (column.kind === 'code' && column.numeric) {
    const direct = numericTest(test);
    if (direct !== null) return (row) => direct(column.codes()[row]);
  }
  if (column.kind === 'address') {
    const byPrefix = compilePrefixes(test, column, environment);
    if (byPrefix !== null) return byPrefix;
  }
  const scalar = compileScalar(test, environment.addresses);
  const decide = (row: number): boolean => {
    for (const value of column.values(row)) {
      const text = String(value);
      if (scalar(value, text, text.toLowerCase())) return true;
    }
    return false;
  };
  if (column.kind === 'dictionary') return oncePerId(column, decide);
  return column.kind === 'code' && column.size <= MAX_KNOWN_CODES ? oncePerCode(column, decide) : decide;
}

/** A test of a few codes is decided once per code. */
function oncePerCode(column: CodeColumn, decide: RowTest): RowTest {
  const known = new Uint8Array(column.size);
  return (row) => {
    const code = column.codes()[row];
    if (known[code] === 0) known[code] = decide(row) ? 2 : 1;
    return known[code] === 2;
  };
}

/** Tests that a number answers without its text. NaN (absent) passes none. */
function numericTest(test: PureTest): ((value: number) => boolean) | null {
  if (test.test === 'number') return comparison(test.op, test.value);
  if (test.test !== 'numbers' && test.test !== 'equals') return null;
  const values = test.test === 'numbers' ? test.values : test.values.map(numericOf);
  const wanted = new Set(values.filter((value) => !Number.isNaN(value)));
  return (value) => wanted.has(value);
}

function compilePrefixes(test: FieldTest, column: AddressColumn, { addresses }: PlanEnvironment): RowTest | null {
  const prefixes = prefixesOf(test, addresses);
  if (prefixes === null) return null;
  if (prefixes.length > 4) {
    const lookup = addresses.table(prefixes);
    return (row) => {
      const words = column.words();
      return lookup(words, row * 4) !== 0 && !isZero(words, row * 4);
    };
  }
  return (row) => {
    const words = column.words();
    if (isZero(words, row * 4)) return false;
    for (let i = 0; i < prefixes.length; i++) if (addresses.inPrefix(prefixes[i], words, row * 4)) return true;
    return false;
  };
}

/** A string test is decided once per dictionary id, until the dictionary starts anew. */
function oncePerId(column: DictionaryColumn, decide: RowTest): RowTest {
  let known = new Uint8Array(256);
  let generation = column.generation();
  return (row) => {
    const id = column.ids()[row];
    if (column.generation() !== generation) {
      generation = column.generation();
      known.fill(0);
    }
    if (id >= known.length) {
      const grown = new Uint8Array(Math.max(column.idLimit(), id + 1));
      grown.set(known);
      known = grown;
    }
    if (known[id] === 0) known[id] = decide(row) ? 2 : 1;
    return known[id] === 2;
  };
}

function compileList(
  { list, mode }: Extract<FieldTest, { test: 'list' }>,
  column: TableColumn,
  table: Table,
  environment: PlanEnvironment,
): RowTest {
  if (column.kind === 'address' && mode === undefined) {
    return (row) => {
      const words = column.words();
      return !isZero(words, row * 4) && environment.memberAddress(table.tenant(row), list, words, row * 4);
    };
  }
  return (row) => {
    for (const value of column.values(row)) {
      if (environment.member(table.tenant(row), list, mode ?? 'member', String(value))) return true;
    }
    return false;
  };
}

export type Reference = 'equals' | 'startswith' | 'endswith' | 'contains';

/** `field` against `other`: by folded text; `equals` also by number when one of them is a number. */
export function referenceHolds(mode: Reference, value: Scalar, other: Scalar): boolean {
  const text = String(value).toLowerCase();
  const part = String(other).toLowerCase();
  if (mode !== 'equals') return AFFIX[mode](text, part);
  if (text === part) return true;
  return (typeof value === 'number' || typeof other === 'number') && numericOf(value) === numericOf(other);
}

function compileReference(test: Extract<FieldTest, { test: 'fieldref' }>, a: TableColumn, b: TableColumn): RowTest {
  return (row) => {
    const others = b.values(row);
    for (const value of a.values(row)) {
      for (const other of others) if (referenceHolds(test.mode, value, other)) return true;
    }
    return false;
  };
}

/** Calendar tests as a function of the tenant and the event time. */
export function calendarTest(
  test: Extract<FieldTest, { test: 'time' | 'timeofday' }>,
  environment: PlanEnvironment,
): (tenant: number, timeMs: number) => boolean {
  if (test.test === 'timeofday') {
    const { fromMinute, toMinute } = test;
    return (tenant, timeMs) => inTimeOfDay(minuteOfDay(environment.localMs(tenant, timeMs)), fromMinute, toMinute);
  }
  const wanted = new Set(test.values.map((value) => (test.part === 'weekday' && value === 0 ? 7 : value)));
  return (tenant, timeMs) => wanted.has(calendarPart(test.part, environment.localMs(tenant, timeMs)));
}

function compileTime(
  test: Extract<FieldTest, { test: 'time' | 'timeofday' }>,
  table: Table,
  environment: PlanEnvironment,
): RowTest {
  const holds = calendarTest(test, environment);
  return (row) => holds(table.tenant(row), table.timeMs(row));
}

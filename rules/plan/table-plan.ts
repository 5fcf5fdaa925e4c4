// Predicates compiled into one indexed plan over a table's columns. Work a row hardly depends on the number of predicates:
// each column's values are classed (dimension.ts), the classes lead through a few shared graphs (group.ts) to the few
// candidates, and those are verified (row-test.ts).

import type { Predicate } from '../predicate.ts';
import { Dimension, isClassable } from './dimension.ts';
import { type Alternative, Group } from './group.ts';
import { alternatives, fieldsOf, normalize, testsOf } from './normal.ts';
import { allOf, compileRow } from './row-test.ts';
import type { PlanEnvironment, Table, TableColumn } from './table.ts';

/** Graphs a plan may have: each costs every row a lookup. */
const MAX_GROUPS = 10;

/** Which predicates hold in which rows, as lists that are reused from batch to batch. */
export interface Matches {
  /** By row: position of its first match, -1 for none. */
  head: Int32Array;
  /** By position: the next match of the same row, -1 at the end. Ascending predicate numbers. */
  next: Int32Array;
  /** By position: which predicate. */
  predicate: Int32Array;
  count: number;
}

export class TablePlan {
  private readonly groups: readonly Group[];
  private readonly dimensions: readonly Dimension[];
  private readonly matches: Matches = {
    head: new Int32Array(1024),
    next: new Int32Array(1024),
    predicate: new Int32Array(1024),
    count: 0,
  };
  private readonly found = (row: number, rule: number): void => this.note(row, rule);

  constructor(predicates: readonly Predicate[], table: Table, environment: PlanEnvironment) {
    const { groups, dimensions } = compile(predicates, table, environment);
    this.groups = groups;
    this.dimensions = dimensions;
  }

  /** Matches of rows [0, count); the result holds until the next call. */
  run(count: number): Matches {
    const { matches, groups, dimensions } = this;
    if (count > matches.head.length) matches.head = new Int32Array(count * 2);
    matches.head.fill(-1, 0, count);
    matches.count = 0;
    this.bound();
    for (const dimension of dimensions) dimension.classify(count);
    for (const group of groups) group.scan(count, this.found);
    return matches;
  }

  /** Keeps the lazily built parts within their budgets. What is forgotten is found again: only speed changes. */
  private bound(): void {
    for (const dimension of this.dimensions) {
      if (!dimension.overfull) continue;
      dimension.reset();
      for (const group of this.groups) if (group.dimensions.includes(dimension)) group.reset();
    }
    for (const group of this.groups) if (group.overfull) group.reset();
  }

  private note(row: number, rule: number): void {
    const m = this.matches;
    let before = -1;
    let after = m.head[row];
    while (after >= 0 && m.predicate[after] < rule) {
      before = after;
      after = m.next[after];
    }
    if (after >= 0 && m.predicate[after] === rule) return;
    if (m.count === m.next.length) {
      m.next = doubled(m.next);
      m.predicate = doubled(m.predicate);
    }
    const at = m.count++;
    m.predicate[at] = rule;
    m.next[at] = after;
    if (before < 0) m.head[row] = at;
    else m.next[before] = at;
  }
}

function doubled(array: Int32Array): Int32Array {
  const bigger = new Int32Array(array.length * 2);
  bigger.set(array);
  return bigger;
}

interface Conjunct {
  readonly predicate: Predicate;
  /** The one column that it reads, when its values can be classed. */
  readonly column: TableColumn | null;
}

interface Draft {
  readonly rule: number;
  readonly conjuncts: readonly Conjunct[];
  /** Columns that lead the row through a graph. */
  readonly leading: ReadonlySet<TableColumn>;
}

function compile(
  predicates: readonly Predicate[],
  table: Table,
  environment: PlanEnvironment,
): { groups: readonly Group[]; dimensions: readonly Dimension[] } {
  const columnOf = (predicate: Predicate): TableColumn | null => {
    if (testsOf(predicate).some(({ test }) => test === 'time' || test === 'timeofday')) return null;
    const columns = new Map([...fieldsOf(predicate)].map((field) => [table.column(field).id, table.column(field)]));
    if (columns.size !== 1) return null;
    const [column] = columns.values();
    return isClassable(predicate, column, environment.addresses) ? column : null;
  };
  const drafts = predicates.flatMap((predicate, rule) =>
    alternatives(normalize(predicate), (or) => columnOf(or) !== null).map((parts): Draft => {
      const conjuncts = parts.map((part) => ({ predicate: part, column: columnOf(part) }));
      return { rule, conjuncts, leading: leadingColumns(conjuncts) };
    }),
  );
  const byColumn = new Map<string, Dimension>();
  const dimensionOf = (column: TableColumn): Dimension => {
    const known = byColumn.get(column.id) ?? new Dimension(column, environment.addresses);
    byColumn.set(column.id, known);
    return known;
  };
  const groups = groupDrafts(drafts).map(({ columns, members }) => {
    const finished = members.map((draft) => finish(draft, dimensionOf, table, environment));
    return new Group([...columns].sort((a, b) => rank(a) - rank(b)).map(dimensionOf), finished);
  });
  const dimensions = [...byColumn.values()];
  for (const dimension of dimensions) dimension.build();
  return { groups, dimensions };
}

/** Low ranks tell rows apart best. */
function rank(column: TableColumn): number {
  if (column.kind === 'address') return 0;
  if (column.kind === 'code') return column.partition ? -1 : column.size > 256 ? 1 : 3;
  return column.kind === 'dictionary' ? 2 : 4;
}

/** The best kind of column that the alternative has a positive conjunct on; otherwise the best it has at all. */
function leadingColumns(conjuncts: readonly Conjunct[]): ReadonlySet<TableColumn> {
  const positive = conjuncts.filter(({ predicate }) => predicate.kind !== 'not');
  for (const pool of [positive, conjuncts]) {
    for (const limit of [2, 3, 4]) {
      const columns = pool.map(({ column }) => column).filter((column) => column !== null);
      const chosen = columns.filter((column) => rank(column) <= limit);
      if (chosen.length > 0) return new Set(chosen);
    }
  }
  return new Set();
}

interface DraftGroup {
  readonly columns: ReadonlySet<TableColumn>;
  readonly members: Draft[];
}

/** Alternatives led by the same columns share a graph; while there are too many graphs, the two most alike are joined. */
function groupDrafts(drafts: readonly Draft[]): DraftGroup[] {
  const bySignature = new Map<string, DraftGroup>();
  for (const draft of drafts) {
    const signature = [...draft.leading]
      .map(({ id }) => id)
      .sort()
      .join(' ');
    const group = bySignature.get(signature) ?? { columns: draft.leading, members: [] };
    group.members.push(draft);
    bySignature.set(signature, group);
  }
  const groups = [...bySignature.values()];
  const indexed = groups.filter((group) => group.columns.size > 0);
  const always = groups.filter((group) => group.columns.size === 0);
  while (indexed.length > MAX_GROUPS) {
    let best = { cost: Number.POSITIVE_INFINITY, a: 0, b: 1 };
    for (let a = 0; a < indexed.length; a++) {
      for (let b = a + 1; b < indexed.length; b++) {
        const union = new Set([...indexed[a].columns, ...indexed[b].columns]).size;
        const shared = indexed[a].columns.size + indexed[b].columns.size - union;
        const cost = (union - shared) * 1000 + Math.min(indexed[a].members.length, indexed[b].members.length);
        if (cost < best.cost) best = { cost, a, b };
      }
    }
    const [removed] = indexed.splice(best.b, 1);
    const kept = indexed[best.a];
    indexed[best.a] = {
      columns: new Set([...kept.columns, ...removed.columns]),
      members: [...kept.members, ...removed.members],
    };
  }
  return [...indexed, ...always];
}

function finish(
  draft: Draft,
  dimensionOf: (column: TableColumn) => Dimension,
  table: Table,
  environment: PlanEnvironment,
): Alternative {
  const conjuncts = new Map<Dimension, number[]>();
  const rest: Predicate[] = [];
  let threshold: Alternative['threshold'] = null;
  const leading = new Set([...draft.leading].map(({ id }) => id));
  for (const { predicate, column } of draft.conjuncts) {
    if (column !== null && leading.has(column.id)) {
      const dimension = dimensionOf(column);
      const place = dimension.add(predicate, () => compileRow(predicate, table, environment));
      conjuncts.set(dimension, [...(conjuncts.get(dimension) ?? []), place]);
    } else {
      const found: Alternative['threshold'] = threshold === null ? thresholdOf(predicate, column) : null;
      if (found === null) rest.push(predicate);
      else threshold = found;
    }
  }
  rest.sort((a, b) => cost(a, table) - cost(b, table));
  const tests = rest.map((predicate) => compileRow(predicate, table, environment));
  return { rule: draft.rule, conjuncts, threshold, rest: tests.length === 0 ? null : allOf(tests) };
}

function thresholdOf(predicate: Predicate, column: TableColumn | null): Alternative['threshold'] {
  if (column?.kind !== 'number' || predicate.kind !== 'field' || predicate.test !== 'number') return null;
  if (predicate.op !== 'gt' && predicate.op !== 'gte') return null;
  return { column, bound: predicate.value, inclusive: predicate.op === 'gte' };
}

/** Cheap tests first. */
function cost(predicate: Predicate, table: Table): number {
  let sum = 0;
  for (const test of testsOf(predicate)) {
    if (test.test === 'regex') sum += 20;
    else if (test.test === 'time' || test.test === 'timeofday') sum += 4;
    else sum += { code: 1, number: 1, dictionary: 2, address: 3, slow: 10 }[table.column(test.field).kind];
  }
  return sum;
}

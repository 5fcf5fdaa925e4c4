// Rules that look at the same columns share a decision graph that is built as rows ask for it. A node is the set of
// alternatives still alive after some columns; an edge is a class of the next column's values. Most rows leave at the
// root, whatever the number of rules.

import type { Dimension } from './dimension.ts';
import type { RowTest } from './row-test.ts';
import type { NumberColumn } from './table.ts';

/** Guarantee 4: graphs above this many edges and node members start anew between batches. */
const MAX_SIZE = 1 << 20;
const DEAD = 0;
const UNKNOWN = -1;

/** One alternative of a rule: conjuncts on dimensions, then what must be verified on the row. */
export interface Alternative {
  readonly rule: number;
  /** By dimension: numbers of the conjuncts that must hold there. */
  readonly conjuncts: ReadonlyMap<Dimension, readonly number[]>;
  /** `column > bound` (or >=), by which survivors are kept sorted; null when there is none. */
  readonly threshold: { readonly column: NumberColumn; readonly bound: number; readonly inclusive: boolean } | null;
  readonly rest: RowTest | null;
}

/** What is left to do for a row that reached the end. */
interface Leaf {
  readonly plain: readonly Alternative[];
  readonly ladders: readonly Ladder[];
}

/** Alternatives by ascending bound: the scan ends at the first bound above the row's value. */
interface Ladder {
  readonly column: NumberColumn;
  readonly bounds: Float64Array;
  readonly inclusive: Uint8Array;
  readonly alternatives: readonly Alternative[];
}

interface Level {
  /** Alternatives alive in each node. */
  nodes: (readonly number[])[];
  ids: Map<string, number>;
  /** By node, by class: the node of the next level. */
  edges: Int32Array[];
}

export class Group {
  readonly dimensions: readonly Dimension[];
  private readonly alternatives: readonly Alternative[];
  private levels: Level[] = [];
  private leaves: (Leaf | null)[] = [];
  private size = 0;

  constructor(dimensions: readonly Dimension[], alternatives: readonly Alternative[]) {
    this.dimensions = dimensions;
    this.alternatives = alternatives;
    this.reset();
  }

  get overfull(): boolean {
    return this.size > MAX_SIZE;
  }

  reset(): void {
    const root = this.alternatives.map((_, i) => i);
    this.levels = [];
    for (let i = 0; i <= this.dimensions.length; i++) {
      // Node 0 of every level is the dead one; node 1 of the first level is the root.
      this.levels.push({ nodes: i === 0 ? [[], root] : [[]], ids: new Map([['', DEAD]]), edges: [] });
    }
    this.leaves = [];
    this.size = 0;
  }

  /** Calls `found(row, rule)` for every alternative that holds. Classes of the dimensions must be filled. */
  scan(count: number, found: (row: number, rule: number) => void): void {
    const { dimensions, levels } = this;
    const depth = dimensions.length;
    if (depth === 0) {
      const leaf = this.leafOf(1);
      for (let row = 0; row < count; row++) settle(leaf, row, found);
      return;
    }
    const first = dimensions[0].classes;
    const firstEdges = levels[0].edges;
    firstEdges[1] ??= new Int32Array(0);
    let roots = firstEdges[1];
    for (let row = 0; row < count; row++) {
      const firstClass = first[row];
      let node = firstClass < roots.length ? roots[firstClass] : UNKNOWN;
      if (node === UNKNOWN) {
        node = this.grow(0, 1, firstClass);
        roots = firstEdges[1];
      }
      for (let level = 1; node !== DEAD && level < depth; level++) {
        const edges = levels[level].edges[node];
        const rowClass = dimensions[level].classes[row];
        const next = edges !== undefined && rowClass < edges.length ? edges[rowClass] : UNKNOWN;
        node = next === UNKNOWN ? this.grow(level, node, rowClass) : next;
      }
      if (node !== DEAD) settle(this.leaves[node] ?? this.leafOf(node), row, found);
    }
  }

  /** Finds where class `rowClass` leads from a node of `level`, and remembers it. */
  private grow(level: number, node: number, rowClass: number): number {
    const dimension = this.dimensions[level];
    const truth = dimension.truths[rowClass];
    const { nodes, edges } = this.levels[level];
    const alive = nodes[node].filter((i) => {
      const wanted = this.alternatives[i].conjuncts.get(dimension);
      return wanted === undefined || wanted.every((place) => truth[place] === 1);
    });
    const next = this.levels[level + 1];
    const key = alive.join();
    let id = next.ids.get(key);
    if (id === undefined) {
      id = next.nodes.push(alive) - 1;
      this.size += alive.length;
      next.ids.set(key, id);
    }
    let row = edges[node] ?? new Int32Array(0);
    if (rowClass >= row.length) {
      const grown = new Int32Array(Math.max(rowClass + 1, row.length * 2, 16)).fill(UNKNOWN);
      grown.set(row);
      this.size += grown.length - row.length;
      row = grown;
      edges[node] = row;
    }
    row[rowClass] = id;
    return id;
  }

  private leafOf(node: number): Leaf {
    const known = this.leaves[node];
    if (known) return known;
    const alive = this.levels[this.dimensions.length].nodes[node].map((i) => this.alternatives[i]);
    const plain: Alternative[] = [];
    const byColumn = new Map<NumberColumn, Alternative[]>();
    for (const alternative of alive) {
      const column = alternative.threshold?.column;
      if (column === undefined) plain.push(alternative);
      else byColumn.set(column, [...(byColumn.get(column) ?? []), alternative]);
    }
    const leaf = { plain, ladders: [...byColumn].map(([column, members]) => ladderOf(column, members)) };
    this.leaves[node] = leaf;
    return leaf;
  }
}

function ladderOf(column: NumberColumn, members: readonly Alternative[]): Ladder {
  const sorted = [...members].sort((a, b) => (a.threshold?.bound ?? 0) - (b.threshold?.bound ?? 0));
  return {
    column,
    bounds: Float64Array.from(sorted, (member) => member.threshold?.bound ?? 0),
    inclusive: Uint8Array.from(sorted, (member) => (member.threshold?.inclusive ? 1 : 0)),
    alternatives: sorted,
  };
}

function settle(leaf: Leaf, row: number, found: (row: number, rule: number) => void): void {
  const { plain, ladders } = leaf;
  for (let i = 0; i < plain.length; i++) {
    const { rest, rule } = plain[i];
    if (rest === null || rest(row)) found(row, rule);
  }
  for (let l = 0; l < ladders.length; l++) {
    const { column, bounds, inclusive, alternatives } = ladders[l];
    const value = column.at(row);
    // NaN (absent) passes no threshold: the comparison below is false for it at once.
    for (let i = 0; i < bounds.length && bounds[i] <= value; i++) {
      if (bounds[i] === value && inclusive[i] === 0) continue;
      const { rest, rule } = alternatives[i];
      if (rest === null || rest(row)) found(row, rule);
    }
  }
}

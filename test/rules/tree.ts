// A predicate with its negations at the leaves, and for each leaf what the rest of the tree must be for that leaf to decide.

import type { FieldTest, Predicate } from '../../rules/predicate.ts';

export interface Leaf {
  readonly kind: 'leaf';
  readonly test: FieldTest;
  /** False under an odd number of negations. */
  readonly positive: boolean;
}

export type Node = Leaf | { readonly kind: 'and' | 'or'; readonly of: readonly Node[] };

/** A subtree and what it is to be. */
export interface Goal {
  readonly node: Node;
  readonly want: boolean;
}

export interface Decision {
  readonly leaf: Leaf;
  /** With these met, the predicate is what the leaf is. */
  readonly others: readonly Goal[];
}

const EMPTY: Readonly<Record<'true' | 'false', Node>> = {
  true: { kind: 'and', of: [] },
  false: { kind: 'or', of: [] },
};

export function treeOf(predicate: Predicate, positive = true): Node {
  switch (predicate.kind) {
    case 'constant':
      return EMPTY[predicate.value === positive ? 'true' : 'false'];
    case 'not':
      return treeOf(predicate.of, !positive);
    case 'field':
      return { kind: 'leaf', test: predicate, positive };
    default:
      return {
        kind: (predicate.kind === 'and') === positive ? 'and' : 'or',
        of: predicate.of.map((part) => treeOf(part, positive)),
      };
  }
}

export function decisions(node: Node, others: readonly Goal[] = []): Decision[] {
  if (node.kind === 'leaf') return [{ leaf: node, others }];
  return node.of.flatMap((child, i) => {
    // Beside a deciding part, the parts of an `and` hold and the alternatives of an `or` do not.
    const siblings = node.of.filter((_, j) => j !== i).map((sibling) => ({ node: sibling, want: node.kind === 'and' }));
    return decisions(child, [...others, ...siblings]);
  });
}

/** A test of many values as two: the one value, and the rest of them (null when there is no rest). */
export function parted(test: FieldTest, i: number): { readonly one: FieldTest; readonly rest: FieldTest | null } {
  if (test.test === 'cidr') {
    const rest = test.prefixes.filter((_, j) => j !== i);
    return {
      one: { ...test, prefixes: [test.prefixes[i]] },
      rest: rest.length === 0 ? null : { ...test, prefixes: rest },
    };
  }
  if (!('values' in test)) return { one: test, rest: null };
  const rest = (test.values as readonly unknown[]).filter((_, j) => j !== i);
  const withValues = (values: readonly unknown[]): FieldTest => ({ ...test, values }) as FieldTest;
  return { one: withValues([test.values[i]]), rest: rest.length === 0 ? null : withValues(rest) };
}

export function valueCount(test: FieldTest): number {
  if (test.test === 'cidr') return test.prefixes.length;
  return 'values' in test ? test.values.length : 1;
}

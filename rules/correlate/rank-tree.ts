// Weights by value, for ranks and quantiles in O(log n): a treap whose priorities follow from the values, so that its shape
// depends on what it holds and never on how it came about.

interface Node {
  readonly value: number;
  readonly priority: number;
  weight: number;
  /** Weight of the whole subtree. */
  total: number;
  left: Node | null;
  right: Node | null;
}

const bits = new DataView(new ArrayBuffer(8));

function priorityOf(value: number): number {
  bits.setFloat64(0, value + 0); // −0 is 0
  let mixed = Math.imul(bits.getUint32(0) ^ 0x9e3779b9, 0x85ebca6b) ^ bits.getUint32(4);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0x27d4eb2f);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

export class RankTree {
  private root: Node | null = null;

  get total(): number {
    return this.root?.total ?? 0;
  }

  /** Adds to the weight of a value; a value without weight is gone. */
  add(value: number, weight: number): void {
    this.root = added(this.root, value, weight);
  }

  /** The weight of all values up to and including this one. */
  upTo(value: number): number {
    let sum = 0;
    for (let node = this.root; node !== null; ) {
      if (value < node.value) node = node.left;
      else {
        sum += node.weight + (node.left?.total ?? 0);
        node = node.right;
      }
    }
    return sum;
  }

  /** The least value with at least this weight up to and including it; NaN in an empty tree. */
  at(rank: number): number {
    let rest = Math.min(Math.max(rank, 1), this.total);
    for (let node = this.root; node !== null; ) {
      const left = node.left?.total ?? 0;
      if (rest <= left) node = node.left;
      else if (rest <= left + node.weight) return node.value;
      else {
        rest -= left + node.weight;
        node = node.right;
      }
    }
    return Number.NaN;
  }
}

function added(node: Node | null, value: number, weight: number): Node | null {
  if (node === null) {
    return { value, priority: priorityOf(value), weight, total: weight, left: null, right: null };
  }
  if (value === node.value) {
    node.weight += weight;
    if (node.weight <= 0) return joined(node.left, node.right);
  } else if (value < node.value) {
    node.left = added(node.left, value, weight);
    if (node.left !== null && above(node.left, node)) return turned(node, node.left);
  } else {
    node.right = added(node.right, value, weight);
    if (node.right !== null && above(node.right, node)) return turned(node, node.right);
  }
  return summed(node);
}

function above(a: Node, b: Node): boolean {
  return a.priority > b.priority || (a.priority === b.priority && a.value < b.value);
}

/** The child takes its parent's place. */
function turned(node: Node, child: Node): Node {
  if (node.left === child) {
    node.left = child.right;
    child.right = summed(node);
  } else {
    node.right = child.left;
    child.left = summed(node);
  }
  return summed(child);
}

function joined(left: Node | null, right: Node | null): Node | null {
  if (left === null || right === null) return left ?? right;
  if (above(left, right)) {
    left.right = joined(left.right, right);
    return summed(left);
  }
  right.left = joined(left, right.left);
  return summed(right);
}

function summed(node: Node): Node {
  node.total = node.weight + (node.left?.total ?? 0) + (node.right?.total ?? 0);
  return node;
}

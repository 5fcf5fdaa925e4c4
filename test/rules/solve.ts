// Goals of a predicate's tree → field values that meet all of them: a search over the alternatives, which gives a branch up
// as soon as the literals about one field cannot be met.

import type { FieldTest } from '../../rules/predicate.ts';
import { logField } from '../../src/model/fields.ts';
import { contradict } from './contradiction.ts';
import { type FieldValue, isMany, type Literal, meets } from './meaning.ts';
import type { Goal, Node } from './tree.ts';
import { NONE, type Style, solveField } from './values.ts';

export type Values = ReadonlyMap<string, FieldValue>;

export interface Solution {
  /** null when there is none. */
  readonly values: Values | null;
  /** Literals that could not be met together, though nothing proves it; empty when each is proved, or `values` were found. */
  readonly unproved: readonly (readonly Literal[])[];
  /** Every alternative was looked at. */
  readonly complete: boolean;
}

/** Alternatives that are tried before the search gives up. */
const PATIENCE = 4000;
/** Searches that take no more of them are easy. */
const EASY = 100;

const COLUMNS = new Set([
  'source_ip',
  'destination_ip',
  'host',
  'user',
  'message',
  'severity',
  'threat',
  'pop_id',
  'product',
  'category',
  'service',
]);

/** Columns of a log event: '' and absent are one there. */
function isTyped(field: string): boolean {
  return COLUMNS.has(logField(field)?.name ?? '');
}

export function solve(
  goals: readonly Goal[],
  given: readonly Literal[],
  focus: Literal | null,
  style: Style,
): Solution {
  const search = new Search(style, focus);
  const values = search.run(goals, given);
  return { values, unproved: values === null ? search.unproved : [], complete: search.left > 0 };
}

class Search {
  readonly unproved: (readonly Literal[])[] = [];
  left = PATIENCE;
  private readonly style: Style;
  private readonly focus: Literal | null;
  private readonly solved = new Map<string, FieldValue | typeof NONE>();
  private readonly ids = new Map<FieldTest, number>();

  constructor(style: Style, focus: Literal | null) {
    this.style = style;
    this.focus = focus;
  }

  run(goals: readonly Goal[], given: readonly Literal[]): Values | null {
    let known: readonly Literal[] = [];
    for (const literal of given) {
      known = [...known, literal];
      if (this.valueOf(literal.test.field, known) === NONE) return null;
    }
    return this.step(goals, [], known);
  }

  private step(pending: readonly Goal[], choices: readonly Goal[], literals: readonly Literal[]): Values | null {
    if (this.left-- <= 0) return null;
    const queue = [...pending];
    const open = [...choices];
    const known = [...literals];
    for (let goal = queue.pop(); goal !== undefined; goal = queue.pop()) {
      const { node, want } = goal;
      if (node.kind === 'leaf') {
        known.push({ test: node.test, want: want === node.positive });
        if (this.valueOf(node.test.field, known) === NONE) return null;
      } else if ((node.kind === 'and') === want) queue.push(...node.of.map((child) => ({ node: child, want })));
      else open.push(goal);
    }
    if (open.length === 0) return this.assemble(known);
    const [{ goal, children }, ...rest] = this.narrowed(open, known);
    for (let i = 0; i < children.length; i++) {
      const child = children[(i + this.style.seed) % children.length];
      const found = this.step(
        [{ node: child, want: goal.want }],
        rest.map((other) => other.goal),
        known,
      );
      if (found !== null) return found;
    }
    return null;
  }

  /**
   * Open goals, those with the fewest ways first. A search that goes on for long leaves out the leaves that cannot be met
   * beside what is known: an alternative that excludes everything is then seen before the others are gone through.
   */
  private narrowed(open: readonly Goal[], known: readonly Literal[]): { goal: Goal; children: readonly Node[] }[] {
    const looksAhead = this.left < PATIENCE - EASY;
    const ways = open.map((goal) => {
      const { node, want } = goal;
      const all = node.kind === 'leaf' ? [] : node.of;
      const children = !looksAhead ? all : all.filter((child) => this.canBe(child, want, known));
      return { goal, children };
    });
    return ways.sort((a, b) => a.children.length - b.children.length);
  }

  private canBe(node: Node, want: boolean, known: readonly Literal[]): boolean {
    if (node.kind !== 'leaf') return true;
    const literal: Literal = { test: node.test, want: want === node.positive };
    return this.valueOf(node.test.field, [...known, literal]) !== NONE;
  }

  /** A value of the field for all literals about it (a fieldref is left to `assemble`). */
  private valueOf(field: string, known: readonly Literal[]): FieldValue | typeof NONE {
    const about = known.filter(({ test }) => test.field === field && test.test !== 'fieldref');
    const key = about
      .map(({ test, want }) => `${this.idOf(test)}${want}`)
      .sort()
      .join();
    let value = this.solved.get(key);
    if (value === undefined && !this.solved.has(key)) {
      const focus = this.focus?.test.field === field ? this.focus : null;
      value = solveField(about, this.style, isTyped(field), focus);
      this.solved.set(key, value);
      if (value === NONE && !contradict(about)) this.unproved.push(about);
    }
    return value;
  }

  private idOf(test: FieldTest): number {
    const id = this.ids.get(test) ?? this.ids.size;
    this.ids.set(test, id);
    return id;
  }

  private assemble(literals: readonly Literal[]): Values | null {
    const values = new Map<string, FieldValue>();
    for (const { test } of literals) {
      if (values.has(test.field)) continue;
      const value = this.valueOf(test.field, literals);
      if (value === NONE) return null;
      values.set(test.field, value);
    }
    for (const { test, want } of literals) {
      if (test.test === 'fieldref' && !this.refer(test, want, literals, values)) return null;
    }
    for (const { test, want } of literals) {
      // What a later reference needed may have undone an earlier one.
      if (test.test === 'fieldref' && refers(test, values) !== want) return null;
    }
    // A keyword that must not occur must not occur in what other fields needed either.
    const texts = [...values.values()]
      .flatMap((value): readonly FieldValue[] => (isMany(value) ? value : [value]))
      .filter((value) => value !== null && value !== undefined)
      .map(String);
    const wrong = literals.some(
      (literal) => literal.test.field === '' && !literal.want && !meets(literal, texts, false),
    );
    if (wrong && !contradict(literals))
      this.unproved.push(literals.filter(({ test, want }) => test.field === '' || want));
    return wrong ? null : values;
  }

  private refer(
    { field, other, mode }: Reference,
    want: boolean,
    literals: readonly Literal[],
    values: Map<string, FieldValue>,
  ): boolean {
    const plain = (name: string): Literal[] =>
      literals.filter(({ test }) => test.field === name && test.test !== 'fieldref');
    const typed = isTyped(field);
    if (want) {
      const both = [...plain(field), ...plain(other)];
      const none: FieldTest = { kind: 'field', field, test: 'null' };
      const value = solveField([...both, { test: none, want: false }], { ...this.style, many: false }, typed, null);
      if (value === NONE || value === null) {
        if (!contradict(both)) this.unproved.push(both);
        return false;
      }
      values.set(field, value);
      values.set(other, value);
      return true;
    }
    const theirs = values.get(other);
    if (theirs === undefined || theirs === null) return true;
    const texts = (isMany(theirs) ? theirs : [theirs]).map(String);
    const same: Literal = {
      test: { kind: 'field', field, test: mode, values: texts, cased: false },
      want: false,
    };
    const value = solveField([...plain(field), same], this.style, typed, same);
    if (value === NONE) return false;
    values.set(field, value);
    return true;
  }
}

type Reference = Extract<FieldTest, { test: 'fieldref' }>;

/** Whether the values found so far are as the reference says; values that are no texts have no parts in common. */
function refers({ field, other, mode }: Reference, values: Values): boolean {
  const theirs = values.get(other);
  if (theirs === undefined || theirs === null) return false;
  const texts = (isMany(theirs) ? theirs : [theirs]).map(String);
  const alike: Literal = { test: { kind: 'field', field, test: mode, values: texts, cased: false }, want: true };
  return meets(alike, values.get(field), false);
}

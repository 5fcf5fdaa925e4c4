// Events made from a rule's own predicate: for each leaf that can decide, one event that matches because of it, and one that
// differs in that leaf and does not match.

import type { Rule } from '../../rules/model.ts';
import type { FieldTest } from '../../rules/predicate.ts';
import type { FieldValue, Literal } from './meaning.ts';
import { EVENT_MS, eventSource } from './production.ts';
import { type Solution, solve, type Values } from './solve.ts';
import { type Decision, decisions, type Goal, parted, treeOf, valueCount } from './tree.ts';
import { PLAIN, type Style } from './values.ts';

export interface Synthesised {
  readonly rule: number;
  /** The leaf that decides, for people. */
  readonly leaf: string;
  readonly matches: boolean;
  /** As the producer's JSON. */
  readonly record: Readonly<Record<string, unknown>>;
  /** Field values by the names that the rule uses. */
  readonly values: Values;
}

export interface Skip {
  readonly rule: number;
  readonly leaf: string;
  readonly matches: boolean;
  readonly reason: 'contradiction' | 'not proved impossible' | 'search given up';
  readonly literals: readonly Literal[];
}

export interface Synthesis {
  readonly events: readonly Synthesised[];
  readonly skips: readonly Skip[];
  /** Leaves, and those of them with both events. */
  readonly leaves: number;
  readonly flipped: number;
}

export interface Options {
  /** Of a leaf with many values, for so many each is made to decide. */
  readonly valuesPerLeaf: number;
  /** Only what a table of plain columns can hold: one value a field, under the rule's own name for it. */
  readonly plain: boolean;
  readonly seed: number;
}

export function synthesise(rule: Rule, options: Options): Synthesis {
  if (rule.detection === null) return { events: [], skips: [], leaves: 0, flipped: 0 };
  const maker = new Maker(rule, options);
  const tree = treeOf(rule.detection);
  const all = decisions(tree);
  for (const decision of all) maker.decide(decision);
  // A rule of which no leaf can decide alone still has events that match and events that do not.
  for (const matches of [true, false]) {
    if (!maker.events.some((event) => event.matches === matches)) maker.whole({ node: tree, want: matches });
  }
  return { events: maker.events, skips: maker.skips, leaves: all.length, flipped: maker.flipped };
}

class Maker {
  readonly events: Synthesised[] = [];
  readonly skips: Skip[] = [];
  flipped = 0;
  private made = 0;
  private readonly rule: Rule;
  private readonly options: Options;

  constructor(rule: Rule, options: Options) {
    this.rule = rule;
    this.options = options;
  }

  decide({ leaf, others }: Decision): void {
    const count = valueCount(leaf.test);
    const { valuesPerLeaf, seed } = this.options;
    const tried = Math.min(count, valuesPerLeaf);
    const done = { true: false, false: false };
    for (let i = 0; i < tried; i++) {
      const { one, rest } = parted(leaf.test, (Math.floor((i * count) / tried) + seed) % count);
      for (const holds of [true, false]) {
        const matches = holds === leaf.positive;
        const focus: Literal = { test: one, want: holds };
        const given = rest === null ? [focus] : [focus, { test: rest, want: false }];
        let style = this.style();
        let solution = solve(others, given, focus, style);
        if (solution.values === null && (solution.unproved.length > 0 || !solution.complete)) {
          // A style may itself be in the way: a number as text is text that keywords find.
          style = { ...PLAIN, seed: style.seed };
          solution = solve(others, given, focus, style);
        }
        if (this.keep(describe(one), matches, solution, given, style)) done[holds ? 'true' : 'false'] = true;
      }
    }
    if (done.true && done.false) this.flipped++;
  }

  whole(goal: Goal): void {
    const style = this.style();
    this.keep('', goal.want, solve([goal], [], null, style), [], style);
  }

  private keep(leaf: string, matches: boolean, solution: Solution, given: readonly Literal[], style: Style): boolean {
    const { index, logsource } = this.rule;
    if (solution.values !== null) {
      const record = recordOf(solution.values, eventSource(logsource).product, style);
      this.events.push({ rule: index, leaf, matches, record, values: solution.values });
      return true;
    }
    const reason = !solution.complete
      ? 'search given up'
      : solution.unproved.length > 0
        ? 'not proved impossible'
        : 'contradiction';
    this.skips.push({ rule: index, leaf, matches, reason, literals: solution.unproved[0] ?? given });
    return false;
  }

  private style(): Style {
    const { plain, seed } = this.options;
    const turn = this.rule.index * 31 + seed * 17 + this.made++;
    return { swapCase: turn % 2 === 1, retype: !plain && turn % 3 === 1, many: !plain && turn % 5 === 2, seed: turn };
  }
}

export function describe(test: FieldTest): string {
  const { kind: _, field, test: name, ...rest } = test;
  return `${field === '' ? '(any text)' : field} ${name} ${JSON.stringify(rest)}`;
}

/** Keys by which the decoder takes a record for something else than a log event, unless the record names its product. */
const TELLING = new Set([
  'source_ip',
  'destination_ip',
  'source_port',
  'destination_port',
  'protocol',
  'flow_id',
  'bytes_sent',
  'bytes_received',
  'packets_sent',
  'packets_received',
  'id.orig_h',
  '_path',
  'event_type',
  'sampler_address',
  'time_received_ns',
  'ExporterAddress',
]);

/** Objects that the decoder takes for a Windows event's envelope; their names stay keys with dots. */
const ENVELOPES = new Set(['Event', 'System', 'winlog', 'EventData', 'UserData', 'event_data', 'user_data']);

function recordOf(values: Values, product: string, style: Style): Record<string, unknown> {
  // A number, because the text of a time has a colon, for which keywords ask.
  const record: Record<string, unknown> = { timestamp: EVENT_MS };
  const names = [...values.keys()];
  for (const [name, value] of values) {
    if (value === undefined) continue;
    if (name === '') record[textKey(names, style)] = value;
    else if (style.seed % 4 < 2 && canNest(name, names)) nest(record, name.split('.'), value);
    else record[name] = value;
  }
  if (names.some((name) => TELLING.has(name)) && !names.includes('product')) record.product = product;
  return record;
}

/** Where a keyword stands must not matter. */
function textKey(names: readonly string[], style: Style): string {
  return ['message', 'note', 'CommandLine'].filter((name) => !names.includes(name))[style.seed % 2] ?? 'note';
}

function canNest(name: string, names: readonly string[]): boolean {
  const parts = name.split('.');
  if (parts.length < 2 || parts.includes('') || ENVELOPES.has(parts[0])) return false;
  // The object must not stand under a name that is a field itself.
  return !names.some((other) => other !== name && (name.startsWith(`${other}.`) || other.startsWith(`${name}.`)));
}

function nest(record: Record<string, unknown>, path: readonly string[], value: FieldValue): void {
  let holder = record;
  for (const part of path.slice(0, -1)) {
    holder[part] ??= {};
    holder = holder[part] as Record<string, unknown>;
  }
  holder[path[path.length - 1]] = value;
}

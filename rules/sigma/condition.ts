// The condition grammar: or < and < not < ( … ) | `1 of PATTERN` | `all of PATTERN` | a selection's name.

import type { Predicate } from '../predicate.ts';
import type { Reporter } from '../yaml.ts';

const MAX_TOKENS = 2000;
const MAX_DEPTH = 64;
export const NEVER: Predicate = { kind: 'constant', value: false };

export function combine(kind: 'and' | 'or', of: readonly Predicate[]): Predicate {
  if (of.length === 1) return of[0];
  return of.length === 0 ? { kind: 'constant', value: kind === 'and' } : { kind, of };
}

/**
 * Compiles a condition over named selections. Reports and yields NEVER where it cannot. Names that are used are added to
 * `used`.
 */
export function compileCondition(
  text: string,
  at: number,
  selections: ReadonlyMap<string, Predicate>,
  used: Set<string>,
  report: Reporter,
): Predicate {
  return new Parser(text, at, selections, used, report).parse();
}

class Parser {
  private readonly tokens: readonly string[];
  private next = 0;
  private failed = false;
  private readonly at: number;
  private readonly selections: ReadonlyMap<string, Predicate>;
  private readonly used: Set<string>;
  private readonly report: Reporter;

  constructor(
    text: string,
    at: number,
    selections: ReadonlyMap<string, Predicate>,
    used: Set<string>,
    report: Reporter,
  ) {
    this.tokens = text.match(/[()|]|[^\s()|]+/g) ?? [];
    this.at = at;
    this.selections = selections;
    this.used = used;
    this.report = report;
  }

  parse(): Predicate {
    if (this.tokens.length === 0) return this.fail('sigma.condition_syntax', 'The condition is empty.');
    if (this.tokens.length > MAX_TOKENS) return this.fail('sigma.condition_syntax', 'The condition is too long.');
    if (this.tokens.includes('|')) {
      return this.fail(
        'sigma.unsupported',
        "Aggregations after '|' were removed from Sigma; write a correlation rule instead.",
      );
    }
    const result = this.or(0);
    if (!this.failed && this.next < this.tokens.length) {
      return this.fail('sigma.condition_syntax', `'${this.tokens[this.next]}' was not expected in the condition.`);
    }
    return result;
  }

  /** Keywords may be written in capitals; a selection of that very name wins. */
  private keyword(...words: readonly string[]): boolean {
    const token = this.tokens[this.next];
    return token !== undefined && !this.selections.has(token) && words.includes(token.toLowerCase());
  }

  private or(depth: number): Predicate {
    const of = [this.and(depth)];
    while (!this.failed && this.keyword('or')) {
      this.next++;
      of.push(this.and(depth));
    }
    return combine('or', of);
  }

  private and(depth: number): Predicate {
    const of = [this.not(depth)];
    while (!this.failed && this.keyword('and')) {
      this.next++;
      of.push(this.not(depth));
    }
    return combine('and', of);
  }

  private not(depth: number): Predicate {
    let negated = false;
    while (this.keyword('not')) {
      this.next++;
      negated = !negated;
    }
    const operand = this.operand(depth);
    return negated ? { kind: 'not', of: operand } : operand;
  }

  private operand(depth: number): Predicate {
    const token = this.tokens[this.next++];
    if (token === undefined) return this.fail('sigma.condition_syntax', 'The condition ends too early.');
    if (token === '(') {
      if (depth >= MAX_DEPTH) return this.fail('sigma.condition_syntax', 'Too many nested parentheses.');
      const inner = this.or(depth + 1);
      if (this.failed) return NEVER;
      if (this.tokens[this.next++] !== ')') return this.fail('sigma.condition_syntax', "A ')' is missing.");
      return inner;
    }
    const selection = this.selections.get(token);
    if (selection !== undefined) {
      this.used.add(token);
      return selection;
    }
    if (this.keyword('of')) return this.quantified(token);
    return this.fail('sigma.unknown_selection', `The condition names '${token}', which is no selection of the rule.`);
  }

  private quantified(quantifier: string): Predicate {
    this.next++;
    const pattern = this.tokens[this.next++];
    const word = quantifier.toLowerCase();
    if (word !== '1' && word !== 'any' && word !== 'all') {
      return this.fail('sigma.unsupported', `'${quantifier} of': only '1 of', 'any of' and 'all of' exist.`);
    }
    if (pattern === undefined) return this.fail('sigma.condition_syntax', "A name is missing after 'of'.");
    const names = [...this.selections.keys()].filter(nameFilter(pattern));
    if (names.length === 0) {
      return this.fail('sigma.unknown_selection', `No selection of the rule matches '${pattern}'.`);
    }
    for (const name of names) this.used.add(name);
    return combine(
      word === 'all' ? 'and' : 'or',
      names.map((name) => this.selections.get(name) ?? NEVER),
    );
  }

  private fail(code: string, message: string): Predicate {
    if (!this.failed) this.report.error(this.at, code, message);
    this.failed = true;
    this.next = this.tokens.length;
    return NEVER;
  }
}

/**
 * Names that begin with '_' are helpers, which neither `them` nor a pattern counts; a pattern that begins so itself asks for
 * them (an extension, where Sigma would find nothing). `*` stands for any run of characters.
 */
function nameFilter(pattern: string): (name: string) => boolean {
  if (pattern.toLowerCase() === 'them') return (name) => !name.startsWith('_');
  return (name) => name.startsWith('_') === pattern.startsWith('_') && globMatches(pattern, name);
}

/** Greedy with one point to return to: at worst pattern × name steps. */
function globMatches(pattern: string, name: string): boolean {
  let p = 0;
  let n = 0;
  let star = -1;
  let resume = 0;
  while (n < name.length) {
    if (pattern[p] === '*') {
      star = p++;
      resume = n;
    } else if (pattern[p] === name[n]) {
      p++;
      n++;
    } else if (star >= 0) {
      p = star + 1;
      n = ++resume;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

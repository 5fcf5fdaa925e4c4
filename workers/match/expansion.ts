// A rule's value with a placeholder and the lists of that name → which texts it stands for.

import type { ListMode } from '../../rules/plan/index.ts';
import { fill, type Template } from '../../rules/sigma/placeholder.ts';
import { anchored, literalOf, type Pattern } from '../../rules/sigma/wildcard.ts';

/** A list as it is here: what it holds, and what counts as a member of it. */
interface Source {
  readonly kind: 'prefix' | 'domain' | 'string';
  has(mode: ListMode, text: string): boolean;
  texts(): Iterable<string>;
}

/** Without case, as Sigma compares; `*` and `?` of a string list's values are wildcards. */
export class Expansion {
  /** Networks and domains: an address inside or a name below is a member, though it is not equal to a value. */
  private readonly whole: readonly Source[];
  private readonly literals = new Set<string>();
  private readonly patterns: Pattern[] = [];

  constructor(template: Template, sources: readonly Source[]) {
    const bare = template.before.length + template.after.length === 0;
    this.whole = bare ? sources.filter(({ kind }) => kind !== 'string') : [];
    for (const source of sources) {
      for (const value of source.texts()) {
        const pattern = fill(template, value);
        const literal = literalOf(pattern);
        if (literal === null) this.patterns.push(pattern);
        else this.literals.add(literal);
      }
    }
  }

  has(mode: ListMode, text: string): boolean {
    const folded = text.toLowerCase();
    if (mode === 'member') {
      if (this.literals.has(folded) || this.whole.some((source) => source.has('member', text))) return true;
    } else {
      for (const literal of this.literals) if (holds(mode, folded, literal)) return true;
    }
    const anchor = mode === 'member' ? 'equals' : mode;
    return this.patterns.some((pattern) => matches(anchored(pattern, anchor), folded));
  }
}

function holds(mode: 'contains' | 'startswith' | 'endswith', text: string, part: string): boolean {
  if (mode === 'contains') return text.includes(part);
  return mode === 'startswith' ? text.startsWith(part) : text.endsWith(part);
}

/** Greedy with one point to return to: at worst pattern × text steps. */
function matches(pattern: Pattern, text: string): boolean {
  let at = 0;
  let part = 0;
  let star = -1;
  let resume = 0;
  for (;;) {
    const now = pattern[part];
    if (now === undefined && at === text.length) return true;
    if (typeof now === 'object' && now.wildcard === '*') {
      star = part++;
      resume = at;
      continue;
    }
    const length = now === undefined || at >= text.length ? 0 : typeof now === 'string' ? now.length : 1;
    if (length > 0 && (typeof now !== 'string' || text.startsWith(now, at))) {
      at += length;
      part++;
    } else if (star >= 0 && resume < text.length) {
      at = ++resume;
      part = star + 1;
    } else return false;
  }
}

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

/** Without case, as Sigma compares; `*` and `?` of a list's values are wildcards. One list, filled in when first needed. */
export class Expansion {
  private readonly template: Template;
  private readonly source: Source;
  /** Networks and domains: an address inside or a name below is a member, though it is not equal to a value. */
  private readonly whole: boolean;
  private literals: Set<string> | null = null;
  private readonly patterns: Pattern[] = [];

  constructor(template: Template, source: Source) {
    this.template = template;
    this.source = source;
    this.whole = template.before.length + template.after.length === 0 && source.kind !== 'string';
  }

  has(mode: ListMode, text: string): boolean {
    if (mode === 'member' && this.whole) return this.source.has(mode, text);
    this.literals ??= this.filled();
    const folded = text.toLowerCase();
    if (mode === 'member') {
      if (this.literals.has(folded)) return true;
    } else {
      for (const literal of this.literals) if (holds(mode, folded, literal)) return true;
    }
    const anchor = mode === 'member' ? 'equals' : mode;
    return this.patterns.some((pattern) => matches(anchored(pattern, anchor), folded));
  }

  private filled(): Set<string> {
    const literals = new Set<string>();
    for (const value of this.source.texts()) {
      const pattern = fill(this.template, value);
      const literal = literalOf(pattern);
      if (literal === null) this.patterns.push(pattern);
      else literals.add(literal);
    }
    return literals;
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

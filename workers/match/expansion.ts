// A rule's value with a placeholder and the lists of that name → which texts it stands for.

import { AFFIX, compileGlob, type ListMode, type ScalarTest } from '../../rules/plan/index.ts';
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
  private readonly byMode = new Map<ListMode, readonly ScalarTest[]>();

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
      for (const literal of this.literals) if (AFFIX[mode](folded, literal)) return true;
    }
    return this.globs(mode).some((glob) => glob(text, text, folded));
  }

  private globs(mode: ListMode): readonly ScalarTest[] {
    let globs = this.byMode.get(mode);
    if (globs === undefined) {
      const anchor = mode === 'member' ? 'equals' : mode;
      globs = this.patterns.map((pattern) => compileGlob(anchored(pattern, anchor), false));
      this.byMode.set(mode, globs);
    }
    return globs;
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

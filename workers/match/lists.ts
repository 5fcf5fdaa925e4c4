// Named lists of tenants and of all tenants, ready for membership tests. Loaded once per control snapshot.

import { readFileSync } from 'node:fs';
import { AFFIX, type ListMode } from '../../rules/plan/index.ts';
import { parseTemplate, type Template } from '../../rules/sigma/placeholder.ts';
import type { ControlSnapshot, ListDocument } from '../../src/model/control.ts';
import { parseIp, parsePrefix } from '../../src/model/ip.ts';
import { type PrefixTable, PrefixTableBuilder } from '../enrich/lpm.ts';
import { Expansion } from './expansion.ts';

/** One list, built on first use: many lists serve enrichment alone. */
class NamedList {
  private readonly document: ListDocument;
  private values: ReadonlySet<string> | null = null;
  private prefixes: PrefixTable | null = null;
  private readonly expansions = new Map<string, Expansion>();

  constructor(document: ListDocument) {
    this.document = document;
  }

  has(mode: ListMode, text: string): boolean {
    if (mode === 'member') return this.member(text);
    const folded = text.toLowerCase();
    for (const value of this.set()) {
      if (AFFIX[mode](folded, value.toLowerCase())) return true;
    }
    return false;
  }

  hasAddress(words: Uint32Array, at: number): boolean {
    this.prefixes ??= this.table();
    return this.prefixes.lookup(words, at) !== 0;
  }

  get kind(): ListDocument['kind'] {
    return this.document.kind;
  }

  texts(): Iterable<string> {
    return this.set();
  }

  /** A rule's value (`text` of `template`) with the values of this list in place of its placeholder. */
  expanded(text: string, template: Template): Expansion {
    let expansion = this.expansions.get(text);
    if (expansion === undefined) {
      expansion = new Expansion(template, this);
      this.expansions.set(text, expansion);
    }
    return expansion;
  }

  private member(text: string): boolean {
    if (this.document.kind === 'string') return this.set().has(text);
    if (this.document.kind === 'prefix') return parseIp(text, scratch) && this.hasAddress(scratch, 0);
    // A domain covers every name below it.
    const values = this.set();
    let name = text.toLowerCase().replace(/\.$/, '');
    for (;;) {
      if (values.has(name)) return true;
      const dot = name.indexOf('.');
      if (dot < 0) return false;
      name = name.slice(dot + 1);
    }
  }

  private set(): ReadonlySet<string> {
    if (this.values === null) {
      const domains = this.document.kind === 'domain';
      this.values = new Set(
        this.lines().map((value) =>
          domains
            ? value
                .toLowerCase()
                .replace(/^\*?\./, '')
                .replace(/\.$/, '')
            : value,
        ),
      );
    }
    return this.values;
  }

  private table(): PrefixTable {
    const builder = new PrefixTableBuilder();
    for (const line of this.lines()) {
      const prefix = parsePrefix(line);
      if (prefix !== null) builder.add(prefix.words, prefix.bits, 1);
    }
    return builder.build();
  }

  private lines(): string[] {
    const { values, file } = this.document;
    const own = values.map((value) => value.trim());
    // Content-addressed: the snapshot's hash covers what the file holds.
    const more = file === '' ? [] : readFileSync(file, 'utf8').split('\n');
    return [...own, ...more.map((line) => line.trim())].filter((line) => line !== '' && !line.startsWith('#'));
  }
}

const scratch = new Uint32Array(4);

export class Lists {
  private readonly shared: ReadonlyMap<string, NamedList>;
  private readonly own: readonly ReadonlyMap<string, NamedList>[];
  /** Of the lists that rules and policies ask; null for a plain name. */
  private readonly templates = new Map<string, Template | null>();

  constructor(snapshot: ControlSnapshot) {
    const byName = (lists: readonly ListDocument[]): Map<string, NamedList> =>
      new Map(lists.map((list) => [list.name, new NamedList(list)]));
    this.shared = byName(snapshot.lists);
    this.own = snapshot.tenants.map((tenant) => byName(tenant.lists));
  }

  /** A tenant's list and the global one of the same name count as one. */
  member(tenant: number, list: string, mode: ListMode, text: string): boolean {
    const template = this.templateOf(list);
    const name = template?.name ?? list;
    const own = this.own[tenant]?.get(name);
    const shared = this.shared.get(name);
    if (template === null) return (own?.has(mode, text) ?? false) || (shared?.has(mode, text) ?? false);
    return (
      (own?.expanded(list, template).has(mode, text) ?? false) ||
      (shared?.expanded(list, template).has(mode, text) ?? false)
    );
  }

  memberAddress(tenant: number, list: string, words: Uint32Array, at: number): boolean {
    const template = this.templateOf(list);
    // With text around it the value is no address, and never equal to one.
    if (template !== null && template.before.length + template.after.length > 0) return false;
    const name = template?.name ?? list;
    return (
      (this.own[tenant]?.get(name)?.hasAddress(words, at) ?? false) ||
      (this.shared.get(name)?.hasAddress(words, at) ?? false)
    );
  }

  private templateOf(list: string): Template | null {
    let template = this.templates.get(list);
    if (template === undefined) {
      template = parseTemplate(list);
      this.templates.set(list, template);
    }
    return template;
  }
}

// Named lists of tenants and of all tenants, ready for membership tests. Loaded once per control snapshot.

import { readFileSync } from 'node:fs';
import type { ListMode } from '../../rules/plan/index.ts';
import { parseTemplate } from '../../rules/sigma/placeholder.ts';
import type { ControlSnapshot, ListDocument } from '../../src/model/control.ts';
import { parseIp, parsePrefix } from '../../src/model/ip.ts';
import { type PrefixTable, PrefixTableBuilder } from '../enrich/lpm.ts';
import { Expansion } from './expansion.ts';

/** One list, built on first use: many lists serve enrichment alone. */
class NamedList {
  private readonly document: ListDocument;
  private values: ReadonlySet<string> | null = null;
  private prefixes: PrefixTable | null = null;

  constructor(document: ListDocument) {
    this.document = document;
  }

  has(mode: ListMode, text: string): boolean {
    if (mode === 'member') return this.member(text);
    const folded = text.toLowerCase();
    for (const value of this.set()) {
      const part = value.toLowerCase();
      if (
        mode === 'contains'
          ? folded.includes(part)
          : mode === 'startswith'
            ? folded.startsWith(part)
            : folded.endsWith(part)
      ) {
        return true;
      }
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
  private readonly expansions = new Map<number, Map<string, Expansion | null>>();
  private readonly addressNames = new Map<string, string>();

  constructor(snapshot: ControlSnapshot) {
    const byName = (lists: readonly ListDocument[]): Map<string, NamedList> =>
      new Map(lists.map((list) => [list.name, new NamedList(list)]));
    this.shared = byName(snapshot.lists);
    this.own = snapshot.tenants.map((tenant) => byName(tenant.lists));
  }

  /** A tenant's list and the global one of the same name count as one. */
  member(tenant: number, list: string, mode: ListMode, text: string): boolean {
    const own = this.own[tenant]?.get(list);
    const shared = this.shared.get(list);
    if (own !== undefined || shared !== undefined)
      return Boolean(own?.has(mode, text)) || Boolean(shared?.has(mode, text));
    return this.expansionOf(tenant, list)?.has(mode, text) ?? false;
  }

  memberAddress(tenant: number, list: string, words: Uint32Array, at: number): boolean {
    let name = this.addressNames.get(list);
    if (name === undefined) {
      name = plainName(list);
      this.addressNames.set(list, name);
    }
    return (
      (this.own[tenant]?.get(name)?.hasAddress(words, at) ?? false) ||
      (this.shared.get(name)?.hasAddress(words, at) ?? false)
    );
  }

  /** Values of rules, `before%name%after`, with the lists' values filled in; made when first asked for. */
  private expansionOf(tenant: number, list: string): Expansion | null {
    let byList = this.expansions.get(tenant);
    if (byList === undefined) {
      byList = new Map();
      this.expansions.set(tenant, byList);
    }
    let expansion = byList.get(list);
    if (expansion === undefined) {
      const template = parseTemplate(list);
      const lists = template === null ? [] : [this.own[tenant]?.get(template.name), this.shared.get(template.name)];
      const found = lists.filter((one) => one !== undefined);
      expansion = template === null || found.length === 0 ? null : new Expansion(template, found);
      byList.set(list, expansion);
    }
    return expansion;
  }
}

/** An address is a member of a list or not; with text around it the value is no address, and never equal to one. */
function plainName(list: string): string {
  const template = parseTemplate(list);
  if (template === null) return list;
  return template.before.length + template.after.length === 0 ? template.name : '';
}

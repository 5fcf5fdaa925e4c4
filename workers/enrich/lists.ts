// Threat-intelligence lists of one owner (a tenant, or everyone), compiled: addresses and prefixes into one prefix
// table, domains into one domain table. The value of a hit is 1 + the list's place in `names`.

import { readFileSync } from 'node:fs';
import type { ListDocument } from '../../src/model/control.ts';
import { parsePrefix } from '../../src/model/ip.ts';
import { DomainTable } from './domains.ts';
import { type PrefixTable, PrefixTableBuilder } from './lpm.ts';

export interface ThreatLists {
  readonly names: readonly string[];
  readonly prefixes: PrefixTable;
  readonly domains: DomainTable;
}

const NEWLINE = 10;

/** Reads the threat lists among `lists`; null when there is none. A content-addressed copy that is gone throws. */
export function compileThreatLists(lists: readonly ListDocument[]): ThreatLists | null {
  const threats = lists.filter((list) => list.threat && list.kind !== 'string');
  if (threats.length === 0) return null;
  const prefixes = new PrefixTableBuilder();
  const domains = new DomainTable();
  threats.forEach((list, index) => {
    const add =
      list.kind === 'domain'
        ? (bytes: Buffer, start: number, end: number) => domains.add(bytes, start, end, index + 1)
        : (bytes: Buffer, start: number, end: number) =>
            addPrefix(prefixes, bytes.toString('latin1', start, end), index + 1);
    for (const value of list.values) {
      const bytes = Buffer.from(value);
      add(bytes, 0, bytes.length);
    }
    if (list.file !== '') eachLine(readFileSync(list.file), add);
  });
  return { names: threats.map((list) => list.name), prefixes: prefixes.build(), domains };
}

// Values were checked when the snapshot was built; what is no prefix has been reported and left out there.
function addPrefix(builder: PrefixTableBuilder, text: string, value: number): void {
  const prefix = parsePrefix(text);
  if (prefix !== null) builder.add(prefix.words, prefix.bits, value);
}

function eachLine(bytes: Buffer, visit: (bytes: Buffer, start: number, end: number) => void): void {
  let start = 0;
  while (start < bytes.length) {
    let end = bytes.indexOf(NEWLINE, start);
    if (end < 0) end = bytes.length;
    if (end > start) visit(bytes, start, end);
    start = end + 1;
  }
}

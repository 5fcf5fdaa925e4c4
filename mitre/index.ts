// ATT&CK Enterprise: technique and tactic names, and what became of identifiers of older versions.
// In: ids and Sigma tags as people write them. Out: references with names. Data: attack-v19.1.json (see NOTICE).

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface AttackTactic {
  /** E.g. TA0006. */
  readonly id: string;
  /** As in tags, e.g. credential-access. */
  readonly slug: string;
  readonly name: string;
}

export interface Technique {
  readonly id: string;
  readonly name: string;
  readonly tactics: readonly AttackTactic[];
}

/** An identifier that this version of ATT&CK no longer has. */
export interface RetiredTechnique {
  readonly id: string;
  /** Its last name. */
  readonly name: string;
  /** The identifier that took its place; null when MITRE named none. */
  readonly replacedBy: string | null;
}

interface Table {
  readonly version: string;
  readonly tactics: readonly AttackTactic[];
  readonly byTactic: ReadonlyMap<string, AttackTactic>;
  readonly techniques: ReadonlyMap<string, Technique>;
  readonly retired: ReadonlyMap<string, RetiredTechnique>;
}

/** Rows of the file: [id, slug, name], [id, name, ...tactic indices], [id, last name, replacement or '']. */
interface AttackFile {
  readonly version: string;
  readonly tactics: readonly [string, string, string][];
  readonly techniques: readonly [string, string, ...number[]][];
  readonly retired: readonly [string, string, string][];
}

const FILE = 'attack-v19.1.json';

function locate(): string {
  // Compiled code lies in another folder than the data: the first mitre/ upwards that has the file is the package's.
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const path = join(folder, 'mitre', FILE);
    if (existsSync(path)) return path;
    if (folder === dirname(folder)) throw new Error(`mitre/${FILE} of weir not found`);
  }
}

let loaded: Table | null = null;

function table(): Table {
  if (loaded !== null) return loaded;
  const file = JSON.parse(readFileSync(locate(), 'utf8')) as AttackFile;
  const tactics = file.tactics.map(([id, slug, name]) => ({ id, slug, name }));
  loaded = {
    version: file.version,
    tactics,
    byTactic: new Map(tactics.flatMap((tactic) => [[tactic.slug, tactic] as const, [tactic.id.toLowerCase(), tactic]])),
    techniques: new Map(
      file.techniques.map(([id, name, ...of]) => [id, { id, name, tactics: of.map((index) => tactics[index]) }]),
    ),
    retired: new Map(file.retired.map(([id, name, by]) => [id, { id, name, replacedBy: by === '' ? null : by }])),
  };
  return loaded;
}

/** E.g. '19.1'. */
export function attackVersion(): string {
  return table().version;
}

export function allTactics(): readonly AttackTactic[] {
  return table().tactics;
}

export function allTechniques(): Iterable<Technique> {
  return table().techniques.values();
}

/** A technique of this version, one that was retired, or null for an id that never was. Any letter case. */
export function lookup(id: string): Technique | RetiredTechnique | null {
  const key = id.toUpperCase();
  return table().techniques.get(key) ?? table().retired.get(key) ?? null;
}

/** By tag name ('credential-access', 'credential_access') or id ('TA0006'); null when there is no such tactic. */
export function lookupTactic(name: string): AttackTactic | null {
  return table().byTactic.get(name.toLowerCase().replaceAll('_', '-')) ?? null;
}

export interface AttackReferences {
  readonly tactics: readonly AttackTactic[];
  readonly techniques: readonly Technique[];
  readonly retired: readonly { readonly tag: string; readonly technique: RetiredTechnique }[];
  /** Tags of tactics that an older version had. */
  readonly retiredTactics: readonly string[];
  /** Tags that look like ATT&CK's and never were. */
  readonly unknown: readonly string[];
}

const TECHNIQUE_TAG = /^attack\.(t\d{4}(?:\.\d{3})?)$/i;
/** Groups, software, campaigns, mitigations and data sources: allowed, without a place in the matrix. */
const OTHER_TAG = /^attack\.(?:[gscm]\d{4}|ds\d{4}|dc\d{4}|det\d{4})$/i;

/** Split into stealth (which kept TA0005) and defense-impairment by v19. */
const RETIRED_TACTIC = /^defense[-_]evasion$/i;

/**
 * What a rule's tags ('attack.t1110.001', 'attack.credential-access') mean in this version. Retired techniques count as
 * their replacement. Tactics are those tagged, in the order written; without any, those of the techniques. The tactic
 * 'defense-evasion' of before v19 was split and is taken from the techniques.
 */
export function collectAttack(tags: readonly string[]): AttackReferences {
  const tactics: AttackTactic[] = [];
  const techniques: Technique[] = [];
  const retired: { tag: string; technique: RetiredTechnique }[] = [];
  const retiredTactics: string[] = [];
  const unknown: string[] = [];
  for (const tag of tags) {
    if (!/^attack\./i.test(tag) || OTHER_TAG.test(tag)) continue;
    const id = TECHNIQUE_TAG.exec(tag)?.[1];
    if (id === undefined) {
      const name = tag.slice('attack.'.length);
      const tactic = lookupTactic(name);
      if (tactic === null) (RETIRED_TACTIC.test(name) ? retiredTactics : unknown).push(tag);
      else if (!tactics.includes(tactic)) tactics.push(tactic);
      continue;
    }
    const found = lookup(id);
    if (found === null) unknown.push(tag);
    else if ('tactics' in found) techniques.push(found);
    else {
      retired.push({ tag, technique: found });
      const successor = found.replacedBy === null ? null : lookup(found.replacedBy);
      if (successor !== null && 'tactics' in successor) techniques.push(successor);
    }
  }
  const distinct = [...new Set(techniques)];
  if (tactics.length === 0) {
    for (const tactic of distinct.flatMap((technique) => technique.tactics)) {
      if (!tactics.includes(tactic)) tactics.push(tactic);
    }
  }
  return { tactics, techniques: distinct, retired, retiredTactics, unknown };
}

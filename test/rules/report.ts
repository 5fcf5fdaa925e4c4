// What a proof found, for people.

import type { Disagreement, Tally } from './examine.ts';
import { describe } from './synthesise.ts';

/** Disagreements and unproved skips that are shown one by one. */
const SHOWN = 40;

export function tell(tally: Tally): string {
  const lines = [
    `${tally.rules} rules, ${tally.leaves} leaves, ${tally.flipped} of them decide alone (both events made)`,
    `${tally.events} events: ${tally.matching} made to match, ${tally.events - tally.matching} made not to`,
    `${tally.pairs} pairs compared with the interpreter, ${tally.hits} of them hits`,
    ...counted(tally.skips.map(({ reason }) => `skipped: ${reason}`)),
    ...counted(tally.disagreements.map(({ kind }) => `DISAGREEMENT: ${kind}`)),
  ];
  for (const skip of tally.skips.filter(({ reason }) => reason !== 'contradiction').slice(0, SHOWN)) {
    const literals = skip.literals.map(({ test, want }) => `${want ? '' : 'not '}${describe(test)}`.slice(0, 160));
    lines.push(
      `  ${skip.reason}, ${skip.matches ? 'match' : 'miss'} of rule ${skip.rule} by ${skip.leaf.slice(0, 120)}: ${literals.join(' AND ')}`,
    );
  }
  return [...lines, tellDisagreements(tally.disagreements)].filter((line) => line !== '').join('\n');
}

export function tellDisagreements(disagreements: readonly Disagreement[]): string {
  return disagreements
    .slice(0, SHOWN)
    .flatMap(({ kind, rule, leaf, expected, line, detail }) => [
      `  ${kind}: ${rule.file} expected ${expected} by ${leaf.slice(0, 120)} ${detail}`,
      `    ${line.slice(0, 600)}`,
    ])
    .join('\n');
}

export function counted(names: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).map(([name, count]) => `${count} ${name}`);
}

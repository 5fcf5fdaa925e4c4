// weir rules coverage: which ATT&CK techniques the rules look for, as a table and as a layer for the ATT&CK Navigator.

import { writeFile } from 'node:fs/promises';
import { attackVersion, collectAttack } from '../../mitre/index.ts';
import { LEVEL_NAMES, type Rule } from '../../rules/model.ts';
import { rulesForVerb, tellErrors } from './rules-load.ts';
import { renderTable } from './table.ts';
import type { Io, Values } from './verb.ts';

interface Covered {
  readonly technique: string;
  readonly name: string;
  readonly tactics: readonly string[];
  readonly rules: readonly Rule[];
}

export async function coverRules(values: Values, io: Io): Promise<number> {
  const { rules, problems } = await rulesForVerb(values);
  const broken = tellErrors(problems, io);
  const covered = coverageOf(rules);
  if (typeof values.layer === 'string') await writeFile(values.layer, `${JSON.stringify(layerOf(covered), null, 2)}\n`);
  const untagged = rules.filter(({ techniques }) => techniques.length === 0).length;
  if (values.json) {
    const techniques = covered.map(({ technique, name, tactics, rules: of }) => {
      return { technique, name, tactics, highest: highestOf(of), rules: of.map(({ id }) => id) };
    });
    io.stdout.write(`${JSON.stringify({ rules: rules.length, untagged, techniques })}\n`);
  } else {
    const titles = ['TECHNIQUE', 'NAME', 'TACTICS', 'RULES', 'HIGHEST'].map((title) => ({ title }));
    const rows = covered.map(({ technique, name, tactics, rules: of }) => {
      return [technique, name, tactics.join(', '), String(of.length), highestOf(of)];
    });
    io.stdout.write(renderTable(titles, rows, { width: io.stdout.columns ?? 0 }));
    io.stdout.write(`${rules.length} rules for ${covered.length} techniques; ${untagged} rules name none.\n`);
  }
  return broken ? 1 : 0;
}

function coverageOf(rules: readonly Rule[]): readonly Covered[] {
  const byTechnique = new Map<string, Rule[]>();
  for (const rule of rules) {
    for (const technique of rule.techniques) byTechnique.set(technique, [...(byTechnique.get(technique) ?? []), rule]);
  }
  return [...byTechnique]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([technique, of]) => {
      const known = collectAttack([`attack.${technique.toLowerCase()}`]).techniques[0];
      return {
        technique,
        name: known?.name ?? '',
        tactics: (known?.tactics ?? []).map((tactic) => tactic.name),
        rules: of,
      };
    });
}

function highestOf(rules: readonly Rule[]): string {
  return LEVEL_NAMES[Math.max(...rules.map(({ level }) => LEVEL_NAMES.indexOf(level)))];
}

/** Format 4.5 of the Navigator's layers; the score is the number of rules. */
function layerOf(covered: readonly Covered[]): object {
  return {
    name: 'Weir: rules',
    versions: { attack: attackVersion().split('.')[0], navigator: '5.1.0', layer: '4.5' },
    domain: 'enterprise-attack',
    description: 'Techniques that the loaded rules look for. The score is the number of rules.',
    techniques: covered.map(({ technique, rules }) => ({
      techniqueID: technique,
      score: rules.length,
      comment: rules
        .slice(0, 10)
        .map(({ title }) => title)
        .join('; '),
      enabled: true,
      metadata: [{ name: 'highest level', value: highestOf(rules) }],
    })),
    gradient: {
      colors: ['#ffe9c7', '#d04a02'],
      minValue: 0,
      maxValue: Math.max(1, ...covered.map(({ rules }) => rules.length)),
    },
  };
}

// Weir's own keys of a rule, under `weir:`. Sigma tools ignore them.

import { ENTITY_FIELDS, type RuleTest } from '../model.ts';
import { entryOf, type Reporter, type YamlMap } from '../yaml.ts';
import { compileTests } from './cases.ts';
import { booleanField, durationField, mapField, onlyKeys, textField } from './fields.ts';

export interface WeirKeys {
  readonly version: string;
  readonly confidence: 'low' | 'medium' | 'high';
  readonly runbook: string;
  readonly reason: string;
  readonly suppressionMs: number | null;
  /** Overrides whether the rule alerts itself; null leaves it to the correlations that it feeds. */
  readonly alert: boolean | null;
  readonly parameters: YamlMap | null;
  readonly tests: readonly RuleTest[];
}

const KEYS = ['version', 'confidence', 'runbook', 'reason', 'suppression', 'alert', 'parameters', 'tests'];
const CONFIDENCES = ['low', 'medium', 'high'] as const;

/** Placeholders that every alert can fill, besides the group-by fields of its rule. */
const PLACEHOLDERS: readonly string[] = ['count', 'value', 'interval', 'timespan', 'title', ...ENTITY_FIELDS];

export function compileWeir(map: YamlMap, report: Reporter): WeirKeys {
  onlyKeys(map, KEYS, 'weir.unknown_key', "'weir'", report);
  const text = textField(map, 'confidence', report);
  const confidence = CONFIDENCES.find((candidate) => candidate === text);
  if (text !== '' && confidence === undefined) {
    const at = entryOf(map, 'confidence')?.value.at ?? map.at;
    report.error(at, 'rule.confidence', `'${text}' is no confidence; known: ${CONFIDENCES.join(', ')}.`);
  }
  return {
    version: textField(map, 'version', report),
    confidence: confidence ?? 'medium',
    runbook: textField(map, 'runbook', report),
    reason: textField(map, 'reason', report),
    suppressionMs: durationField(map, 'suppression', report),
    alert: booleanField(map, 'alert', report),
    parameters: mapField(map, 'parameters', report),
    tests: compileTests(entryOf(map, 'tests')?.value, report),
  };
}

export const NO_WEIR_KEYS: WeirKeys = {
  version: '',
  confidence: 'medium',
  runbook: '',
  reason: '',
  suppressionMs: null,
  alert: null,
  parameters: null,
  tests: [],
};

/** Placeholders of `reason` that no alert of the rule could fill. */
export function unknownPlaceholders(reason: string, groupBy: readonly string[]): readonly string[] {
  const names = [...reason.matchAll(/\{([^{}]*)\}/g)].map((match) => match[1]);
  return names.filter((name) => !PLACEHOLDERS.includes(name) && !groupBy.includes(name));
}

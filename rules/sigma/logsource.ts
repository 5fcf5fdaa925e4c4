// The `logsource:` of a rule or filter.

import type { RuleLogSource } from '../model.ts';
import type { Reporter, YamlMap } from '../yaml.ts';
import { mapField, textField } from './fields.ts';

export function logsourceOf(map: YamlMap, report: Reporter): RuleLogSource {
  const logsource = mapField(map, 'logsource', report);
  const field = (key: string): string => (logsource === null ? '' : textField(logsource, key, report).toLowerCase());
  const made = { product: field('product'), category: field('category'), service: field('service') };
  if (logsource !== null && made.product === '' && made.category === '' && made.service === '') {
    report.error(logsource.at, 'rule.logsource', "A 'logsource' needs 'product', 'category' or 'service'.");
  }
  return made;
}

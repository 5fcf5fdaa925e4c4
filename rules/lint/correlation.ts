// What a correlation uses beyond Sigma's specification: it works here, and other tools may refuse it or read it otherwise. Weir's own
// types are not marked: nobody takes them for Sigma's.

import { entryOf, type Reporter, type YamlMap, type YamlNode } from '../yaml.ts';

/** In: a rule's document. Reports each extension with its place as lint.extension. */
export function lintCorrelation(document: YamlMap, report: Reporter): void {
  const correlation = entryOf(document, 'correlation')?.value;
  if (correlation?.kind !== 'map') return;
  const extension = (node: YamlNode, what: string): void =>
    report.warning(node.at, 'lint.extension', `${what}: other Sigma tools may not know it.`);
  const type = entryOf(correlation, 'type')?.value;
  if (type?.kind === 'scalar') {
    if (type.text === 'value_median') extension(type, "The type 'value_median' is an extension of the specification");
  }
  const timespan = entryOf(correlation, 'timespan')?.value;
  if (timespan?.kind === 'scalar' && /ms$/.test(timespan.text.trim())) {
    extension(timespan, 'A timespan in milliseconds is an extension of the specification');
  }
  const condition = entryOf(correlation, 'condition')?.value;
  if (condition?.kind === 'map') {
    const neq = entryOf(condition, 'neq');
    if (neq !== undefined) extension(neq.value, "'neq' is an extension of the specification");
  }
}

// One YAML document → a rule whose references are still names. Title, level, tags … as the Sigma specification has them.

import { collectAttack } from '../../mitre/index.ts';
import { LEVEL_NAMES, type Rule } from '../model.ts';
import type { Predicate } from '../predicate.ts';
import { entryOf, type Reporter, type YamlMap } from '../yaml.ts';
import { uuidOf } from './collection.ts';
import { compileCorrelation, feedersOf, type UnlinkedCorrelation } from './correlation.ts';
import { compileDetection } from './detection.ts';
import { mapField, textField, textsField } from './fields.ts';
import { compileFilter, type FilterDraft } from './filter.ts';
import { logsourceOf } from './logsource.ts';
import { compileWeir, NO_WEIR_KEYS, unknownPlaceholders } from './weir.ts';

/** A rule before linking: `index`, `hash` and `alerting` are not known yet. */
export interface Draft {
  readonly kind: 'rule';
  readonly at: number;
  readonly report: Reporter;
  rule: Omit<Rule, 'index' | 'hash' | 'alerting' | 'correlation' | 'detection'>;
  detection: Predicate | null;
  readonly correlation: UnlinkedCorrelation | null;
  readonly alert: boolean | null;
  /** Rules that this one is fed by: they stay silent even when this one is broken. */
  readonly feeders: readonly string[];
  /** Has an error, or needs a rule that has one. */
  broken: boolean;
}

const STATUSES = ['stable', 'test', 'experimental', 'deprecated', 'unsupported'];

/** Reports what cannot be understood; a rule is then marked as broken, a filter is null. */
export function compileDocument(map: YamlMap, report: Reporter): Draft | FilterDraft | null {
  const before = report.errors;
  if (entryOf(map, 'filter') === undefined) {
    const draft = compileRule(map, report);
    if (draft !== null && report.errors > before) draft.broken = true;
    return draft;
  }
  const filter = compileFilter(map, report);
  return report.errors > before ? null : filter;
}

function compileRule(map: YamlMap, report: Reporter): Draft | null {
  const detectionMap = mapField(map, 'detection', report);
  const correlationMap = mapField(map, 'correlation', report);
  if ((detectionMap === null) === (correlationMap === null)) {
    report.error(map.at, 'rule.kind', "A rule needs either 'detection' or 'correlation'.");
    return null;
  }
  const weirMap = mapField(map, 'weir', report);
  const weir = weirMap === null ? NO_WEIR_KEYS : compileWeir(weirMap, report);
  const detection = detectionMap === null ? null : compileDetection(detectionMap, report);
  const correlation = correlationMap === null ? null : compileCorrelation(correlationMap, weir.parameters, report);
  if (weir.parameters !== null && correlationMap === null) {
    report.error(weir.parameters.at, 'weir.unknown_key', "Only correlations have 'parameters'.");
  }
  const title = textField(map, 'title', report);
  if (title === '') report.error(map.at, 'rule.no_title', "The rule has no 'title'.");
  if (detection !== null && entryOf(map, 'logsource') === undefined) {
    report.error(map.at, 'rule.no_logsource', "A rule with a detection needs a 'logsource'.");
  }
  const reasonEntry = weirMap === null ? undefined : entryOf(weirMap, 'reason');
  for (const name of unknownPlaceholders(weir.reason, correlation?.groupBy ?? [])) {
    report.warning(
      reasonEntry?.at ?? map.at,
      'weir.placeholder',
      `'{${name}}' is neither grouped by nor part of an alert.`,
    );
  }
  if (title.length > 256) report.warning(map.at, 'rule.title', 'The title is longer than 256 characters.');
  checkRelated(map, report);
  checkTaxonomy(map, report);
  const tags = textsField(map, 'tags', report);
  const name = textField(map, 'name', report);
  const rule = {
    id: idOf(map, name || title, report),
    name,
    title,
    version: weir.version || textField(map, 'modified', report) || textField(map, 'date', report) || '1',
    file: report.file,
    line: report.line(map.at),
    status: statusOf(map, report),
    level: levelOf(map, report),
    description: textField(map, 'description', report).trim(),
    author: textField(map, 'author', report),
    references: textsField(map, 'references', report),
    falsePositives: textsField(map, 'falsepositives', report),
    runbook: weir.runbook,
    confidence: weir.confidence,
    techniques: checkedTechniques(tags, entryOf(map, 'tags')?.at ?? map.at, report),
    tags,
    logsource: logsourceOf(map, report),
    suppressionMs: weir.suppressionMs,
    reason: weir.reason,
    tests: weir.tests,
  };
  const feeders = correlationMap === null ? [] : feedersOf(correlationMap);
  return { kind: 'rule', at: map.at, report, rule, detection, correlation, alert: weir.alert, feeders, broken: false };
}

const RELATIONS = ['derived', 'obsolete', 'obsoletes', 'merged', 'renamed', 'similar', 'correlation'];

/** What a rule says of others changes nothing here; it must only be readable for those who keep the rules. */
function checkRelated(map: YamlMap, report: Reporter): void {
  const node = entryOf(map, 'related')?.value;
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return;
  for (const item of node.kind === 'list' ? node.items : [node]) {
    const type = item.kind === 'map' ? textField(item, 'type', report) : '';
    const id = item.kind === 'map' ? textField(item, 'id', report) : '';
    if (id !== '' && RELATIONS.includes(type)) continue;
    const known = RELATIONS.filter((name) => !['obsoletes', 'correlation'].includes(name)).join(', ');
    report.warning(item.at, 'rule.related', `An entry of 'related' needs an 'id' and a 'type': ${known}.`);
  }
}

/** Names of fields and log sources are Sigma's and the producers'; another taxonomy would silently match nothing. */
function checkTaxonomy(map: YamlMap, report: Reporter): void {
  const taxonomy = textField(map, 'taxonomy', report);
  if (taxonomy === '' || taxonomy.toLowerCase() === 'sigma') return;
  const at = entryOf(map, 'taxonomy')?.at ?? map.at;
  report.warning(
    at,
    'rule.taxonomy',
    `The names of taxonomy '${taxonomy}' are taken as written: nothing translates them.`,
  );
}

/** Alerts and tuning refer to rules by id. Sigma lets it out: then it follows from the name. */
function idOf(map: YamlMap, name: string, report: Reporter): string {
  const id = textField(map, 'id', report).toLowerCase();
  const at = entryOf(map, 'id')?.value.at ?? map.at;
  if (id === '') {
    const derived = uuidOf(`rule ${name}`);
    report.warning(at, 'rule.no_id', `The rule has no 'id'; ${derived} was made from its name and changes with it.`);
    return derived;
  }
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(id)) {
    report.error(at, 'rule.id', `'${id}' is no UUID.`);
  }
  return id;
}

function statusOf(map: YamlMap, report: Reporter): string {
  const status = textField(map, 'status', report);
  if (status !== '' && !STATUSES.includes(status)) {
    report.warning(entryOf(map, 'status')?.at ?? map.at, 'rule.status', `'${status}' is no status of Sigma.`);
  }
  return status;
}

function levelOf(map: YamlMap, report: Reporter): Rule['level'] {
  const text = textField(map, 'level', report);
  const level = LEVEL_NAMES.find((candidate) => candidate === text);
  if (level !== undefined || text === '') return level ?? 'medium';
  const at = entryOf(map, 'level')?.value.at ?? map.at;
  report.error(at, 'rule.level', `'${text}' is no level; known: ${LEVEL_NAMES.join(', ')}.`);
  return 'medium';
}

/** A wrong label never stops a detection: the rule stays, though an unknown technique is an error of the file. */
function checkedTechniques(tags: readonly string[], at: number, report: Reporter): readonly string[] {
  const attack = collectAttack(tags);
  for (const tag of attack.unknown) {
    report.flaw(at, 'mitre.unknown_technique', `'${tag}' is no technique or tactic of ATT&CK.`);
  }
  for (const { tag, technique } of attack.retired) {
    const now = technique.replacedBy === null ? 'nothing took its place' : `it is ${technique.replacedBy} now`;
    report.warning(at, 'mitre.retired_technique', `'${tag}' (${technique.name}) was retired: ${now}.`);
  }
  for (const tag of attack.retiredTactics) {
    report.warning(at, 'mitre.retired_tactic', `'${tag}' was split into stealth and defense-impairment.`);
  }
  return attack.techniques.map((technique) => technique.id);
}

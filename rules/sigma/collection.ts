// Rule collections of Sigma version 1 (an extension; version 2 has no actions). `global` documents hold what all following
// documents of the file share, `reset` forgets it, `repeat` is the rule before it with changes. In: documents. Out: rules.

import { contentHash } from '../hash.ts';
import { entryOf, type Reporter, type YamlEntry, type YamlMap, type YamlNode } from '../yaml.ts';

const ACTIONS = ['global', 'reset', 'repeat'];

export function actionOf(map: YamlMap): string {
  const node = entryOf(map, 'action')?.value;
  return node?.kind === 'scalar' ? node.text : '';
}

export function expandActions(documents: readonly YamlMap[], report: Reporter): readonly YamlMap[] {
  if (documents.every((document) => entryOf(document, 'action') === undefined)) return documents;
  let shared: YamlMap | null = null;
  let previous: YamlMap | null = null;
  const ids = new Map<string, number>();
  const rules: YamlMap[] = [];
  const take = (rule: YamlMap, own: YamlMap): void => {
    previous = rule;
    rules.push(withOwnId(rule, own, ids));
  };
  for (const document of documents) {
    const entry = entryOf(document, 'action');
    const action = actionOf(document);
    const body = { ...document, entries: document.entries.filter(({ key }) => key !== 'action') };
    if (entry === undefined) take(shared === null ? body : merge(body, shared), body);
    else if (action === 'global') shared = shared === null ? body : merge(shared, body);
    else if (action === 'reset') shared = null;
    else if (action === 'repeat' && previous !== null) take({ ...merge(previous, body), at: document.at }, body);
    else {
      const why = action === 'repeat' ? 'there is no rule before it' : `known: ${ACTIONS.join(', ')}`;
      report.error(entry.at, 'sigma.action', `'action: ${action}' cannot be done: ${why}.`);
    }
  }
  return rules;
}

/** Mappings are merged key by key; of anything else the one on top stays. */
function merge(base: YamlMap, top: YamlMap): YamlMap {
  const entries = base.entries.map((entry): YamlEntry => {
    const over = entryOf(top, entry.key);
    return over === undefined ? entry : { ...over, value: mergeNodes(entry.value, over.value) };
  });
  const added = top.entries.filter(({ key }) => entryOf(base, key) === undefined);
  return { ...base, entries: [...entries, ...added] };
}

function mergeNodes(base: YamlNode, top: YamlNode): YamlNode {
  return base.kind === 'map' && top.kind === 'map' ? merge(base, top) : top;
}

/** Rules made of one document share its id; all but the first get one that follows from it and their place among them. */
function withOwnId(rule: YamlMap, own: YamlMap, ids: Map<string, number>): YamlMap {
  const entry = entryOf(rule, 'id');
  if (entry?.value.kind !== 'scalar') return rule;
  const { text } = entry.value;
  const before = ids.get(text) ?? 0;
  ids.set(text, before + 1);
  if (before === 0 || entryOf(own, 'id') !== undefined) return rule;
  const id = uuidOf(`rule ${text} ${before}`);
  const value = { ...entry.value, value: id, text: id };
  return { ...rule, entries: rule.entries.map((other) => (other === entry ? { ...other, value } : other)) };
}

export function uuidOf(text: string): string {
  const hex = contentHash(text);
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-5$3-8$4-$5').slice(0, 36);
}

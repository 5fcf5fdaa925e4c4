// Which rules an event of a log source is shown to: those whose log source names nothing else.

import type { RuleLogSource } from '../model.ts';

/** Sigma's categories that hold others: a rule for all registry events sees values that are set. */
const PARENTS: Readonly<Record<string, string>> = {
  registry_add: 'registry_event',
  registry_delete: 'registry_event',
  registry_set: 'registry_event',
  registry_rename: 'registry_event',
  file_delete_detected: 'file_delete',
};

function isCategory(rule: string, event: string): boolean {
  return rule === '' || rule === event || (Object.hasOwn(PARENTS, event) && PARENTS[event] === rule);
}

/** True when each part that the rule names equals the event's. */
export function appliesTo(rule: RuleLogSource, event: RuleLogSource): boolean {
  return (
    (rule.product === '' || rule.product === event.product) &&
    isCategory(rule.category, event.category) &&
    (rule.service === '' || rule.service === event.service)
  );
}

const FLOW_CATEGORIES = new Set(['', 'network', 'firewall', 'flow', 'netflow']);
const FLOW_SERVICES = new Set(['', 'connection', 'conn', 'flow', 'netflow']);
const FLOW_PRODUCTS = new Set(['', 'weir', 'zeek', 'netflow', 'suricata']);

/** Flows are `category: network, service: connection`, and what others call the same (Zeek's `service: conn`). */
export function appliesToFlows({ product, category, service }: RuleLogSource): boolean {
  if (product === '' && category === '' && service === '') return true;
  if (!FLOW_PRODUCTS.has(product) || !FLOW_CATEGORIES.has(category) || !FLOW_SERVICES.has(service)) return false;
  // A product alone means its logs of every kind, most of which are no flows.
  return category !== '' || service !== '';
}

// The one sentence that says why an alert fired.

import type { EntityField, Rule } from '../../rules/model.ts';
import type { Alert } from '../../src/model/alert.ts';
import type { HitEvent } from '../../src/model/hits.ts';
import { entityOf, entityValue, valueText } from './entities.ts';

/** Longest text of one value in a sentence: input may hold anything. */
const LONGEST_VALUE = 200;

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
  [1000, 's'],
] as const;

/** E.g. 1h30m, 45s, 250ms. */
export function duration(ms: number): string {
  let rest = Math.round(ms);
  let text = '';
  for (const [unit, name] of UNITS) {
    const count = Math.floor(rest / unit);
    if (count > 0) text += `${count}${name}`;
    rest -= count * unit;
  }
  return rest > 0 || text === '' ? `${text}${rest}ms` : text;
}

export interface Firing {
  readonly group: Alert['group'];
  readonly count: number;
  /** The number that met the condition; the count for a single event. */
  readonly value: number;
}

/** `rule.reason` with its placeholders filled in, or a sentence made from what the rule is. */
export function reasonOf(rule: Rule, event: HitEvent, firing: Firing): string {
  if (rule.reason === '') return defaultReason(rule, event, firing);
  // One pass: what a value contains is never a placeholder itself.
  return rule.reason.replace(/\{([\w.-]+)\}/g, (_whole, name: string) => {
    const text = placeholder(rule, event, firing, name);
    return text === '' ? `(no ${name})` : text;
  });
}

function placeholder(rule: Rule, event: HitEvent, firing: Firing, name: string): string {
  if (Object.hasOwn(firing.group, name)) return clean(firing.group[name]);
  switch (name) {
    case 'count':
      return number(firing.count);
    case 'value':
      return number(firing.value);
    case 'interval':
      return duration(firing.value);
    case 'timespan':
      return duration(rule.correlation?.timespanMs ?? 0);
    case 'title':
      return rule.title;
  }
  const entity = entityOf(name);
  return entity === null ? '' : clean(valueText(entityValue(event, entity)));
}

function defaultReason(rule: Rule, event: HitEvent, { group, count, value }: Firing): string {
  const names = Object.entries(group).filter(([, text]) => text !== '');
  const who = names.length === 0 ? '' : ` for ${names.map(([name, text]) => `${name} ${clean(text)}`).join(', ')}`;
  const correlation = rule.correlation;
  if (correlation === null) return `${rule.title}: ${conversation(event)}.`;
  const within = correlation.timespanMs > 0 ? ` within ${duration(correlation.timespanMs)}` : '';
  const field = correlation.field;
  switch (correlation.type) {
    case 'event_count':
      return `${rule.title}: ${number(count)} events${within}${who}.`;
    case 'value_count':
      return `${rule.title}: ${number(value)} different values of ${field}${within}${who}.`;
    case 'value_sum':
      return `${rule.title}: ${field} adds up to ${number(value)}${within}${who}.`;
    case 'value_avg':
      return `${rule.title}: ${field} is ${number(value)} on average${within}${who}.`;
    case 'value_percentile':
      return correlation.percentile === undefined
        ? `${rule.title}: a value of ${field} as rare as the rarest ${number(value)}%${within}${who}.`
        : `${rule.title}: ${field} is ${number(value)} at percentile ${correlation.percentile}${within}${who}.`;
    case 'value_median':
      return `${rule.title}: the median of ${field} is ${number(value)}${within}${who}.`;
    case 'regular_interval':
      return `${rule.title}: ${number(count)} events at regular intervals of ${duration(value)}${who}.`;
    case 'first_seen':
      return `${rule.title}: ${field} has a value never seen before${who} (${conversation(event)}).`;
    case 'temporal':
      return `${rule.title}: ${correlation.rules.length} different signs${within}${who}.`;
    case 'temporal_ordered':
      return `${rule.title}: ${correlation.rules.length} signs one after the other${within}${who}.`;
  }
}

/** Who did what with whom, as far as the event says. */
function conversation(event: HitEvent): string {
  const known = (field: EntityField): string => clean(valueText(entityValue(event, field)));
  const source = known('source_ip') || known('user') || known('device') || known('host');
  const target = known('destination_ip');
  const port = event.destinationPort > 0 ? ` port ${event.destinationPort}` : '';
  if (source !== '' && target !== '') return `${source} to ${target}${port}`;
  if (source === '' && target === '') return known('message') || 'no address, user or host is named';
  const user = known('user');
  const host = known('host');
  const more = [
    user !== source && user !== '' ? ` user ${user}` : '',
    host !== source && host !== '' ? ` on ${host}` : '',
  ];
  return `${source || target}${more.join('')}${port}`;
}

function number(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString('en-US') : String(Math.round(value * 1000) / 1000);
}

function clean(text: string): string {
  const short = text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE).replace(/[\uD800-\uDBFF]$/, '')}…` : text;
  return short.replace(/\p{Cc}/gu, ' ');
}

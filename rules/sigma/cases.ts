// `weir.tests`: events in, how many alerts out. Shorthands are expanded on loading, so that a runner sees plain records.
//
//   tests:
//     - name: thirty ports in five minutes
//       start: 2026-01-05T09:00:00Z      # the default
//       given:                           # optional: the tenant's lists, threat lists and policies
//         lists: {sanctioned_scanners: [10.0.9.9]}
//         threats: {bad: [203.0.113.66]}
//         policies: [{name: no tor, action: Block, conditions: [{field: application, op: in, value: [tor]}]}]
//       alerts: 1
//       events:
//         - {source_ip: 10.0.0.1, …}     # gets a timestamp one second after the event before it, unless it has one
//         - {after: 10m, source_ip: …}   # … or so much after it
//         - repeat:
//             count: 30
//             every: 10s                 # or a list of spans that is gone through again and again
//             set:
//               destination_port: {from: 1000, step: 1}
//               destination_ip: {from: 10.0.0.1, step: 1}
//               user: {values: [a, b, c]}
//               query: {from: 1, step: 1, text: 'x{}.example.com'}
//             event: {source_ip: …}

import { isIPv4 } from 'node:net';
import type { RuleTest, RuleTestGiven } from '../model.ts';
import { entryOf, type Reporter, toJson, type YamlMap, type YamlNode } from '../yaml.ts';
import { parseDuration } from './duration.ts';
import { mapField, onlyKeys, textField, textsField } from './fields.ts';

const MAX_EVENTS = 100_000;
const DEFAULT_START = '2026-01-05T09:00:00Z';
const DEFAULT_STEP_MS = 1000;

type Event = Record<string, unknown>;

export function compileTests(node: YamlNode | undefined, report: Reporter): readonly RuleTest[] {
  if (node === undefined) return [];
  if (node.kind !== 'list') {
    report.error(node.at, 'rule.type', "'tests' must be a list.");
    return [];
  }
  const budget = { left: MAX_EVENTS };
  const tests: RuleTest[] = [];
  for (const item of node.items) {
    const test = item.kind === 'map' ? compileTest(item, budget, report) : null;
    if (test !== null) tests.push(test);
    else if (item.kind !== 'map') report.error(item.at, 'rule.type', 'A test must be a mapping.');
  }
  return tests;
}

function compileTest(map: YamlMap, budget: { left: number }, report: Reporter): RuleTest | null {
  onlyKeys(map, ['name', 'start', 'given', 'alerts', 'events'], 'weir.unknown_key', 'a test', report);
  const name = textField(map, 'name', report);
  const alertsNode = entryOf(map, 'alerts')?.value;
  const alerts = alertsNode?.kind === 'scalar' ? alertsNode.value : null;
  const start = Date.parse(textField(map, 'start', report) || DEFAULT_START);
  const list = entryOf(map, 'events')?.value;
  if (name === '' || typeof alerts !== 'number' || !Number.isInteger(alerts) || alerts < 0 || list?.kind !== 'list') {
    report.error(map.at, 'weir.test', "A test needs 'name', 'events' and the whole number of 'alerts' expected.");
    return null;
  }
  if (Number.isNaN(start)) {
    report.error(map.at, 'weir.test', "'start' must be a time such as 2026-01-05T09:00:00Z.");
    return null;
  }
  const writer = new EventWriter(start, budget, report);
  for (const item of list.items) writer.add(item);
  const given = mapField(map, 'given', report);
  if (given === null) return { name, alerts, events: writer.events };
  return { name, alerts, events: writer.events, given: compileGiven(given, report) };
}

function compileGiven(map: YamlMap, report: Reporter): RuleTestGiven {
  onlyKeys(map, ['lists', 'threats', 'policies'], 'weir.unknown_key', "'given'", report);
  const named = (key: string): Readonly<Record<string, readonly string[]>> => {
    const lists = mapField(map, key, report);
    if (lists === null) return {};
    return Object.fromEntries(lists.entries.map((entry) => [entry.key, textsField(lists, entry.key, report)]));
  };
  const policies = entryOf(map, 'policies')?.value;
  const items = policies?.kind === 'list' ? policies.items : [];
  if (policies !== undefined && policies.kind !== 'list') {
    report.error(policies.at, 'rule.type', "'policies' must be a list.");
  }
  return {
    lists: named('lists'),
    threats: named('threats'),
    policies: items.flatMap((item) => {
      if (item.kind !== 'map') {
        report.error(item.at, 'weir.test', 'A policy must be a mapping.');
        return [];
      }
      onlyKeys(item, ['name', 'action', 'conditions'], 'weir.unknown_key', 'a policy of a test', report);
      const conditions = entryOf(item, 'conditions')?.value;
      return [
        {
          name: textField(item, 'name', report),
          action: textField(item, 'action', report),
          conditions: conditions === undefined ? [] : toJson(conditions),
        },
      ];
    }),
  };
}

/** Writes events one after the other, each with a time. */
class EventWriter {
  readonly events: Event[] = [];
  private clockMs: number;
  private first = true;
  private readonly budget: { left: number };
  private readonly report: Reporter;

  constructor(start: number, budget: { left: number }, report: Reporter) {
    this.clockMs = start;
    this.budget = budget;
    this.report = report;
  }

  add(node: YamlNode): void {
    if (node.kind !== 'map') {
      this.report.error(node.at, 'weir.test', 'An event must be a mapping.');
      return;
    }
    const repeat = entryOf(node, 'repeat');
    const { after, ...event } = toJson(node) as Event;
    const span = after === undefined ? DEFAULT_STEP_MS : parseDuration(String(after));
    if (span === null) {
      this.report.error(node.at, 'weir.test', `'after' must be a time span such as 10m, not '${String(after)}'.`);
      return;
    }
    if (repeat === undefined) this.push(event, span, node.at);
    else if (repeat.value.kind === 'map') this.repeat(repeat.value, span);
    else this.report.error(repeat.at, 'weir.test', "'repeat' must be a mapping.");
  }

  private push(event: Event, afterMs: number, at: number): boolean {
    if (this.budget.left-- <= 0) {
      if (this.budget.left === -1) this.report.error(at, 'weir.test', `The tests make more than ${MAX_EVENTS} events.`);
      return false;
    }
    if (!this.first) this.clockMs += afterMs;
    this.first = false;
    if (!Object.hasOwn(event, 'timestamp')) event.timestamp = new Date(this.clockMs).toISOString();
    this.events.push(event);
    return true;
  }

  private repeat(map: YamlMap, afterMs: number): void {
    onlyKeys(map, ['count', 'every', 'set', 'event'], 'weir.unknown_key', "'repeat'", this.report);
    const countNode = entryOf(map, 'count')?.value;
    const count = countNode?.kind === 'scalar' ? countNode.value : null;
    const every = this.spans(entryOf(map, 'every')?.value, map.at);
    const event = mapField(map, 'event', this.report);
    if (typeof count !== 'number' || !Number.isInteger(count) || count < 1 || event === null || every === null) {
      this.report.error(map.at, 'weir.test', "'repeat' needs a 'count' from 1, 'every' and an 'event'.");
      return;
    }
    const setters = (mapField(map, 'set', this.report)?.entries ?? []).map(
      (entry) => [entry.key, sequence(entry.value, this.report)] as const,
    );
    const base = toJson(event) as Event;
    for (let i = 0; i < count; i++) {
      const made = Object.fromEntries([
        ...Object.entries(base),
        ...setters.map(([key, valueAt]) => [key, valueAt(i)] as const),
      ]);
      if (!this.push(made, i === 0 ? afterMs : every[(i - 1) % every.length], map.at)) return;
    }
  }

  private spans(node: YamlNode | undefined, at: number): readonly number[] | null {
    const items = node === undefined ? [] : node.kind === 'list' ? node.items : [node];
    const spans = items.map((item) => (item.kind === 'scalar' ? parseDuration(item.text) : null));
    if (spans.length > 0 && spans.every((span) => span !== null)) return spans;
    this.report.error(node?.at ?? at, 'weir.test', "'every' must be a time span such as 10s, or a list of them.");
    return null;
  }
}

/** The i-th value of a `set` entry. */
function sequence(node: YamlNode, report: Reporter): (i: number) => unknown {
  if (node.kind === 'map') {
    const values = entryOf(node, 'values')?.value;
    if (values?.kind === 'list' && values.items.length > 0) {
      const all = values.items.map(toJson);
      return (i) => all[i % all.length];
    }
    const json = toJson(node) as { from?: unknown; step?: unknown; text?: unknown };
    const step = json.step === undefined ? 1 : json.step;
    const text = json.text === undefined ? '{}' : String(json.text);
    if (typeof json.from === 'number' && typeof step === 'number') {
      const from = json.from;
      return (i) => (json.text === undefined ? from + i * step : text.replaceAll('{}', String(from + i * step)));
    }
    if (typeof json.from === 'string' && isIPv4(json.from) && typeof step === 'number') {
      const from = json.from.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
      return (i) => ipv4Text(from + i * step);
    }
  }
  report.error(
    node.at,
    'weir.test',
    "A 'set' entry needs 'from' (a number or an IPv4 address) and 'step', or 'values'.",
  );
  return () => null;
}

function ipv4Text(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

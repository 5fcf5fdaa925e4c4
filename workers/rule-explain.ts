// Why a rule holds for one record, or does not: the record goes through the stages of a run, then every part of the rule's
// predicate is asked by the plan itself.

import type { Rule } from '../rules/model.ts';
import { appliesTo, appliesToFlows, compileEvent, compileRow, LogView, normalize } from '../rules/plan/index.ts';
import type { FieldTest, Predicate } from '../rules/predicate.ts';
import type { RawBatch } from '../src/model/batch.ts';
import type { ControlSnapshot } from '../src/model/control.ts';
import type { Decoded } from '../src/model/decoded.ts';
import type { LogEvent, LogSource } from '../src/model/records.ts';
import { createEnvironment } from './match/environment.ts';
import { FlowTable } from './match/flow-table.ts';
import { LOG_NAMES } from './match/log-names.ts';
import { sessionEvent, tunnelEvent } from './match/records.ts';
import { createStages, decodeAnew, enrichAndDecide } from './stages.ts';

export interface ExplainedPart {
  readonly kind: 'and' | 'or' | 'not' | 'test' | 'constant';
  readonly held: boolean;
  /** One of the parts that settled the whole. */
  readonly decides: boolean;
  readonly of?: readonly ExplainedPart[];
  readonly test?: FieldTest;
  /** The record's own values of the field, as text; empty when it is absent. */
  readonly actual?: readonly string[];
}

export interface Explanation {
  /** Why the record could not be read; then nothing else is known. */
  readonly refused: string;
  readonly record: 'flow' | 'log' | 'session' | 'tunnel' | 'none';
  readonly logsource: LogSource | null;
  /** Whether the rule's log source is the record's: no other rule is asked. */
  readonly routed: boolean;
  readonly matched: boolean;
  readonly tree: ExplainedPart | null;
}

interface Subject {
  holds(predicate: Predicate): boolean;
  values(field: string): readonly string[];
}

/** `batch` holds one record; `rule` has a detection. */
export function explainRule(snapshot: ControlSnapshot, rule: Rule, batch: RawBatch): Explanation {
  const stages = createStages(snapshot, new Set());
  const { dictionary, decoded } = stages;
  decodeAnew(stages, batch);
  enrichAndDecide(stages);
  const environment = createEnvironment(snapshot);
  const nothing = { logsource: null, routed: false, matched: false, tree: null };
  const reject = decoded.rejects[0];
  if (reject !== undefined) return { refused: `${reject.code}: ${reject.detail}`, record: 'none', ...nothing };
  if (rule.detection === null) throw new TypeError('a correlation has no predicate');
  if (decoded.flows.length > 0) {
    const table = new FlowTable(snapshot, dictionary);
    table.bind(decoded.flows, batch);
    const tree = explain(rule.detection, {
      holds: (predicate) => compileRow(normalize(predicate), table, environment)(0),
      values: (field) => table.column(field).values(0).map(String),
    });
    const logsource = { product: '', category: 'network', service: 'connection' };
    const routed = appliesToFlows(rule.logsource);
    return { refused: '', record: 'flow', logsource, routed, matched: routed && tree.held, tree };
  }
  const [kind, event] = eventOf(decoded);
  if (event === null) return { refused: 'there is no record', record: 'none', ...nothing };
  const view = new LogView(LOG_NAMES);
  view.bind(event);
  const tree = explain(rule.detection, {
    holds: (predicate) => compileEvent(predicate, view, environment)(),
    values: (field) => view.values(view.slot(field)).all().map(String),
  });
  const routed = appliesTo(rule.logsource, event.logsource);
  return { refused: '', record: kind, logsource: event.logsource, routed, matched: routed && tree.held, tree };
}

function eventOf({ logs, sessions, tunnels }: Decoded): ['log' | 'session' | 'tunnel', LogEvent] | ['none', null] {
  if (logs.length > 0) return ['log', logs[0]];
  if (sessions.length > 0) return ['session', sessionEvent(sessions[0], false)];
  return tunnels.length > 0 ? ['tunnel', tunnelEvent(tunnels[0], false)] : ['none', null];
}

function explain(predicate: Predicate, subject: Subject): ExplainedPart {
  return decisive(part(predicate, subject), true);
}

function part(predicate: Predicate, subject: Subject): ExplainedPart {
  const held = subject.holds(predicate);
  const decides = false;
  switch (predicate.kind) {
    case 'constant':
      return { kind: 'constant', held, decides };
    case 'not':
      return { kind: 'not', held, decides, of: [part(predicate.of, subject)] };
    case 'and':
    case 'or':
      return { kind: predicate.kind, held, decides, of: predicate.of.map((one) => part(one, subject)) };
    case 'field':
      return { kind: 'test', held, decides, test: predicate, actual: [...subject.values(predicate.field)] };
  }
}

/** Of alternatives the first that held, of requirements the first that did not, otherwise all of them. */
function decisive(one: ExplainedPart, decides: boolean): ExplainedPart {
  if (one.of === undefined) return { ...one, decides };
  const settling = one.kind === 'not' ? null : one.kind === 'or';
  const alone = one.kind !== 'not' && one.held === settling ? one.of.findIndex(({ held }) => held === settling) : -1;
  return { ...one, decides, of: one.of.map((inner, i) => decisive(inner, decides && (alone < 0 || alone === i))) };
}

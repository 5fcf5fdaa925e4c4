// Why a flow was decided as it was: every policy of its tenant in order, and the conditions that settled each.

import type { Problem } from '../../rules/model.ts';
import { calendarPart, compileRow, minuteOfDay, normalize, type PlanEnvironment } from '../../rules/plan/index.ts';
import type { Predicate } from '../../rules/predicate.ts';
import type { ControlSnapshot } from '../../src/model/control.ts';
import type { Dictionary } from '../../src/model/dictionary.ts';
import type { FlowColumns } from '../../src/model/flow.ts';
import { createEnvironment } from '../match/environment.ts';
import { FlowTable } from '../match/flow-table.ts';
import { type CompiledPolicy, compilePolicy, type Leaf } from './conditions.ts';
import { policyOrder } from './order.ts';

export interface LeafResult extends Leaf {
  /** The flow's own values of the field, as text; empty when it is absent. */
  readonly actual: readonly string[];
  readonly held: boolean;
}

export interface PolicyExplanation {
  /** Index into `snapshot.policies`. */
  readonly index: number;
  readonly id: string;
  readonly name: string;
  readonly priority: number;
  readonly action: string;
  readonly matched: boolean;
  /** True for the first that matched: the one whose action the flow gets. */
  readonly decides: boolean;
  /** What settled it: of alternatives the first that held, of requirements the first that did not, otherwise all of them. */
  readonly leaves: readonly LeafResult[];
  readonly problems: readonly Problem[];
}

/** A row of columns, decoded and enriched, before or after its decision. */
export interface FlowRow {
  readonly flows: FlowColumns;
  readonly row: number;
  readonly dictionary: Dictionary;
}

/** One entry an enabled policy of the tenant, in the order in which they are asked. */
export function explainPolicies(snapshot: ControlSnapshot, tenantIndex: number, flow: FlowRow): PolicyExplanation[] {
  const table = new FlowTable(snapshot, flow.dictionary);
  table.bind(flow.flows, null);
  const environment = createEnvironment(snapshot);
  let decided = false;
  return policyOrder(snapshot)[tenantIndex].map((index) => {
    const policy = snapshot.policies[index];
    const compiled = compilePolicy(policy);
    const explained = new Explainer(compiled, table, environment, flow.row).settle(compiled.predicate);
    const decides = explained.held && !decided;
    decided ||= explained.held;
    const { id, name, priority, action } = policy;
    const { held: matched, leaves } = explained;
    return { index, id, name, priority, action, matched, decides, leaves, problems: compiled.problems };
  });
}

interface Settled {
  readonly held: boolean;
  readonly leaves: readonly LeafResult[];
}

class Explainer {
  private readonly compiled: CompiledPolicy;
  private readonly table: FlowTable;
  private readonly environment: PlanEnvironment;
  private readonly row: number;

  constructor(compiled: CompiledPolicy, table: FlowTable, environment: PlanEnvironment, row: number) {
    this.compiled = compiled;
    this.table = table;
    this.environment = environment;
    this.row = row;
  }

  settle(predicate: Predicate): Settled {
    const leaf = this.compiled.leaves.get(predicate);
    if (leaf !== undefined) {
      const held = compileRow(normalize(predicate), this.table, this.environment)(this.row);
      return { held, leaves: [{ ...leaf, actual: this.actual(leaf), held }] };
    }
    if (predicate.kind === 'not') {
      const inner = this.settle(predicate.of);
      return { held: !inner.held, leaves: inner.leaves };
    }
    if (predicate.kind !== 'and' && predicate.kind !== 'or') {
      return { held: predicate.kind === 'constant' && predicate.value, leaves: [] };
    }
    const settling = predicate.kind === 'or';
    const leaves: LeafResult[] = [];
    for (const part of predicate.of) {
      const result = this.settle(part);
      if (result.held === settling) return { held: settling, leaves: result.leaves };
      leaves.push(...result.leaves);
    }
    return { held: !settling, leaves };
  }

  private actual({ field, op }: Leaf): string[] {
    const { table, row } = this;
    if (op !== 'time_of_day' && op !== 'day_of_week') return table.column(field).values(row).map(String);
    const local = this.environment.localMs(table.tenant(row), table.timeMs(row));
    const minute = minuteOfDay(local);
    const pad = (part: number): string => String(part).padStart(2, '0');
    const day = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'][calendarPart('weekday', local) - 1];
    return [`${day} ${pad(Math.floor(minute / 60))}:${pad(minute % 60)}`];
  }
}

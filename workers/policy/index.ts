// In: enriched flow columns. Out: `policy` (1 + index of the deciding policy, 0 for none) and `action` (that policy's, as it
// is written; the producer's own stays where none decides). First match by priority, then id, within the flow's tenant.

import { type PlanEnvironment, TablePlan } from '../../rules/plan/index.ts';
import type { Predicate } from '../../rules/predicate.ts';
import type { ControlSnapshot } from '../../src/model/control.ts';
import type { Dictionary } from '../../src/model/dictionary.ts';
import type { FlowColumns } from '../../src/model/flow.ts';
import { createEnvironment } from '../match/environment.ts';
import { FlowTable } from '../match/flow-table.ts';
import { compilePolicy } from './conditions.ts';
import { policyOrder } from './order.ts';

export { compilePolicy, OPERATORS } from './conditions.ts';
export { explainPolicies, type LeafResult, type PolicyExplanation } from './explain.ts';

export function createDecider(snapshot: ControlSnapshot, dictionary: Dictionary): (flows: FlowColumns) => void {
  const order = policyOrder(snapshot);
  if (order.every((indices) => indices.length === 0)) {
    return (flows) => {
      flows.policy.fill(0, 0, flows.length);
    };
  }
  const table = new FlowTable(snapshot, dictionary);
  const environment: PlanEnvironment = createEnvironment(snapshot);
  // Predicates stand in order of decision, so that a row's first match decides.
  const ranked = order.flatMap((indices, tenant) => indices.map((index) => ({ index, tenant })));
  const predicates = ranked.map(({ index, tenant }): Predicate => {
    const { predicate } = compilePolicy(snapshot.policies[index]);
    const values = [snapshot.tenants[tenant].id];
    return {
      kind: 'and',
      of: [{ kind: 'field', field: 'tenant_id', test: 'equals', values, cased: false }, predicate],
    };
  });
  const plan = new TablePlan(predicates, table, environment);
  const stamps = new ActionStamps(snapshot, dictionary);

  return (flows) => {
    table.bind(flows, null);
    const { head, predicate } = plan.run(flows.length);
    stamps.refresh();
    const { policy, action, length } = flows;
    for (let row = 0; row < length; row++) {
      const first = head[row];
      if (first < 0) {
        policy[row] = 0;
        continue;
      }
      const { index } = ranked[predicate[first]];
      policy[row] = index + 1;
      action[row] = stamps.of(index);
    }
  };
}

/** Dictionary ids of the policies' actions, interned when first used under a generation of the dictionary. */
class ActionStamps {
  private readonly actions: readonly string[];
  private readonly dictionary: Dictionary;
  private readonly ids: Uint32Array;
  private generation: number;

  constructor(snapshot: ControlSnapshot, dictionary: Dictionary) {
    this.actions = snapshot.policies.map(({ action }) => action);
    this.dictionary = dictionary;
    this.ids = new Uint32Array(this.actions.length);
    this.generation = dictionary.generation;
  }

  /** Call once a batch. */
  refresh(): void {
    if (this.generation === this.dictionary.generation) return;
    this.generation = this.dictionary.generation;
    this.ids.fill(0);
  }

  of(index: number): number {
    if (this.ids[index] === 0) this.ids[index] = this.dictionary.internText(this.actions[index]);
    return this.ids[index];
  }
}

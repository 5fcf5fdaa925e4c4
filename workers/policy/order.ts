// The order in which a tenant's policies are asked: enabled ones by priority (low first), then by id.

import type { ControlSnapshot } from '../../src/model/control.ts';

/** Indices into `snapshot.policies`, by tenant index; the tenant of a policy may be named by UUID or slug. */
export function policyOrder(snapshot: ControlSnapshot): number[][] {
  const tenants = new Map<string, number>();
  for (const [i, { id, slug }] of snapshot.tenants.entries()) {
    tenants.set(slug, i);
    tenants.set(id.toLowerCase(), i);
  }
  const order: number[][] = snapshot.tenants.map(() => []);
  for (const [i, policy] of snapshot.policies.entries()) {
    const tenant = tenants.get(policy.tenant) ?? tenants.get(policy.tenant.toLowerCase());
    if (tenant !== undefined && policy.enabled) order[tenant].push(i);
  }
  const { policies } = snapshot;
  for (const indices of order) {
    indices.sort((a, b) => policies[a].priority - policies[b].priority || compareIds(policies[a].id, policies[b].id));
  }
  return order;
}

function compareIds(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

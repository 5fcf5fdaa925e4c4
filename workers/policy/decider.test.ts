import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { interpret } from '../../rules/plan/interpret.test-support.ts';
import type { PolicyAction, PolicyDocument } from '../../src/model/control.ts';
import { Dictionary } from '../../src/model/dictionary.ts';
import { createFlowColumns } from '../../src/model/flow.ts';
import {
  arbitraryFlow,
  localDate,
  snapshotOf,
  subjectOf,
  TENANTS,
  type TestFlow,
  writeFlow,
} from '../match/flows.test-support.ts';
import { compilePolicy, createDecider, explainPolicies } from './index.ts';

const pick = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const DAY_NAMES = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const clock = fc
  .tuple(fc.nat(23), fc.nat(59))
  .map(([h, m]) => `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`);

const leaf: fc.Arbitrary<unknown> = fc.oneof(
  fc.record({
    field: pick(['destination_port', 'dst_port']),
    op: pick(['eq', 'neq', 'gt', 'lte']),
    value: pick([22, 53, 443]),
  }),
  fc.record({
    field: fc.constant('destination_port'),
    op: pick(['in', 'not_in']),
    value: pick([[22, 443], ['80', 8080], [53]]),
  }),
  fc.record({
    field: pick(['source_ip', 'destination_ip']),
    op: fc.constant('cidr'),
    value: pick(['10.0.0.0/8', ['8.8.8.8', '2001:db8::/32']]),
  }),
  fc.record({ field: fc.constant('protocol'), op: pick(['eq', 'neq']), value: pick(['tcp', 'UDP', 6, '17']) }),
  fc.record({
    field: fc.constant('application'),
    op: pick(['eq', 'in_list', 'contains', 'prefix', 'suffix']),
    value: pick(['ssh', 'http']),
  }),
  fc.record({ field: fc.constant('host'), op: fc.constant('regex'), value: pick(['^api\\.', 'example']) }),
  fc.record({ field: pick(['user_id', 'threat', 'host']), op: fc.constant('exists'), value: fc.boolean() }),
  fc.record({
    field: fc.constant('bytes_sent'),
    op: fc.constant('range'),
    value: pick([[1, 1500], { from: 100 }, { to: 0 }]),
  }),
  fc.record({ field: fc.constant('user_id'), op: pick(['eq', 'neq']), value: pick(['Anna', null, '1001', 1001]) }),
  fc.record({ field: fc.constant('unidirectional'), op: fc.constant('eq'), value: fc.boolean() }),
  fc.record({ op: fc.constant('time_of_day'), value: fc.record({ from: clock, to: clock }) }),
  fc.record({ op: fc.constant('day_of_week'), value: fc.subarray(DAY_NAMES, { minLength: 1 }) }),
);

const conditions: fc.Arbitrary<unknown> = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 2 },
    leaf,
    fc.record({ and: fc.array(tie('node'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ or: fc.array(tie('node'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie('node') }),
  ),
})).node;

const policies: fc.Arbitrary<PolicyDocument[]> = fc
  .array(
    fc.record({
      tenant: fc.nat(1),
      enabled: pick([true, true, true, false]),
      priority: fc.nat(3),
      action: pick<PolicyAction>(['Allow', 'Block', 'Isolate', 'Log']),
      conditions: fc.oneof(
        { weight: 8, arbitrary: fc.array(conditions, { minLength: 1, maxLength: 3 }) },
        fc.constant([]),
        conditions,
      ),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((drafts) =>
    drafts.map((draft, i) => ({
      ...draft,
      tenant: i % 2 === 0 ? TENANTS[draft.tenant].id : TENANTS[draft.tenant].slug,
      id: `policy-${(i * 7) % 13}`,
      name: `p${i}`,
      version: i + 1,
    })),
  );

/** The definition: ask each enabled policy of the tenant in order, the first that matches decides. */
function naive(documents: readonly PolicyDocument[], flow: TestFlow): number {
  const { id, slug } = TENANTS[flow.tenant];
  const subject = subjectOf(flow);
  const asked = documents
    .map((policy, index) => ({ policy, index }))
    .filter(({ policy }) => policy.enabled && (policy.tenant === id || policy.tenant === slug))
    .sort((a, b) => a.policy.priority - b.policy.priority || (a.policy.id < b.policy.id ? -1 : 1));
  const first = asked.find(({ policy }) => interpret(compilePolicy(policy).predicate, subject));
  return first === undefined ? 0 : first.index + 1;
}

test('the decision is that of the first matching policy by priority and id, and the explanation agrees', () => {
  let decided = 0;
  let total = 0;
  fc.assert(
    fc.property(policies, fc.array(arbitraryFlow, { minLength: 1, maxLength: 25 }), (documents, batch) => {
      for (const policy of documents) assert.deepEqual(compilePolicy(policy).problems, []);
      const dictionary = new Dictionary();
      const snapshot = snapshotOf(documents);
      const decide = createDecider(snapshot, dictionary);
      const flows = createFlowColumns(4);
      for (const flow of batch) writeFlow(flows, dictionary, flow);
      // Explained before the decision, which may replace the producer's action.
      const explained = batch.map((flow, row) => explainPolicies(snapshot, flow.tenant, { flows, row, dictionary }));
      decide(flows);
      for (const [row, flow] of batch.entries()) {
        const wanted = naive(documents, flow);
        assert.equal(flows.policy[row], wanted);
        assert.equal(dictionary.text(flows.action[row]), wanted === 0 ? flow.action : documents[wanted - 1].action);
        assert.equal((explained[row].find(({ decides }) => decides)?.index ?? -1) + 1, wanted);
        total++;
        if (wanted > 0) decided++;
      }
    }),
    { numRuns: 200 },
  );
  assert.ok(decided / total > 0.3, `only ${decided} of ${total} flows were decided`);
});

function at(zone: number, when: string, condition: unknown): boolean {
  const policy: PolicyDocument = {
    id: 'p',
    tenant: TENANTS[zone].id,
    name: 'p',
    enabled: true,
    priority: 1,
    action: 'Block',
    version: 1,
    conditions: [condition],
  };
  const dictionary = new Dictionary();
  const flows = createFlowColumns(4);
  writeFlow(flows, dictionary, { ...FLOW, tenant: zone, timeMs: Date.parse(when) });
  createDecider(snapshotOf([policy]), dictionary)(flows);
  return flows.policy[0] === 1;
}

const BERLIN = 0;
const ST_JOHNS = 1;
const office = { op: 'time_of_day', value: { from: '02:00', to: '03:30' } };

test('time of day follows the tenant through daylight saving', () => {
  // 2024-03-31: at 01:00 UTC the clocks of Berlin went from 02:00 to 03:00.
  assert.equal(at(BERLIN, '2024-03-31T00:59:59Z', office), false, '01:59:59');
  assert.equal(at(BERLIN, '2024-03-31T01:00:00Z', office), true, '03:00');
  assert.equal(at(BERLIN, '2024-03-31T01:29:59Z', office), true, '03:29:59');
  assert.equal(at(BERLIN, '2024-03-31T01:30:00Z', office), false, '03:30');
  // 2024-10-27: 02:00–03:00 came twice.
  assert.equal(at(BERLIN, '2024-10-27T00:15:00Z', office), true, '02:15 the first time');
  assert.equal(at(BERLIN, '2024-10-27T01:15:00Z', office), true, '02:15 the second time');
  assert.equal(at(BERLIN, '2024-10-27T02:30:00Z', office), false, '03:30');
});

test('time of day knows zones off the hour, and windows over midnight', () => {
  const night = { op: 'time_of_day', value: { from: '22:00', to: '06:00' } };
  // St. John's is 2½ hours behind in summer.
  assert.equal(at(ST_JOHNS, '2024-07-01T00:29:59Z', night), false, '21:59:59');
  assert.equal(at(ST_JOHNS, '2024-07-01T00:30:00Z', night), true, '22:00');
  assert.equal(at(ST_JOHNS, '2024-07-01T08:29:59Z', night), true, '05:59:59');
  assert.equal(at(ST_JOHNS, '2024-07-01T08:30:00Z', night), false, '06:00');
});

test('the day of the week is the local one', () => {
  const sunday = { op: 'day_of_week', value: ['sun'] };
  assert.equal(at(BERLIN, '2024-03-30T22:59:59Z', sunday), false);
  assert.equal(at(BERLIN, '2024-03-30T23:00:00Z', sunday), true);
  assert.equal(at(BERLIN, '2024-03-31T21:59:59Z', sunday), true);
  assert.equal(at(BERLIN, '2024-03-31T22:00:00Z', sunday), false, 'summer time ends the day an hour earlier in UTC');
  assert.equal(at(BERLIN, '2024-03-31T22:00:00Z', { op: 'day_of_week', value: ['Monday'] }), true);
});

test('local time equals what Intl prints, at any moment', () => {
  fc.assert(
    fc.property(fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2100, 0, 1) }), fc.nat(1), (ms, zone) => {
      const local = localDate(TENANTS[zone].timezone, ms);
      const minute = local.getUTCHours() * 60 + local.getUTCMinutes();
      const text = (m: number): string =>
        `${String(Math.floor(m / 60)).padStart(2, '0')}:${String(m % 60).padStart(2, '0')}`;
      const exactly = { op: 'time_of_day', value: { from: text(minute), to: text((minute + 1) % 1440) } };
      assert.equal(at(zone, new Date(ms).toISOString(), exactly), true);
    }),
    { numRuns: 60 },
  );
});

test('the explanation names the condition that settled a policy, with the values', () => {
  const base = { tenant: TENANTS[0].id, enabled: true, version: 1 };
  const documents: PolicyDocument[] = [
    {
      ...base,
      id: 'a',
      name: 'no telnet',
      priority: 1,
      action: 'Block',
      conditions: [
        { field: 'protocol', op: 'eq', value: 'tcp' },
        {
          or: [
            { field: 'destination_port', op: 'eq', value: 23 },
            { field: 'application', op: 'eq', value: 'telnet' },
          ],
        },
      ],
    },
    { ...base, id: 'b', name: 'rest', priority: 2, action: 'Allow', conditions: [] },
    { ...base, id: 'c', name: 'off', priority: 0, action: 'Log', conditions: [], enabled: false },
  ];
  const dictionary = new Dictionary();
  const flows = createFlowColumns(4);
  writeFlow(flows, dictionary, { ...FLOW, destination_port: 443 });
  const [telnet, rest, ...others] = explainPolicies(snapshotOf(documents), 0, { flows, row: 0, dictionary });
  assert.deepEqual(others, []);
  assert.equal(telnet.matched, false);
  assert.deepEqual(
    telnet.leaves.map(({ path, actual, held }) => ({ path, actual, held })),
    [
      { path: '$[1].or[0]', actual: ['443'], held: false },
      { path: '$[1].or[1]', actual: [], held: false },
    ],
  );
  assert.deepEqual([rest.name, rest.matched, rest.decides], ['rest', true, true]);
});

const FLOW: TestFlow = {
  tenant: 0,
  timeMs: Date.UTC(2024, 0, 1),
  source_ip: '10.0.0.1',
  destination_ip: '8.8.8.8',
  source_port: 50000,
  destination_port: 443,
  protocol: 6,
  bytes_sent: 1,
  bytes_received: 1,
  packets_sent: 1,
  duration_ms: 1,
  application: '',
  action: '',
  user_id: '',
  host: '',
  threat: '',
  direction: 0,
  destination_asn: 0,
  counter_fault: false,
  unidirectional: false,
};

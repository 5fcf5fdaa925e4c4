import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { arbitraryPredicate } from '../../rules/plan/arbitrary.test-support.ts';
import { type Matches, TablePlan } from '../../rules/plan/index.ts';
import { interpret } from '../../rules/plan/interpret.test-support.ts';
import type { Predicate } from '../../rules/predicate.ts';
import { Dictionary } from '../../src/model/dictionary.ts';
import { createFlowColumns } from '../../src/model/flow.ts';
import { createEnvironment } from './environment.ts';
import { FlowTable } from './flow-table.ts';
import { arbitraryFlow, FLOW_POOLS, snapshotOf, subjectOf, type TestFlow, writeFlow } from './flows.test-support.ts';

function matchesOf(matches: Matches, row: number): number[] {
  const out: number[] = [];
  for (let at = matches.head[row]; at >= 0; at = matches.next[at]) out.push(matches.predicate[at]);
  return out;
}

function expected(predicates: readonly Predicate[], flow: TestFlow): number[] {
  const subject = subjectOf(flow);
  return predicates.flatMap((predicate, i) => (interpret(predicate, subject) ? [i] : []));
}

test('the plan over flow columns finds exactly what the interpreter finds', () => {
  const snapshot = snapshotOf();
  const environment = createEnvironment(snapshot);
  let pairs = 0;
  let hits = 0;
  fc.assert(
    fc.property(
      fc.array(arbitraryPredicate(FLOW_POOLS), { minLength: 1, maxLength: 14 }),
      fc.array(fc.array(arbitraryFlow, { minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 3 }),
      (predicates, batches) => {
        const dictionary = new Dictionary();
        const table = new FlowTable(snapshot, dictionary);
        const plan = new TablePlan(predicates, table, environment);
        const flows = createFlowColumns(4);
        for (const batch of batches) {
          flows.length = 0;
          for (const flow of batch) writeFlow(flows, dictionary, flow);
          table.bind(flows, null);
          const matches = plan.run(flows.length);
          for (const [row, flow] of batch.entries()) {
            const wanted = expected(predicates, flow);
            assert.deepEqual(matchesOf(matches, row), wanted);
            pairs += predicates.length;
            hits += wanted.length;
          }
        }
      },
    ),
    { numRuns: 300 },
  );
  assert.ok(pairs >= 10_000, `only ${pairs} pairs`);
  assert.ok(hits / pairs >= 0.3, `only ${hits} hits in ${pairs} pairs`);
});

test('a dictionary that starts anew does not leave stale answers behind', () => {
  const snapshot = snapshotOf();
  const dictionary = new Dictionary();
  const table = new FlowTable(snapshot, dictionary);
  const plan = new TablePlan(
    [
      { kind: 'field', field: 'application', test: 'equals', values: ['ssh'], cased: false },
      {
        kind: 'or',
        of: [
          { kind: 'field', field: 'application', test: 'contains', values: ['ss'], cased: false },
          { kind: 'field', field: 'bytes_sent', test: 'number', op: 'gt', value: 1e12 },
        ],
      },
    ],
    table,
    createEnvironment(snapshot),
  );
  const flows = createFlowColumns(4);
  const run = (application: string): number[] => {
    flows.length = 0;
    writeFlow(flows, dictionary, { ...BASE, application });
    table.bind(flows, null);
    return matchesOf(plan.run(1), 0);
  };
  assert.deepEqual(run('ssh'), [0, 1]);
  for (let i = 0; i < 70_000; i++) dictionary.internText(`filler ${i}`);
  dictionary.trim();
  assert.deepEqual(run('dns'), []);
  assert.deepEqual(run('ssh'), [0, 1]);
});

test('many distinct values neither change answers nor stay in memory for ever', () => {
  const snapshot = snapshotOf();
  const dictionary = new Dictionary();
  const table = new FlowTable(snapshot, dictionary);
  const ports = Array.from({ length: 3000 }, (_, i) => i * 20 + 1);
  const predicates = ports.map(
    (port): Predicate => ({ kind: 'field', field: 'destination_port', test: 'numbers', values: [port, port + 1] }),
  );
  const plan = new TablePlan(predicates, table, createEnvironment(snapshot));
  const flows = createFlowColumns(4);
  for (let from = 0; from < 60_000; from += 20_000) {
    flows.length = 0;
    for (let port = from; port < from + 20_000; port++) {
      writeFlow(flows, dictionary, { ...BASE, destination_port: port });
    }
    table.bind(flows, null);
    const matches = plan.run(flows.length);
    for (let row = 0; row < flows.length; row++) {
      const port = from + row;
      const wanted = port % 20 === 1 || port % 20 === 2 ? [Math.floor(port / 20)] : [];
      assert.deepEqual(matchesOf(matches, row), wanted, `port ${port}`);
    }
  }
});

const BASE: TestFlow = {
  tenant: 0,
  timeMs: Date.UTC(2024, 2, 31),
  source_ip: '10.0.0.1',
  destination_ip: '8.8.8.8',
  source_port: 50123,
  destination_port: 443,
  protocol: 6,
  bytes_sent: 10,
  bytes_received: 10,
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

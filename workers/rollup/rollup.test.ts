// Promise: rollups are exact sums by key, whatever batches the flows came in.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bufferOf } from '../../src/model/bytes.ts';
import type { ControlSnapshot } from '../../src/model/control.ts';
import { Dictionary } from '../../src/model/dictionary.ts';
import { clearRow, createFlowColumns, nextFlow } from '../../src/model/flow.ts';
import { encodeRows } from '../encode/index.ts';
import { RollupMerge, rollUp } from './index.ts';

const TENANTS = ['00000000-0000-4000-8000-00000000000b', '00000000-0000-4000-8000-00000000000a'];
const snapshot = { tenants: TENANTS.map((id) => ({ id, slug: id })), policies: [] } as unknown as ControlSnapshot;

interface Flow {
  tenant: number;
  pop: string;
  timeMs: number;
  application: string;
  category: string;
  action: string;
  sent: bigint;
  received: bigint;
}

const flow: fc.Arbitrary<Flow> = fc.record({
  tenant: fc.nat(1),
  pop: fc.constantFrom('', 'fra1', 'zürich'),
  timeMs: fc.integer({ min: Date.UTC(2024, 0, 31, 23, 58), max: Date.UTC(2024, 1, 1, 0, 2) }),
  application: fc.constantFrom('', 'https', 'ssh'),
  category: fc.constantFrom('', 'web'),
  action: fc.constantFrom('', 'Allow', 'Block', 'Isolate', 'DENY', 'drop', 'Log'),
  sent: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  received: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
});

function partial(flows: readonly Flow[], dictionary: Dictionary): Uint8Array {
  const columns = createFlowColumns(4);
  for (const f of flows) {
    const i = nextFlow(columns);
    clearRow(columns, i);
    columns.length++;
    columns.tenant[i] = f.tenant;
    columns.timeMs[i] = f.timeMs;
    columns.pop[i] = dictionary.internText(f.pop);
    columns.application[i] = dictionary.internText(f.application);
    columns.category[i] = dictionary.internText(f.category);
    columns.action[i] = dictionary.internText(f.action);
    columns.bytesSent.set([Number(f.sent & 0xffffffffn), Number(f.sent >> 32n)], i * 2);
    columns.bytesReceived.set([Number(f.received & 0xffffffffn), Number(f.received >> 32n)], i * 2);
  }
  return rollUp(columns, dictionary, snapshot);
}

function expected(flows: readonly Flow[]) {
  const sums = new Map<
    string,
    {
      row: { timestamp: number; tenant_id: string; pop_id: string; application: string; category: string };
      bytes: bigint;
      requests: number;
      blocked: number;
    }
  >();
  for (const f of flows) {
    const minute = Math.floor(f.timeMs / 60_000) * 60;
    const row = {
      tenant_id: TENANTS[f.tenant],
      pop_id: f.pop,
      timestamp: minute,
      application: f.application,
      category: f.category,
    };
    const key = JSON.stringify(row);
    const sum = sums.get(key) ?? { row, bytes: 0n, requests: 0, blocked: 0 };
    sum.bytes = BigInt.asUintN(64, sum.bytes + f.sent + f.received);
    sum.requests++;
    if (['block', 'isolate', 'deny', 'drop'].includes(f.action.toLowerCase())) sum.blocked++;
    sums.set(key, sum);
  }
  const rows = [...sums.values()].map(({ row, bytes, requests, blocked }) => ({
    ...row,
    total_bytes: bytes,
    total_requests: requests,
    blocked_requests: blocked,
  }));
  const key = (row: (typeof rows)[number]) =>
    [row.tenant_id, row.pop_id, String(row.timestamp).padStart(12, '0'), row.application, row.category].join('\0');
  rows.sort((a, b) => (key(a) < key(b) ? -1 : 1));
  const february = Date.UTC(2024, 1, 1) / 1000;
  const months = [rows.filter((r) => r.timestamp < february), rows.filter((r) => r.timestamp >= february)];
  return months.filter((month) => month.length > 0).map((month) => encodeRows('traffic_analytics', month));
}

test('any cut into batches and any order of partials gives the same bytes as summing flow by flow', () => {
  const dictionary = new Dictionary();
  const other = new Dictionary(); // of another worker, with other ids
  other.internText('ssh');
  fc.assert(
    fc.property(fc.array(flow, { minLength: 1, maxLength: 60 }), fc.nat(), (flows, seed) => {
      const cut = seed % (flows.length + 1);
      const merge = new RollupMerge();
      merge.add(partial(flows.slice(cut), other));
      merge.add(partial(flows.slice(0, cut), dictionary));
      const taken = merge.take();
      const wanted = expected(flows);
      assert.deepEqual(
        taken.map(({ table, rows }) => ({ table, rows })),
        wanted.map(({ table, rows }) => ({ table, rows })),
      );
      for (const [i, { bytes }] of taken.entries()) assert.ok(bufferOf(bytes).equals(bufferOf(wanted[i].bytes)));
      assert.deepEqual(merge.take(), []);
    }),
    { numRuns: 200 },
  );
});

test('more groups than the table begins with', () => {
  const flows = Array.from({ length: 5000 }, (_, i) => ({
    tenant: 0,
    pop: 'p',
    timeMs: Date.UTC(2024, 0, 1) + i * 60_000,
    application: 'a',
    category: '',
    action: '',
    sent: 1n,
    received: 0n,
  }));
  const merge = new RollupMerge();
  merge.add(partial(flows, new Dictionary()));
  merge.add(partial(flows, new Dictionary()));
  assert.deepEqual(
    merge.take().map(({ rows }) => rows),
    [5000],
  );
});

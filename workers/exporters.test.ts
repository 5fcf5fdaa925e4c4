// Promise: every flow of an exporter that is told apart is counted under it, and flows without one cost nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dictionary } from '../src/model/dictionary.ts';
import { clearRow, createFlowColumns, type FlowColumns, nextFlow } from '../src/model/flow.ts';
import { exportersOf } from './exporters.ts';

function flowsOf(
  dictionary: Dictionary,
  rows: readonly (readonly [exporter: string, timeMs: number, durationMs: number])[],
): FlowColumns {
  const flows = createFlowColumns();
  for (const [exporter, timeMs, durationMs] of rows) {
    const i = nextFlow(flows);
    clearRow(flows, i);
    flows.exporter[i] = exporter === '' ? 0 : dictionary.internText(exporter);
    flows.timeMs[i] = timeMs;
    flows.durationMs[i] = durationMs;
    flows.length = i + 1;
  }
  return flows;
}

test('flows by exporter and the newest end', () => {
  const dictionary = new Dictionary();
  const flows = flowsOf(dictionary, [
    ['a', 1000, -1],
    ['a', 900, 500],
    ['b', 5000, 0],
    ['', 9000, 0],
    ['a', 1, 1],
    ['c', 1, 1],
  ]);
  assert.deepEqual(exportersOf(flows, dictionary, 2), [
    { exporter: 'a', flows: 3, newestMs: 1400 },
    { exporter: 'b', flows: 1, newestMs: 5000 },
  ]);
  assert.equal(exportersOf(flows, dictionary, 3).length, 3);
  assert.deepEqual(exportersOf(flows, dictionary, 0), []);
  assert.deepEqual(exportersOf(flowsOf(dictionary, [['', 1, 1]]), dictionary, 9), []);
});

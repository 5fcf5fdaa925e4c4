import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clearRow, createFlowColumns, type FlowColumns, nextFlow, resetFlows } from './flow.ts';

const columnsOf = (flows: FlowColumns): [string, Uint32Array][] =>
  Object.entries(flows).filter((entry): entry is [string, Uint32Array] => typeof entry[1] !== 'number');

/** Every column's elements of row i. */
const rowOf = (flows: FlowColumns, i: number): unknown =>
  columnsOf(flows).map(([name, array]) => {
    const width = array.length / flows.capacity;
    return [name, ...array.subarray(i * width, (i + 1) * width)];
  });

function soil(flows: FlowColumns, i: number): void {
  for (const [, array] of columnsOf(flows)) {
    const width = array.length / flows.capacity;
    array.fill(7, i * width, (i + 1) * width);
  }
}

test('a cleared row is as good as new, whether it was written in this batch, in an earlier one or before the columns grew', () => {
  const fresh = rowOf(createFlowColumns(1), 0);
  const flows = createFlowColumns(2);
  for (let batch = 0; batch < 3; batch++) {
    for (let i = 0; i < 9; i++) {
      assert.equal(nextFlow(flows), i);
      clearRow(flows, i);
      assert.deepEqual(rowOf(flows, i), fresh);
      soil(flows, i);
      clearRow(flows, i); // as after a record that was refused half-way
      assert.deepEqual(rowOf(flows, i), fresh);
      soil(flows, i);
      flows.length = i + 1;
    }
    if (batch === 1) flows.length = 0;
    else resetFlows(flows);
  }
});

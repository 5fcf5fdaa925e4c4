// Promise: every flow of an exporter that is told apart is counted under it, and flows without one cost nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Decoded } from '../src/model/decoded.ts';
import { Dictionary } from '../src/model/dictionary.ts';
import { clearRow, nextFlow } from '../src/model/flow.ts';
import { exportersOf } from './exporters.ts';

type Row = readonly [exporter: string, timeMs: number, durationMs: number];

function decodedOf(rows: readonly Row[], failed: readonly string[] = []): Decoded {
  const decoded = new Decoded(new Dictionary());
  const { flows, dictionary } = decoded;
  for (const [exporter, timeMs, durationMs] of rows) {
    const i = nextFlow(flows);
    clearRow(flows, i);
    flows.exporter[i] = exporter === '' ? 0 : dictionary.internText(exporter);
    flows.timeMs[i] = timeMs;
    flows.durationMs[i] = durationMs;
    flows.length = i + 1;
  }
  for (const exporter of failed) decoded.failed(dictionary.internText(exporter));
  return decoded;
}

test('flows by exporter and the newest end', () => {
  const decoded = decodedOf([
    ['a', 1000, -1],
    ['a', 900, 500],
    ['b', 5000, 0],
    ['', 9000, 0],
    ['a', 1, 1],
    ['c', 1, 1],
  ]);
  assert.deepEqual(exportersOf(decoded, 2), [
    { exporter: 'a', flows: 3, failures: 0, newestMs: 1400 },
    { exporter: 'b', flows: 1, failures: 0, newestMs: 5000 },
  ]);
  assert.equal(exportersOf(decoded, 3).length, 3);
  assert.deepEqual(exportersOf(decoded, 0), []);
  assert.deepEqual(exportersOf(decodedOf([['', 1, 1]]), 9), []);
  assert.deepEqual(exportersOf(decodedOf([]), 9), []);
});

test('rejects that name an exporter, with and without flows of it', () => {
  assert.deepEqual(exportersOf(decodedOf([['a', 1000, 0]], ['a', 'b', 'b']), 9), [
    { exporter: 'a', flows: 1, failures: 1, newestMs: 1000 },
    { exporter: 'b', flows: 0, failures: 2, newestMs: -Infinity },
  ]);
  const decoded = decodedOf([], ['a']);
  decoded.reset();
  assert.deepEqual(exportersOf(decoded, 9), []);
});

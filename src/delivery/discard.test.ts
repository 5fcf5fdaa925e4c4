import assert from 'node:assert/strict';
import { test } from 'node:test';
import { discard } from './discard.ts';

test('what is discarded holds no memory any more, once or several times in one buffer', () => {
  for (let round = 0; round < 2; round++) {
    const memory = new ArrayBuffer(64);
    const arrays = [new Uint8Array(100), new Uint8Array(memory, 0, 32), new Uint8Array(memory, 32)];
    discard(arrays);
    assert.deepEqual(
      arrays.map(({ byteLength, buffer }) => [byteLength, buffer.byteLength]),
      [
        [0, 0],
        [0, 0],
        [0, 0],
      ],
    );
  }
  discard([]);
});

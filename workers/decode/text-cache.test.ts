import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TextCache } from './text-cache.ts';

function reader(): { read(text: string, room?: string): number; misses: () => number; clear(): void } {
  const known = new Map<string, number>();
  let misses = 0;
  const cache = new TextCache((bytes, start, end) => {
    misses++;
    const text = Buffer.from(bytes.subarray(start, end)).toString('latin1');
    const id = known.get(text) ?? known.size;
    known.set(text, id);
    return id;
  });
  return {
    misses: () => misses,
    clear: () => cache.clear(),
    read(text, room = '",x"y') {
      const bytes = Buffer.from(`..."${text}${room}`, 'latin1');
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const value = cache.read(bytes, view, 3, bytes.length, bytes.length);
      if (value >= 0) assert.equal(cache.stop, 5 + text.length);
      return value;
    },
  };
}

test('texts that collide keep their own values, however often they push each other out', () => {
  const cache = reader();
  const texts = Array.from({ length: 40_000 }, (_, i) => `${String(i).padStart(8, '0')}same`);
  for (let round = 0; round < 2; round++) {
    for (const [i, text] of texts.entries()) assert.equal(cache.read(text), i);
  }
});

test('texts of every length are told apart, and those seen lately cost no look-up', () => {
  const cache = reader();
  const texts = Array.from({ length: 80 }, (_, i) => 'a'.repeat(i));
  for (const [i, text] of texts.entries()) assert.equal(cache.read(text), i);
  const before = cache.misses();
  for (let i = 1; i < 56; i++) assert.equal(cache.read(texts[i]), i);
  assert.equal(cache.misses(), before);
  cache.clear();
  assert.equal(cache.read('aaa'), 3);
  assert.equal(cache.misses(), before + 1);
});

test('texts of known ends have the same values, and only ASCII is looked up', () => {
  const seen: string[] = [];
  const cache = new TextCache((bytes, start, end) =>
    seen.push(Buffer.from(bytes.subarray(start, end)).toString('latin1')),
  );
  const find = (text: string): number => {
    const bytes = Buffer.from(`.${text}\u00ff\u00ff\u00ff\u00ff`, 'latin1');
    return cache.find(
      bytes,
      new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
      1,
      1 + text.length,
      bytes.length,
    );
  };
  for (let length = 1; length < 56; length++) {
    const text = 'b'.repeat(length);
    const value = find(text);
    assert.equal(seen[value - 1], text);
    assert.equal(find(text), value);
    assert.equal(find(`${text.slice(1)}\u00fc`), -1);
  }
});

test('only plain text that ends is read', () => {
  const cache = reader();
  for (const text of ['a\\n', '\\', 'ab\u0001cdef', '\u001f', 'abc\n', 'abcdefgh\t'])
    assert.equal(cache.read(text), -1);
  assert.equal(cache.read('never closed', ''), -1);
  assert.ok(cache.read('caf\u00e9 \u0080\u00ff') >= 0);
});

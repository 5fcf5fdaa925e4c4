import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dictionary } from '../../src/model/dictionary.ts';
import { PlainTexts } from './plain-texts.ts';

function reader() {
  const dictionary = new Dictionary();
  const texts = new PlainTexts(dictionary);
  const view = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    dictionary,
    read(text: string, room = '",x"y'): number {
      const bytes = Buffer.from(`..."${text}${room}`, 'latin1');
      const value = texts.read(bytes, view(bytes), 3, bytes.length, bytes.length);
      if (value >= 0) assert.equal(texts.stop, 5 + text.length);
      return value;
    },
    find(text: string): number {
      const bytes = Buffer.from(`.${text}\u00ff\u00ff\u00ff\u00ff`, 'latin1');
      return texts.find(view(bytes), 1, 1 + text.length, bytes.length);
    },
  };
}

test('texts of every length are told apart, whichever way they come', () => {
  const { dictionary, read, find } = reader();
  const texts = Array.from({ length: 160 }, (_, i) => (i % 2 === 0 ? 'a' : 'b').repeat(i >> 1)).slice(2);
  for (let round = 0; round < 2; round++) {
    for (const [i, text] of texts.entries()) {
      assert.equal(read(text), i + 1);
      assert.equal(find(text), i + 1);
      assert.equal(dictionary.internText(text), i + 1);
      assert.equal(dictionary.text(i + 1), text);
    }
  }
  assert.equal(read(''), 0);
  assert.equal(find(''), 0);
});

test('many texts keep their own ids while the dictionary grows', () => {
  const { dictionary, read } = reader();
  const texts = Array.from({ length: 40_000 }, (_, i) => `${String(i).padStart(8, '0')}${'same'.repeat(i % 9)}`);
  for (let round = 0; round < 2; round++) {
    for (const [i, text] of texts.entries()) assert.equal(read(text), i + 1);
  }
  assert.equal(dictionary.text(31_234), texts[31_233]);
});

test('of texts of known ends, only ASCII is looked up', () => {
  const { find } = reader();
  for (let length = 1; length < 56; length++) assert.equal(find(`${'b'.repeat(length - 1)}\u00fc`), -1);
});

test('only plain text that ends is read', () => {
  const { read } = reader();
  for (const text of ['a\\n', '\\', 'ab\u0001cdef', '\u001f', 'abc\n', 'abcdefgh\t']) assert.equal(read(text), -1);
  assert.equal(read('never closed', ''), -1);
  assert.ok(read('caf\u00e9 \u0080\u00ff') >= 0);
});

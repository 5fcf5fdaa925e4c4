// Packed messages: what goes in comes out, and what is no packed array is an error, never a loop.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { type Message, MessageWriter, messagesOf } from './messages.ts';
import { MESSAGE_OUTPUTS, ROWS_ONLY } from './outputs.ts';
import { columnsOf, TABLES } from './tables.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const bytes: fc.Arbitrary<Uint8Array> = fc.uint8Array({ maxLength: 300, size: 'max' });
const messages: fc.Arbitrary<Message[]> = fc.array(
  fc.record(
    { key: bytes, headers: fc.array(fc.tuple(text, text), { maxLength: 4 }), value: bytes },
    { noNullPrototype: true },
  ),
  { maxLength: 6 },
);

function packed(list: readonly Message[], writer = new MessageWriter()): Uint8Array {
  for (const one of list) writer.add(one);
  assert.equal(writer.count, list.length);
  return writer.take();
}

suite('packed messages', () => {
  test('come out as they went in, whatever was packed before', () => {
    const writer = new MessageWriter();
    fc.assert(
      fc.property(messages, (list) => {
        const bytes = packed(list, writer);
        assert.equal(writer.count, 0);
        packed([{ key: Uint8Array.of(255), headers: [], value: Uint8Array.of(255) }], writer); // the memory is not shared
        assert.deepEqual([...messagesOf(bytes)], list);
      }),
    );
  });

  test('one behind the other, as lanes put them together', () => {
    fc.assert(
      fc.property(messages, messages, (first, second) => {
        const both = Buffer.concat([packed(first), packed(second)]);
        const found = [...messagesOf(both)].map(({ key, headers, value }) => [[...key], headers, [...value]]);
        assert.deepEqual(
          found,
          [...first, ...second].map(({ key, headers, value }) => [[...key], headers, [...value]]),
        );
      }),
    );
  });

  test('a value of megabytes', () => {
    const value = new Uint8Array(3 << 20).fill(7);
    const [found] = [
      ...messagesOf(packed([{ key: Uint8Array.of(1), headers: [['name', 'x'.repeat(70_000)]], value }])),
    ];
    assert.equal(found.value.length, value.length);
    assert.equal(found.headers[0][1].length, 70_000);
  });

  test('cut off anywhere but between messages: an error', () => {
    const list: Message[] = [
      { key: Uint8Array.of(1, 2), headers: [['a', 'b']], value: new Uint8Array(200) },
      { key: new Uint8Array(0), headers: [], value: Uint8Array.of(9) },
    ];
    const whole = packed(list);
    const first = packed(list.slice(0, 1)).length;
    for (let length = 1; length < whole.length; length++) {
      if (length === first) continue;
      assert.throws(() => [...messagesOf(whole.subarray(0, length))], /cut off/, String(length));
    }
  });

  test('any bytes end, in messages or in an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
        try {
          for (const _ of messagesOf(noise));
        } catch (error) {
          assert.match(String(error), /cut off/);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

test('an output is a table or a topic, and every table has rows of its own in embedded mode', () => {
  const tables = Object.keys(TABLES).filter((table) => Object.hasOwn(ROWS_ONLY, table));
  assert.deepEqual(tables.sort(), Object.keys(ROWS_ONLY).sort());
  assert.deepEqual(Object.keys(TABLES).sort(), Object.keys(ROWS_ONLY).sort());
  for (const output of MESSAGE_OUTPUTS) assert.throws(() => columnsOf(output), /is no table/);
});

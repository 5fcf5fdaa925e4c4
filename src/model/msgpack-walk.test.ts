import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Packr, Unpackr } from 'msgpackr';
import { INCOMPLETE, INVALID, MsgpackWalker } from './msgpack-walk.ts';

const document = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.integer(),
    fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    fc.double(),
    fc.string(),
    fc.string({ minLength: 300, maxLength: 400 }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 20 }),
    fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'source_ip', 'x'), tie('value'), { noNullPrototype: true }),
  ),
})).value;

function packed(values: readonly unknown[], options: ConstructorParameters<typeof Packr>[0]): Buffer[] {
  const packr = new Packr({ ...options });
  return values.map((value) => Buffer.from(packr.pack(value)));
}

test('a walker cuts concatenated messages where the encoder ended them', () => {
  for (const options of [
    {},
    { useRecords: false },
    { sequential: true },
    { sequential: true, maxOwnStructures: 200 },
  ]) {
    fc.assert(
      fc.property(fc.array(document, { minLength: 1, maxLength: 12 }), (values) => {
        const messages = packed(values, options);
        const bytes = Buffer.concat(messages);
        const walker = new MsgpackWalker();
        let at = 0;
        for (const message of messages) {
          const next = walker.walk(bytes, at, bytes.length);
          assert.equal(next, at + message.length);
          at = next;
        }
      }),
      { numRuns: 150 },
    );
  }
});

test('every prefix of a message is incomplete, and walking can be resumed without the consumed bytes', () => {
  fc.assert(
    fc.property(fc.array(document, { minLength: 1, maxLength: 3 }), fc.nat(), (values, cut) => {
      const messages = packed(values, { sequential: true });
      const walker = new MsgpackWalker();
      for (const message of messages) {
        const split = cut % message.length;
        assert.equal(walker.walk(message, 0, split), INCOMPLETE);
        const rest = message.subarray(walker.consumed);
        assert.equal(walker.resume(rest, 0, rest.length), rest.length);
      }
    }),
    { numRuns: 200 },
  );
});

test('the context lets a reader start in the middle of the stream', () => {
  const rows = [{ a: 1, b: 'x' }, { a: 2, b: 'y' }, { c: { a: 3, b: 'z' } }, { a: 4, b: 'w' }, { c: { a: 5, b: 'v' } }];
  const messages = packed(rows, { sequential: true });
  const walker = new MsgpackWalker();
  assert.equal(walker.context(), null);
  for (const message of messages.slice(0, 3)) assert.equal(walker.walk(message, 0, message.length), message.length);
  const context = walker.context()!;
  const later = new MsgpackWalker();
  later.restore(context);
  assert.deepEqual(later.context(), context);
  for (const message of messages.slice(3)) assert.equal(later.walk(message, 0, message.length), message.length);
});

test('numbers 64 to 127 of plain MessagePack are numbers', () => {
  const plain = Buffer.from([0x82, 0xa1, 0x61, 0x50, 0xa1, 0x62, 0x7f]);
  assert.equal(new MsgpackWalker().walk(plain, 0, plain.length), plain.length);
  assert.deepEqual(new Unpackr({ mapsAsObjects: true }).unpack(plain), { a: 0x50, b: 0x7f });
});

test('what is no MessagePack is told from what is cut short, and arbitrary bytes never throw', () => {
  const walker = new MsgpackWalker();
  assert.equal(walker.walk(Uint8Array.of(0xc1), 0, 1), INVALID);
  assert.equal(walker.walk(Uint8Array.of(0xd4, 0x72, 0x40, 0x01), 0, 4), INVALID);
  assert.equal(walker.walk(Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff), 0, 5), INCOMPLETE);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const next = new MsgpackWalker().walk(bytes, 0, bytes.length);
      assert.ok(next === INCOMPLETE || next === INVALID || (next > 0 && next <= bytes.length));
    }),
    { numRuns: 500 },
  );
});

test('definitions have a budget', () => {
  const walker = new MsgpackWalker();
  const key = Buffer.alloc(65_535, 97);
  const name = Buffer.concat([Buffer.from([0xda, 0xff, 0xff]), key]);
  const results: number[] = [];
  for (let id = 0x40; id < 0x60; id++) {
    const message = Buffer.concat([Buffer.from([0xd4, 0x72, id, 0x91]), name, Buffer.from([0xc0])]);
    results.push(walker.walk(message, 0, message.length));
  }
  assert.ok(results[0] > 0);
  assert.ok(results.includes(INVALID));
  assert.ok(walker.context()!.length <= 1 << 20);
});

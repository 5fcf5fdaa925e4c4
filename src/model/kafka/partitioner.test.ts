import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { Partitioners } from 'kafkajs';
import { utf8 } from '../bytes.ts';
import { partitionOf } from './partitioner.ts';

const partitions = (count: number) => Array.from({ length: count }, (_, partitionId) => ({ partitionId, leader: 1 }));

test('murmur2 is where kafkajs and the Java client send a key', () => {
  const theirs = Partitioners.DefaultPartitioner();
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 64 }), (key, count) => {
      const message = { key: Buffer.from(key), value: null };
      const expected = theirs({ topic: 't', message, partitionMetadata: partitions(count) as never });
      assert.equal(partitionOf('murmur2', key, count), expected);
    }),
  );
});

test('crc32 is zlib’s', { skip: 'crc32' in zlib ? false : 'this Node has no crc32' }, () => {
  const { crc32 } = zlib as unknown as { crc32(bytes: Uint8Array): number };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (key) => {
      assert.equal(partitionOf('crc32', key, 2 ** 31), crc32(key) % 2 ** 31);
    }),
  );
});

test('fnv1a: the vectors of its authors, folded as Sarama does', () => {
  const hashes: readonly (readonly [string, number])[] = [
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ];
  for (const [text, hash] of hashes) {
    const signed = hash | 0;
    assert.equal(partitionOf('fnv1a', utf8(text), 1009), Math.abs(signed % 1009));
  }
});

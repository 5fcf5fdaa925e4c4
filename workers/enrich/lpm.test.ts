import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inPrefix, type Prefix, parseIp, parsePrefix } from '../../src/model/ip.ts';
import { type PrefixTable, PrefixTableBuilder } from './lpm.ts';

function tableOf(prefixes: readonly string[]): PrefixTable {
  const builder = new PrefixTableBuilder();
  prefixes.forEach((text, i) => {
    const prefix = parsePrefix(text) as Prefix;
    builder.add(prefix.words, prefix.bits, i + 1);
  });
  return builder.build();
}

/** What the table promises, by looking at every prefix. */
function naive(prefixes: readonly string[], words: Uint32Array): number {
  let best = 0;
  let bestBits = -1;
  prefixes.forEach((text, i) => {
    const prefix = parsePrefix(text) as Prefix;
    if (prefix.bits > bestBits && inPrefix(prefix, words, 0)) {
      best = i + 1;
      bestBits = prefix.bits;
    }
  });
  return best;
}

function lookup(table: PrefixTable, address: string): number {
  const words = new Uint32Array(4);
  assert.ok(parseIp(address, words), address);
  return table.lookup(words, 0);
}

test('the longest prefix wins, whatever the order, and of equal ones the first', () => {
  const table = tableOf(['10.0.0.0/8', '10.1.0.0/16', '10.1.2.3', '10.1.0.0/16', '2001:db8::/32', '2001:db8:1::/48']);
  assert.equal(lookup(table, '10.255.0.1'), 1);
  assert.equal(lookup(table, '10.1.2.4'), 2);
  assert.equal(lookup(table, '10.1.2.3'), 3);
  assert.equal(lookup(table, '::ffff:10.1.2.3'), 3);
  assert.equal(lookup(table, '11.0.0.0'), 0);
  assert.equal(lookup(table, '2001:db8::1'), 5);
  assert.equal(lookup(table, '2001:db8:1::1'), 6);
  assert.equal(lookup(table, '2001:db9::1'), 0);
});

test('the ends of the address space and the whole of it', () => {
  const table = tableOf(['0.0.0.0/0', '255.255.255.255', '0.0.0.0', '::/0', 'ffff::/16']);
  assert.equal(lookup(table, '0.0.0.0'), 3);
  assert.equal(lookup(table, '0.0.0.1'), 1);
  assert.equal(lookup(table, '255.255.255.255'), 2);
  assert.equal(lookup(table, '255.255.255.254'), 1);
  assert.equal(lookup(table, 'ffff::1'), 5);
  assert.equal(lookup(table, '::1'), 4);
});

test('an empty table knows nothing', () => {
  const table = tableOf([]);
  assert.ok(table.empty);
  assert.equal(lookup(table, '1.2.3.4'), 0);
  assert.equal(lookup(table, '::1'), 0);
});

// Addresses are drawn from few values a byte, so that prefixes nest and collide.
const byte = fc.constantFrom(0, 1, 10, 127, 128, 255);
const v4 = fc.tuple(byte, byte, byte, byte).map((bytes) => bytes.join('.'));
const group = fc.constantFrom('0', '1', '8000', 'ffff', '2001');
const v6 = fc.tuple(group, group, group, group, group, group, group, group).map((groups) => groups.join(':'));
const prefix = fc.oneof(
  fc.tuple(v4, fc.integer({ min: 0, max: 32 })).map(([address, bits]) => `${address}/${bits}`),
  fc.tuple(v6, fc.integer({ min: 0, max: 128 })).map(([address, bits]) => `${address}/${bits}`),
);

test('lookups equal a scan of all prefixes', () => {
  fc.assert(
    fc.property(fc.array(prefix, { maxLength: 40 }), fc.array(fc.oneof(v4, v6), { maxLength: 40 }), (prefixes, at) => {
      const table = tableOf(prefixes);
      for (const address of at) {
        const words = new Uint32Array(4);
        parseIp(address, words);
        assert.equal(table.lookup(words, 0), naive(prefixes, words), `${address} in ${prefixes.join(' ')}`);
      }
    }),
    { numRuns: 300 },
  );
});

test('a million scattered addresses fit into a few bytes each', () => {
  const builder = new PrefixTableBuilder();
  const words = new Uint32Array([0, 0, 0xffff, 0]);
  for (let i = 0; i < 1_000_000; i++) {
    words[3] = Math.imul(i, 0x9e3779b1);
    builder.add(words, 128, 1);
  }
  const table = builder.build();
  let bytes = 0;
  for (const part of Object.values(table)) if (part instanceof Uint32Array) bytes += part.byteLength;
  assert.ok(bytes < 20_000_000, `${bytes} bytes`);
  for (let i = 0; i < 1_000_000; i += 997) {
    words[3] = Math.imul(i, 0x9e3779b1);
    assert.equal(table.lookup(words, 0), 1);
  }
});

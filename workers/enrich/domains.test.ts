import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { splitDnsName } from './dns.ts';
import { DomainTable } from './domains.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function tableOf(names: readonly string[]): DomainTable {
  const table = new DomainTable();
  names.forEach((name, i) => {
    table.add(bytes(name), 0, bytes(name).length, i + 1);
  });
  return table;
}

const find = (table: DomainTable, name: string): number => table.lookup(bytes(name), 0, bytes(name).length);

test('a domain matches itself and what lies below it; the longest name wins', () => {
  const table = tableOf(['example.com', '*.bad.example.com.', '.org']);
  assert.equal(find(table, 'EXAMPLE.com'), 1);
  assert.equal(find(table, 'www.example.com.'), 1);
  assert.equal(find(table, 'x.y.bad.example.com'), 2);
  assert.equal(find(table, 'bad.example.com'), 2);
  assert.equal(find(table, 'notexample.com'), 0);
  assert.equal(find(table, 'com'), 0);
  assert.equal(find(table, 'a.org'), 3);
  assert.equal(find(table, ''), 0);
});

test('lookups equal a walk over all suffixes', () => {
  const label = fc.constantFrom('a', 'b', 'com', 'ab');
  const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
  fc.assert(
    fc.property(fc.array(name, { maxLength: 60 }), name, (names, wanted) => {
      let expected = 0;
      for (let rest = wanted; rest !== '' && expected === 0; rest = rest.split('.').slice(1).join('.')) {
        expected = names.indexOf(rest) + 1;
      }
      assert.equal(find(tableOf(names), wanted), expected);
    }),
    { numRuns: 500 },
  );
});

test('names are split at the registered domain', () => {
  const split = (name: string): string => {
    const { registered, subdomain } = splitDnsName(name);
    return `${subdomain}|${registered}`;
  };
  assert.equal(split('www.example.com.'), 'www|example.com');
  assert.equal(split('example.com'), '|example.com');
  assert.equal(split('a.b.example.co.uk'), 'a.b|example.co.uk');
  assert.equal(split('a.me.github.io'), 'a|me.github.io');
  assert.equal(split('data.bucket.s3.amazonaws.com'), 'data|bucket.s3.amazonaws.com');
  assert.equal(split('4.3.2.1.in-addr.arpa'), '|in-addr.arpa');
  assert.equal(split('localhost'), '|localhost');
  assert.equal(split(''), '|');
  assert.equal(splitDnsName('aaaa.example.com').entropy, 0);
  assert.equal(splitDnsName('ab.ab.example.com').entropy, 1);
});

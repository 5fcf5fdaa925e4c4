import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { inPrefix, ipText, parseIp, parsePrefix } from './ip.ts';

const words = new Uint32Array(4);

function canonical(text: string): string | null {
  return parseIp(text, words) ? ipText(words) : null;
}

test('addresses have one form', () => {
  assert.equal(canonical('10.0.0.1'), '10.0.0.1');
  assert.equal(canonical('::ffff:10.0.0.1'), '10.0.0.1');
  assert.equal(canonical('2001:DB8:0:0:0:0:0:1'), '2001:db8::1');
  assert.equal(canonical('0:0:0:0:0:0:0:0'), '::');
  assert.equal(canonical('2600:1f18::10'), '2600:1f18::10');
  assert.equal(canonical('1::2:0:0:3'), '1::2:0:0:3');
  assert.equal(canonical('fe80::1%eth0'), null);
  assert.equal(canonical('300.1.1.1'), null);
  assert.equal(canonical('010.0.0.1'), null);
});

const v4 = fc.ipV4();
const v6 = fc.ipV6();

test('every address that the platform knows is read, and written as the platform reads it', () => {
  fc.assert(
    fc.property(fc.oneof(v4, v6), (text) => {
      const written = canonical(text);
      assert.ok(written !== null, text);
      assert.notEqual(isIP(written), 0);
      assert.equal(canonical(written), written);
    }),
  );
});

test('what is no address is refused', () => {
  const piece = fc.constantFrom('0', '1', '255', '256', '2001', 'ffff', '12345', ':', '::', '.', 'g', '');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('');
      assert.equal(canonical(text) !== null, isIP(text) !== 0, text);
    }),
    { numRuns: 2000 },
  );
});

test('prefixes hold what lies below them and clear host bits', () => {
  const prefix = parsePrefix('192.168.7.9/16');
  assert.ok(prefix !== null && prefix.bits === 112);
  assert.equal(ipText(prefix.words), '192.168.0.0');
  parseIp('192.168.255.1', words);
  assert.ok(inPrefix(prefix, words, 0));
  parseIp('192.169.0.1', words);
  assert.ok(!inPrefix(prefix, words, 0));
  for (const text of ['10.0.0.0/33', '::/129', '10.0.0.0/', '/8', '10.0.0.0/-1', 'x/8']) {
    assert.equal(parsePrefix(text), null, text);
  }
});

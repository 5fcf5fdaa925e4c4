import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { daysFromCivil, instant, parseTimeText, timeText } from './time.ts';

function nanoseconds(text: string): bigint | null {
  return parseTimeText(text) ? BigInt(instant[0]) * 1_000_000n + BigInt(instant[1]) : null;
}

const second = fc.bigInt({ min: 0n, max: 4_133_980_799n });
const nano = fc.bigInt({ min: 0n, max: 999_999_999n });

test('epoch numbers of every unit are exact to the nanosecond', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 100_000_000n, max: 4_133_980_799n }), nano, fc.nat(9), (s, n, digits) => {
      const all = s * 1_000_000_000n + n;
      assert.equal(nanoseconds(String(all)), all);
      assert.equal(nanoseconds(String(all / 1000n)), (all / 1000n) * 1000n);
      assert.equal(nanoseconds(String(all / 1_000_000n)), (all / 1_000_000n) * 1_000_000n);
      assert.equal(nanoseconds(String(s)), s * 1_000_000_000n);
      const fraction = String(n).padStart(9, '0').slice(0, digits);
      const expected = s * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
      if (digits > 0) assert.equal(nanoseconds(`${s}.${fraction}`), expected);
      assert.equal(nanoseconds(`${s}.${String(n).padStart(9, '0')}987`), all);
    }),
  );
});

test('RFC 3339 with any fraction and zone', () => {
  fc.assert(
    fc.property(
      second,
      nano,
      fc.integer({ min: -1439, max: 1439 }),
      fc.constantFrom(':', ''),
      fc.constantFrom('T', 't', ' ', '_'),
      (s, n, zone, colon, t) => {
        const all = s * 1_000_000_000n + n;
        const local = new Date(Number(s + BigInt(zone * 60)) * 1000).toISOString().slice(0, 19).replace('T', t);
        const pair = (value: number): string => String(value).padStart(2, '0');
        const offset = `${zone < 0 ? '-' : '+'}${pair(Math.floor(Math.abs(zone) / 60))}${colon}${pair(Math.abs(zone) % 60)}`;
        assert.equal(nanoseconds(`${local}.${String(n).padStart(9, '0')}${offset}`), all);
      },
    ),
  );
});

test('forms that producers use', () => {
  const forms: [string, string][] = [
    ['2026-07-28T09:00:00Z', '2026-07-28T09:00:00.000Z'],
    ['2026-07-28T09:00:00+0200', '2026-07-28T07:00:00.000Z'],
    ['2026-07-28T09:00:00.123456+0000', '2026-07-28T09:00:00.123456Z'],
    ['2026-07-28 09:00:00,5', '2026-07-28T09:00:00.500Z'],
    ['2026-07-28T09:00:00-05', '2026-07-28T14:00:00.000Z'],
    ['2026-07-28T09:00Z', '2026-07-28T09:00:00.000Z'],
    ['2024-02-29T23:59:60Z', '2024-03-01T00:00:00.000Z'],
    ['1.7852292e9', '2026-07-28T09:00:00.000Z'],
    ['17852292E2', '2026-07-28T09:00:00.000Z'],
    ['1785229200000000000', '2026-07-28T09:00:00.000Z'],
    ['-1.5', '1969-12-31T23:59:58.500Z'],
    ['-0.000000001', '1969-12-31T23:59:59.999999999Z'],
    ['0', '1970-01-01T00:00:00.000Z'],
  ];
  for (const [text, expected] of forms) {
    assert.ok(parseTimeText(text), text);
    assert.equal(timeText(instant[0], instant[1]), expected, text);
  }
});

test('what is no time is refused', () => {
  const texts = [
    '',
    '-',
    '.',
    '1.',
    '.5',
    '1e',
    '1e+',
    '12a',
    '0x10',
    '2026-07-28',
    '2026-13-01T00:00:00Z',
    '2026-02-29T00:00:00Z',
  ];
  texts.push(
    '2026-07-28T24:00:00Z',
    '2026-07-28T09:60:00Z',
    '2026-07-28T09:00:61Z',
    '2026-07-28T09:00:00.Z',
    '2026-07-28T09:00:00+2',
  );
  texts.push(
    '2026-07-28T09:00:00+24:00',
    '2026-07-28T09:00:00ZZ',
    '2026-07-28T09:00:00 Z',
    '2026-7-28T09:00:00Z',
    '1'.repeat(60),
    '1e999',
    '\u06f1',
  );
  texts.push('123456789012345678901', '1e30');
  for (const text of texts) assert.equal(parseTimeText(text), false, text);
});

test('days of every date of 400 years', () => {
  for (let days = -100_000; days < 100_000; days += 7) {
    const date = new Date(days * 86_400_000);
    assert.equal(daysFromCivil(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()), days);
  }
});

test('arbitrary bytes never throw', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseTimeText(text)));
});

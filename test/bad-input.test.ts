// Promise: whatever comes in, each thing that cannot be read gives a stable code, its position and a sentence; the good records
// around it are stored; nothing is lost silently.

import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { REJECT_CODES, type RejectCode } from '../src/model/reject.ts';
import { type RunAnswer, rowsOf, runJson, Scratch } from './support/cli.ts';
import { Crooked, flow, ZEEK_HEADER, zeekConn } from './support/crooked.ts';

const ACME = '11111111-1111-4111-8111-111111111111';
const DORMANT = '22222222-2222-4222-8222-222222222222';

interface Refused {
  readonly source: string;
  readonly code: RejectCode;
  readonly position: number;
  readonly length: number;
  readonly detail: string;
  /** Hexadecimal. */
  readonly raw: string;
}

/** A flow without some of its fields, and with others. */
const json = (change: Record<string, unknown>): string => flow({ tenant_id: ACME, ...change });
/** A flow with further text before its last brace. */
const spliced = (text: string, change: Record<string, unknown> = {}): string => `${json(change).slice(0, -1)},${text}}`;

/** Records that name their tenants. */
function native(): Crooked {
  const input = new Crooked(() => `${json({})}\n`);
  const bad: readonly (readonly [RejectCode, string | Uint8Array])[] = [
    ['encoding', Buffer.concat([Buffer.from(json({}).slice(0, -1)), Buffer.from(',"host":"\xff\xfe"}', 'latin1')])],
    ['encoding', Buffer.from([0xc3, 0x28])],
    ['too_deep', spliced(`"x":${'['.repeat(100)}${']'.repeat(100)}`)],
    ['too_deep', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`],
    ['too_many_keys', spliced(`"x":{${Array.from({ length: 600 }, (_, i) => `"k${i}":1`).join(',')}}`)],
    ['record_too_large', spliced(`"host":"${'x'.repeat(1_100_000)}"`)],
    ['duplicate_key', spliced('"bytes_sent":5')],
    ['duplicate_key', spliced(`"tenant_id":"${DORMANT}"`)],
    ['forbidden_key', spliced('"__proto__":{"polluted":true}')],
    ['forbidden_key', spliced('"x":{"__proto__":{"polluted":true}}')],
    ['forbidden_key', spliced('"\\u005f_proto__":{"polluted":true}')],
    ['wrong_type', json({ bytes_sent: 'many' })],
    ['wrong_type', json({ bytes_sent: {} })],
    ['wrong_type', json({ packets_sent: 1.5 })],
    ['wrong_type', json({ source_ip: 5 })],
    ['wrong_type', json({ tenant_id: 5 })],
    ['wrong_type', json({ protocol: 'no such protocol' })],
    ['out_of_range', json({ bytes_sent: -1 })],
    ['out_of_range', json({ packets_received: -5 })],
    ['out_of_range', json({ duration_ms: -20 })],
    ['out_of_range', spliced('"bytes_sent":18446744073709551616', { bytes_sent: undefined })],
    ['out_of_range', json({ source_port: 65_536 })],
    ['out_of_range', json({ destination_port: 70_000 })],
    ['out_of_range', json({ protocol: 256 })],
    ['timestamp_range', json({ timestamp: '2150-01-01T00:00:00Z' })],
    ['timestamp_range', json({ timestamp: '1970-01-01T00:00:00Z' })],
    ['timestamp_range', json({ timestamp: 0 })],
    ['bad_timestamp', json({ timestamp: 'yesterday' })],
    ['bad_timestamp', json({ timestamp: '2026-02-30T00:00:00Z' })],
    ['bad_address', json({ source_ip: '999.1.1.1' })],
    ['bad_address', json({ destination_ip: 'fe80::1::2' })],
    ['missing_field', json({ source_ip: undefined })],
    ['tenant_unknown', json({ tenant_id: 'nobody' })],
    ['tenant_unknown', json({ tenant_id: '99999999-9999-4999-8999-999999999999' })],
    ['tenant_inactive', json({ tenant_id: DORMANT })],
    ['tenant_missing', json({ tenant_id: undefined })],
    ['pop_missing', json({ pop_id: undefined })],
    ['syntax', json({}).slice(0, 100)],
    ['syntax', json({}) + json({})],
    ['syntax', '{"a":1'],
    ['format_mismatch', 'null'],
    ['format_mismatch', '[]'],
    ['format_mismatch', 'Mar  2 09:00:00 host sshd[1]: Failed password for root from 192.0.2.1 port 22 ssh2'],
    ['format_mismatch', Buffer.from([0, 0, 0, 0])],
  ];
  for (const [code, bytes] of bad) input.good().bad(code, bytes);
  for (const blank of ['', '   ', '\r']) input.good().blank(blank);
  return input.good().end(json({})); // the last record lacks its newline
}

/** Records of a source that says whose they are. */
function bound(): Crooked {
  const input = new Crooked(() => `${flow({ pop_id: undefined })}\n`);
  input.good().bad('tenant_mismatch', json({ tenant_id: 'other' }));
  input.good().bad('tenant_unknown', json({ tenant_id: 'nobody' }));
  input.good().bad('missing_field', '{}');
  return input.good();
}

function zeek(): Crooked {
  const input = new Crooked(() => `${zeekConn({})}\n`);
  input.bad('line_context', zeekConn({}));
  input.blank(ZEEK_HEADER.join('\n'), ZEEK_HEADER.length);
  input.good().bad('out_of_range', zeekConn({ 'id.orig_p': '70000' }));
  input.good().bad('wrong_type', zeekConn({ orig_bytes: '-7' }));
  input.good().bad('wrong_type', zeekConn({ resp_pkts: 'x' }));
  input.good().bad('timestamp_range', zeekConn({ ts: '0.000000' }));
  input.good().bad('timestamp_range', zeekConn({ ts: '9999999999.000000' }));
  input.good().bad('bad_address', zeekConn({ 'id.resp_h': 'nowhere' }));
  input.good().bad('syntax', zeekConn({}).split('\t').slice(0, 5).join('\t'));
  return input.good();
}

/** Compressed data that breaks off, so that the good records before the break, and no other, can be read. */
const PLAIN = Array.from({ length: 4000 }, () => `${flow({ tenant_id: ACME, pop_id: undefined })}\n`).join('');
const COMPRESSED = gzipSync(PLAIN);
const BROKEN: Readonly<Record<string, readonly [RejectCode, Uint8Array]>> = {
  truncated: ['input_truncated', COMPRESSED.subarray(0, -200)],
  // The header of a second member, and a block of a type that does not exist.
  corrupt: ['input_corrupt', Buffer.concat([COMPRESSED, COMPRESSED.subarray(0, 10), Buffer.alloc(500, 0xff)])],
  checksum: ['input_corrupt', Buffer.concat([COMPRESSED.subarray(0, -8), Buffer.alloc(8)])],
  trailing: ['input_corrupt', Buffer.concat([COMPRESSED, rubbish(999)])],
};

/** Noise, the same every time. */
function rubbish(length: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16, 7)).update(Buffer.alloc(length));
}

describe('one run over everything that can be wrong with records', { concurrency: 1 }, () => {
  const scratch = new Scratch('bad-input');
  const data = scratch.path('data');
  const crooked = { native: native(), bound: bound(), zeek: zeek() };
  let answer: RunAnswer;
  let refused: readonly Refused[];
  const stored = new Map<string, number>();
  const of = (source: string): readonly Refused[] => refused.filter((reject) => reject.source === source);
  after(() => scratch.remove());

  before(async () => {
    const sources: string[] = [];
    const source = (name: string, bytes: Uint8Array, more: string): void => {
      const path = scratch.writeOld(`${name}.input`, bytes);
      sources.push(`  - { name: ${name}, input: ${JSON.stringify(path)}, ${more} }`);
    };
    source('native', crooked.native.bytes(), 'format: auto');
    source('bound', crooked.bound.bytes(), 'tenant: acme, pop: bound');
    source('zeek', crooked.zeek.bytes(), 'format: zeek-tsv, tenant: acme, pop: zeek');
    source('dormant', Buffer.from(`${flow({})}\n`.repeat(3)), 'tenant: dormant, pop: p');
    source('rubbish', rubbish(100_000), 'tenant: acme, pop: p');
    source('rubbish-gz', gzipSync(rubbish(100_000)), 'tenant: acme, pop: p');
    source('mislabelled', Buffer.from(`${flow({})}\n`.repeat(3)), 'format: suricata-eve, tenant: acme, pop: p');
    source('empty', new Uint8Array(0), 'tenant: acme, pop: p');
    for (const [name, [, bytes]] of Object.entries(BROKEN)) source(name, bytes, `pop: ${name}`);
    const config = scratch.write(
      'weir.yaml',
      `sources:\n${sources.join('\n')}\ntenants:
  - { slug: acme, id: ${ACME} }
  - { slug: dormant, id: ${DORMANT}, status: inactive }
  - { slug: other }
`,
    );
    answer = await runJson(['--config', config, '--data', data]);
    refused = await rowsOf<Refused>(
      data,
      'SELECT source, code, toUInt32(position) AS position, toUInt32(length) AS length, detail, hex(raw) AS raw FROM rejects ORDER BY source, position',
    );
    const counts = 'SELECT pop_id AS pop, toUInt32(count()) AS flows FROM flows GROUP BY pop';
    for (const { pop, flows } of await rowsOf<{ pop: string; flows: number }>(data, counts)) stored.set(pop, flows);
  });

  for (const name of ['native', 'bound', 'zeek'] as const) {
    test(`${name}: each bad record has its code and position, each good one is stored`, () => {
      const expected = crooked[name].refused;
      const place = ({ code, position, length }: Pick<Refused, 'code' | 'position' | 'length'>): string =>
        `${code} at ${position}, ${length} bytes`;
      assert.deepEqual(of(name).map(place), expected.map(place));
      assert.equal(stored.get(name === 'native' ? 'fra1' : name), crooked[name].accepted);
    });
  }

  test('broken compression: what came before the break is stored, the rest is one reject', () => {
    const length = PLAIN.indexOf('\n') + 1;
    for (const [name, [code]] of Object.entries(BROKEN)) {
      const flows = stored.get(name) ?? 0;
      const [reject, ...more] = of(name);
      assert.equal(reject?.code, code, name);
      assert.deepEqual(more, [], name);
      assert.ok(flows > 0 && flows <= 4000, `${name}: ${flows}`);
      assert.equal(reject.position, flows * length, `${name}: the position is where reading ended`);
    }
  });

  test('binary rubbish, a wrong format and an inactive tenant leave nothing but rejects', () => {
    assert.deepEqual(
      of('rubbish').map(({ code }) => code),
      ['format_unknown'],
    );
    assert.deepEqual(
      of('rubbish-gz').map(({ code }) => code),
      ['format_unknown'],
    );
    assert.equal(of('mislabelled').length, 3);
    assert.deepEqual(
      of('dormant').map(({ code }) => code),
      Array(3).fill('tenant_inactive'),
    );
  });

  test('the counts add up, every code has advice, every reject a sentence', () => {
    const { summary, code, stderr } = answer;
    assert.equal(code, 0, `rejects are counted, not a failure: ${stderr}`);
    const { read, accepted, rejected, skipped } = summary.records;
    assert.equal(read, accepted + rejected + skipped);
    assert.equal(rejected, refused.length);
    const byCode: Record<string, number> = {};
    for (const reject of refused) byCode[reject.code] = (byCode[reject.code] ?? 0) + 1;
    assert.deepEqual(summary.rejects, Object.fromEntries(Object.entries(byCode).sort()));
    for (const reject of refused) {
      assert.ok(REJECT_CODES.includes(reject.code), reject.code);
      assert.match(reject.detail, /\w+ \w+/, `${reject.code} at ${reject.source}:${reject.position}`);
      assert.doesNotMatch(reject.detail, /undefined|\[object/);
    }
    assert.equal(summary.stored.flows, accepted);
    assert.equal(
      [...stored.values()].reduce((sum, flows) => sum + flows, 0),
      accepted,
    );
  });

  test('a reject keeps its bytes', () => {
    const short = of('native').find(({ code, length }) => code === 'encoding' && length === 2);
    assert.equal(short?.raw, 'C328');
    const long = refused.find(({ code }) => code === 'record_too_large');
    assert.equal(long?.raw.length, 2 * 65_536, 'of a long record the first 64 KiB');
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import type { FormatName } from '../../src/model/batch.ts';
import { Decoded } from '../../src/model/decoded.ts';
import { Dictionary } from '../../src/model/dictionary.ts';
import { uuidWords } from '../../src/model/hash.ts';
import { MsgpackWalker } from '../../src/model/msgpack-walk.ts';
import { createDecodeContext } from './context.ts';
import { ACME, GLOBEX, rawBatch, snapshotOf } from './fixture.test-support.ts';
import { contents, manyTenants, runner } from './native.test-support.ts';
import { createGeneralJsonDecoder } from './native-json.ts';
import { FLOW_KEYS } from './native-keys.ts';
import { createGeneralMsgpackDecoder, createNativeMsgpackDecoder } from './native-msgpack.ts';

const ID = '6f1c2a9e-0b7d-4c3e-9a11-5d2e8f7b6c40';
const FORMAT: FormatName = 'native-msgpack';

const MODES: readonly { readonly name: string; readonly options: ConstructorParameters<typeof Packr>[0] }[] = [
  { name: 'maps', options: { useRecords: false } },
  { name: 'records, defined in every message', options: {} },
  { name: 'records, defined once', options: { sequential: true } },
  { name: 'two-byte records', options: { sequential: true, maxOwnStructures: 300 } },
];

function pack(values: readonly unknown[], options: ConstructorParameters<typeof Packr>[0]): Buffer {
  const packr = new Packr({ ...options });
  return Buffer.concat(values.map((value) => Buffer.from(packr.pack(value))));
}

function uuidBytes(text: string): Buffer {
  const words = new Uint32Array(4);
  assert.ok(uuidWords(text, words, 0));
  const bytes = Buffer.alloc(16);
  for (let w = 0; w < 4; w++) bytes.writeUInt32BE(words[w], w * 4);
  return bytes;
}

const GOOD: Readonly<Record<string, unknown>> = {
  tenant_id: ACME,
  pop_id: 'pop-fra-1',
  timestamp: '2026-07-28T09:00:00.003Z',
  flow_id: ID,
  source_ip: '10.1.2.3',
  destination_ip: '93.184.216.34',
  source_port: 50_123,
  destination_port: 443,
  protocol: 'tcp',
  bytes_sent: 1234,
  bytes_received: 567_890_123_456,
  packets_sent: 10,
  packets_received: 0,
  application: 'https',
  action: 'allow',
  user_id: 'alice.smith1',
  device_id: '3f2c1b0a-1111-4222',
  site_id: 'site-0001',
};

const whole = fc.oneof(
  fc.integer({ min: -5, max: 70_000 }),
  fc.constantFrom(0, 63, 64, 127, 128, 255, 256, 65_535, 65_536, 4_294_967_295, 4_294_967_296, 9_007_199_254_740_991),
  fc.constantFrom(0.5, -1, -0, 1e-7, 1e21, 1785229200, 1785229200.25, 1785229200123, 1785229200123456),
  fc.constantFrom(99_999_999_999, 100_000_000_000, 500_000_000_000, 99_999_999_999_999, 100_000_000_000_000),
);
const jsonValue = fc.oneof(
  whole,
  fc.string({ maxLength: 70 }),
  fc.constantFrom(null, true, false, {}, [], [1, [2]], { a: { b: 1 } }, 'M\u00fcller', '12'),
);
const value = fc.oneof(
  jsonValue,
  fc.bigInt({ min: -5n, max: (1n << 64n) - 1n }),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(
    Buffer.from([10, 0, 0, 1]),
    uuidBytes(ID),
    new Date(1785229200123),
    new Date(1785229200000),
    new Date(-5),
    Number.NaN,
  ),
);
const key = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<string>(...FLOW_KEYS) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('x', '_p', 'message', 'a.b', 'caf\u00e9', 'status', 'k'.repeat(40), 'product'),
  },
);
const flow = (values: fc.Arbitrary<unknown>): fc.Arbitrary<Record<string, unknown>> =>
  fc
    .record({
      changes: fc.array(fc.tuple(key, values), { maxLength: 2 }),
      dropped: fc.oneof(
        { weight: 2, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: fc.uniqueArray(fc.constantFrom(...Object.keys(GOOD)), { maxLength: 3 }) },
      ),
      tenant: fc.constantFrom(ACME, GLOBEX, 'acme', 'gone', 'nobody'),
      reverse: fc.boolean(),
    })
    .map(({ changes, dropped, tenant, reverse }) => {
      const members = new Map<string, unknown>(Object.entries({ ...GOOD, tenant_id: tenant }));
      for (const name of dropped) members.delete(name);
      for (const [name, changed] of changes) members.set(name, changed);
      const list = [...members];
      return Object.fromEntries(reverse ? list.reverse() : list);
    });

for (const { name, options } of MODES) {
  test(`a record means the same in MessagePack (${name}) and in JSON`, () => {
    const snapshot = manyTenants();
    const json = runner(createGeneralJsonDecoder, 'native-json', snapshot);
    const msgpack = runner(createGeneralMsgpackDecoder, FORMAT, snapshot);
    fc.assert(
      fc.property(fc.array(flow(jsonValue), { minLength: 1, maxLength: 5 }), (values) => {
        const expected = withoutPlaces(json(values.map((one) => JSON.stringify(one)).join('\n')));
        assert.deepEqual(withoutPlaces(msgpack(pack(values, options))), expected);
      }),
      { numRuns: 700 },
    );
  });

  test(`the fast decoder and the general one agree on MessagePack (${name})`, () => {
    const snapshot = manyTenants();
    const fast = runner(createNativeMsgpackDecoder, FORMAT, snapshot);
    const general = runner(createGeneralMsgpackDecoder, FORMAT, snapshot);
    fc.assert(
      fc.property(
        fc.array(flow(value), { minLength: 1, maxLength: 5 }),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 1 }),
        (values, damage) => {
          const bytes = pack(values, options);
          assert.deepEqual(fast(bytes), general(bytes));
          for (const [at, byte] of damage) bytes[at % bytes.length] = byte;
          assert.deepEqual(fast(bytes), general(bytes));
        },
      ),
      { numRuns: 2000 },
    );
  });
}

test('both agree on what no encoder of ours writes', () => {
  const snapshot = snapshotOf();
  const fast = runner(createNativeMsgpackDecoder, FORMAT, snapshot);
  const general = runner(createGeneralMsgpackDecoder, FORMAT, snapshot);
  const text = (value: string): Buffer =>
    Buffer.concat([Buffer.from([0xd9, Buffer.byteLength(value)]), Buffer.from(value)]);
  const good = pack([GOOD], { useRecords: false });
  // A map of up to 15 pairs begins with one byte, of 18 with three.
  const pairs = good.subarray(3);
  const map = (...more: Buffer[]): Buffer =>
    Buffer.concat([Buffer.from([0xde, 0, 18 + more.length / 2]), pairs, ...more]);
  const one = { ...GOOD };
  const packr = new Packr({ sequential: true });
  const defined = Buffer.from(packr.pack(one));
  const instance = Buffer.from(packr.pack({ ...one, source_port: 200 }));
  const port = instance.indexOf(Buffer.from([0xcc, 200]));
  const splice = (number: number): Buffer =>
    Buffer.concat([instance.subarray(0, port), Buffer.from([number]), instance.subarray(port + 2)]);
  const inputs = [
    map(text('bytes_sent'), Buffer.from([7])),
    map(text('source_ip'), text('10.0.0.9')),
    map(text('duration_ms'), Buffer.from([0xcb, 0x80, 0, 0, 0, 0, 0, 0, 0])),
    map(text('x'), Buffer.from([0xa1, 0xff])),
    map(text('x'), text('caf\u00e9')),
    map(text('x'), Buffer.from([0xc7, 1, 5, 0])),
    map(text('x'), Buffer.from([0xd4, 0, 0])),
    map(text('x'), Buffer.from([0xca, 0x7f, 0xc0, 0, 0])),
    map(text('tcp_flags'), Buffer.from([0xca, 0x41, 0, 0, 0])),
    map(text('tcp_flags'), Buffer.from([0xd0, 0xff])),
    map(text('tcp_flags'), Buffer.from([0x7f])),
    map(Buffer.from([0x05]), Buffer.from([0x05])),
    Buffer.concat([defined, instance, splice(0x7f), splice(0x3f), instance]),
    Buffer.concat([defined, splice(0x40)]),
    Buffer.concat([defined, instance.subarray(0, instance.length - 3)]),
    ...[0, 999_999_999, 1_000_000_000].map((ns) => {
      const time = Buffer.from([0xd7, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
      time.writeBigUInt64BE((BigInt(ns) << 34n) | 1_785_229_200n, 2);
      const at = good.indexOf('2026-07-28T09:00:00.003Z') - 1;
      const whole = good[at] === 0xd9 ? at : at - (good[at - 1] === 0xd9 ? 1 : 0);
      return Buffer.concat([
        good.subarray(0, whole),
        time,
        good.subarray(good.indexOf('2026-07-28T09:00:00.003Z') + 24),
      ]);
    }),
  ];
  for (const input of inputs)
    assert.deepEqual(
      fast(Buffer.concat([input, good])),
      general(Buffer.concat([input, good])),
      input.toString('latin1'),
    );
});

/** Identifiers and reject texts depend on where and how a record stands. */
function withoutPlaces(found: Record<string, unknown>): unknown {
  const bare = (rows: unknown): unknown[] =>
    (rows as Record<string, unknown>[]).map((row) => {
      const given = typeof row.flags === 'number' && (row.flags & 512) !== 0;
      return { ...row, id: given ? row.id : '', rawStart: 0, rawLength: 0, length: 0, detail: '', fieldsJson: '' };
    });
  return {
    ...found,
    flows: bare(found.flows),
    rejects: bare(found.rejects),
    logs: bare(found.logs),
    sessions: bare(found.sessions),
    tunnels: bare(found.tunnels),
  };
}

test('binary identifiers and addresses, 64-bit integers and timestamps are exact', () => {
  const decode = runner(createNativeMsgpackDecoder, FORMAT, snapshotOf());
  const nanoseconds = Buffer.from([0xd7, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
  nanoseconds.writeBigUInt64BE((123_456_789n << 34n) | 1_785_229_200n, 2);
  const change = {
    flow_id: uuidBytes(ID),
    source_ip: Buffer.from([10, 0, 0, 1]),
    destination_ip: Buffer.alloc(16, 1),
    bytes_sent: (1n << 64n) - 1n,
    protocol: 17,
  };
  const bytes = pack([{ ...GOOD, ...change, timestamp: 'TIME' }], { useRecords: false });
  const at = bytes.indexOf('TIME') - 1;
  const out = decode(Buffer.concat([bytes.subarray(0, at), nanoseconds, bytes.subarray(at + 5)]));
  assert.deepEqual(out.rejects, []);
  const [row] = out.flows as Record<string, unknown>[];
  assert.deepEqual(
    [row.id, row.source, row.destination, row.bytesSent, row.protocol, row.time],
    [ID, '10.0.0.1', '101:101:101:101:101:101:101:101', '18446744073709551615', 17, '2026-07-28T09:00:00.123456789Z'],
  );
});

test('a batch from the middle of a stream is read with the structures that came before', () => {
  const packr = new Packr({ sequential: true });
  const messages = [GOOD, { ...GOOD, source_port: 1 }, { ...GOOD, source_port: 2 }].map((one) =>
    Buffer.from(packr.pack(one)),
  );
  const walker = new MsgpackWalker();
  assert.equal(walker.walk(messages[0], 0, messages[0].length), messages[0].length);
  const rest = Buffer.concat(messages.slice(1));
  const dictionary = new Dictionary();
  const out = new Decoded(dictionary);
  const batch = rawBatch(FORMAT, rest);
  createNativeMsgpackDecoder(createDecodeContext(snapshotOf(), dictionary))(
    { ...batch, segments: [{ ...batch.segments[0], context: walker.context() }] },
    0,
    out,
  );
  const rows = contents(out).flows as Record<string, unknown>[];
  assert.deepEqual(
    rows.map(({ sourcePort }) => sourcePort),
    [1, 2],
  );
  assert.deepEqual(out.rejects, []);
});

test('sessions, tunnel statistics and logs come as MessagePack too', () => {
  const decode = runner(createNativeMsgpackDecoder, FORMAT, snapshotOf());
  const values = [
    {
      session_id: uuidBytes(ID),
      last_activity: new Date('2026-07-28T09:05:00.5Z'),
      status: 'idle',
      metadata: { os: 'linux', n: 7 },
    },
    { tunnel_id: ID, timestamp: 1785229200, latency_ms: 12.5, rx_bytes: (1n << 63n) + 1n },
    {
      '@timestamp': new Date('2026-07-28T09:00:00Z'),
      product: 'windows',
      service: 'security',
      EventID: 4625,
      big: 1n << 60n,
      address: Buffer.from([10, 0, 0, 1]),
    },
  ];
  const out = decode(pack(values, {}));
  assert.deepEqual(out.rejects, []);
  const [session] = out.sessions as Record<string, unknown>[];
  assert.deepEqual(
    [session.sessionId, session.ms, session.status, session.metadata],
    [ID, Date.parse('2026-07-28T09:05:00.5Z'), 'idle', { os: 'linux', n: '7' }],
  );
  const [tunnel] = out.tunnels as Record<string, unknown>[];
  assert.deepEqual([tunnel.latencyMs, tunnel.rxBytes], [13, (1n << 63n) + 1n]);
  const [log] = out.logs as Record<string, unknown>[];
  assert.deepEqual(log.fields, {
    '@timestamp': '2026-07-28T09:00:00.000Z',
    product: 'windows',
    service: 'security',
    EventID: 4625,
    big: String(1n << 60n),
    address: '10.0.0.1',
  });
  assert.deepEqual(JSON.parse(log.fieldsJson as string), log.fields);
});

test('what cannot be cut any further is one reject; what can is passed over', () => {
  const decode = runner(createNativeMsgpackDecoder, FORMAT, snapshotOf());
  const codes = (bytes: Uint8Array): string[] => {
    const out = decode(bytes);
    const found = (out.rejects as { code: string }[]).map(({ code }) => code);
    assert.equal(out.read, found.length + (out.flows as unknown[]).length);
    return found;
  };
  const good = pack([GOOD], { useRecords: false });
  assert.deepEqual(codes(Buffer.concat([good, Buffer.from([0xc1]), good])), ['input_corrupt']);
  assert.deepEqual(codes(Buffer.concat([good, good.subarray(0, 40)])), ['input_truncated']);
  assert.deepEqual(codes(Buffer.concat([Buffer.from([7]), good])), ['format_mismatch']);
  assert.deepEqual(
    codes(Buffer.concat([pack([{ x: '', y: JSON.parse('{"__proto__":1}') }], { useRecords: false }), good])),
    ['forbidden_key'],
  );
  assert.deepEqual(codes(Buffer.concat([Buffer.from([0x82, 0xa1, 0x61, 0xa1, 0xff, 0xa1, 0x62, 0xc0]), good])), [
    'encoding',
  ]);
  const twice = Buffer.concat([Buffer.from([0x82, 0xa2, 0x74, 0x73, 1, 0xa2, 0x74, 0x73, 2]), good]);
  assert.deepEqual(codes(twice), ['duplicate_key']);
  const deep = Buffer.concat([Buffer.from([0x81, 0xa1, 0x61]), Buffer.alloc(40, 0x91), Buffer.from([1]), good]);
  assert.deepEqual(codes(deep), ['too_deep']);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ACME, GLOBEX, snapshotOf, source } from './fixture.test-support.ts';
import { manyTenants, runner } from './native.test-support.ts';
import { createGeneralJsonDecoder, createNativeJsonDecoder } from './native-json.ts';
import { FLOW_KEYS } from './native-keys.ts';

const ID = '6f1c2a9e-0b7d-4c3e-9a11-5d2e8f7b6c40';

/** Values as they stand in the text, plausible and not, for every key of a flow. */
const number = fc.oneof(
  fc.integer({ min: 0, max: 70_000 }).map(String),
  fc.bigInt({ min: 0n, max: (1n << 65n) - 1n }).map(String),
  fc.constantFrom('0', '1', '255', '256', '65535', '65536', '4294967295', '4294967296', '9007199254740993'),
  fc.constantFrom(
    '18446744073709551615',
    '18446744073709551616',
    '-1',
    '-0',
    '1.5',
    '3.0',
    '1e3',
    '1E-1',
    '12e400',
    '007',
  ),
  fc.constantFrom(
    '0.0',
    '1.',
    '.5',
    '+1',
    '0x1',
    'NaN',
    '1e',
    '-',
    '--1',
    '00',
    '123456789',
    '1234567890',
    '999999999999999',
  ),
);
const quoted = number.map((text) => `"${text}"`);
const text = fc.oneof(
  fc.constantFrom('""', '"https"', '"a\\"b"', '"\\u0041b"', '"\\ud800"', '"M\u00fcller"', '"\u65e5\u672c"', '"tab\\t"'),
  fc.constantFrom('"\u0001"', '"a', '"\\x"', '"\\u12"', '" "', '"\u2028"', '"\ud83d\ude00"'),
  fc.string({ maxLength: 70 }).map((value) => JSON.stringify(value)),
);
const address = fc.oneof(
  fc.ipV4().map((ip) => `"${ip}"`),
  fc.ipV6().map((ip) => `"${ip}"`),
  fc.constantFrom(
    '"::ffff:10.0.0.1"',
    '"010.0.0.1"',
    '"1.2.3"',
    '"1.2.3.4.5"',
    '"256.1.1.1"',
    '"1.2.3.4"',
    '""',
    '"fe80::1%eth0"',
    '3232235777',
  ),
);
const time = fc.oneof(
  fc
    .date({ min: new Date('1999-12-30'), max: new Date('2101-01-02'), noInvalidDate: true })
    .map((date) => JSON.stringify(date)),
  fc.constantFrom(
    '"2026-07-28T09:00:00.003Z"',
    '"2026-07-28T09:00:01.004Z"',
    '"2026-07-28T09:01:00.5Z"',
    '"2026-07-28T09:00:00+0200"',
  ),
  fc.constantFrom(
    '"2026-07-28t09:00:00.123456789z"',
    '"2026-02-30T00:00:00Z"',
    '"2026-06-30T23:59:60.250Z"',
    '"yesterday"',
    '""',
  ),
  fc.constantFrom(
    '"2026-07-28T09:00:59.999Z"',
    '"2026-07-28T09:00:60.999Z"',
    '"2026-07-28T09:00:61.999Z"',
    '"2026-07-28T24:00:00.000Z"',
  ),
  fc.constantFrom(
    '1785229200',
    '1785229200.123456789',
    '1785229200123',
    '1785229200123456',
    '1785229200123456789',
    '"1785229200"',
    '1.7852292e9',
  ),
);
const uuid = fc.oneof(
  fc.uuid().map((id) => `"${id}"`),
  fc.constantFrom(
    `"${ID.toUpperCase()}"`,
    '"00000000-0000-0000-0000-000000000000"',
    '"not-a-uuid"',
    '17',
    `"${ID}0"`,
    '"6f1c2a9e00b7d04c3e09a1105d2e8f7b6c40"',
  ),
);
const tenant = fc.constantFrom(
  `"${ACME}"`,
  `"${GLOBEX}"`,
  `"${ACME.toUpperCase()}"`,
  '"acme"',
  '"gone"',
  '"nobody"',
  '""',
  '7',
  `"${ID}"`,
);
const protocol = fc.oneof(
  fc.constantFrom('"tcp"', '"UDP"', '"icmp"', '"ICMP"', '6', '17', '"6"', '256', '"gre"', '"xyz"', '"tcpx"', '""'),
  number,
);

const VALUES: Readonly<Record<string, fc.Arbitrary<string>>> = {
  tenant_id: tenant,
  pop_id: fc.oneof(
    text,
    fc.constantFrom(128, 129, 600).map((length) => JSON.stringify('p'.repeat(length))),
    fc.constantFrom('"fra\\u0000"', '"fra\u007f1"', '"fra\u009b2J"', `"${'ä'.repeat(128)}"`, `"${'ä'.repeat(129)}"`),
  ),
  timestamp: time,
  flow_id: uuid,
  source_ip: address,
  destination_ip: address,
  protocol,
  ...Object.fromEntries(
    [
      'source_port',
      'destination_port',
      'bytes_sent',
      'bytes_received',
      'packets_sent',
      'packets_received',
      'duration_ms',
      'tcp_flags',
      'sampling_rate',
      'input_interface',
      'output_interface',
    ].map((key) => [key, fc.oneof({ weight: 4, arbitrary: number }, { weight: 1, arbitrary: quoted })]),
  ),
};

const GOOD: Readonly<Record<string, string>> = {
  tenant_id: `"${ACME}"`,
  pop_id: '"pop-fra-1"',
  timestamp: '"2026-07-28T09:00:00.003Z"',
  flow_id: `"${ID}"`,
  source_ip: '"10.1.2.3"',
  destination_ip: '"93.184.216.34"',
  source_port: '50123',
  destination_port: '443',
  protocol: '"tcp"',
  bytes_sent: '1234',
  bytes_received: '567890123456',
  packets_sent: '10',
  packets_received: '0',
  application: '"https"',
  action: '"allow"',
  user_id: '"alice.smith1"',
  device_id: '"3f2c1b0a-1111-4222"',
  site_id: '"site-0001"',
};

interface Member {
  readonly key: string;
  readonly value: string;
}

const foreignKey = fc.constantFrom(
  'x',
  'colour',
  '__proto__',
  '_private',
  'constructor',
  'message',
  'product',
  'category',
  'tunnel_id',
  'status',
  'ts',
  'id.orig_h',
  'a.b',
  'SOURCE_IP',
  'source_ipx',
  'caf\u00e9',
  'k'.repeat(70),
  '',
);
const foreignValue = fc.oneof(
  number,
  text,
  fc.constantFrom(
    'null',
    'true',
    'false',
    'nul',
    'truE',
    '{}',
    '[]',
    '{"a":{"b":1}}',
    '[1,[2,{"c":3}]]',
    '{"__proto__":1}',
    '[[[[[1]]]]]',
  ),
);

/** Mostly good records with a few members changed, added, doubled, dropped or nulled, in any order and spacing. */
const record = fc
  .record({
    changes: fc.array(
      fc
        .constantFrom(...FLOW_KEYS)
        .chain((key) =>
          fc
            .oneof({ weight: 8, arbitrary: VALUES[key] ?? text }, { weight: 1, arbitrary: foreignValue })
            .map((value) => ({ key, value })),
        ),
      { maxLength: 4 },
    ),
    doubled: fc.boolean(),
    extra: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(fc.record({ key: foreignKey, value: foreignValue }), { maxLength: 3 }) },
    ),
    dropped: fc.oneof(
      { weight: 2, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.uniqueArray(fc.constantFrom(...Object.keys(GOOD)), { maxLength: 6 }) },
    ),
    shuffle: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat() }),
    comma: fc.constantFrom(',', ',', ', ', ' ,', ',  ', ',\t'),
    colon: fc.constantFrom(':', ':', ': ', ' :', ':  '),
    escapedKey: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    cut: fc.oneof({ weight: 12, arbitrary: fc.constant(-1) }, { weight: 1, arbitrary: fc.nat(460) }),
    tail: fc.constantFrom('', '', '', ' ', '\r', '}', ' x', '{}'),
    lead: fc.constantFrom('', '', '', '', ' ', '\t', '[', 'x'),
  })
  .map(({ changes, doubled, extra, dropped, shuffle, comma, colon, escapedKey, cut, tail, lead }) => {
    const members = new Map(Object.entries(GOOD));
    for (const key of dropped) members.delete(key);
    const list: Member[] = [];
    for (const { key, value } of changes) {
      if (doubled) list.push({ key, value });
      else members.set(key, value);
    }
    const all = [...[...members].map(([key, value]) => ({ key, value })), ...list, ...extra];
    let state = shuffle;
    for (let i = all.length - 1; shuffle > 0 && i > 0; i--) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      const j = state % (i + 1);
      [all[i], all[j]] = [all[j], all[i]];
    }
    const name = (key: string): string =>
      escapedKey && key === 'source_ip' ? '"source\\u005fip"' : JSON.stringify(key);
    const text = `{${all.map(({ key, value }) => `${name(key)}${colon}${value}`).join(comma)}}`;
    return lead + (cut < 0 ? text : text.slice(0, cut)) + tail;
  });

const other = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '\t',
    '{}',
    '[]',
    'null',
    '{',
    '{"a"}',
    '{"timestamp":1785229200,"message":"hello","tenant_id":"acme"}',
  ),
  fc.json(),
);

test('the fast decoder and the general one agree on every record: columns, identifiers, counts, rejects', () => {
  const snapshot = manyTenants();
  const fast = runner(createNativeJsonDecoder, 'native-json', snapshot);
  const general = runner(createGeneralJsonDecoder, 'native-json', snapshot);
  let flows = 0;
  let rejects = 0;
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 9, arbitrary: record }, { weight: 1, arbitrary: other }), {
        minLength: 1,
        maxLength: 8,
      }),
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      (lines, newline, ended) => {
        const input = lines.join(newline) + (ended ? newline : '');
        const expected = general(input);
        assert.deepEqual(fast(input), expected);
        flows += (expected.flows as unknown[]).length;
        rejects += (expected.rejects as unknown[]).length;
      },
    ),
    { numRuns: 3000 },
  );
  assert.ok(flows > 1000, `${flows} flows compared`);
  assert.ok(rejects > 1000, `${rejects} rejects compared`);
});

test('both agree when one member of a good record is changed, whichever it is', () => {
  const snapshot = manyTenants();
  const fast = runner(createNativeJsonDecoder, 'native-json', snapshot);
  const general = runner(createGeneralJsonDecoder, 'native-json', snapshot);
  const changed = fc
    .constantFrom(...FLOW_KEYS)
    .chain((key) =>
      fc
        .oneof({ weight: 9, arbitrary: VALUES[key] ?? text }, { weight: 1, arbitrary: foreignValue })
        .map((value) => ({ [key]: value })),
    );
  const added = fc.record({ key: foreignKey, value: foreignValue }).map(({ key, value }) => ({ [key]: value }));
  fc.assert(
    fc.property(fc.oneof({ weight: 6, arbitrary: changed }, { weight: 1, arbitrary: added }), (change) => {
      const input = `${line18()}\n${line18(change)}\n${line18(change)}`;
      assert.deepEqual(fast(input), general(input));
    }),
    { numRuns: 6000 },
  );
});

test('what only looks like a key, a time or a record of the right size is left to the general path', () => {
  const snapshot = manyTenants();
  const fast = runner(createNativeJsonDecoder, 'native-json', snapshot);
  const general = runner(createGeneralJsonDecoder, 'native-json', snapshot);
  const times = ['00.000', '59.999', '60.000', '61.000', '99.999', '0a.000', '00.00', '00.0000'];
  const lines = [
    ...times.map((second) => line18({ timestamp: `"2026-07-28T09:00:${second}Z"` })),
    `${line18().replace('"pop_id":', '"x":')}\n${line18().replace('"pop_id":', '\0\0\0\0\0\0\0\0')}`,
    line18().replace('"pop_id":', '\0\0\0\0\0\0\0\0'),
    line18().replace('"pop_id":', '\n\n\n\n\n\n\n\n'),
    line18({ ja3: '"a"', ja4: '"b"', host: '"h"', sampling_rate: '0' }),
    line18({ duration_ms: '1.' }),
    line18({ application: `"${'a'.repeat(55)}"` }),
    line18({ application: `"${'a'.repeat(56)}"` }),
    line18({ application: `"${'a'.repeat(57)}"` }),
    line18({ application: `"${'a'.repeat(1500)}"` }),
    line18({ application: `"${'a'.repeat(1800)}"` }),
    ...Array.from({ length: 8 }, (_, i) => line18({ [`k${i}`]: '1' })),
    `{${Array.from({ length: 30 }, (_, i) => `"k${i}":1`).join(',')},${line18().slice(1)}`,
  ];
  for (const line of lines) {
    for (const input of [line, `${line18()}\n${line}\n${line}`, `${line}\n${line18()}`]) {
      assert.deepEqual(fast(input), general(input), line);
    }
  }
});

test('both agree on bytes that are no UTF-8, and on arbitrary damage', () => {
  const snapshot = manyTenants();
  const fast = runner(createNativeJsonDecoder, 'native-json', snapshot);
  const general = runner(createGeneralJsonDecoder, 'native-json', snapshot);
  const line = line18();
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(line.length * 3), fc.nat(255)), { minLength: 1, maxLength: 4 }), (damage) => {
      const bytes = Buffer.from(`${line}\n${line}\n${line}\n`);
      for (const [at, value] of damage) bytes[at % bytes.length] = value;
      assert.deepEqual(fast(bytes), general(bytes));
    }),
    { numRuns: 3000 },
  );
});

function line18(change: Record<string, string | undefined> = {}): string {
  const members = Object.entries({ ...GOOD, ...change }).filter(([, value]) => value !== undefined);
  return `{${members.map(([key, value]) => `"${key}":${value}`).join(',')}}`;
}

const decode = runner(createNativeJsonDecoder, 'native-json', snapshotOf());
const codeOf = (change: Record<string, string | undefined>): string => {
  const { rejects, flows } = decode(`${line18()}\n${line18(change)}\n`) as {
    rejects: { code: string }[];
    flows: unknown[];
  };
  assert.equal(rejects.length + flows.length, 2);
  return rejects[0]?.code ?? 'accepted';
};

test('what is wrong with a flow is said with a stable code', () => {
  const cases: [Record<string, string | undefined>, string][] = [
    [{}, 'accepted'],
    [{ destination_port: '65536' }, 'out_of_range'],
    [{ destination_port: '-1' }, 'out_of_range'],
    [{ bytes_sent: '1.5' }, 'wrong_type'],
    [{ bytes_sent: '18446744073709551615' }, 'accepted'],
    [{ bytes_sent: '18446744073709551616' }, 'out_of_range'],
    [{ bytes_sent: '"12"' }, 'accepted'],
    [{ bytes_sent: 'true' }, 'wrong_type'],
    [{ bytes_sent: 'null' }, 'accepted'],
    [{ source_ip: '"1.2.3"' }, 'bad_address'],
    [{ source_ip: 'null' }, 'missing_field'],
    [{ source_ip: undefined }, 'missing_field'],
    [{ protocol: undefined }, 'missing_field'],
    [{ protocol: '"nonsense"' }, 'wrong_type'],
    [{ timestamp: '"1999-12-31T23:59:59Z"' }, 'timestamp_range'],
    [{ timestamp: '"2100-12-31T23:59:59Z"' }, 'accepted'],
    [{ timestamp: '"soon"' }, 'bad_timestamp'],
    [{ tenant_id: `"${GLOBEX}"` }, 'tenant_mismatch'],
    [{ tenant_id: '"nobody"' }, 'tenant_unknown'],
    [{ tenant_id: undefined, pop_id: undefined }, 'accepted'],
    [{ __proto__x: '1' }, 'accepted'],
    [{ x: '{"__proto__":1}' }, 'forbidden_key'],
    [{ x: '1,"source_ip":"10.1.1.1"' }, 'duplicate_key'],
    [{ x: '1,"y":1,"y":2' }, 'accepted'],
    [{ user_id: '{"name":1}' }, 'wrong_type'],
    [{ user_id: '17' }, 'accepted'],
    [{ action: '"x' }, 'syntax'],
  ];
  for (const [change, code] of cases) assert.equal(codeOf(change), code, JSON.stringify(change));
});

test('a PoP has a short printable name, in records of every kind', () => {
  const decode = runner(createNativeJsonDecoder, 'native-json', manyTenants());
  const kinds = [
    JSON.parse(line18()) as object,
    { tenant_id: 'acme', timestamp: 1785229200, message: 'hello' },
    { tenant_id: 'acme', timestamp: 1785229200, tunnel_id: '0190a8f0-0000-7000-8000-000000000001', latency_ms: 1 },
  ];
  for (const kind of kinds)
    for (const [pop, taken] of [
      ['p'.repeat(128), true],
      ['ä'.repeat(128), true],
      ['p'.repeat(129), false],
      ['fra\u0000', false],
      ['fra\u007f', false],
      ['fra\u009b2J', false],
    ] as const) {
      const { rejects, flows, logs, tunnels } = decode(JSON.stringify({ ...kind, pop_id: pop })) as Record<
        string,
        { code?: string }[]
      >;
      assert.equal(flows.length + logs.length + tunnels.length, taken ? 1 : 0, JSON.stringify(kind));
      assert.deepEqual(
        rejects.map(({ code }) => code),
        taken ? [] : ['out_of_range'],
      );
    }
});

test('64-bit counters and nanoseconds are exact', () => {
  const change = {
    bytes_sent: '9007199254740993',
    bytes_received: '"18446744073709551615"',
    timestamp: '1785229200123456789',
  };
  const [row] = decode(line18(change)).flows as Record<string, unknown>[];
  assert.equal(row.bytesSent, '9007199254740993');
  assert.equal(row.bytesReceived, '18446744073709551615');
  assert.equal(row.time, '2026-07-28T09:00:00.123456789Z');
});

test('the same record at two places is two flows; the same place is the same flow again', () => {
  const line = line18({ flow_id: undefined });
  const first = decode(`${line}\n${line}\n`).flows as Record<string, unknown>[];
  const again = decode(`${line}\n${line}\n`).flows as Record<string, unknown>[];
  assert.notEqual(first[0].id, first[1].id);
  assert.deepEqual(first, again);
});

test('limits hold: size, depth, keys', () => {
  const small = runner(
    createNativeJsonDecoder,
    'native-json',
    snapshotOf({ limits: { recordBytes: 600, depth: 3, keys: 20 } }),
  );
  const code = (change: Record<string, string>): string =>
    (small(line18(change)).rejects as { code: string }[])[0]?.code ?? 'accepted';
  assert.equal(code({}), 'accepted');
  assert.equal(code({ x: `"${'y'.repeat(300)}"` }), 'record_too_large');
  assert.equal(code({ x: '[[1]]' }), 'accepted');
  assert.equal(code({ x: '[[[1]]]' }), 'too_deep');
  assert.equal(code({ a: '1', b: '1', c: '1' }), 'too_many_keys');
  assert.equal(code({ a: '{"b":{"c":1}}' }), 'too_many_keys');
  assert.equal(code({ x: '['.repeat(100) }), 'too_deep');
});

test('sessions, tunnel statistics and log events are told apart by their keys', () => {
  const session = `{"session_id":"${ID}","user_id":"u","device_id":"d","source_ip":"10.0.0.1","started_at":"2026-07-28T09:00:00Z","last_activity":"2026-07-28T09:05:00.5Z","status":"Active","metadata":{"os":"linux","build":7,"deep":{"x":1}}}`;
  const tunnel = `{"tunnel_id":"${ID}","timestamp":"2026-07-28T09:00:00Z","latency_ms":12.6,"jitter_ms":1,"packet_loss_percent":0.25,"rx_bytes":18446744073709551615,"tx_bytes":"5","uptime_seconds":86400}`;
  const log = `{"@timestamp":"2026-07-28T09:00:00.000000001Z","logsource":{"product":"linux","service":"sshd"},"message":"Failed password","host":{"name":"web1"},"user":"root","src_ip":"198.51.100.7","level":"warn","id":12345678901234567890}`;
  const out = decode(`${session}\n${tunnel}\n${log}\n`);
  assert.deepEqual(out.rejects, []);
  const [s] = out.sessions as Record<string, unknown>[];
  assert.equal(s.sessionId, ID);
  assert.equal(s.ms, Date.parse('2026-07-28T09:05:00.5Z'));
  assert.equal(s.startedAtMs, Date.parse('2026-07-28T09:00:00Z'));
  assert.equal(s.status, 'active');
  assert.deepEqual(s.metadata, { os: 'linux', build: '7' });
  const [t] = out.tunnels as Record<string, unknown>[];
  assert.deepEqual(
    [t.latencyMs, t.packetLossPercent, t.rxBytes, t.txBytes, t.pop],
    [13, 0.25, (1n << 64n) - 1n, 5n, 'fra1'],
  );
  const [l] = out.logs as Record<string, unknown>[];
  assert.deepEqual(l.logsource, { product: 'linux', category: '', service: 'sshd' });
  assert.deepEqual(
    [l.host, l.user, l.sourceIp, l.severity, l.message, l.ns],
    ['web1', 'root', '198.51.100.7', 'warning', 'Failed password', 1],
  );
  assert.equal((l.fields as Record<string, unknown>).id, '12345678901234567890');
  assert.equal(l.fieldsJson, log);
});

test('records of other dialects, and what is no JSON object, are mismatches; never log events without an address', () => {
  const lines = [
    '{"ts":1713484795.9,"uid":"C1","id.orig_h":"10.0.0.1","id.resp_h":"10.0.0.2","proto":"tcp"}',
    '{"timestamp":"2026-07-28T09:00:00.000000+0000","flow_id":1,"event_type":"flow","src_ip":"10.0.0.1","dest_ip":"10.0.0.2","proto":"TCP"}',
    '{"type":"NETFLOW_V9","time_received_ns":1785229200000000000,"sampler_address":"10.0.0.1","src_addr":"10.0.0.1"}',
    'Jul 28 09:00:00 host sshd[1]: Failed password',
    '[{"a":1}]',
  ];
  const out = decode(lines.join('\n'));
  assert.deepEqual(
    (out.rejects as { code: string }[]).map(({ code }) => code),
    lines.map(() => 'format_mismatch'),
  );
  assert.deepEqual((decode('{"colour":"red"}').rejects as { code: string }[])[0].code, 'missing_field');
});

test('a record whose time is ahead of its append time is kept and flagged', () => {
  const [row] = decode(line18({ timestamp: '"2027-01-01T00:00:00Z"' })).flows as Record<string, number>[];
  assert.equal(row.flags & 4, 4);
});

test('a source without a PoP refuses flows that name none', () => {
  const bare = runner(createNativeJsonDecoder, 'native-json', snapshotOf({ sources: [source({ pop: '' })] }));
  const out = bare(`${line18()}\n${line18({ pop_id: undefined })}`);
  assert.equal((out.flows as unknown[]).length, 1);
  assert.equal((out.rejects as { code: string }[])[0].code, 'pop_missing');
});

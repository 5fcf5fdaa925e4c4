import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FLOW_FLAG } from '../../src/model/flow.ts';
import { assertHas, dataFile, decodeWith, type Options, type Result } from './dialects.test-support.ts';
import { snapshotOf, source } from './fixture.test-support.ts';
import { createZeekJsonDecoder } from './zeek-json.ts';
import { createZeekTsvDecoder } from './zeek-tsv.ts';

const decode = (input: string | Uint8Array, options?: Options): Result =>
  decodeWith(createZeekJsonDecoder, 'zeek-json', input, options);
const one = (record: object): Result => decode(JSON.stringify(record));

const LOGS =
  'dns ftp kerberos known_certs known_services notice ntlm rdp smtp software ssh ssl syslog weird x509'.split(' ');

for (const name of LOGS) {
  test(`a competition's ${name} log: every record a log event with its own fields`, (t) => {
    const bytes = dataFile(`zeek/wrccdc-2018/${name}.json.gz`);
    if (bytes === null) return t.skip('shared data is absent');
    const lines = bytes
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '');
    const { logs, flows, rejects } = decode(bytes, { batch: 1 << 20 });
    assert.deepEqual(rejects, []);
    assert.equal(flows.length, 0);
    assert.equal(logs.length, lines.length);
    assert.ok(logs.every(({ logsource }) => logsource.product === 'zeek' && logsource.service === name));
    for (let i = 0; i < lines.length; i += 97) {
      const record = JSON.parse(lines[i]) as Record<string, unknown>;
      assert.deepEqual(logs[i].fields, record);
      assert.equal(logs[i].fieldsJson, lines[i]);
      assert.equal(logs[i].ms, Date.parse(String(record.ts).replace(/\d{3}Z$/, 'Z')));
      assert.equal(logs[i].sourceIp, record['id.orig_h'] ?? '');
    }
  });
}

const CONN = {
  ts: 1521911720.865716,
  uid: 'CqKst53mF3det3eDV9',
  'id.orig_h': '10.47.1.100',
  'id.orig_p': 41772,
  'id.resp_h': '10.0.0.100',
  'id.resp_p': 53,
  proto: 'udp',
  service: 'dns',
  duration: 0.5,
  orig_bytes: 30,
  resp_bytes: 100,
  conn_state: 'SF',
  local_orig: true,
  local_resp: false,
  history: 'Dd',
  orig_pkts: 1,
  orig_ip_bytes: 58,
  resp_pkts: 1,
  resp_ip_bytes: 128,
};

test('conn becomes a flow; epoch times are read from their digits', () => {
  const text = JSON.stringify({ _path: 'conn', ...CONN }).replace('1521911720.865716', '1521911720.865716004');
  assertHas(decode(text).flows[0], {
    time: '2018-03-24T17:15:20.865716004Z',
    source: '10.47.1.100',
    destination: '10.0.0.100',
    sourcePort: 41772,
    protocol: 17,
    durationMs: 500,
    bytesSent: 30,
    bytesReceived: 100,
    packetsSent: 1,
    ipBytesReceived: 128,
    service: 'dns',
    connectionState: 'SF',
    tcpFlags: 0,
    producerId: 'CqKst53mF3det3eDV9',
    flags: FLOW_FLAG.localKnown | FLOW_FLAG.sourceLocal,
  });
});

test('dotted keys, nested objects, RFC 3339 and epoch say the same', () => {
  const { 'id.orig_h': orig_h, 'id.orig_p': orig_p, 'id.resp_h': resp_h, 'id.resp_p': resp_p, ts, ...rest } = CONN;
  const [flat] = one(CONN).flows;
  const nested = { id: { orig_h, orig_p, resp_h, resp_p }, ts: '2018-03-24T17:15:20.865716Z', ...rest };
  assert.deepEqual(one(nested).flows[0], flat);
  assert.ok(ts > 0);
});

test('TSV and JSON of a row are the same flow', () => {
  const names = Object.keys(CONN);
  const values = Object.values(CONN).map((value) => (typeof value === 'boolean' ? (value ? 'T' : 'F') : String(value)));
  const tsv = `#path\tconn\n#fields\t${names.join('\t')}\n${values.join('\t')}\n`;
  assert.deepEqual(decodeWith(createZeekTsvDecoder, 'zeek-tsv', tsv).flows, one(CONN).flows);
});

test('without _path a record is known by its keys, or by what the source declares', () => {
  assert.equal(one({ ts: 1521911720, query: 'a.example', qtype: 1 }).logs[0].logsource.service, 'dns');
  assert.equal(one({ ts: 1521911720, something: 1 }).logs[0].logsource.service, '');
  const logsource = { product: '', category: '', service: 'http' };
  const snapshot = snapshotOf({ sources: [source({ logsource })] });
  assert.equal(decode('{"ts":1521911720,"x":1}', { snapshot }).logs[0].logsource.service, 'http');
});

test('who an event is about', () => {
  const kerberos = one({ _path: 'kerberos', ts: 1521911720, client: 'bob/NM', 'id.orig_h': '::ffff:10.0.0.1' }).logs[0];
  assertHas(kerberos, { user: 'bob/NM', sourceIp: '10.0.0.1' });
  assertHas(one({ _path: 'ssh', ts: 1521911720, client: 'SSH-2.0-OpenSSH' }).logs[0], { user: '' });
  const notice = one({ _path: 'notice', ts: 1521911720, src: '10.0.0.9', msg: 'seen', note: 'Scan::Port_Scan' })
    .logs[0];
  assertHas(notice, { sourceIp: '10.0.0.9', message: 'seen', severity: 'notice' });
  assertHas(one({ _path: 'syslog', ts: 1521911720, severity: 'ERR', message: 'm' }).logs[0], { severity: 'error' });
});

test('integers that a double cannot hold keep their digits', () => {
  const { fields, fieldsJson } = decode('{"ts":1521911720,"a":18446744073709551615,"b":{"c":9007199254740993},"d":1.5}')
    .logs[0];
  assert.deepEqual(fields, { ts: 1521911720, a: '18446744073709551615', b: { c: '9007199254740993' }, d: 1.5 });
  assert.match(fieldsJson, /18446744073709551615/);
  const twice = '{"ts":1521911720,"a":{"n":18446744073709551615},"a":5,"b":{"n":18446744073709551615},"b":null}';
  assert.deepEqual(decode(twice).logs[0].fields, { ts: 1521911720, a: 5, b: null });
});

test('a forwarder may name tenant and PoP; the wrong tenant is refused', () => {
  const record = { _path: 'conn', ...CONN, tenant_id: 'acme', pop_id: 'nyc2' };
  assertHas(one(record).flows[0], { pop: 'nyc2', tenant: 0 });
  assert.deepEqual(one({ ...record, tenant_id: 'globex' }).rejects, ['tenant_mismatch']);
  assert.deepEqual(one({ ...record, tenant_id: 'nobody' }).rejects, ['tenant_unknown']);
});

test('bad records are rejects that say why', () => {
  const conn = JSON.stringify(CONN);
  const cases: [string, string][] = [
    ['{"ts":1,', 'syntax'],
    ['[1]', 'syntax'],
    ['{"ts":01}', 'syntax'],
    ['{"ts":1521911720}{}', 'syntax'],
    [`{"ts":1521911720,"__proto__":{"x":1}}`, 'forbidden_key'],
    [`{"ts":1521911720,"\\u005f_proto__":{"x":1}}`, 'forbidden_key'],
    [`{"a":${'['.repeat(40)}${']'.repeat(40)}}`, 'too_deep'],
    [`{${Array.from({ length: 600 }, (_, i) => `"k${i}":1`).join(',')}}`, 'too_many_keys'],
    [conn.replace('"uid"', '"ts":1521911720,"uid"'), 'duplicate_key'],
    [conn.replace('"id.orig_h"', '"id":{"orig_h":"1.2.3.4"},"id.orig_h"'), 'duplicate_key'],
    [conn.replace('10.47.1.100', '10.47.1'), 'bad_address'],
    [conn.replace('"id.orig_h"', '"nobody"'), 'missing_field'],
    [conn.replace('41772', '-1'), 'wrong_type'],
    [conn.replace('41772', '70000'), 'out_of_range'],
    [conn.replace('"orig_bytes":30', '"orig_bytes":{}'), 'wrong_type'],
    [conn.replace('"orig_bytes":30', '"orig_bytes":99999999999999999999'), 'out_of_range'],
    [conn.replace('1521911720.865716', '"yesterday"'), 'bad_timestamp'],
    [conn.replace('1521911720.865716', '5'), 'timestamp_range'],
  ];
  const { rejects, flows } = decode(cases.map(([line]) => `${line}\n${conn}\n`).join(''));
  assert.deepEqual(
    rejects,
    cases.map(([, code]) => code),
  );
  assert.equal(flows.length, cases.length);
});

test('JSON.parse and the tape agree on what is JSON', () => {
  const token = fc.constantFrom(
    ...[
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"ts":1521911720',
      '"b":',
      '1',
      '-0.5e3',
      '01',
      '"\\u00e9"',
      '"\\x"',
      'true',
    ],
    ...['nul', 'null', ' ', '\t', '"', '1.', '"x":{"y":[{},[]]}'],
  );
  fc.assert(
    fc.property(fc.array(token, { maxLength: 10 }), (tokens) => {
      const inner = tokens.join('');
      for (const text of [inner, `{"ts":1521911720,"z":${inner}}`, `{${inner}}`]) {
        let valid = true;
        try {
          const value: unknown = JSON.parse(text);
          valid = typeof value === 'object' && value !== null && !Array.isArray(value);
        } catch {
          valid = false;
        }
        const { rejects, read, skipped } = decode(text);
        if (read === skipped) continue;
        if (valid) assert.ok(!rejects.includes('syntax'), text);
        else assert.equal(rejects.length, 1, text);
      }
    }),
    { numRuns: 300 },
  );
});

test('whatever the bytes are, every line has one outcome and nothing throws', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => void decode(bytes)));
  fc.assert(
    fc.property(fc.json({ maxDepth: 3 }), fc.nat(200), (json, cut) => void decode(`${json.slice(0, cut)}\n${json}`)),
  );
});

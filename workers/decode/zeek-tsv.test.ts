import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { utf8 } from '../../src/model/bytes.ts';
import { FLOW_FLAG } from '../../src/model/flow.ts';
import { assertHas, dataFile, decodeWith, type Options, type Result } from './dialects.test-support.ts';
import { snapshotOf, source } from './fixture.test-support.ts';
import { createZeekTsvDecoder } from './zeek-tsv.ts';
import { unescapeZeek, zeekText } from './zeek-values.ts';

const decode = (input: string | Uint8Array, options?: Options): Result =>
  decodeWith(createZeekTsvDecoder, 'zeek-tsv', input, options);

function header(path: string, fields: string, types = ''): string {
  const tabs = (text: string): string => text.split(' ').join('\t');
  const lines = ['#separator \\x09', '#set_separator\t,', '#empty_field\t(empty)', '#unset_field\t-', `#path\t${path}`];
  lines.push('#open\t2024-04-19-00-00-01', `#fields\t${tabs(fields)}`);
  if (types !== '') lines.push(`#types\t${tabs(types)}`);
  return `${lines.join('\n')}\n`;
}

const CONN = header('conn', 'ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto orig_bytes resp_bytes history');
const row = (...values: (string | number)[]): string => `${values.join('\t')}\n`;
const GOOD = row('1713484795.943239', 'CYl7', '10.0.0.1', 2532, '10.0.0.2', 443, 'tcp', 1, 2, 'ShADadFf');

/** What awk would say: sums by the header's names, over all data lines. */
function reference(text: string): { rows: number; lines: number; sum(name: string): bigint } {
  let fields: string[] = [];
  let rows = 0;
  let lines = 0;
  const sums = new Map<string, bigint>();
  for (const line of text.split('\n')) {
    if (line !== '') lines++;
    if (line.startsWith('#fields\t')) fields = line.split('\t').slice(1);
    if (line.startsWith('#') || line === '') continue;
    rows++;
    line.split('\t').forEach((value, i) => {
      if (/^\d+$/.test(value)) sums.set(fields[i], (sums.get(fields[i]) ?? 0n) + BigInt(value));
    });
  }
  return { rows, lines, sum: (name) => sums.get(name) ?? 0n };
}

const DAYS = ['2024-04-19', '2024-04-20'];

for (const day of DAYS) {
  test(`an exposed host's conn log of ${day}: every row a flow, every counter counted`, (t) => {
    const bytes = dataFile(`zeek/exposed-host-2024/conn.${day}.log.gz`);
    if (bytes === null) return t.skip('shared data is absent');
    const expected = reference(bytes.toString('utf8'));
    const whole = decode(bytes);
    assert.deepEqual(whole.rejects, []);
    assert.equal(whole.flows.length, expected.rows);
    assert.equal(whole.read, expected.lines);
    assert.equal(whole.sums.bytesSent, expected.sum('orig_bytes'));
    assert.equal(whole.sums.bytesReceived, expected.sum('resp_bytes'));
    assert.equal(whole.sums.packetsSent, expected.sum('orig_pkts'));
    assert.equal(whole.sums.packetsReceived, expected.sum('resp_pkts'));
    assert.equal(whole.sums.ipBytesSent, expected.sum('orig_ip_bytes'));
    assert.equal(whole.sums.ipBytesReceived, expected.sum('resp_ip_bytes'));
    assert.equal(new Set(whole.flows.map(({ id }) => id)).size, expected.rows);
    const pieces = decode(bytes, { batch: 10_000 });
    assert.deepEqual(pieces.sums, whole.sums, 'where batches were cut never shows');
    for (let i = 0; i < expected.rows; i += 37) assert.deepEqual(pieces.flows[i], whole.flows[i]);
  });

  test(`its DNS log of ${day}: every row a log event`, (t) => {
    const bytes = dataFile(`zeek/exposed-host-2024/dns.${day}.log.gz`);
    if (bytes === null) return t.skip('shared data is absent');
    const { logs, rejects } = decode(bytes, { batch: 50_000 });
    assert.deepEqual(rejects, []);
    assert.equal(logs.length, reference(bytes.toString('utf8')).rows);
    const [first] = decode(bytes, { batch: 1 }).logs;
    assert.deepEqual({ ...logs[0], rawStart: 0 }, { ...first, rawStart: 0 });
    assert.deepEqual(first.logsource, { product: 'zeek', category: 'dns', service: 'dns' });
  });
}

test('payload that no packet carried is a counter fault: 1.96 GB in two packets of 84 bytes', (t) => {
  const bytes = dataFile('zeek/exposed-host-2024/conn.2024-04-19.log.gz');
  if (bytes === null) return t.skip('shared data is absent');
  const lines = bytes.toString('utf8').split('\n');
  const row = lines.find((line) => line.includes('CudYex2Y82IShk9bh'));
  const [flow] = decode(`${lines.slice(0, 8).join('\n')}\n${row}\n`).flows;
  assert.equal(flow?.bytesReceived, 1_964_191_874);
  assert.equal(flow?.ipBytesReceived, 84);
  assert.equal(Number(flow?.flags) & FLOW_FLAG.counterFault, FLOW_FLAG.counterFault);
});

test('a conn row becomes a flow, to the microsecond', () => {
  const fields =
    '_node_name ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes conn_state ' +
    'local_orig local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents';
  const line = row(
    ...['worker-1', '1713539959.156291', 'CudY', '2001:db8::3', 44708, '64.225.56.201', 80, 'tcp', 'http', '0.070889'],
    ...[91, '18446744073', 'RSTR', 'F', 'T', 0, 'ShDgrR', 3, 211, 2, 84, '-'],
  );
  const { flows } = decode(header('conn', fields) + line);
  assert.equal(flows.length, 1);
  const { id, ...flow } = flows[0];
  assert.match(String(id), /^[0-9a-f-]{36}$/);
  assertHas(flow, {
    time: '2024-04-19T15:19:19.156291Z',
    durationMs: 70.889,
    source: '2001:db8::3',
    destination: '64.225.56.201',
    sourcePort: 44708,
    destinationPort: 80,
    protocol: 6,
    service: 'http',
    bytesSent: 91,
    bytesReceived: 18_446_744_073,
    packetsSent: 3,
    packetsReceived: 2,
    ipBytesSent: 211,
    ipBytesReceived: 84,
    connectionState: 'RSTR',
    history: 'ShDgrR',
    tcpFlags: 2 | 16 | 4,
    exporter: 'worker-1',
    producerId: 'CudY',
    pop: 'fra1',
    flags: FLOW_FLAG.localKnown | FLOW_FLAG.destinationLocal | FLOW_FLAG.counterFault,
  });
});

test('a flow is identified by its uid: the same wherever it stands, another in another tenant', () => {
  const [first, again] = decode(CONN + GOOD + GOOD).flows;
  assert.equal(first.id, again.id);
  const other = decode(CONN + GOOD, { snapshot: snapshotOf({ sources: [source({ tenant: 'globex' })] }) }).flows[0];
  assert.notEqual(first.id, other.id);
});

test('icmp over IPv6 is ICMPv6', () => {
  const line = row('1713484795.0', 'C', 'fe80::1', 135, 'ff02::1', 136, 'icmp', '-', '-', '-');
  assertHas(decode(CONN + line).flows[0], { protocol: 58, sourcePort: 135, destinationPort: 136 });
});

test('headers may change inside a segment; without one a line is refused', () => {
  const first = header('conn', 'ts uid id.orig_h id.resp_h');
  const second = header('dns', 'ts uid query', 'time string string');
  const text =
    `1713484795.1\tC\t10.0.0.1\t10.0.0.2\n${first}1713484795.1\tC\t10.0.0.1\t10.0.0.2\n#close\t2024-04-19-01-00-00\n` +
    `${second}1713484795.2\tD\texample.org\n\n`;
  const { flows, logs, rejects, skipped, read } = decode(text);
  assert.deepEqual(rejects, ['line_context']);
  assert.equal(flows.length, 1);
  assert.equal(logs[0].fields.query, 'example.org');
  assert.equal(read, 20);
  assert.equal(skipped, 17);
});

test('other paths keep their fields, typed by the header', () => {
  const fields = 'ts id.orig_h id.orig_p id.resp_h user ok n huge ratio until tags ids none blank';
  const types = 'time addr port addr string bool count count double time set[string] vector[count] set[string] string';
  const line = row(
    ...['1713484795.000001', '10.0.0.1', 22, '10.0.0.2', 'al\\x09ice', 'T', 12, '18446744073709551615', '0.25'],
    ...['253402300799.000000', 'a\\x2cb,c', '1,-,3', '(empty)', '(empty)'],
  );
  const { logs, rejects } = decode(`${header('ssh', `${fields} gone`, `${types} string`)}${line.trimEnd()}\t-\n`);
  assert.deepEqual(rejects, []);
  assert.deepEqual(logs[0].fields, {
    ts: '2024-04-18T23:59:55.000001Z',
    'id.orig_h': '10.0.0.1',
    'id.orig_p': 22,
    'id.resp_h': '10.0.0.2',
    user: 'al\tice',
    ok: true,
    n: 12,
    huge: '18446744073709551615',
    ratio: 0.25,
    until: '9999-12-31T23:59:59.000Z',
    tags: ['a,b', 'c'],
    ids: [1, null, 3],
    none: [],
    blank: '',
  });
  assert.deepEqual(JSON.parse(logs[0].fieldsJson), logs[0].fields);
  assertHas(logs[0], { user: 'al\tice', sourceIp: '10.0.0.1', ns: 1000 });
});

test('bytes that are no UTF-8 stay escaped, so that nothing is lost', () => {
  const raw = utf8('caf\\xc3\\xa9');
  assert.equal(zeekText(raw, 0, raw.length), 'café');
  const binary = utf8('a\\xff\\x00');
  assert.equal(zeekText(binary, 0, binary.length), 'a\\xff\\x00');
});

test('what Zeek escapes is read back', () => {
  const escaped = (bytes: Uint8Array): string =>
    Array.from(bytes, (byte) => {
      if (byte === 92) return '\\\\';
      return byte < 33 || byte > 126 || byte === 44 || byte === 45
        ? `\\x${byte.toString(16).padStart(2, '0')}`
        : String.fromCharCode(byte);
    }).join('');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const text = utf8(escaped(bytes));
      assert.deepEqual(Array.from(unescapeZeek(text, 0, text.length)), Array.from(bytes));
    }),
  );
});

test('a damaged header line acts the same whether its segment or a later one reads on from it', () => {
  const bytes = Buffer.concat([
    Buffer.from(`${CONN}${GOOD}#fields\tts\tid.orig_h\tid.resp_h\tx`),
    Buffer.from([0xff, 10]),
    Buffer.from('1713484795.1\t10.0.0.1\t10.0.0.2\ty\n'.repeat(3)),
  ]);
  const whole = decode(bytes);
  assert.equal(whole.flows.length, 4);
  assert.deepEqual(decode(bytes, { batch: 1 }).flows, whole.flows);
});

test('bad rows are rejects that say why; their neighbours are not lost', () => {
  const cases: [string, string][] = [
    [row('-', 'C', '10.0.0.1', 1, '10.0.0.2', 2, 'tcp', 1, 2, '-'), 'missing_field'],
    [row('noon', 'C', '10.0.0.1', 1, '10.0.0.2', 2, 'tcp', 1, 2, '-'), 'bad_timestamp'],
    [row('99.5', 'C', '10.0.0.1', 1, '10.0.0.2', 2, 'tcp', 1, 2, '-'), 'timestamp_range'],
    [row('1713484795.1', 'C', '10.0.0.256', 1, '10.0.0.2', 2, 'tcp', 1, 2, '-'), 'bad_address'],
    [row('1713484795.1', 'C', '-', 1, '10.0.0.2', 2, 'tcp', 1, 2, '-'), 'missing_field'],
    [row('1713484795.1', 'C', '10.0.0.1', 65536, '10.0.0.2', 2, 'tcp', 1, 2, '-'), 'out_of_range'],
    [row('1713484795.1', 'C', '10.0.0.1', 1, '10.0.0.2', 2, 'carrier-pigeon', 1, 2, '-'), 'wrong_type'],
    [row('1713484795.1', 'C', '10.0.0.1', 1, '10.0.0.2', 2, 'tcp', '9223372036854775808', 2, '-'), 'out_of_range'],
    [row('1713484795.1', 'C', '10.0.0.1', 1, '10.0.0.2', 2, 'tcp', '-1', 2, '-'), 'wrong_type'],
    [row('1713484795.1', 'C', '10.0.0.1', 1, '10.0.0.2', 2, 'tcp', 1, 2), 'syntax'],
    [row('1713484795.1', 'C', '10.0.0.1', 1, '10.0.0.2', 2, 'tcp', 1, 2, '-', 'more'), 'syntax'],
  ];
  const text = CONN + cases.map(([line]) => line + GOOD).join('');
  const { rejects, flows } = decode(text);
  assert.deepEqual(
    rejects,
    cases.map(([, code]) => code),
  );
  assert.equal(flows.length, cases.length);
});

test('hostile headers make their lines unreadable, nothing else', () => {
  assert.deepEqual(decode(`${header('x', 'ts __proto__', 'time string')}1713484795.1\ta\n`).rejects, ['forbidden_key']);
  assert.deepEqual(decode(`${header('x', 'ts a a', 'time string string')}1713484795.1\ta\tb\n`).rejects, [
    'duplicate_key',
  ]);
  assert.deepEqual(decode(`${header('x', 'ts a', 'time')}1713484795.1\ta\n`).rejects, ['line_context']);
  const many = Array.from({ length: 600 }, (_, i) => `f${i}`).join(' ');
  assert.deepEqual(decode(`${header('x', many)}1\n`).rejects, ['too_many_keys']);
});

test('whatever the bytes are, every line has one outcome and nothing throws', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      GOOD,
      CONN,
      '#fields\tts\tid.orig_h\n',
      '#separator x\n',
      '#types\n',
      '\n',
      '\t\t\t\n',
      '#\n',
      '\\x',
    ),
    fc.string({ unit: fc.constantFrom('\t', '-', '1', '.', 'a', '\\', 'x', ',', '(', '#', '\r', 'é') }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.integer({ min: 1, max: 80 }), (pieces, batch) => {
      decode(pieces.join(''), { batch });
    }),
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decode(bytes)));
});

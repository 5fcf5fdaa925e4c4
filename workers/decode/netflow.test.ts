import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FLOW_FLAG } from '../../src/model/flow.ts';
import { createAkvoradoJsonDecoder } from './akvorado-json.ts';
import { assertHas, decodeWith, type Options, type Result } from './dialects.test-support.ts';
import { createGoflow2JsonDecoder } from './goflow2-json.ts';
import { createGoflow2ProtobufDecoder } from './goflow2-protobuf.ts';
import { field, frame, varint } from './protobuf.test-support.ts';

const goflow = (...records: (object | string)[]): Result =>
  decodeWith(
    createGoflow2JsonDecoder,
    'goflow2-json',
    records.map((r) => (typeof r === 'string' ? r : JSON.stringify(r))).join('\n'),
  );
const akvorado = (record: object): Result =>
  decodeWith(createAkvoradoJsonDecoder, 'akvorado-json', JSON.stringify(record));
const protobuf = (bytes: Uint8Array, options?: Options): Result =>
  decodeWith(createGoflow2ProtobufDecoder, 'goflow2-protobuf', bytes, options);

// As goflow2 v2.2 writes it: times beyond 2^53, names for protocols, every field in every record.
const V2 =
  '{"type":"IPFIX","time_received_ns":1767324720787460121,"sequence_num":65361,"sampling_rate":0,"sampler_address":"192.168.88.1",' +
  '"time_flow_start_ns":1767324720000000007,"time_flow_end_ns":1767324721500000007,"bytes":143,"packets":1,' +
  '"src_addr":"192.168.89.2","dst_addr":"192.168.88.30","etype":"IPv4","proto":"UDP","src_port":55743,"dst_port":53,' +
  '"in_if":11,"out_if":12,"src_mac":"42:61:64:55:53:42","tcp_flags":0,"icmp_type":0,"icmp_code":0,"src_as":64512,"dst_as":0,' +
  '"next_hop":"0.0.0.0","src_net":"0.0.0.0/0"}';

const UNSAMPLED = {
  time: '2026-01-02T03:32:00.000000007Z',
  durationMs: 1500,
  source: '192.168.89.2',
  destination: '192.168.88.30',
  sourcePort: 55743,
  destinationPort: 53,
  protocol: 17,
  bytesSent: 143,
  packetsSent: 1,
  bytesReceived: 0,
  samplingRate: 1,
  exporter: '192.168.88.1',
  inputInterface: 11,
  outputInterface: 12,
  sourceAsn: 64512,
};

test('goflow2 v2 JSON: nanoseconds exact, one direction only', () => {
  const [flow] = goflow(V2).flows;
  assertHas(flow, UNSAMPLED);
  assert.equal(flow.flags, FLOW_FLAG.unidirectional | FLOW_FLAG.extras);
});

test('the answer to it has the same source and destination, and its bytes as received', () => {
  const answer = V2.replace('"192.168.89.2"', '"x"')
    .replace('"192.168.88.30"', '"192.168.89.2"')
    .replace('"x"', '"192.168.88.30"')
    .replace('"src_port":55743,"dst_port":53', '"src_port":53,"dst_port":55743');
  assertHas(goflow(answer).flows[0], { source: '192.168.89.2', destinationPort: 53, bytesReceived: 143, bytesSent: 0 });
});

test('sampled counters are scaled exactly, beyond 2^53 too; above 2^63-1 they are refused', () => {
  const sampled = V2.replace('"sampling_rate":0', '"sampling_rate":2048');
  const { flows, sums } = goflow(sampled.replace('"bytes":143', '"bytes":4503599627370495'));
  assertHas(flows[0], { samplingRate: 2048, packetsSent: 2048 });
  assert.equal(sums.bytesSent, 4_503_599_627_370_495n * 2048n);
  assert.equal(sums.bytesSent / 2048n, 4_503_599_627_370_495n);
  assert.ok(Number(flows[0].flags) & FLOW_FLAG.sampled);
  assert.deepEqual(goflow(sampled.replace('"bytes":143', '"bytes":4503599627370496')).rejects, ['out_of_range']);
  assert.deepEqual(goflow(V2.replace('"bytes":143', '"bytes":9223372036854775807')).rejects, []);
  assert.deepEqual(goflow(V2.replace('"bytes":143', '"bytes":9223372036854775808')).rejects, ['out_of_range']);
});

test('goflow2 v1 names, seconds and milliseconds', () => {
  const record = {
    Type: 'SFLOW_5',
    TimeReceived: 1701333929,
    SamplingRate: 64,
    SamplerAddress: '192.168.3.2',
    TimeFlowStart: 1701333929,
    TimeFlowEnd: 1701333929,
    TimeFlowStartMs: 0,
    TimeFlowEndMs: 0,
    Bytes: 102,
    Packets: 1,
    SrcAddr: '192.168.2.106',
    DstAddr: '192.168.2.104',
    Etype: 2048,
    Proto: 1,
    SrcPort: 0,
    DstPort: 0,
    InIf: 4,
    OutIf: 6,
    TcpFlags: 0,
    IcmpType: 8,
    IcmpCode: 0,
    SrcAs: 0,
  };
  const time = '2023-11-30T08:45:29.000Z';
  assertHas(goflow(record).flows[0], { time, protocol: 1, sourcePort: 8, bytesSent: 6528, samplingRate: 64 });
  assertHas(goflow({ ...record, TimeFlowStartMs: 1701333929250 }).flows[0], { time: '2023-11-30T08:45:29.250Z' });
  const reply = { ...record, SrcAddr: record.DstAddr, DstAddr: record.SrcAddr, IcmpType: 0 };
  assertHas(goflow(reply).flows[0], {
    source: '192.168.2.106',
    sourcePort: 8,
    destinationPort: 0,
    bytesReceived: 6528,
  });
});

test('without times in the packet the time received counts; RFC 3339 is read too', () => {
  const record = V2.replace('1767324720000000007', '0').replace(
    '1767324720787460121',
    '"2026-01-02T03:32:00.787460121Z"',
  );
  assertHas(goflow(record).flows[0], { time: '2026-01-02T03:32:00.787460121Z', durationMs: -1 });
});

test('a protocol that goflow2 has no name for is 0; frames without addresses are refused', () => {
  assertHas(goflow(V2.replace('"UDP"', '""')).flows[0], { protocol: 0 });
  const cases: [string, string][] = [
    [V2.replace('"192.168.89.2"', '""'), 'missing_field'],
    [V2.replace('"192.168.89.2"', '"no"'), 'bad_address'],
    [V2.replace('"src_port":55743', '"src_port":65536'), 'out_of_range'],
    [V2.replace('"src_port":55743', '"src_port":1.5'), 'wrong_type'],
    [V2.replace('"in_if":11', '"in_if":4294967296'), 'out_of_range'],
    [V2.replace('"sampling_rate":0', '"sampling_rate":4294967296'), 'out_of_range'],
    [V2.replace('"time_received_ns"', '"x"').replace('"time_flow_start_ns"', '"y"'), 'missing_field'],
    [V2.replace('"packets":1', '"packets":1,"packets":2'), 'duplicate_key'],
  ];
  const { rejects } = goflow(...cases.map(([line]) => line));
  assert.deepEqual(
    rejects,
    cases.map(([, code]) => code),
  );
});

test('Akvorado: its API and its ClickHouse rows', () => {
  const api = {
    TimeReceived: 1753631373,
    SamplingRate: 100000,
    ExporterAddress: '::ffff:241.107.1.15',
    InIf: 10,
    OutIf: 21,
    SrcAddr: '::ffff:216.58.206.244',
    DstAddr: '::ffff:192.0.2.144',
    SrcAS: 15169,
    DstAS: 64501,
    OtherColumns: { Bytes: 1500, Packets: 1, Proto: 6, SrcPort: 443, DstPort: 50000 },
  };
  assertHas(akvorado(api).flows[0], {
    time: '2025-07-27T15:49:33.000Z',
    source: '192.0.2.144',
    destination: '216.58.206.244',
    destinationPort: 443,
    bytesReceived: 150_000_000,
    packetsReceived: 100_000,
    sourceAsn: 64501,
    exporter: '241.107.1.15',
    inputInterface: 10,
  });
  const row = {
    TimeReceived: '2025-07-27 15:49:33',
    SamplingRate: '20000',
    ExporterAddress: '::ffff:203.0.113.14',
    SrcAddr: '2001:db8::1',
    DstAddr: '2001:db8::2',
    Proto: 58,
    ICMPv4Type: 0,
    ICMPv6Type: 128,
    Bytes: '20',
    Packets: '3',
    InIfName: 'Gi0/0',
  };
  assertHas(akvorado(row).flows[0], { sourcePort: 128, destinationPort: 129, bytesSent: 400_000, packetsSent: 60_000 });
});

const ADDRESSES = [field(6, [192, 168, 89, 2]), field(7, [192, 168, 88, 30]), field(11, [192, 168, 88, 1])].flat();
const message = (...fields: number[][]): number[] =>
  [ADDRESSES, field(111, 1767324720000000007n), field(112, 1767324721500000007n), fields.flat()].flat();
const BASIC = message(
  ...[field(1, 4n), field(4, 65361n), field(9, 143n), field(10, 1n), field(20, 17n), field(21, 55743n), field(22, 53n)],
  ...[field(18, 11n), field(19, 12n), field(14, 64512n), field(30, 0x800n), field(110, 1767324720787460121n)],
);

test('FlowMessage says what the JSON of the same flow says', () => {
  const { flows } = protobuf(Uint8Array.from(frame(BASIC)));
  assertHas(flows[0], UNSAMPLED);
  const { id, ...same } = goflow(V2).flows[0];
  assert.ok(id);
  assertHas(flows[0], same);
});

test('every value of every field survives, unknown fields are passed over', () => {
  const u = (bits: number): fc.Arbitrary<bigint> => fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n });
  const other = fc.oneof(
    fc.tuple(fc.constantFrom(2, 33, 70, 101, 5000), u(64)).map(([number, value]) => field(number, value)),
    fc.tuple(fc.constantFrom(12, 82, 100), fc.uint8Array({ maxLength: 20 })).map(([n, value]) => field(n, [...value])),
    fc.constant([...varint(200n * 8n + 1n), 1, 2, 3, 4, 5, 6, 7, 8]),
    fc.constant([...varint(201n * 8n + 5n), 1, 2, 3, 4]),
  );
  const flow = fc.record({
    source: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    bytes: u(63),
    packets: u(63),
    port: fc.integer({ min: 1025, max: 65_535 }),
    input: u(32),
    others: fc.array(other, { maxLength: 4 }),
  });
  fc.assert(
    fc.property(fc.array(flow, { maxLength: 5 }), (records) => {
      const bytes = records.flatMap(({ source, bytes: size, packets, port, input, others }) =>
        frame([
          ...(others[0] ?? []),
          ...message(field(6, [...source]), field(9, size), field(10, packets), field(21, BigInt(port))),
          ...[...field(22, 22n), ...field(20, 6n), ...field(18, input), ...others.slice(1).flat()],
        ]),
      );
      const { flows, rejects, sums } = protobuf(Uint8Array.from(bytes));
      assert.deepEqual(rejects, []);
      assert.equal(flows.length, records.length);
      assert.equal(
        sums.bytesSent,
        records.reduce((sum, record) => sum + record.bytes, 0n),
      );
      assert.equal(
        sums.packetsSent,
        records.reduce((sum, record) => sum + record.packets, 0n),
      );
      records.forEach(({ port, input }, i) => {
        assertHas(flows[i], { sourcePort: port, destinationPort: 22, inputInterface: Number(input) });
      });
    }),
  );
});

test('a message that cannot be read is one reject; the next is read', () => {
  const cases: [number[], string][] = [
    [[], 'missing_field'],
    [[8, 128], 'syntax'],
    [[0, 1], 'syntax'],
    [[3, 1], 'syntax'],
    [[10, 200, 1], 'syntax'],
    [[...varint(9n * 8n), ...Array<number>(10).fill(255), 1], 'syntax'],
    [[...varint(9n * 8n), ...Array<number>(9).fill(255), 2], 'syntax'],
    [message(field(6, [1, 2, 3])), 'bad_address'],
    [message(field(9, [1])), 'wrong_type'],
    [message(field(6, 5n)), 'wrong_type'],
    [message(field(21, 65_536n)), 'out_of_range'],
    [message(field(20, 256n)), 'out_of_range'],
    [message(field(9, 1n << 63n)), 'out_of_range'],
    [message(field(9, 1n << 62n), field(3, 2n)), 'out_of_range'],
    [ADDRESSES, 'missing_field'],
    [message(field(111, 5n)), 'timestamp_range'],
    [message(...Array.from({ length: 600 }, () => field(102, 1n))), 'too_many_keys'],
  ];
  const { rejects, flows } = protobuf(Uint8Array.from(cases.flatMap(([bytes]) => [...frame(bytes), ...frame(BASIC)])));
  assert.deepEqual(
    rejects,
    cases.map(([, code]) => code),
  );
  assert.equal(flows.length, cases.length);
});

test('rejects count for the exporter that they name', () => {
  const wrong = V2.replace('"src_port":55743', '"src_port":70000');
  assert.deepEqual(goflow(V2, wrong, wrong.replace('192.168.88.1"', '192.168.88.2"'), wrong).failures, {
    '192.168.88.1': 2,
    '192.168.88.2': 1,
  });
  assert.deepEqual(goflow(V2, wrong.replace('"sampler_address":"192.168.88.1",', ''), '{').failures, {});
});

test('after a length that cannot be, the rest is one reject', () => {
  const good = frame(BASIC);
  for (const bad of [[200, 1, 1], [255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255], [128]]) {
    const { flows, rejects, details } = protobuf(Uint8Array.from([...good, ...bad]));
    assert.equal(flows.length, 1);
    assert.deepEqual(rejects, ['syntax']);
    assert.match(details[0], new RegExp(`byte ${good.length} `));
  }
});

test('whatever the bytes are, every record has one outcome and nothing throws', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void protobuf(bytes)));
  fc.assert(
    fc.property(fc.nat(BASIC.length - 1), fc.nat(255), (at, value) => {
      const bytes = frame(BASIC);
      bytes[at] = value;
      protobuf(Uint8Array.from(bytes));
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.nat(V2.length), fc.string({ maxLength: 2 }), (at, more) => void goflow(V2.slice(0, at) + more)),
  );
});

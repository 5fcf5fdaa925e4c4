// Promise: every record that says which packet it was in tells it once, refused or not, whichever way goflow2 writes it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLOW_FLAG } from '../../src/model/flow.ts';
import { EXPORTS } from '../../src/model/sequence-runs.ts';
import { createAkvoradoJsonDecoder } from './akvorado-json.ts';
import { decodeWith, type Options, type Result } from './dialects.test-support.ts';
import { createGoflow2JsonDecoder } from './goflow2-json.ts';
import { createGoflow2ProtobufDecoder } from './goflow2-protobuf.ts';
import { field, frame } from './protobuf.test-support.ts';

interface Header {
  readonly type: keyof typeof EXPORTS;
  readonly number: number;
  readonly domain?: number;
  readonly exporter?: number;
  readonly port?: number;
}

const json = ({ type, number, domain, exporter = 1, port = 53 }: Header): string =>
  JSON.stringify({
    type,
    sequence_num: number,
    ...(domain === undefined ? {} : { observation_domain_id: domain }),
    sampler_address: `192.0.2.${exporter}`,
    src_addr: '192.168.89.2',
    dst_addr: '192.168.88.30',
    dst_port: port,
    time_flow_start_ns: 1767324720000000000,
  });
const protobuf = ({ type, number, domain, exporter = 1, port = 53 }: Header): number[] =>
  frame([
    ...field(1, BigInt(EXPORTS[type])),
    ...(number === 0 ? [] : field(4, BigInt(number))), // as proto3 has it
    ...(domain === undefined ? [] : field(70, BigInt(domain))),
    ...field(11, [192, 0, 2, exporter]),
    ...[...field(6, [192, 168, 89, 2]), ...field(7, [192, 168, 88, 30]), ...field(22, BigInt(port))],
    ...field(111, 1767324720000000000n),
  ]);

const both = (headers: readonly Header[], options?: Options): Result[] => [
  decodeWith(createGoflow2JsonDecoder, 'goflow2-json', headers.map(json).join('\n'), options),
  decodeWith(
    createGoflow2ProtobufDecoder,
    'goflow2-protobuf',
    Uint8Array.from(headers.flatMap((header) => protobuf(header))),
    options,
  ),
];

test('packets or records, by exporter, type and domain; refused ones have arrived too', () => {
  const headers: Header[] = [
    { type: 'NETFLOW_V9', number: 2 ** 32 - 1 },
    { type: 'NETFLOW_V9', number: 2 ** 32 - 1 },
    { type: 'NETFLOW_V9', number: 1 },
    { type: 'NETFLOW_V9', number: 0, port: 70_000 },
    { type: 'NETFLOW_V9', number: 5, exporter: 2 },
    { type: 'IPFIX', number: 100, domain: 7 },
    { type: 'IPFIX', number: 100, domain: 7 },
    { type: 'IPFIX', number: 102, domain: 7 },
    { type: 'IPFIX', number: 100, domain: 8 },
    { type: 'IPFIX', number: 104, domain: 7, port: 70_000 },
    { type: 'SFLOW_5', number: 9 },
    { type: 'NETFLOW_V5', number: 30 },
  ];
  for (const { sequences, rejects } of both(headers)) {
    assert.deepEqual(rejects, ['out_of_range', 'out_of_range']);
    assert.deepEqual(sequences, {
      '192.0.2.1 0 3 0': [2 ** 32 - 1, 2 ** 32 + 1, 1],
      '192.0.2.2 0 3 0': [5, 5, 1],
      '192.0.2.1 0 4 7': [100, 102, 1, 104, 104, 1],
      '192.0.2.1 0 4 8': [100, 100, 1],
      '192.0.2.1 0 1 0': [9, 9, 1],
      '192.0.2.1 0 2 0': [30, 30, 1],
    });
  }
});

test('what took a detour was told where it came in', () => {
  for (const { sequences, flows } of both([{ type: 'IPFIX', number: 1 }], { diverted: 'overflow' })) {
    assert.equal(flows.length, 1);
    assert.deepEqual(sequences, {});
  }
});

test('numbers are no column: rules still look for them in the record, and one that is none refuses nothing', () => {
  for (const { flows } of both([{ type: 'IPFIX', number: 1 }])) assert.ok(Number(flows[0].flags) & FLOW_FLAG.extras);
  const line = json({ type: 'IPFIX', number: 1 });
  const odd = [line.replace(':1,', ':"x",'), line.replace(':1,', ':4294967296,'), line.replace('IPFIX', 'OTHER')];
  const { flows, sequences } = decodeWith(createGoflow2JsonDecoder, 'goflow2-json', odd.join('\n'));
  assert.equal(flows.length, 3);
  assert.deepEqual(sequences, {});
  const akvorado = {
    TimeReceived: 1753631373,
    ExporterAddress: '192.0.2.1',
    SrcAddr: '192.0.2.2',
    DstAddr: '192.0.2.3',
  };
  const other = decodeWith(
    createAkvoradoJsonDecoder,
    'akvorado-json',
    JSON.stringify({ ...akvorado, type: 'IPFIX', sequence_num: 1 }),
  );
  assert.equal(other.flows.length, 1);
  assert.deepEqual(other.sequences, {});
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ControlSnapshot } from '../../src/model/control.ts';
import { decodeWith } from './dialects.test-support.ts';
import { GLOBEX, snapshotOf, source } from './fixture.test-support.ts';
import { createGoflow2JsonDecoder } from './goflow2-json.ts';
import { createGoflow2ProtobufDecoder } from './goflow2-protobuf.ts';
import { field, frame } from './protobuf.test-support.ts';

const RECORD =
  '{"type":"IPFIX","sampler_address":"192.168.88.1","time_flow_start_ns":1767324720000000007,"bytes":143,"packets":1,' +
  '"src_addr":"192.168.89.2","dst_addr":"192.168.88.30","proto":"UDP","src_port":55743,"dst_port":53}';

const ASKING: ControlSnapshot = snapshotOf({
  sources: [
    source({
      tenant: '',
      pop: 'fra1',
      kafka: {
        topic: 'flows',
        tenantFrom: 'exporter',
        tenantHeader: '',
        popHeader: '',
        exporters: [
          { prefix: '192.168.0.0/16', tenant: 'globex', pop: '' },
          { prefix: '192.168.88.0/24', tenant: 'acme', pop: 'ams2' },
          { prefix: '2001:db8::/32', tenant: GLOBEX, pop: '' },
          { prefix: '203.0.113.0/24', tenant: 'nobody', pop: '' },
        ],
        partitioner: 'any',
        lanes: 1,
      },
    }),
  ],
});

test('where the source asks exporters, the longest prefix that holds their address says whose a flow is', () => {
  const from = (exporter: string, more = ''): string =>
    RECORD.replace('"192.168.88.1"', `"${exporter}"`).replace('"src_port"', `${more}"src_port"`);
  const decoded = decodeWith(
    createGoflow2JsonDecoder,
    'goflow2-json',
    [
      from('192.168.88.1'),
      from('192.168.1.1'),
      from('2001:db8::7'),
      from('::ffff:192.168.88.9', '"tenant_id":"acme","pop_id":"own",'),
      from('192.168.88.1', '"tenant_id":"globex",'),
      from('198.51.100.1'),
      from('203.0.113.1'),
      from('no address'),
    ].join('\n'),
    { snapshot: ASKING },
  );
  assert.deepEqual(
    decoded.flows.map(({ tenant, pop }) => `${tenant} ${pop}`),
    ['0 ams2', '1 fra1', '1 fra1', '0 own'],
  );
  assert.deepEqual(decoded.rejects, ['tenant_mismatch', 'tenant_unknown', 'tenant_unknown', 'bad_address']);
  assert.match(decoded.details[1], /198\.51\.100\.1/);
});

test('protobuf messages are told by their sampler address likewise', () => {
  const message = (...sampler: number[][]): number[] => [
    ...field(6, [192, 168, 89, 2]),
    ...field(7, [192, 168, 88, 30]),
    ...sampler.flatMap((address) => field(11, address)),
    ...field(111, 1767324720000000007n),
  ];
  const bytes = [message([192, 168, 88, 1]), message([10, 0, 0, 1]), message()].flatMap(frame);
  const decoded = decodeWith(createGoflow2ProtobufDecoder, 'goflow2-protobuf', Uint8Array.from(bytes), {
    snapshot: ASKING,
  });
  assert.deepEqual(
    decoded.flows.map(({ tenant, pop }) => `${tenant} ${pop}`),
    ['0 ams2'],
  );
  assert.deepEqual(decoded.rejects, ['tenant_unknown', 'missing_field']);
});

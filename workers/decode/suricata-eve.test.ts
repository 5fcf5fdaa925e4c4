import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FLOW_FLAG } from '../../src/model/flow.ts';
import { assertHas, dataFile, decodeWith, type Options, type Result } from './dialects.test-support.ts';
import { snapshotOf, source } from './fixture.test-support.ts';
import { createSuricataEveDecoder } from './suricata-eve.ts';

const decode = (input: string | Uint8Array, options?: Options): Result =>
  decodeWith(createSuricataEveDecoder, 'suricata-eve', input, options);

const FLOW =
  '{"timestamp":"2021-06-06T15:57:37.272281+0200","flow_id":9130604618893654321,"event_type":"flow","src_ip":"122.228.19.80",' +
  '"src_port":26897,"dest_ip":"192.168.1.129","dest_port":1583,"proto":"TCP","app_proto":"ssh","flow":{"pkts_toserver":2,' +
  '"pkts_toclient":1,"bytes_toserver":120,"bytes_toclient":60,"start":"2021-06-07T14:05:11.084310+0200",' +
  '"end":"2021-06-07T14:05:12.084564+0200","age":0,"state":"closed","reason":"shutdown","alerted":false},' +
  '"tcp":{"tcp_flags":"1b","syn":true},"host":"sensor-1"}';

interface Eve {
  event_type: string;
  flow: { bytes_toserver: number; bytes_toclient: number; pkts_toserver: number; pkts_toclient: number };
}

test("a honeypot's day: every flow event a flow, every other event a log event", (t) => {
  const bytes = dataFile('suricata/malicious-2021.eve.json.gz');
  if (bytes === null) return t.skip('shared data is absent');
  const records = bytes
    .toString('utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Eve);
  const flowEvents = records.filter(({ event_type }) => event_type === 'flow');
  const sum = (key: keyof Eve['flow']): bigint => flowEvents.reduce((total, { flow }) => total + BigInt(flow[key]), 0n);
  const { flows, logs, rejects, sums } = decode(bytes);
  assert.deepEqual(rejects, []);
  assert.equal(flows.length, flowEvents.length);
  assert.equal(flows.length, 3512);
  assert.equal(logs.length, records.length - flowEvents.length);
  assert.equal(sums.bytesSent, sum('bytes_toserver'));
  assert.equal(sums.bytesReceived, sum('bytes_toclient'));
  assert.equal(sums.packetsSent, sum('pkts_toserver'));
  assert.equal(sums.packetsReceived, sum('pkts_toclient'));
  assert.equal(new Set(flows.map(({ id }) => id)).size, flows.length);
  assert.equal(logs.filter(({ logsource }) => logsource.service === 'alert').length, 745);
  assert.equal(logs.filter(({ logsource }) => logsource.category === 'dns').length, 680);
  assert.deepEqual(decode(bytes, { batch: 4000 }).flows, flows);
});

test('a flow event: its own start, its duration, all digits of its id', () => {
  const [flow] = decode(FLOW).flows;
  assertHas(flow, {
    time: '2021-06-07T12:05:11.08431Z',
    durationMs: 1000.254,
    source: '122.228.19.80',
    destinationPort: 1583,
    protocol: 6,
    tcpFlags: 0x1b,
    bytesSent: 120,
    bytesReceived: 60,
    packetsSent: 2,
    packetsReceived: 1,
    service: 'ssh',
    connectionState: 'closed',
    exporter: 'sensor-1',
    producerId: '9130604618893654321',
  });
  assert.equal(decode(`${FLOW}\n`).flows[0].id, flow.id);
  const later = FLOW.replace('"start":"2021-06-07T14:05:11.084310', '"start":"2021-06-07T14:05:11.084311');
  assert.notEqual(decode(later).flows[0].id, flow.id);
});

test('an alert keeps its record, its message and its severity', () => {
  const alert =
    '{"timestamp":"2021-06-06T15:59:46.457984+0200","flow_id":9374195536821504123,"event_type":"alert","src_ip":"78.36.196.213",' +
    '"dest_ip":"192.168.1.129","alert":{"signature":"ET CINS","severity":2,"metadata":{"tag":["CINS"]}},"host":"sensor-1"}';
  const [log] = decode(alert).logs;
  assertHas(log, {
    logsource: { product: 'suricata', category: '', service: 'alert' },
    sourceIp: '78.36.196.213',
    destinationIp: '192.168.1.129',
    host: 'sensor-1',
    message: 'ET CINS',
    severity: 'warning',
    fieldsJson: alert,
    ns: 984_000,
  });
  assert.equal(log.fields.flow_id, '9374195536821504123');
  assert.deepEqual(log.fields.alert, { signature: 'ET CINS', severity: 2, metadata: { tag: ['CINS'] } });
});

test('netflow events are skipped, unless the source says that they are all there is', () => {
  const netflow =
    '{"timestamp":"2021-06-06T15:59:46.4+0200","event_type":"netflow","flow_id":5,"src_ip":"10.0.0.2","src_port":443,' +
    '"dest_ip":"10.0.0.1","dest_port":50000,"proto":"TCP","netflow":{"pkts":3,"bytes":300,' +
    '"start":"2021-06-06T15:59:40.0+0200","end":"2021-06-06T15:59:41.5+0200"}}';
  assertHas(decode(netflow), { skipped: 1, flows: [], rejects: [] });
  const logsource = { product: '', category: '', service: 'netflow' };
  const { flows } = decode(netflow, { snapshot: snapshotOf({ sources: [source({ logsource })] }) });
  assertHas(flows[0], {
    source: '10.0.0.1',
    sourcePort: 50_000,
    destination: '10.0.0.2',
    bytesReceived: 300,
    packetsReceived: 3,
    bytesSent: 0,
    durationMs: 1500,
  });
  const expected = FLOW_FLAG.unidirectional | FLOW_FLAG.reoriented;
  assert.equal(Number(flows[0].flags) & expected, expected);
});

test('ICMP carries type and code in the ports', () => {
  const icmp = FLOW.replace(/"src_port":26897,/, '')
    .replace(/"dest_port":1583,"proto":"TCP"/, '"proto":"ICMP","icmp_type":3,"icmp_code":1')
    .replace(/"tcp":\{[^}]*\},/, '');
  assertHas(decode(icmp).flows[0], { protocol: 1, sourcePort: 3, destinationPort: 1, tcpFlags: 0 });
});

test('Suricata numbers its tenants; only a name is ours', () => {
  const { flows, rejects } = decode(FLOW.replace('{"timestamp"', '{"tenant_id":7,"timestamp"'));
  assert.deepEqual(rejects, []);
  assert.equal(flows.length, 1);
});

test('bad records are rejects that say why', () => {
  const cases: [string, string][] = [
    [FLOW.replace('"event_type":"flow",', ''), 'missing_field'],
    [FLOW.replace('"start"', '"began"'), 'missing_field'],
    [FLOW.replace('2021-06-07T14:05:12', '2021-13-07T14:05:12'), 'bad_timestamp'],
    [FLOW.replace('122.228.19.80', 'here'), 'bad_address'],
    [FLOW.replace('"tcp_flags":"1b"', '"tcp_flags":"xy"'), 'wrong_type'],
    [FLOW.replace('"proto":"TCP"', '"proto":"PIGEON"'), 'wrong_type'],
    [FLOW.slice(0, 300), 'syntax'],
  ];
  const { rejects, flows } = decode(cases.map(([line]) => `${line}\n${FLOW}\n`).join(''));
  assert.deepEqual(
    rejects,
    cases.map(([, code]) => code),
  );
  assert.equal(flows.length, cases.length);
});

test('a record cut or changed anywhere has one outcome', () => {
  fc.assert(
    fc.property(fc.nat(FLOW.length), fc.string({ maxLength: 3 }), (at, more) => {
      decode(FLOW.slice(0, at) + more);
      decode(FLOW.slice(0, at) + more + FLOW.slice(at + more.length));
    }),
    { numRuns: 400 },
  );
});

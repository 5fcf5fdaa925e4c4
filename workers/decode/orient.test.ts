import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  clearRow,
  counterOf,
  createFlowColumns,
  FLOW_FLAG,
  type FlowColumns,
  setCounter,
} from '../../src/model/flow.ts';
import { ipText, parseIp } from '../../src/model/ip.ts';
import { orient } from './orient.ts';
import { placeIcmp } from './protocols.ts';

interface Observed {
  readonly from: string;
  readonly to: string;
  readonly fromPort?: number;
  readonly toPort?: number;
  readonly protocol?: number;
  readonly flags?: number;
  readonly icmpType?: number;
}

function oriented({
  from,
  to,
  fromPort = 0,
  toPort = 0,
  protocol = 17,
  flags = 0,
  icmpType = -1,
}: Observed): FlowColumns {
  const flows = createFlowColumns(1);
  clearRow(flows, 0);
  parseIp(from, flows.source);
  parseIp(to, flows.destination);
  flows.sourcePort[0] = fromPort;
  flows.destinationPort[0] = toPort;
  flows.protocol[0] = protocol;
  flows.tcpFlags[0] = flags;
  flows.sourceAsn[0] = 1;
  flows.destinationAsn[0] = 2;
  setCounter(flows.bytesSent, 0, 5_000_000_000);
  setCounter(flows.packetsSent, 0, 7);
  if (icmpType >= 0) placeIcmp(flows, 0, icmpType, 0);
  orient(flows, 0, icmpType);
  return flows;
}

const ends = (flows: FlowColumns): string =>
  `${ipText(flows.source)}:${flows.sourcePort[0]} → ${ipText(flows.destination)}:${flows.destinationPort[0]}`;

const port = fc.oneof(fc.integer({ min: 1, max: 65_535 }), fc.constantFrom(22, 53, 80, 443, 700, 2049, 40_000));

test('both directions of a conversation have the same source and destination', () => {
  fc.assert(
    fc.property(port, port, fc.constantFrom(6, 17, 132), fc.constantFrom(0, 0x12, 0x1b), (a, b, protocol, flags) => {
      fc.pre(a !== b);
      const one = oriented({ from: '10.0.0.1', to: '2001:db8::1', fromPort: a, toPort: b, protocol, flags });
      const two = oriented({ from: '2001:db8::1', to: '10.0.0.1', fromPort: b, toPort: a, protocol, flags });
      assert.equal(ends(one), ends(two));
      assert.notEqual(one.flags[0] & FLOW_FLAG.reoriented, two.flags[0] & FLOW_FLAG.reoriented);
      assert.ok(one.flags[0] & two.flags[0] & FLOW_FLAG.unidirectional);
    }),
  );
});

test('no byte or packet is lost: what a responder sent was received', () => {
  const request = oriented({ from: '10.0.0.1', to: '10.0.0.2', fromPort: 50_000, toPort: 443 });
  assert.equal(counterOf(request.bytesSent, 0), 5_000_000_000);
  assert.equal(counterOf(request.bytesReceived, 0), 0);
  const answer = oriented({ from: '10.0.0.2', to: '10.0.0.1', fromPort: 443, toPort: 50_000 });
  assert.equal(ends(answer), '10.0.0.1:50000 → 10.0.0.2:443');
  assert.equal(counterOf(answer.bytesSent, 0), 0);
  assert.equal(counterOf(answer.bytesReceived, 0), 5_000_000_000);
  assert.equal(counterOf(answer.packetsReceived, 0), 7);
  assert.deepEqual([answer.sourceAsn[0], answer.destinationAsn[0]], [2, 1]);
});

test('a lone SYN comes from the initiator, whatever its ports', () => {
  const scan = oriented({ from: '10.0.0.1', to: '10.0.0.2', fromPort: 53, toPort: 50_000, protocol: 6, flags: 2 });
  assert.equal(ends(scan), '10.0.0.1:53 → 10.0.0.2:50000');
});

test('a known service above 1024 is the server even against a privileged client port', () => {
  const nfs = oriented({ from: '10.0.0.2', to: '10.0.0.1', fromPort: 2049, toPort: 700, protocol: 6 });
  assert.equal(ends(nfs), '10.0.0.1:700 → 10.0.0.2:2049');
});

test('echo request and reply are one conversation', () => {
  const request = oriented({ from: '10.0.0.1', to: '10.0.0.2', protocol: 1, icmpType: 8 });
  const reply = oriented({ from: '10.0.0.2', to: '10.0.0.1', protocol: 1, icmpType: 0 });
  assert.equal(ends(request), '10.0.0.1:8 → 10.0.0.2:0');
  assert.equal(ends(reply), ends(request));
});

test('what cannot be told stays as observed', () => {
  const ntp = oriented({ from: '10.0.0.2', to: '10.0.0.1', fromPort: 123, toPort: 123 });
  assert.equal(ends(ntp), '10.0.0.2:123 → 10.0.0.1:123');
  const gre = oriented({ from: '10.0.0.2', to: '10.0.0.1', protocol: 47 });
  assert.equal(gre.flags[0], FLOW_FLAG.unidirectional);
  const multicast = oriented({ from: '10.0.0.2', to: '239.255.255.250', fromPort: 1900, toPort: 50_000 });
  assert.equal(multicast.flags[0], FLOW_FLAG.unidirectional);
});
